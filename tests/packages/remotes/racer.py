"""A program: pushes versions one after the other from a given moment on, and says how it went."""

import json
import sys
import time

from fewmask.errors import FewmaskError
from fewmask.packages.push import push
from fewmask.packages.remotes import open_remote
from fewmask.packages.remotes.patience import Patience
from fewmask.packages.store import Store


def main() -> None:
    store, url, options, *names = sys.argv[1:]
    open_remote(url, options=json.loads(options)).list("versions")  # loads what it takes
    print("ready", flush=True)
    start = float(sys.stdin.readline())
    time.sleep(max(0.0, start - time.time()))
    for name in names:
        try:
            pushed = push(
                name,
                url,
                store=Store(store),
                options=json.loads(options),
                patience=Patience(20, 4, 0.05),
            )
            print("pushed" if pushed.new else "there", flush=True)
        except FewmaskError as error:
            print(str(error), flush=True)


if __name__ == "__main__":
    main()
