"""The pages say what the program does: commands, options, links and names.

That what they show runs is tested in `tests/docs`.
"""

from __future__ import annotations

import ast
import importlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml

import fewmask
from fewmask.cli import COMMANDS, commands

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
COMMAND_LINE = DOCS / "reference" / "command-line.md"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]

FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?:^    [^\n]*\n)+", re.MULTILINE)
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
HEADER = """# Command line

What `--help` says. Exit codes: 0; 2 for a mistake, said in one sentence, for images that could not
be predicted and for damaged datasets; 130 for what was stopped; 1 for a fault of fewmask.

"""


def in_page(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def blocks(text: str, *languages: str) -> list[str]:
    return [code for language, code in FENCE.findall(text) if language in languages]


def typed_lines(text: str) -> Iterator[str]:
    """Yields the lines that a reader may type: of indented blocks, and of fences of shell code."""
    prose = FENCE.sub("", text)
    for block in [*INDENTED.findall(prose), *blocks(text, "sh")]:
        yield from (line.strip() for line in block.replace("\\\n", " ").splitlines())


def parse(line: str) -> None:
    """Parses a `fewmask` line without running it; raises what the program would raise."""
    _, *words = shlex.split(line.partition(" > ")[0], comments=True)
    if not words or words[0].startswith("-"):
        assert words in ([], ["--help"], ["--version"], ["-h"]), line
        return
    name, *arguments = words
    assert name in COMMANDS, f"{line}: there is no command {name}"
    command = commands.get_command(click.Context(commands), name)
    assert command is not None
    if not {"-h", "--help"} & set(arguments):
        command.make_context(name, arguments)


def every_command() -> Iterator[click.Command]:
    for name in COMMANDS:
        command = commands.get_command(click.Context(commands), name)
        assert command is not None
        yield command
        yield from getattr(command, "commands", {}).values()


def help_page() -> str:
    """Renders the reference of the command line."""
    top = click.Context(
        commands, info_name="fewmask", terminal_width=78, **commands.context_settings
    )
    sections = [f"```text\n{commands.get_help(top)}\n```\n"]
    for name in COMMANDS:
        command = commands.get_command(top, name)
        assert command is not None
        inner = click.Context(command, info_name=name, parent=top, terminal_width=78)
        sections.append(f"## fewmask {name}\n\n```text\n{command.get_help(inner)}\n```\n")
        for word, part in getattr(command, "commands", {}).items():
            deep = click.Context(part, info_name=word, parent=inner, terminal_width=78)
            told = part.get_help(deep)
            sections.append(f"### fewmask {name} {word}\n\n```text\n{told}\n```\n")
    return HEADER + "\n".join(sections) + "\nNext: `fewmask train demo/chairs`\n"


def test_the_command_line_page_is_what_help_says() -> None:
    assert COMMAND_LINE.read_text("utf-8") == help_page(), (
        "An option has changed. Write the page anew: python tests/test_docs.py"
    )


@pytest.mark.parametrize("page", PAGES, ids=in_page)
def test_every_command_that_a_page_shows_can_be_typed(page: Path) -> None:
    for line in typed_lines(page.read_text("utf-8")):
        if line.startswith("fewmask "):
            parse(line)


@pytest.mark.parametrize("page", PAGES, ids=in_page)
def test_every_command_in_a_sentence_has_its_options(page: Path) -> None:
    for code in CODE.findall(FENCE.sub("", page.read_text("utf-8"))):
        if code.startswith("fewmask "):
            # `fewmask predict` alone speaks of the command; what it lacks is no mistake.
            try:
                parse(code)
            except click.MissingParameter:
                continue


def test_every_command_is_shown_in_a_how_to_or_the_tutorial() -> None:
    shown = " ".join(
        line
        for page in [DOCS / "tutorial.md", *DOCS.glob("how-to/*.md")]
        for line in typed_lines(page.read_text("utf-8"))
    )
    assert [name for name in COMMANDS if f"fewmask {name} " not in shown] == []


def test_every_option_of_a_page_exists() -> None:
    there = {
        spelling
        for command in every_command()
        for parameter in command.params
        for spelling in [*parameter.opts, *parameter.secondary_opts]
    }
    there |= {"--help", "--version"}
    # Of other programs, and of our own scripts.
    others = {
        "--logdir",
        "--index-url",
        "--real-data",
        "--class",
        "--data",
        "--datasets",
        "--decoder",
        "--folds",
        "--one-network",
        "--only",
        "--rounds",
        "--steps",
    }
    for page in PAGES:
        for code in CODE.findall(FENCE.sub("", page.read_text("utf-8"))):
            found = set(re.findall(r"(?<!\S)--[a-z][a-z-]+", code))
            assert found <= there | others, f"{in_page(page)}: {found - there - others}"


@pytest.mark.parametrize("page", PAGES, ids=in_page)
def test_no_page_holds_the_place_of_something_to_come(page: Path) -> None:
    assert not re.search(
        r"(?m)^[A-Z][A-Z_]+$|\bTODO\b|\bTBD\b", FENCE.sub("", page.read_text("utf-8"))
    )


@pytest.mark.parametrize("page", PAGES, ids=in_page)
def test_links_and_pictures_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(FENCE.sub("", page.read_text("utf-8"))):
        path = target.partition("#")[0]
        if path and "://" not in target:
            assert (page.parent / path).exists(), f"{in_page(page)}: {target} is not there"


@pytest.mark.parametrize("page", PAGES, ids=in_page)
def test_files_of_the_project_that_a_page_names_are_there(page: Path) -> None:
    for code in CODE.findall(FENCE.sub("", page.read_text("utf-8"))):
        if re.fullmatch(r"(src|tests|docs|benchmarks|examples)/[\w./-]+", code):
            assert (ROOT / code).exists(), f"{in_page(page)}: {code} is not there"


def test_the_site_shows_every_page_once() -> None:
    def pages(entries: object) -> Iterator[str]:
        if isinstance(entries, str):
            yield entries
        elif isinstance(entries, list | dict):
            inner = entries.values() if isinstance(entries, dict) else entries
            for entry in inner:
                yield from pages(entry)

    nav = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["nav"]
    files = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
    assert sorted(pages(nav)) == files


@pytest.mark.parametrize("page", PAGES, ids=in_page)
def test_python_examples_use_names_that_exist(page: Path) -> None:
    for code in blocks(page.read_text("utf-8"), "python"):
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("fewmask"):
                module = importlib.import_module(str(node.module))
                for alias in node.names:
                    assert hasattr(module, alias.name), f"{node.module} has no {alias.name}"
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id == "fewmask"
            ):
                assert node.attr in fewmask.__all__, f"fewmask has no {node.attr}"


def test_every_name_of_the_front_door_is_in_the_reference() -> None:
    text = (DOCS / "reference" / "python.md").read_text("utf-8")
    assert [name for name in fewmask.__all__ if f"::: fewmask.{name}\n" not in text] == []


def test_every_name_of_the_reference_exists() -> None:
    text = (DOCS / "reference" / "python.md").read_text("utf-8")
    for name in re.findall(r"^::: ([\w.]+)$", text, re.MULTILINE):
        module, _, attribute = name.rpartition(".")
        assert hasattr(importlib.import_module(module), attribute), name


def test_the_first_screen_of_the_readme_has_all_to_begin_with() -> None:
    first = "\n".join((ROOT / "README.md").read_text("utf-8").splitlines()[:30])
    order = (
        "git clone",
        "make demo",
        "make test",
        "![",
        "python3 -m venv .venv && . .venv/bin/activate",
        "https://download.pytorch.org/whl/cpu",
        'pip install ".[torch]"',
    )
    places = [first.find(text) for text in order]
    assert -1 not in places
    assert places == sorted(places)


def test_the_readme_has_two_set_up_commands() -> None:
    typed = typed_lines((ROOT / "README.md").read_text("utf-8"))
    made = [line.partition("#")[0].strip() for line in typed if line.startswith("make ")]
    assert made == ["make demo", "make test"]


if __name__ == "__main__":
    COMMAND_LINE.write_text(help_page(), encoding="utf-8")
    print(f"Wrote {COMMAND_LINE}")
