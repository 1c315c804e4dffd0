"""How datasets and rows look in a notebook: small pictures with their masks outlined."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fewmask.data import imageio
from fewmask.data.classes import Classes
from fewmask.data.pixels import as_color, to_8_bit
from fewmask.data.row import Row
from fewmask.data.schema import Column
from fewmask.errors import FewmaskError

THUMBNAIL = 160
"""Longest side of a small picture."""
SHEET = 8
"""Number of samples on the contact sheet of a dataset."""
_IGNORED_COLOR = (255, 255, 255)
_LINE = 2  # pixels of an outline's breadth, all of them inside the object


class Shown(Protocol):
    """What is needed of a dataset to show it."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def columns(self) -> Sequence[Column]: ...  # noqa: D102
    @property
    def classes(self) -> Classes | None: ...  # noqa: D102
    @property
    def findings(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def mask_column(self) -> str | None: ...  # noqa: D102
    def __len__(self) -> int: ...
    def __getitem__(self, index: int) -> Row: ...
    def sample_id(self, index: int) -> str: ...  # noqa: D102
    def read_image(  # noqa: D102
        self, index: int, channels: int | None = None, at_least: int | None = None
    ) -> NDArray[np.uint8 | np.uint16]: ...
    def read_mask(self, index: int) -> NDArray[np.uint8]: ...  # noqa: D102


def outline(
    image: NDArray[np.uint8], mask: NDArray[np.uint8], classes: Classes
) -> NDArray[np.uint8]:
    """Draws the borders of every object in the colour of its class.

    Args:
        image: Shape `(H, W, 3)`, uint8.
        mask: Class ids of shape `(H, W)`, uint8.
        classes: Their colours; pixels that no class has are outlined in white.

    Returns:
        A new image, shape `(H, W, 3)`, uint8.

    Example:

    >>> mask = np.zeros((7, 7), np.uint8)
    >>> mask[1:6, 1:6] = 1
    >>> drawn = outline(np.full((7, 7, 3), 9, np.uint8), mask, Classes(("ground", "thing")))
    >>> int((drawn != 9).any(axis=2).sum()), drawn[3, 3].tolist()
    (24, [9, 9, 9])
    """
    border = np.zeros(mask.shape, np.bool_)
    height, width = mask.shape
    padded = np.pad(mask, _LINE, mode="edge")
    for step in range(1, _LINE + 1):
        for down, right in ((-step, 0), (step, 0), (0, -step), (0, step)):
            top, left = _LINE + down, _LINE + right
            border |= mask != padded[top : top + height, left : left + width]
    border &= mask != 0
    colors = np.full((256, 3), _IGNORED_COLOR, np.uint8)
    colors[: classes.num_classes] = classes.colors
    drawn = image.copy()
    drawn[border] = colors[mask[border]]
    return drawn


def small_pictures(dataset: Shown, index: int, side: int = THUMBNAIL) -> list[NDArray[np.uint8]]:
    """Reads a sample small: the image, and the image with its mask outlined if it has one.

    Args:
        dataset: Where the sample stands.
        index: Its row.
        side: Pixels of the longest side.

    Returns:
        One or two images, shape `(h, w, 3)`, uint8.
    """
    image = as_color(dataset.read_image(index, at_least=side))
    if image.dtype != np.uint8:
        image = to_8_bit(image, (int(image.min()), int(image.max())))
    height, width = (max(1, round(n * side / max(image.shape[:2]))) for n in image.shape[:2])
    small = imageio.resize(image, height, width, smooth=True)
    if dataset.mask_column is None or dataset.classes is None:
        return [small]
    mask = imageio.resize(dataset.read_mask(index), height, width, smooth=False)
    return [small, outline(small, mask, dataset.classes)]


def show_row(dataset: Shown, index: int) -> str:
    """Makes the HTML of one row.

    Args:
        dataset: Where it stands.
        index: Its place.

    Returns:
        The image, the image with its mask outlined, a table of the values.
    """
    pictures = _pictures(dataset, index, slice(None), 2 * THUMBNAIL)
    rows = [[name, _short(value)] for name, value in dataset[index]._asdict().items()]
    return f"<div>{pictures}{_table(['column', 'value'], rows)}</div>"


def show_dataset(dataset: Shown) -> str:
    """Makes the HTML of a dataset.

    Args:
        dataset: What to show.

    Returns:
        Its size and classes, a contact sheet with masks outlined, its columns, its findings.
    """
    sheet = "".join(
        _pictures(dataset, index, slice(-1, None), THUMBNAIL)
        for index in range(min(SHEET, len(dataset)))
    )
    columns = [[c.name, c.kind, ", ".join(c.categories)] for c in dataset.columns]
    findings = "".join(f"<li>{escape(finding)}</li>" for finding in dataset.findings)
    return (
        f"<div><p><b>{escape(dataset.name)}</b>: {len(dataset)} rows{_legend(dataset.classes)}</p>"
        f"<div>{sheet}</div>{_table(['column', 'kind', 'categories'], columns)}"
        f"<ul>{findings}</ul></div>"
    )


def _pictures(dataset: Shown, index: int, which: slice, side: int) -> str:
    # A sheet with one broken file still shows the others, and says what is wrong with this one.
    try:
        pictures = small_pictures(dataset, index, side)[which]
        title = escape(dataset.sample_id(index), quote=True)
    except FewmaskError as error:
        return f"<span>{escape(str(error))}</span>"
    return "".join(_img(picture, title) for picture in pictures)


def _img(picture: NDArray[np.uint8], title: str) -> str:
    code = base64.b64encode(imageio.encode_jpeg(picture)).decode("ascii")
    return (
        f'<img src="data:image/jpeg;base64,{code}" title="{title}" alt="{title}" '
        'style="display:inline-block; margin:2px">'
    )


def _legend(classes: Classes | None) -> str:
    if classes is None:
        return ""
    squares = (
        f'<span style="color:rgb{color}">■</span> {escape(name)}'
        for name, color in zip(classes.names, classes.colors, strict=True)
    )
    return ", " + " ".join(squares)


def _table(titles: list[str], rows: list[list[str]]) -> str:
    head = "".join(f"<th>{title}</th>" for title in titles)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 80 else text[:79] + "…"
