"""Matches images with masks by part, place and name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from itertools import product

from fewmask.data.folders.names import Picture

BY_EQUAL_NAMES = "by equal names"
BY_A_WORD = "by names that differ in a word such as 'mask'"


@dataclass
class Match:
    """What goes together, and what stayed alone.

    Args:
        pairs: Image, its mask.
        images: Images without a mask.
        masks: Masks without an image.
        doubles: Two pictures that claim one place: which mask belongs to which image is open.
        how: By which evidence, a phrase for each kind that was used.
    """

    pairs: list[tuple[Picture, Picture]] = field(default_factory=list)
    images: list[Picture] = field(default_factory=list)
    masks: list[Picture] = field(default_factory=list)
    doubles: list[tuple[Picture, Picture]] = field(default_factory=list)
    how: list[str] = field(default_factory=list)


Name = Callable[[Picture], str]
Place = Callable[[Picture], Hashable]


def match_pictures(images: Sequence[Picture], masks: Sequence[Picture]) -> Match:
    """Finds the mask of each image.

    Parts and places (the folders that say neither image nor mask) must agree; where one side
    lies flat in a single folder they need not. Of the ways to read the places the one with most
    pairs is taken, the strictest among equals.

    Args:
        images: Pictures taken for images.
        masks: Pictures taken for masks.

    Returns:
        Pairs and leftovers, in the order that they were given.
    """
    parts: list[Place] = [lambda picture: picture.part]
    if _flat(images, lambda picture: picture.part) or _flat(masks, lambda picture: picture.part):
        parts = [_anywhere]
    # The folder that an unnamed picture is known by stands in its place; it may or may not count.
    places: list[Place] = [lambda picture: picture.place, _inner_place]
    if any(_flat(side, place) for side in (images, masks) for place in tuple(places)):
        places.append(_anywhere)
    best = Match(images=list(images), masks=list(masks))
    for part, place in product(parts, places):
        found = _match(images, masks, part, place)
        if len(found.pairs) > len(best.pairs):
            best = found
        if not best.images:
            break
    return best


def _anywhere(picture: Picture) -> Hashable:
    return None


def _inner_place(picture: Picture) -> tuple[str, ...]:
    return picture.place[1:] if picture.role == "unnamed" else picture.place


def _flat(pictures: Sequence[Picture], place: Place) -> bool:
    return all(place(picture) in (None, ()) for picture in pictures)


def _match(images: Sequence[Picture], masks: Sequence[Picture], part: Place, place: Place) -> Match:
    """Matches by ever weaker evidence; what one kind of it has paired is out of the next."""

    def where(picture: Picture) -> Hashable:
        return part(picture), place(picture)

    match = Match(images=list(images), masks=list(masks))
    kinds: list[tuple[Name, Name, str]] = [
        (lambda image: image.stem, lambda mask: mask.stem, BY_EQUAL_NAMES),
        (lambda image: image.stem, lambda mask: mask.bare_of_mask, BY_A_WORD),
        (lambda image: image.bare_of_image, lambda mask: mask.bare_of_mask, BY_A_WORD),
    ]
    for name_image, name_mask, how in kinds:
        _pair_equal(match, name_image, name_mask, where, how)
    if not match.pairs and len(images) == len(masks) > 1:
        _pair_by_what_differs(match, where)
    return match


def _pair_equal(match: Match, name_image: Name, name_mask: Name, where: Place, how: str) -> None:
    by_key: dict[Hashable, list[Picture]] = defaultdict(list)
    for mask in match.masks:
        by_key[where(mask), name_mask(mask)].append(mask)
    first_image: dict[Hashable, Picture] = {}
    alone: list[Picture] = []
    paired: set[str] = set()
    for image in match.images:
        key = (where(image), name_image(image))
        candidates = by_key.get(key, [])
        if candidates and key in first_image:
            match.doubles.append((first_image[key], image))
        elif len(candidates) > 1:
            match.doubles.append((candidates[0], candidates[1]))
        if candidates:
            first_image.setdefault(key, image)
            match.pairs.append((image, candidates[0]))
            paired.update(candidate.path for candidate in candidates)
            if how not in match.how:
                match.how.append(how)
        else:
            alone.append(image)
    match.images = alone
    match.masks = [mask for mask in match.masks if mask.path not in paired]


def _pair_by_what_differs(match: Match, where: Place) -> None:
    """Pairs `7_sat` with `7_map`: what all names of one side share says nothing. All or none."""
    name_image, shared_image = _without_the_shared([image.stem for image in match.images])
    name_mask, shared_mask = _without_the_shared([mask.stem for mask in match.masks])
    trial = Match(images=match.images, masks=match.masks)
    how = f"by names that differ in '{shared_image}' and '{shared_mask}' only"
    _pair_equal(
        trial,
        lambda image: name_image[image.stem],
        lambda mask: name_mask[mask.stem],
        where,
        how,
    )
    if not trial.images and not trial.masks and not trial.doubles:
        match.pairs, match.images, match.masks, match.how = trial.pairs, [], [], trial.how


def _without_the_shared(stems: list[str]) -> tuple[dict[str, str], str]:
    digits = "0123456789"
    # Digits are what tells pictures apart, also where all of them happen to begin alike.
    front = _shared_start(stems).rstrip(digits)
    rests = [stem.removeprefix(front) for stem in stems]
    back = _shared_start([rest[::-1] for rest in rests])[::-1].lstrip(digits)
    bare = {stem: rest.removesuffix(back) for stem, rest in zip(stems, rests, strict=True)}
    return bare, front + ("…" if front and back else "") + back


def _shared_start(names: list[str]) -> str:
    # All names begin as the first and the last in the order of the alphabet both do.
    first, last = min(names), max(names)
    length = 0
    while length < min(len(first), len(last)) and first[length] == last[length]:
        length += 1
    return first[:length]
