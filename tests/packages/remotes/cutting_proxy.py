"""A connection that can be cut, between a client and a server."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType


class CuttingProxy:
    """Listens on a port of its own and passes everything on to a server.

    Args:
        port: The server's, on this machine.
    """

    def __init__(self, port: int) -> None:
        self._server = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._left: dict[str, int | None] = {"down": None, "up": None}
        self._always = False
        self.passed = {"down": 0, "up": 0}
        self._open: list[socket.socket] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def cut(self, *, down: int | None = None, up: int | None = None, always: bool = False) -> None:
        """Cuts all connections once so many bytes have passed, or ever so many each time."""
        self._left = {"down": down, "up": up}
        self._always = always
        self._allowance = dict(self._left)

    def __enter__(self) -> CuttingProxy:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listener.close()
        for end in list(self._open):
            end.close()

    def _listen(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._server))
            except OSError:
                return
            self._open += [client, server]
            for source, sink, way in ((client, server, "up"), (server, client, "down")):
                threading.Thread(
                    target=self._pass_on, args=(source, sink, way), daemon=True
                ).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, way: str) -> None:
        try:
            while content := source.recv(2**16):
                left = self._left[way]
                if left is not None:
                    content = content[:left]
                sink.sendall(content)
                self.passed[way] += len(content)
                if left is not None:
                    self._left[way] = left - len(content)
                    if left == len(content):
                        self._left[way] = self._allowance[way] if self._always else None
                        break
        except OSError:
            pass
        for end in (source, sink):
            with suppress(OSError):
                # The first wakes whoever reads from it, the second refuses what still comes.
                end.shutdown(socket.SHUT_RDWR)
            end.close()
