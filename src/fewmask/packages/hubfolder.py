"""Finds the shards of a dataset in a folder laid out as on the Hugging Face Hub."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

from fewmask.data.folders.names import words_of
from fewmask.data.folders.sorting import natural_key
from fewmask.data.wording import some
from fewmask.errors import DataError
from fewmask.packages.card import CARD, read_head
from fewmask.packages.checks import Check, what_is_wrong_with, without_controls
from fewmask.packages.foreign import part_of_split
from fewmask.packages.manifest import PARTS

SUFFIX = ".parquet"
_DEEPEST = 3
"""Folders below the dataset's own that are looked through."""


class Found(NamedTuple):
    """The shards of a dataset.

    Args:
        shards: Path of each in the dataset, with `/`, and its part.
        findings: What was believed, in sentences.
    """

    shards: tuple[tuple[str, str], ...]
    findings: tuple[str, ...]


def list_parquet(folder: Path) -> list[str]:
    """Lists the Parquet files of a folder, and of those in it, as paths with `/`."""
    found = [
        path.relative_to(folder).as_posix()
        for depth in range(_DEEPEST)
        for path in folder.glob("*/" * depth + f"*{SUFFIX}")
    ]
    hidden = (path for path in found if not any(p.startswith((".", "_")) for p in path.split("/")))
    return sorted(hidden, key=natural_key)


def read_card(folder: Path) -> str:
    """Returns the card of a folder; empty where there is none.

    Raises:
        DataError: If it cannot be read, or is no text in UTF-8.
    """
    path = folder / CARD
    try:
        return path.read_text("utf-8-sig") if path.is_file() else ""
    except UnicodeDecodeError as error:
        raise DataError(path, "a text in UTF-8", "another encoding", "Save it as UTF-8.") from error
    except OSError as error:
        found = str(error.strerror or error)
        raise DataError(path, "a card that can be read", found, "Check its rights.") from error


def find_shards(paths: Iterable[str], card: str, where: object) -> Found:
    """Says which Parquet files belong to a dataset, and to which part.

    The card decides, if its head lists files. Otherwise all belong, and their names tell the
    part: `data/train-00000-of-00004.parquet`, `validation/0000.parquet`; others train. A file that
    the card lists under several parts is read once, to be judged by rather than to learn from.

    Args:
        paths: The Parquet files, as paths in the dataset with `/`.
        card: The text of its `README.md`; may be empty.
        where: The dataset, for messages.

    Returns:
        The shards, each path once; none where the card lists none of them.

    Raises:
        DataError: If the card cannot be read, or names files outside the dataset.

    Example:

    >>> find_shards(["data/train-0.parquet", "data/test-0.parquet"], "", "here").shards
    (('data/train-0.parquet', 'train'), ('data/test-0.parquet', 'test'))
    """
    head = read_head(card, f"{where}:{CARD}") if card else {}
    patterns, below, findings = _listed_by_card(head, Check(f"{where}:{CARD}"))
    paths = [path for path in paths if path.startswith(below)]
    listed: dict[str, set[str]] = {}
    skipped: list[str] = []
    if patterns:
        for split, pattern in patterns:
            part = part_of_split(split)
            if part is None:
                skipped.append(split)
                continue
            for path in paths:
                if _matches(path.removeprefix(below).split("/"), pattern.split("/")):
                    listed.setdefault(path, set()).add(part)
    else:
        listed = {path: {_part_of_path(path.removeprefix(below))} for path in paths}
    if skipped:
        findings.append(
            f"Left out, because they are no parts to train or judge by: {', '.join(skipped)}."
        )
    findings += _listed_several_times(listed)
    shards = tuple((path, max(parts, key=PARTS.index)) for path, parts in listed.items())
    return Found(shards, tuple(map(without_controls, findings)))


def _matches(path: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether a pattern means a path, as on the Hub: `*` ends at a `/`, `**` does not."""
    if not pattern:
        return not path
    if pattern[0] == "**":
        return any(_matches(path[first:], pattern[1:]) for first in range(len(path) + 1))
    return bool(path) and fnmatchcase(path[0], pattern[0]) and _matches(path[1:], pattern[1:])


def _listed_several_times(listed: Mapping[str, Collection[str]]) -> Iterator[str]:
    """Says which files are listed under several parts, all under the same in one sentence."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for path, parts in listed.items():
        alike.setdefault(tuple(sorted(parts, key=PARTS.index)), []).append(path)
    for names, paths in alike.items():
        if len(names) > 1:
            under = ", ".join(names)
            yield f"The card lists {some(paths)} under {under}: read as {names[-1]} alone."


def _part_of_path(path: str) -> str:
    for name in reversed(path.removesuffix(SUFFIX).split("/")):
        for word in words_of(name):
            part = part_of_split(word)
            if part:
                return part
    return "train"


def _listed_by_card(
    head: dict[str, Any], check: Check
) -> tuple[list[tuple[str, str]], str, list[str]]:
    """Returns what the card lists, from its one or default configuration.

    It is split and pattern of each, the folder that they are meant in, with a `/` at its end or
    empty, and what was believed.
    """
    configs = head.get("configs")
    configs = (
        [config for config in configs if isinstance(config, dict)]
        if isinstance(configs, list)
        else []
    )
    if not configs:
        return [], "", []
    chosen = next(
        (c for c in configs if c.get("default") is True or c.get("config_name") == "default"),
        configs[0],
    )
    patterns = list(_patterns(chosen.get("data_files")))
    folder = chosen.get("data_dir")
    folder = folder.removeprefix("./").rstrip("/") if isinstance(folder, str) else ""
    for place in (*(pattern for _, pattern in patterns), *([folder] if folder else [])):
        wrong = what_is_wrong_with(place.replace("*", "x").replace("?", "x"))
        check.that(wrong is None, "data files inside the dataset", place)
    findings = []
    if len(configs) > 1 and (patterns or folder):
        names = ", ".join(str(config.get("config_name")) for config in configs)
        findings.append(f"Of its configurations {names}, {chosen.get('config_name')} is read.")
    return patterns, f"{folder}/" if folder else "", findings


def _patterns(files: Any) -> Iterator[tuple[str, str]]:
    """Yields split and pattern from any of the ways in which cards write them."""
    if isinstance(files, dict) and "path" not in files:
        files = [{"split": split, "path": inner} for split, inner in files.items()]
    for item in files if isinstance(files, list) else [files]:
        item = item if isinstance(item, dict) else {"path": item}
        inner = item.get("path")
        for path in inner if isinstance(inner, list) else [inner]:
            if isinstance(path, str):
                yield str(item.get("split", "train")), path.removeprefix("./")
