"""Images with shapes drawn in them, as a source of masks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from fewmask.data.classes import Classes, Color
from fewmask.data.folders.sorting import natural_key
from fewmask.data.formats.labels import Labels
from fewmask.data.formats.losses import Losses
from fewmask.data.formats.shapes import Shape, draw_shapes
from fewmask.data.formats.source import Mask, Source, SourceImage, with_whole_parts
from fewmask.data.masks.decisions import MAX_CLASSES
from fewmask.data.masks.encoding import IGNORED
from fewmask.data.masks.legend import is_background
from fewmask.data.packed import SampleFile
from fewmask.data.wording import counted, some
from fewmask.errors import DataError


@dataclass(frozen=True, eq=False)
class ShapedImage:
    """An image and the shapes that were drawn in it.

    Args:
        file: The image.
        name: Its path in the source without the suffix, with `/`.
        shapes: The shapes.
        size: Its height and width as the labels say, or None if they do not say.
        part: `train`, `validation` or `test`, or None.
        where: The file of labels that speaks of it, for errors.
    """

    file: SampleFile
    name: str
    shapes: Sequence[Shape]
    size: tuple[int, int] | None = None
    part: str | None = None
    where: str = ""


def source_of_shapes(
    labels: Labels,
    images: Iterable[ShapedImage],
    class_names: Iterable[str],
    *,
    ordered: bool,
    losses: Losses,
    findings: Iterable[str] = (),
    colors: Mapping[str, Color] | None = None,
    ignored: str | None = None,
) -> Source:
    """Makes a source of images with shapes.

    Args:
        labels: The files that the images and shapes were read from.
        images: The images with their shapes.
        class_names: The classes in the order of the format; a background among them is class 0.
        ordered: Whether later shapes lie over earlier ones; else small ones over large ones.
        losses: What was lost in reading.
        findings: What was believed about the files.
        colors: Colours of classes, where the format has some.
        ignored: Name of shapes whose pixels do not count.

    Raises:
        DataError: If there are no shapes or too many classes, or the class of a shape is none of
            them.
    """
    shaped = sorted(images, key=lambda image: natural_key(image.name))
    shapes = [shape for image in shaped for shape in image.shapes]
    if not shapes:
        found = f"none in {counted(len(shaped), 'image')}"
        raise DataError(
            labels.path,
            "outlines or painted areas",
            f"{found}, but {losses.listed()}" if losses.listed() else found,
            "Draw outlines around the objects: boxes, lines and points have no area.",
        )
    kept = [each for each in dict.fromkeys(class_names) if each != ignored]
    names = ("background", *(each for each in kept if not is_background(each)))
    class_ids = {each: place for place, each in enumerate(names)}
    class_ids |= {each: 0 for each in kept if is_background(each)}
    class_ids |= {} if ignored is None else {ignored: IGNORED}
    if not 2 <= len(names) <= MAX_CLASSES:
        raise DataError(
            labels.path,
            f"1 to {MAX_CLASSES - 1} classes beside the background",
            str(len(names) - 1),
            "Check that this is the right file, and that objects were outlined in it.",
        )
    for shape in shapes:
        if shape.name not in class_ids:
            raise DataError(
                shape.where,
                f"one of the classes {some(names[1:], 8)}",
                repr(shape.name),
                "Correct the name, or add it to the list of classes.",
            )
    losses.add("object", len(shapes), "(their pixels keep the class)")
    chosen = tuple((colors or {}).get(each, (0, 0, 0)) for each in names)
    has_ignored = any(shape.name == ignored for shape in shapes)
    images_of_source, sentences = with_whole_parts(
        SourceImage(
            image.file,
            image.name,
            partial(_draw, image, class_ids, ordered, losses),
            image.part,
        )
        for image in shaped
    )
    return Source(
        labels.name,
        Classes(
            names,
            chosen if len(set(chosen)) == len(names) else (),
            IGNORED if has_ignored else None,
        ),
        images_of_source,
        (*findings, *sentences),
        losses,
        labels.max_pixels,
    )


def _draw(
    image: ShapedImage,
    class_ids: Mapping[str, int],
    ordered: bool,
    losses: Losses,
    height: int,
    width: int,
) -> Mask:
    if image.size is not None and image.size != (height, width):
        raise DataError(
            image.file,
            f"the size that {image.where} gives, {image.size[0]} × {image.size[1]} pixels "
            "(height × width)",
            f"{height} × {width}",
            "Use the image that was labelled.",
        )
    drawing = draw_shapes(image.shapes, class_ids, height, width, ordered)
    losses.add("pixel", drawing.covered, "under a shape of another class")
    losses.add("shape", drawing.cut, "beyond the edge of the image")
    return drawing.mask
