"""Divides samples into sets of wanted sizes and keeps groups whole."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np

from fewmask.errors import ArgumentError

Seed = int | Sequence[int] | None


def divide(
    sizes: Sequence[int],
    groups: Sequence[Hashable],
    strata: Sequence[Hashable] | None = None,
    shuffle: bool = True,
    seed: Seed = 0,
) -> list[list[int]]:
    """Divides the samples 0 to N - 1 into one set for each wanted size.

    A group goes into one set whole. Where every sample is a group of its own the sizes are met
    exactly; otherwise a set is off by less than the largest group, as long as no wanted size is
    smaller than that group. A set that is wanted gets at least one group.

    Big groups are placed first, so that small ones can fill the gaps. Each goes to a set that
    has room for it: drawn with a chance in proportion to the room left, which for single
    samples makes every division equally likely, or the first one if nothing is to be shuffled.

    Args:
        sizes: Wanted numbers of samples, adding up to N; a 0 asks for an empty set.
        groups: The group of each sample, length N.
        strata: The kind of each sample, length N, if each set is to hold its share of every
            kind; a group counts as the kind that most of its samples are.
        shuffle: Whether to draw; without, sets are filled in the order of the samples.
        seed: Equal seeds draw equal sets on every machine; None draws anew each time.

    Returns:
        One ascending list of indices for each size. Together they hold each index once.

    Raises:
        ArgumentError: If there are fewer groups than sets that are wanted.

    Example:

    >>> divide([2, 3], groups=["a", "b", "b", "c", "c"], shuffle=False)
    [[1, 2], [0, 3, 4]]
    """
    if sum(sizes) != len(groups) or min(sizes, default=0) < 0:
        raise ValueError(f"Expected sizes that add up to {len(groups)}, got {list(sizes)}.")
    members: dict[Hashable, list[int]] = {}
    for index, group in enumerate(groups):
        members.setdefault(group, []).append(index)
    wanted = sum(size > 0 for size in sizes)
    if len(members) < wanted:
        raise ArgumentError(
            "groups",
            f"at least {wanted} groups, so that none has to be cut in two",
            f"{len(members)} in {len(groups)} images",
            "Ask for fewer parts, or group by another column.",
        )
    rng = np.random.default_rng(seed) if shuffle else None
    clusters = list(members.values())
    if rng is not None:
        clusters = [clusters[place] for place in rng.permutation(len(clusters))]
    sets = _place(clusters, sizes, strata or [None] * len(groups), rng)
    return [sorted(chosen) for chosen in sets]


def _place(
    clusters: list[list[int]],
    sizes: Sequence[int],
    strata: Sequence[Hashable],
    rng: np.random.Generator | None,
) -> list[list[int]]:
    kinds = [Counter(strata[i] for i in cluster).most_common(1)[0][0] for cluster in clusters]
    num_of_kind: Counter[Hashable] = Counter()
    for kind, cluster in zip(kinds, clusters, strict=True):
        num_of_kind[kind] += len(cluster)
    # Rare kinds choose first: later there may be no room left where their share would go.
    order = sorted(
        range(len(clusters)), key=lambda place: (num_of_kind[kinds[place]], -len(clusters[place]))
    )
    # Shares of a kind are fractions of N; counted in Nths they are whole numbers, exact anywhere.
    total = max(1, sum(sizes))
    room = [size * total for size in sizes]
    share = {kind: [size * count for size in sizes] for kind, count in num_of_kind.items()}

    sets: list[list[int]] = [[] for _ in sizes]
    for position, place in enumerate(order):
        cluster, kind_share = clusters[place], share[kinds[place]]
        load = len(cluster) * total
        empty = [b for b, chosen in enumerate(sets) if not chosen and sizes[b] > 0]
        must_fill_empty = len(order) - position <= len(empty)
        choice = empty if must_fill_empty else [b for b, size in enumerate(sizes) if size > 0]
        choice = _with_room(choice, room, load)
        choice = _with_room(choice, kind_share, load)
        chosen_set = choice[0] if rng is None else _draw(choice, kind_share, rng)
        sets[chosen_set].extend(cluster)
        room[chosen_set] -= load
        kind_share[chosen_set] -= load
    return sets


def _with_room(choice: list[int], room: list[int], load: int) -> list[int]:
    """Keeps the sets that have room for the load, or else the one that has most."""
    roomy = [b for b in choice if room[b] >= load]
    return roomy or [max(choice, key=lambda b: room[b])]


def _draw(choice: list[int], room: list[int], rng: np.random.Generator) -> int:
    if len(choice) == 1:
        return choice[0]
    bounds = np.cumsum([room[b] for b in choice])
    return choice[int(np.searchsorted(bounds, rng.integers(bounds[-1]), side="right"))]


def sizes_of_shares(count: int, shares: Sequence[float]) -> list[int]:
    """Turns shares of a whole into whole numbers that add up.

    Each share that is not 0 gets at least one, if there are enough; what rounding leaves over
    goes to the largest fractions.

    Args:
        count: What is to be shared out, at least 0.
        shares: Numbers in [0, 1] that add up to 1.

    Returns:
        One number for each share, adding up to `count`.

    Example:

    >>> sizes_of_shares(97, (0.8, 0.1, 0.1))
    [77, 10, 10]
    """
    exact = [count * share for share in shares]
    # A share such as 0.29 of 100 comes out as 28.999999999999996.
    sizes = [int(value + 1e-9) for value in exact]
    by_fraction = sorted(range(len(shares)), key=lambda b: sizes[b] - exact[b])
    for b in by_fraction[: count - sum(sizes)]:
        sizes[b] += 1
    for b, share in enumerate(shares):
        if share > 0 and sizes[b] == 0 and max(sizes) > 1:
            sizes[sizes.index(max(sizes))] -= 1
            sizes[b] = 1
    return sizes


def complete_shares(
    train: float, validation: float | None, test: float | None
) -> tuple[float, float, float]:
    """Gives the test part what training and validation leave, if nobody says its share.

    Raises:
        ArgumentError: If a share is negative, or they do not add up to 1.

    Example:

    >>> complete_shares(0.75, None, None)
    (0.75, 0.0, 0.25)
    """
    chosen = train + (validation or 0.0)
    # 1 - 0.7 - 0.2 - 0.1 leaves a trace of a share, which must not ask for an image.
    rest = 1.0 - chosen if abs(1.0 - chosen) > 1e-9 else 0.0
    shares = (train, validation or 0.0, rest if test is None else test)
    # Said so that NaN is refused too.
    if min(shares) < 0 or train <= 0 or not abs(sum(shares) - 1) <= 1e-6:
        raise ArgumentError(
            "train, validation, test",
            "shares from 0 to 1 that add up to 1",
            f"{train}, {validation} and {test}",
            "Leave test out and it takes the rest.",
        )
    return shares


def sizes_of_folds(count: int, k: int) -> list[int]:
    """Returns k sizes, as equal as can be, that add up.

    Raises:
        ArgumentError: If k is below 2 or above `count`.

    Example:

    >>> sizes_of_folds(11, 3)
    [4, 4, 3]
    """
    if not 2 <= k <= count:
        raise ArgumentError(
            "k",
            f"2 to {count} folds, as there are {count} images",
            str(k),
            "Choose 5, say, or the number of images if they are fewer.",
        )
    return [count // k + (fold < count % k) for fold in range(k)]


def with_rest(count: int, sizes: Sequence[int]) -> list[int]:
    """Appends what given sizes leave.

    Raises:
        ArgumentError: If a size is negative or no whole number, or they ask for more than there
            is.

    Example:

    >>> with_rest(97, (20,))
    [20, 77]
    """
    try:
        sizes = [operator.index(size) for size in sizes]
    except TypeError:
        raise ArgumentError(
            "sizes",
            "numbers of images, as in create_folds((20,))",
            repr(sizes),
            "For a share of them use split(0.8).",
        ) from None
    if sum(sizes) > count or any(size < 0 for size in sizes):
        total = f" = {sum(sizes)}" if len(sizes) > 1 else ""
        raise ArgumentError(
            "sizes",
            f"sizes from 0 on that add up to at most {count}, the number of images",
            " + ".join(map(str, sizes)) + total,
            "Ask for smaller folds.",
        )
    return [*sizes, count - sum(sizes)]
