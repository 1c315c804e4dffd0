"""Types a page for real, as its readers do, and puts the numbers that are printed into it.

    python -m tests.docs.retell docs/tutorial.md

Trainings take as long as the page says. Pages with the same blocks in another language get the
same numbers. What the page made stays in a new folder, for the images of the documentation.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from .beside import lay
from .blocks import Block, find_blocks
from .printed import with_new_numbers
from .reader import ROOT, Reader
from .stage import BESIDE, NOT_RUN, SAME_BLOCKS

PAGES = ("README.md", "docs/tutorial.md")
"""Pages whose numbers come from a training of minutes."""


class Teller(Reader):
    """A reader who writes down what is printed where a test would compare it.

    Args:
        not_run: As for `Reader`.

    Attributes:
        new: For each block that shows what was printed, how it should read now.
    """

    def __init__(self, not_run: dict[str, str]) -> None:
        super().__init__(not_run)
        self.new: dict[str, str] = {}

    def read(self, block: Block) -> None:
        """Runs a block, after showing it."""
        if block.language != "text":
            print(block.code, flush=True)
        super().read(block)

    def compare(self, block: Block, printed: str) -> None:
        """Notes how the block should read."""
        self.new[block.code] = with_new_numbers(block.code, printed, os.getcwd())


def main() -> None:
    """Retells one page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("page", choices=PAGES)
    page = parser.parse_args().page
    folder = Path(tempfile.mkdtemp(prefix="fewmask-"))
    lay(BESIDE[page], folder, folder)
    os.chdir(folder)
    teller = Teller(NOT_RUN.get(page, {}))
    for block in find_blocks((ROOT / page).read_text("utf-8")):
        teller.read(block)
    for each in (page, *(translated for translated, of in SAME_BLOCKS.items() if of == page)):
        text = (ROOT / each).read_text("utf-8")
        for old, new in teller.new.items():
            text = text.replace(f"```text\n{old}```\n", f"```text\n{new}```\n")
        (ROOT / each).write_text(text, encoding="utf-8")
        print(f"Wrote {each}")
    print(f"Look at the difference. What the page made: {folder}")


if __name__ == "__main__":
    main()
