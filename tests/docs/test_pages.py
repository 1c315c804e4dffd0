"""Every block of every page runs, or stands in stage.py with the reason why not."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from .beside import lay
from .blocks import find_blocks
from .fast import another_home, short_trainings
from .reader import ROOT, Reader
from .stage import (
    ANY_PAGE,
    BESIDE,
    DEPENDS,
    FREE_PORT,
    HERE,
    INSTEAD,
    NOT_RUN,
    PHOTOS_ONLY,
    SAME_BLOCKS,
    SERVES,
)

PAGES = {
    path.relative_to(ROOT).as_posix(): path
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md")))
}
WITH_BLOCKS = [
    name
    for name, path in PAGES.items()
    if find_blocks(path.read_text("utf-8")) and name not in SAME_BLOCKS
]


@pytest.mark.slow
@pytest.mark.parametrize("page", WITH_BLOCKS)
def test_every_block_runs(
    page: str, cupboard: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "you"
    folder.mkdir()
    monkeypatch.chdir(folder)
    reader = Reader(
        NOT_RUN.get(page), SERVES.get(page, ()), (*DEPENDS[ANY_PAGE], *DEPENDS.get(page, ()))
    )
    port = str(unused_port())
    with (
        another_home(tmp_path / "home", cupboard),
        short_trainings(),
        contextlib.closing(reader),
    ):
        lay(BESIDE.get(page, PHOTOS_ONLY), cupboard, folder)
        for block in find_blocks(PAGES[page].read_text("utf-8")):
            for there, instead in INSTEAD.get(page, {}).items():
                instead = instead.replace(FREE_PORT, port).replace(HERE, str(folder))
                block = replace(block, code=block.code.replace(there, instead))
            problem = ""
            try:
                reader.read(block)
            except AssertionError as error:
                problem = str(error)
            if problem:  # outside, because the trace of the reader says nothing about the page
                pytest.fail(f"{page}:{block.line}: {problem}", pytrace=False)
    assert reader.unused_reasons() == [], f"{page} has no such block: take it out of NOT_RUN"


def unused_port() -> int:
    """Finds a port that nothing listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.mark.parametrize("table", [INSTEAD, SERVES, NOT_RUN, DEPENDS])
def test_the_stage_has_nothing_that_no_page_shows(table: Mapping[str, Iterable[str]]) -> None:
    everything = "".join(path.read_text("utf-8") for path in PAGES.values())
    for page, entries in table.items():
        text = everything if page == ANY_PAGE else PAGES[page].read_text("utf-8")
        assert [entry for entry in entries if entry not in text] == [], page


def test_the_stage_is_set_for_pages_that_are_there() -> None:
    named = {*BESIDE, *SAME_BLOCKS, *SAME_BLOCKS.values()}
    assert sorted(named - set(PAGES)) == []


def test_the_site_understands_what_pages_are_written_in() -> None:
    site = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))
    needed = {"!!! ": "admonition", "??? ": "pymdownx.details", "```": "pymdownx.superfences"}
    lines = "\n".join(path.read_text("utf-8") for path in PAGES.values()).splitlines()
    used = {name for start, name in needed.items() if any(line.startswith(start) for line in lines)}
    assert (
        sorted(used - {name for name in site["markdown_extensions"] if isinstance(name, str)}) == []
    )
    assert "docs/site_language.py" in site.get("hooks", []), "else Vietnamese pages say lang=en"
