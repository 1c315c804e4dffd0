"""The reader of pages itself: it misses no block, and takes nothing for granted."""

from __future__ import annotations

from pathlib import Path

import pytest

from .blocks import Block, find_blocks
from .printed import strange_lines
from .reader import Reader, typed_commands
from .retell import Teller


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    monkeypatch.chdir(tmp_path)
    return Reader({"pip install": "no network"})


PAGE = """\
# Title

Type

    fewmask --help

    fewmask --version

- an item
  that goes on

```text
Usage
```

!!! note "A box"

    With words, and

        ls

    ```python
    a = 1
    ```

1. first
   ```sh
   echo one
   ```
"""


def test_every_block_is_found_with_its_line() -> None:
    found = [(block.line, block.language, block.code) for block in find_blocks(PAGE)]
    assert found == [
        (5, "sh", "fewmask --help\n\nfewmask --version\n"),
        (12, "text", "Usage\n"),
        (20, "sh", "ls\n"),
        (22, "python", "a = 1\n"),
        (27, "sh", "echo one\n"),
    ]


def test_what_cannot_be_told_apart_is_refused() -> None:
    with pytest.raises(ValueError, match="line 1: this fence is never closed"):
        find_blocks("```python\na = 1\n")
    with pytest.raises(ValueError, match="line 3: indented below a list"):
        find_blocks("- an item\n\n    code or a paragraph?\n")


def test_a_block_that_is_neither_run_nor_known_fails(reader: Reader) -> None:
    for language in ("", "bash", "console"):
        with pytest.raises(AssertionError, match=f"```{language} is neither run nor known"):
            reader.read(Block(1, language, "ls\n"))


def test_files_that_are_shown_can_be_read(reader: Reader) -> None:
    reader.read(Block(1, "toml", 'masks = "labels"\n'))
    with pytest.raises(ValueError, match="Invalid"):
        reader.read(Block(1, "toml", "masks = labels\n"))


def test_commands_share_a_folder_and_blocks_of_python_their_names(
    reader: Reader, tmp_path: Path
) -> None:
    reader.read(Block(1, "sh", "mkdir new\necho 'a  b' > new/1.txt  # a file\n"))
    assert (tmp_path / "new" / "1.txt").read_text() == "a  b\n"
    code = "from pathlib import Path\n\ntext = Path('new/1.txt').read_text()\n"
    reader.read(Block(2, "python", code))
    reader.read(Block(3, "pycon", ">>> len(text)\n5\n>>> size = len(text)\n"))
    reader.read(Block(4, "python", "print(size)\n"))
    reader.read(Block(5, "text", "5\n"))


def test_commands_of_fewmask_see_patterns_and_write_where_they_are_told(
    reader: Reader, tmp_path: Path
) -> None:
    reader.read(Block(1, "sh", "fewmask --version > version.txt\n"))
    assert (tmp_path / "version.txt").read_text().startswith("fewmask, version ")
    reader.read(Block(2, "sh", "python -c \"import sys\nprint('> of Python')\" > b.txt # b\n"))
    assert (tmp_path / "b.txt").read_text() == "> of Python\n"


def test_what_does_not_work_fails(reader: Reader) -> None:
    for code in ("fewmask inspect nowhere\n", "ls nowhere\n", "fewmask --help | grep nothing\n"):
        with pytest.raises(AssertionError, match="ended with"):
            reader.read(Block(1, "sh", code))
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        reader.read(Block(1, "python", "1 / 0\n"))
    with pytest.raises(AssertionError, match="Expected:"):
        reader.read(Block(1, "pycon", ">>> 1 + 1\n3\n"))


def test_what_is_shown_must_have_been_printed(reader: Reader) -> None:
    reader.read(Block(1, "text", "a tree of files: nothing has been printed\n"))
    reader.read(Block(2, "python", "print('12 images in 3 s')\nprint('Done.')\n"))
    with pytest.raises(AssertionError, match=r"shown, but not printed: \['Finished.'\]"):
        reader.read(Block(3, "text", "97 images in 60 s\nFinished.\n"))
    reader.read(Block(3, "text", "97 images in 60 s\n…\nDone.\n"))


def test_a_folder_of_the_reader_is_that_of_the_page() -> None:
    assert strange_lines("Report: /home/you/a.html", "Report: /home/mai/a.html", "/home/mai") == []
    assert strange_lines("Dataset(chairs, …)", "Dataset(chairs, 12 rows)", "/home/mai") == []


def test_what_is_passed_over_must_be_there(reader: Reader) -> None:
    assert reader.unused_reasons() == ["pip install"]
    reader.read(Block(1, "sh", "pip install --no-such-option fewmask\n"))
    assert reader.unused_reasons() == []


def test_a_command_may_go_on_in_the_next_line() -> None:
    code = 'fewmask train photos/\\\n --epochs 3 # few\n\n# a remark\npython -c "a\nb"\n'
    commands = list(typed_commands(code))
    assert commands == ["fewmask train photos/  --epochs 3 # few", 'python -c "a\nb"']


def test_retelling_takes_the_numbers_that_are_printed_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    teller = Teller({})
    code = "for epoch in (1, 2, 3):\n    print('epoch', epoch)\nprint('Dice', 0.771)\n"
    teller.read(Block(1, "python", code))
    shown = "epoch 1\n…\nDice 0.779\nnever printed 7\n"
    teller.read(Block(2, "text", shown))
    assert teller.new == {shown: "epoch 1\n…\nDice 0.771\nnever printed 7\n"}
