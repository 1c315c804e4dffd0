"""Makes `python -m fewmask` the same as `fewmask`."""

from fewmask.cli import main

if __name__ == "__main__":
    main()
