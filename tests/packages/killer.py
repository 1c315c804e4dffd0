"""A program: begins a push or an install again and again, and kills it at random moments.

It forks, so that a try costs milliseconds and not the start of an interpreter.
"""

import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from fewmask.packages.index import manifest_path
from fewmask.packages.install import install
from fewmask.packages.manifest import Manifest
from fewmask.packages.names import parse_name
from fewmask.packages.push import push
from fewmask.packages.remotes import open_remote
from fewmask.packages.store import Store

NAME = "rohan/chairs@1"


def begin(action: Callable[[], object]) -> int:
    """Does something in a process of its own; returns its number."""
    process = os.fork()
    if process == 0:
        try:
            action()
        except Exception as error:  # noqa: BLE001 whatever it is, the parent must hear of it
            print(type(error).__name__, error, file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    return process


def done(process: int) -> bool:
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0


def kill_it(
    action: Callable[[], object],
    reset: Callable[[], object],
    check: Callable[[bool], None],
    kills: int,
) -> None:
    """Kills `action` at random moments of the time that it takes.

    `check` is told whether the action has been finished, and must hold after every kill.
    """
    reset()
    began = time.monotonic()
    assert done(begin(action))
    longest = time.monotonic() - began
    chance, killed = random.Random(os.getpid()), 0
    while killed < kills:
        reset()
        process = begin(action)
        # Spread over the whole of it, in an order that does not matter.
        time.sleep(longest * ((killed * 7) % kills + chance.random()) / kills)
        os.kill(process, signal.SIGKILL)
        if done(process):
            longest *= 0.9  # it was quicker than that
            continue
        killed += 1
        check(False)
        assert done(begin(action)), "the next try must succeed"
        check(True)
    print(killed)


def killed_pushes(store: Store, registry: Path, kills: int) -> None:
    from made import registry_is_sound  # it lies beside this program

    def check(finished: bool) -> None:
        assert registry_is_sound(registry), "a version without all its files"
        if finished:
            content = (registry / manifest_path(parse_name(NAME))).read_bytes()
            assert content == store.manifest_bytes(parse_name(NAME))
            assert NAME.partition("@")[0] in (registry / "index.json").read_text()

    kill_it(
        lambda: push(NAME, str(registry), store=store),
        lambda: shutil.rmtree(registry, ignore_errors=True),
        check,
        kills,
    )


def killed_installs(store: Store, url: str, kills: int) -> None:
    from made import is_sound

    expected = b"".join(open_remote(url).read(manifest_path(parse_name(NAME))))
    files = Manifest.from_bytes(expected, url).files
    lock = store.root.with_name("fewmask.lock")

    def check(finished: bool) -> None:
        for name in store.names():
            assert store.manifest_bytes(name) == expected
            assert all(store.has(file) for file in files), "a version without all its files"
        if finished:
            assert is_sound(store)
            assert NAME.partition("@")[0] in lock.read_text()

    def reset() -> None:
        shutil.rmtree(store.root, ignore_errors=True)
        lock.unlink(missing_ok=True)

    kill_it(lambda: install(NAME, source=url, store=store, lock=lock), reset, check, kills)


def main() -> None:
    what, root, place, kills = sys.argv[1:]
    if what == "push":
        killed_pushes(Store(root), Path(place), int(kills))
    else:
        killed_installs(Store(root), place, int(kills))


if __name__ == "__main__":
    main()
