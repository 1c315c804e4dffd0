"""A page in another language shows what its English page shows, in the same order."""

from __future__ import annotations

import re
import runpy
from types import SimpleNamespace

import pytest

import fewmask

from .blocks import find_blocks
from .reader import ROOT
from .stage import SAME_BLOCKS

PAIRS = pytest.mark.parametrize(("translated", "english"), SAME_BLOCKS.items())
ENGLISH, VIETNAMESE = "docs/tutorial.md", "docs/vi/tutorial.md"

IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
COMMAND = re.compile(r"`(fewmask[^`\n]*)`")
HEADING = re.compile(r"^(#+) (\d*)", re.MULTILINE)


def read(page: str) -> str:
    return (ROOT / page).read_text("utf-8")


def targets(addresses: list[str], page: str) -> list[str]:
    """Lists where links lead, seen from the root; a translated page stands for its English one."""
    folder = (ROOT / page).parent
    paths = [
        (folder / address.partition("#")[0]).resolve().relative_to(ROOT).as_posix()
        for address in addresses
        if "://" not in address
    ]
    return [SAME_BLOCKS.get(path, path) for path in paths]


@PAIRS
def test_commands_and_code_are_the_same(translated: str, english: str) -> None:
    def shown(page: str) -> list[tuple[str, str]]:
        return [(block.language, block.code) for block in find_blocks(read(page))]

    assert shown(translated) == shown(english)
    assert COMMAND.findall(read(translated)) == COMMAND.findall(read(english))


@PAIRS
def test_images_are_the_same_and_described_in_the_language(translated: str, english: str) -> None:
    there, here = IMAGE.findall(read(english)), IMAGE.findall(read(translated))
    assert targets([path for _, path in here], translated) == targets(
        [path for _, path in there], english
    )
    assert all(text for text, _ in here)
    assert not {text for text, _ in here} & {text for text, _ in there}


@PAIRS
def test_it_is_said_which_version_is_translated(translated: str, english: str) -> None:
    assert f"fewmask {fewmask.__version__}" in read(translated).partition("##")[0], (
        f"Compare {translated} with {english}, then let it name this version."
    )


def test_the_tutorial_has_the_same_steps_and_links() -> None:
    assert HEADING.findall(read(VIETNAMESE)) == HEADING.findall(read(ENGLISH))
    here = targets(LINK.findall(read(VIETNAMESE)), VIETNAMESE)
    assert here[0] == ENGLISH  # the first line leads to the page that it translates
    assert sorted(here[1:]) == sorted(targets(LINK.findall(read(ENGLISH)), ENGLISH))


def glossary() -> dict[str, str]:
    """Reads the English and the Vietnamese words of the glossary."""
    table = read("docs/vi/index.md").partition("| tiếng Anh |")[2]
    rows = [row.split(" | ") for row in table.splitlines() if row.startswith("| ")]
    return {row[0].removeprefix("| "): row[1] for row in rows}


def test_every_word_of_the_glossary_is_explained_where_it_is_first_used() -> None:
    words = glossary()
    assert len(words) > 15
    prose = re.sub(r"^(#|\*Bản dịch|\?\?\?).*", "", read(VIETNAMESE), flags=re.MULTILINE)
    text = " ".join(prose.split()).lower()
    for english, vietnamese in words.items():
        explained = text.find(f"{vietnamese} ({english})")
        first = re.search(rf"(?<!\w){vietnamese}(?!\w)", text)
        assert explained >= 0, f"{VIETNAMESE} never says {vietnamese} ({english})"
        assert first is not None
        assert first.start() == explained, (
            f"{vietnamese}: first used in …{text[first.start() - 40 : first.end() + 40]}…"
        )


def test_the_site_says_which_language_a_page_has() -> None:
    hook = runpy.run_path(str(ROOT / "docs" / "site_language.py"))["on_post_page"]
    top = '<html lang="en" class="no-js">'
    assert hook(top, page=SimpleNamespace(url="vi/tutorial.html")) == top.replace("en", "vi", 1)
    assert hook(top, page=SimpleNamespace(url="tutorial.html")) == top
