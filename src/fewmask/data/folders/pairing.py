"""Finds out which pictures of a folder are images, which are their masks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from fewmask.data.folders.matching import Match, match_pictures
from fewmask.data.folders.names import Picture, plain, read_name
from fewmask.data.wording import counted, some
from fewmask.errors import DataError, DecisionNeeded

JPEG = (".jpg", ".jpeg")
_MOST_FOLDERS = 20
"""Of more folders without a telling name none is looked at as masks: they sort the images."""


@dataclass(frozen=True)
class Pair:
    """An image with its mask.

    Args:
        image: Path from the root of the dataset, with `/`.
        mask: Likewise.
        part: The part that the folders name, if any.
    """

    image: str
    mask: str
    part: str | None = None


@dataclass(frozen=True)
class Pairing:
    """The pairs of a folder.

    Args:
        pairs: In the order of the image paths that were given.
        findings: What was believed, what was left out, in sentences.
    """

    pairs: tuple[Pair, ...]
    findings: tuple[str, ...]


@dataclass(frozen=True)
class _Candidate:
    """One way to read the folder: these are the masks, those the images."""

    name: str
    images: list[Picture]
    masks: list[Picture]


def pair_pictures(where: object, paths: Sequence[str], masks: str | None = None) -> Pairing | None:
    """Pairs images with masks by evidence: names of folders, words in file names, equal names.

    The first kind of evidence that pairs anything decides:

    1. folders called masks (or labels, annotations, ground_truth, SegmentationClass, …);
    2. file names with a word for mask, beside images without (`cell.png`, `cell_mask.png`);
    3. any other folder whose pictures have the names of the images;
    4. a JPEG beside a PNG of the same name.

    Args:
        where: The folder, as the reader would name it.
        paths: The pictures in it, from the folder on, with `/`.
        masks: The folder that holds the masks, if its owner has said so; from the folder on, or
            the name that several of them share (`masks` for `train/masks` and `test/masks`).

    Returns:
        The pairs, or None if nothing at all looks like a mask.

    Raises:
        DecisionNeeded: If two folders could be the masks equally well.
        DataError: If an image has no mask, or a mask no image, or two pictures claim one name.

    Example:

    >>> pair_pictures("cells", ["images/a.jpg", "masks/a.png"]).pairs
    (Pair(image='images/a.jpg', mask='masks/a.png', part=None),)
    """
    kinds: list[Callable[[list[Picture]], Iterable[_Candidate]]] = [
        _folders_named_masks,
        _words_in_names,
        _folders_with_equal_names,
        _jpeg_beside_png,
    ]
    if masks is not None:
        inside = any(path.startswith(masks + "/") for path in paths)
        pictures = [read_name(path, masks if inside else None) for path in paths]
        if not inside:
            pictures = [replace(p, role="mask") if _is_in(p, masks) else p for p in pictures]
        kinds = [lambda given: _chosen_folder(given, masks)]
    else:
        pictures = [read_name(path) for path in paths]
    for kind in kinds:
        ways = [(way, match_pictures(way.images, way.masks)) for way in kind(pictures)]
        ways = [(way, match) for way, match in ways if match.pairs]
        if ways:
            way, match = _choose(where, ways)
            return _finish(where, pictures, way, match)
    if masks is None and not any(picture.role == "mask" for picture in pictures):
        return None
    raise _nothing_matches(where, pictures, masks)


def _is_in(picture: Picture, masks: str) -> bool:
    return picture.role != "image" and plain(masks) in (plain(picture.folder), picture.family)


def _families(pictures: Iterable[Picture]) -> dict[str, list[Picture]]:
    families: dict[str, list[Picture]] = {}
    for picture in pictures:
        families.setdefault(picture.family, []).append(picture)
    return families


def _name(pictures: Sequence[Picture]) -> str:
    folders = {picture.folder for picture in pictures}
    return folders.pop() if len(folders) == 1 else pictures[0].family


def _images_for(pictures: Sequence[Picture], masks: Sequence[Picture]) -> list[Picture]:
    """Chooses the images: all in folders called so, else in the unnamed folders that match."""
    images = [picture for picture in pictures if picture.role == "image"]
    images = images or [picture for picture in pictures if picture.role == "unnamed"]
    taken = {mask.path for mask in masks}
    families = _families(picture for picture in images if picture.path not in taken)
    fit = [family for family in families.values() if match_pictures(family, masks).pairs]
    return [picture for family in fit for picture in family]


def _folders_named_masks(pictures: list[Picture]) -> Iterable[_Candidate]:
    for masks in _families(p for p in pictures if p.role == "mask").values():
        yield _Candidate(_name(masks), _images_for(pictures, masks), masks)


def _chosen_folder(pictures: list[Picture], name: str) -> Iterable[_Candidate]:
    masks = [picture for picture in pictures if picture.role == "mask" and _is_in(picture, name)]
    yield _Candidate(name, _images_for(pictures, masks), masks)


def _words_in_names(pictures: list[Picture]) -> Iterable[_Candidate]:
    here = [picture for picture in pictures if picture.role in ("image", "unnamed")]
    masks = [picture for picture in here if picture.says_mask]
    images = [picture for picture in here if not picture.says_mask]
    families = {picture.family for picture in masks}
    yield _Candidate("", [image for image in images if image.family in families], masks)


def _folders_with_equal_names(pictures: list[Picture]) -> Iterable[_Candidate]:
    families = _families(p for p in pictures if p.role in ("unnamed", "other"))
    for masks in families.values() if len(families) <= _MOST_FOLDERS else ():
        # JPEG blurs the borders between classes: nobody draws masks in it who does not say so.
        if not masks[0].folder or all(mask.suffix in JPEG for mask in masks):
            continue
        images = _images_for(pictures, masks)
        if images:
            yield _Candidate(_name(masks), images, masks)


def _jpeg_beside_png(pictures: list[Picture]) -> Iterable[_Candidate]:
    here = [picture for picture in pictures if picture.role in ("image", "unnamed")]
    images = [picture for picture in here if picture.suffix in JPEG]
    masks = [picture for picture in here if picture.suffix not in JPEG]
    places = {(picture.folder, picture.place, picture.part) for picture in images}
    if all((mask.folder, mask.place, mask.part) in places for mask in masks):
        yield _Candidate("", images, masks)


def _choose(where: object, ways: list[tuple[_Candidate, Match]]) -> tuple[_Candidate, Match]:
    most = max(len(match.pairs) for _, match in ways)
    best = [(way, match) for way, match in ways if len(match.pairs) == most]
    if len(best) == 1:
        return best[0]
    names = sorted(way.name for way, _ in best)
    raise DecisionNeeded(
        where,
        "one folder of masks",
        f"{len(best)} that fit the images equally well: "
        + " and ".join(f"{name}/ ({counted(most, 'pair')})" for name in names),
        "Choose with --masks DIR: " + " or ".join(f"--masks {name}" for name in names) + ".",
    )


def _finish(where: object, pictures: list[Picture], way: _Candidate, match: Match) -> Pairing:
    for first, second in match.doubles:
        raise DataError(
            where,
            "one image and one mask of a name",
            f"{first.path} and {second.path}",
            "Rename or remove one of them.",
        )
    findings = [_how_paired(match)]
    alone = match.images
    # A part that nobody drew masks for, the test images of a contest say, is no slip.
    parts_with_masks = {image.part for image, _ in match.pairs}
    for part, count in sorted(Counter(p.part for p in alone if p.part).items()):
        if part not in parts_with_masks:
            findings.append(
                f"The part {part} is left out: no masks for its {counted(count, 'image')}."
            )
    missing = [p for p in alone if p.part is None or p.part in parts_with_masks]
    _refuse_leftovers(where, missing, match.masks)

    used = {p.path for p in (*way.images, *way.masks)}
    others = [picture for picture in pictures if picture.path not in used]
    for family in list(_families(others).values())[:_MOST_FOLDERS]:
        fits = match_pictures(way.images, family).pairs if family[0].folder else []
        if fits:
            findings.append(
                f"{_name(family)}/ holds {counted(len(fits), 'picture')} of the same names, which "
                f"were not taken for the masks. If they are: --masks {_name(family)}"
            )
    if others:
        findings.append(left_out(others))
    order = {path: place for place, path in enumerate(p.path for p in pictures)}
    pairs = [Pair(image.path, mask.path, image.part or mask.part) for image, mask in match.pairs]
    return Pairing(tuple(sorted(pairs, key=lambda pair: order[pair.image])), tuple(findings))


def _how_paired(match: Match) -> str:
    sides = [_folders(p[side] for p in match.pairs) for side in (0, 1)]
    return (
        f"{counted(len(match.pairs), 'image')} in {sides[0]} paired with masks in {sides[1]} "
        f"{', '.join(match.how)}."
    )


def _folders(pictures: Iterable[Picture]) -> str:
    names = sorted(
        {picture.folder + "/" if picture.folder else "the folder" for picture in pictures}
    )
    return ", ".join(names[:3]) + (" …" if len(names) > 3 else "")


def left_out(pictures: Sequence[Picture]) -> str:
    """Says which pictures are neither images nor masks of the dataset.

    Args:
        pictures: At least one.

    Returns:
        One sentence that counts them by folder.
    """
    counts = Counter(p.folder + "/" if p.folder else p.path for p in pictures)
    names = [f"{name} ({count})" if name.endswith("/") else name for name, count in counts.items()]
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return f"Left out: {counted(len(pictures), 'other picture')}, {', '.join(names[:4])}{more}."


def _refuse_leftovers(where: object, images: list[Picture], masks: list[Picture]) -> None:
    found = []
    if images:
        found.append(
            f"{counted(len(images), 'image')} without a mask: {some([p.path for p in images])}"
        )
    if masks:
        found.append(
            f"{counted(len(masks), 'mask')} without an image: {some([p.path for p in masks])}"
        )
    if not found:
        return
    raise DataError(
        where,
        "a mask for every image" if images else "an image for every mask",
        "; ".join(found),
        "Give an image and its mask the same name, draw what is missing, or move the rest out of "
        "the folder.",
    )


def _nothing_matches(where: object, pictures: list[Picture], masks: str | None) -> DataError:
    drawn = [p.path for p in pictures if p.role == "mask" and (not masks or _is_in(p, masks))]
    if masks is not None and not drawn:
        return DataError(
            where,
            f"masks in {masks}",
            "no picture there",
            "Name the folder that holds the masks with --masks DIR.",
        )
    images = [p.path for p in pictures if p.role == "image"] or [
        p.path for p in pictures if p.role == "unnamed"
    ]
    if not images:
        return DataError(
            where,
            "images and masks",
            f"{len(drawn)} masks and no images: {some(drawn)}",
            "Put the images in a folder images/ beside the masks, under the same names.",
        )
    return DataError(
        where,
        "masks named like their images",
        f"no two that match: {some(images, 2)}; {some(drawn, 2)}",
        "Give an image and its mask the same name, or name the folder of the masks with "
        "--masks DIR.",
    )
