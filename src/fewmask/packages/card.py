"""The card of a dataset, `README.md`: for people, with a head that programs read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from fewmask.data.classes import Classes
from fewmask.data.masks.encoding import MaskEncoding
from fewmask.data.schema import Column
from fewmask.data.wording import counted
from fewmask.errors import DataError
from fewmask.files import expanded
from fewmask.packages.checks import Check, without_controls
from fewmask.packages.described import read_encoding
from fewmask.packages.features import hub_feature_list, stored_columns
from fewmask.packages.licences import UNKNOWN, card_licence
from fewmask.packages.manifest import PARTS, Manifest
from fewmask.packages.overview import SHEET
from fewmask.packages.statistics import Statistics

CARD = "README.md"
LONGEST_DESCRIPTION = 50_000

_RULE = "---"
_SHEET_LINE = f"![Samples with their masks outlined]({SHEET})"
_ONE_SENTENCE = re.compile(r"\d+ images?( with masks of .+)?\.")
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (10**6, "100K<n<1M"))


def write_card(manifest: Manifest, statistics: Statistics, sizes: Mapping[str, int]) -> str:
    """Writes the card of a dataset.

    It says nothing that changes from one build of the same rows to the next.

    Args:
        manifest: What it holds; its files, version and date do not matter.
        statistics: What was measured.
        sizes: Bytes of the images and masks of each part.

    Returns:
        Markdown, with a head in YAML that the Hugging Face Hub understands.
    """
    head = yaml.safe_dump(
        _head(manifest, statistics.images, sizes), allow_unicode=True, sort_keys=False, width=100
    )
    classes = manifest.classes
    blocks = [
        f"{_RULE}\n{head}{_RULE}",
        f"# {manifest.name}",
        manifest.description.strip() or _in_one_sentence(classes, statistics.images),
        _SHEET_LINE,
        *_classes_block(classes, statistics),
        "## What is in it\n\n" + _contents(manifest.columns, manifest.parts, statistics),
        "## How to use it\n\n" + _usage(manifest.name, manifest.columns),
        "## Licence\n\n" + _licence_text(manifest.licence),
    ]
    return "\n\n".join(blocks) + "\n"


def read_head(text: str, where: object) -> dict[str, Any]:
    """Reads the YAML at the head of a card.

    Args:
        text: The card.
        where: Its name, for the error.

    Returns:
        What stands there; empty where there is no head.

    Raises:
        DataError: If the head is no YAML object.
    """
    head, _ = _split(text)
    try:
        values = yaml.safe_load(head) if head else {}
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        # Dates that are none are a ValueError.
        raise DataError(
            where,
            "YAML between the lines ---",
            f"text that is none: {str(error).splitlines()[0]}",
            "Correct it.",
        ) from error
    if not isinstance(values, dict):
        raise DataError(where, "keys and values between the lines ---", repr(head), "Correct it.")
    return values


def encoding_of_card(text: str, where: object) -> MaskEncoding | None:
    """Reads from a card how the masks were stored that the dataset was built from.

    Args:
        text: The card.
        where: Its name, for the error.

    Returns:
        The rule; None where the card has none.

    Raises:
        DataError: If it is no rule, or the head of the card is no YAML.
    """
    ours = read_head(text, where).get("fewmask")
    values = ours.get("encoding") if isinstance(ours, dict) else None
    checked = read_encoding(values, Check(where, "Correct it, or take it out."))
    return None if checked is None else MaskEncoding.from_json(checked)


def without_head(text: str) -> str:
    """Returns what people read of a card.

    Example:

    >>> without_head("---\\nlicense: mit\\n---\\n\\nChairs.\\n")
    'Chairs.'
    """
    return _split(text)[1].strip()


def text_of_folder(folder: str | Path) -> str:
    """Returns what the `README.md` of a folder says, without its head; empty without one.

    Of a card that `write_card` wrote, it is the description: the rest is written anew.

    Args:
        folder: Any path or name; what is no folder has no such text.
    """
    try:
        text = (expanded(folder) / CARD).read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return ""
    return without_controls(_description(without_head(text)))[:LONGEST_DESCRIPTION]


def _description(text: str) -> str:
    title, _, rest = text.partition("\n\n")
    words, ours, _ = rest.partition(_SHEET_LINE)
    if not (title.startswith("# ") and ours):
        return text
    return "" if _ONE_SENTENCE.fullmatch(words.strip()) else words.strip()


def _split(text: str) -> tuple[str, str]:
    lines = text.removeprefix("\ufeff").splitlines(keepends=True)
    if lines and lines[0].strip() == _RULE:
        for place, line in enumerate(lines[1:], start=1):
            if line.strip() == _RULE:
                return "".join(lines[1:place]), "".join(lines[place + 1 :])
    return "", text


def _head(manifest: Manifest, images: int, sizes: Mapping[str, int]) -> dict[str, Any]:
    classes, parts = manifest.classes, manifest.parts
    present = [part for part in PARTS if part in parts]
    head: dict[str, Any] = {
        "pretty_name": manifest.name.partition("/")[2],
        **card_licence(manifest.licence),
        **({"task_categories": ["image-segmentation"]} if classes else {}),
        "size_categories": [next((text for most, text in _SIZES if images < most), "n>1M")],
        "tags": ["fewmask"],
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": part, "path": f"data/{part}-*"} for part in present],
            }
        ],
        "dataset_info": {
            "features": hub_feature_list(manifest.columns),
            "splits": [
                {"name": part, "num_bytes": sizes[part], "num_examples": parts[part]}
                for part in present
            ],
        },
    }
    if classes:
        mask = next(column.name for column in manifest.columns if column.kind == "mask")
        listed = zip(classes.names, classes.colors, strict=True)
        head["fewmask"] = {
            "mask_column": mask,
            "classes": [
                {"id": number, "name": class_name, "color": "#{:02X}{:02X}{:02X}".format(*color)}
                for number, (class_name, color) in enumerate(listed)
            ],
            "ignore_index": classes.ignore_index,
            **({"encoding": dict(manifest.encoding)} if manifest.encoding else {}),
        }
    return head


def _in_one_sentence(classes: Classes | None, images: int) -> str:
    if classes is None:
        return f"{counted(images, 'image')}."
    names = list(classes.names[1:])
    listed = ", ".join(names[:-1]) + (" and " if names[:-1] else "") + names[-1]
    return f"{counted(images, 'image')} with masks of {listed}."


def _classes_block(classes: Classes | None, statistics: Statistics) -> list[str]:
    if classes is None:
        return []
    rows = zip(
        classes.names,
        classes.colors,
        statistics.class_shares,
        statistics.class_images,
        strict=True,
    )
    lines = ["| id | class | colour | share of pixels | in images |", "|---|---|---|---|---|"]
    for number, (name, color, share, images) in enumerate(rows):
        code = "#{:02X}{:02X}{:02X}".format(*color)
        lines.append(f"| {number} | {_cell(name)} | {code} | {share:.2%} | {images} |")
    text = "## Classes\n\n" + "\n".join(lines)
    if classes.ignore_index is not None:
        text += (
            f"\n\nPixels of the value {classes.ignore_index} do not count: nobody knows what they "
            f"show. There are {statistics.ignored_pixels:,} of them."
        )
    return [text]


def _contents(columns: Sequence[Column], parts: Mapping[str, int], statistics: Statistics) -> str:
    smallest, largest = statistics.smallest, statistics.largest
    sizes = f"{smallest[0]} × {smallest[1]}"
    if smallest != largest:
        sizes += f" to {largest[0]} × {largest[1]}"
    lines = [f"Images are {sizes} pixels (height × width)."]
    if len(parts) > 1:
        listed = ", ".join(f"{parts[part]} {part}" for part in PARTS if part in parts)
        lines.append(f"They come in parts: {listed}.")
    rows = ["", "", "| column | holds |", "|---|---|"]
    for column in stored_columns(columns):
        holds = {
            "image": "an image, the bytes of its original file",
            "mask": "the mask: a PNG file of one channel whose values are class ids",
        }.get(column.kind, column.kind)
        if column.categories:
            holds += f": {', '.join(column.categories[:20])}"
            holds += ", …" if len(column.categories) > 20 else ""
        rows.append(f"| {_cell(column.name)} | {_cell(holds)} |")
    return " ".join(lines) + "\n".join(rows)


def _usage(name: str, columns: Sequence[Column]) -> str:
    image = next(column.name for column in columns if column.kind == "image")
    return (
        "With [fewmask](https://pypi.org/project/fewmask/):\n\n"
        f"```sh\nfewmask install {name}\nfewmask train {name}\n```\n\n"
        "With `datasets`, from the folder or the repository that this file lies in:\n\n"
        "```python\n"
        "import datasets\n\n"
        'samples = datasets.load_dataset("path/of/this/folder")\n'
        f'samples["train"][0]["{image}"]\n'
        "```"
    )


def _licence_text(licence: str) -> str:
    if licence == UNKNOWN:
        return (
            "Unknown. Whoever built this package did not know under which licence the images may "
            "be used; ask before you publish or sell what you make with them."
        )
    return f"{licence}."


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
