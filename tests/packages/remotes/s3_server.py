"""A program: moto's S3 on a port that the system chooses and it prints."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any


def main() -> None:
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    turn = threading.Lock()
    application = DomainDispatcherApplication(create_backend_app)

    def one_at_a_time(environ: dict[str, Any], respond: Callable[..., Any]) -> Iterable[bytes]:
        # Amazon's S3 takes a conditional write as one step; moto looks first and writes
        # afterwards, so that here one request is answered after the other.
        with turn:
            return list(application(environ, respond))

    class Quiet(WSGIRequestHandler):
        protocol_version = "HTTP/1.1"

        def log(self, *_: Any) -> None:
            pass

    server = make_server("127.0.0.1", 0, one_at_a_time, threaded=True, request_handler=Quiet)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
