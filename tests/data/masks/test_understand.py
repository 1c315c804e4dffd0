"""Every way in which masks come: what is understood, what is asked, in which words."""

import re
import shlex
import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from fewmask.data.imageio import MaskValues, read_mask_values, write_png
from fewmask.data.masks import MaskDecisions, MaskEncoding, Understanding, understand_masks
from fewmask.data.masks.decisions import parse_classes
from fewmask.data.masks.legend import Legend, find_legend
from fewmask.errors import ArgumentError, DataError, DecisionNeeded

RED, BLUE, WHITE, BLACK = (255, 0, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0)


def stripes(*values: int, width: int = 4) -> NDArray[np.uint8]:
    """A mask with a stripe of each value, all equally large."""
    return np.repeat(np.array(values, np.uint8), width)[None].repeat(4, axis=0)


def painted(*colors: tuple[int, int, int]) -> NDArray[np.uint8]:
    return np.array(colors, np.uint8)[stripes(*range(len(colors)))]


def disk(radius: float, softness: float, size: int = 64) -> NDArray[np.uint8]:
    """A white disk on black whose edge is `softness` pixels wide."""
    y, x = np.mgrid[:size, :size] - size / 2
    return (255 * np.clip((radius - np.hypot(x, y)) / softness + 0.5, 0, 1)).astype(np.uint8)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., list[Path]]:
    def write_masks(*masks: NDArray[np.uint8], **options: object) -> list[Path]:
        paths = [tmp_path / "masks" / f"{number:03d}.png" for number in range(len(masks))]
        for path, mask in zip(paths, masks, strict=True):
            write_png(path, mask, **options)  # type: ignore[arg-type]
        return paths

    return write_masks


def decoded(understood: Understanding, path: Path) -> NDArray[np.uint8]:
    return understood.encoding.decode(read_mask_values(path), path)


def decide(*classes: str, ignore_index: int | None = None, threshold: int | None = None):
    return MaskDecisions(classes, ignore_index, threshold)


def typed(message: str) -> MaskDecisions:
    """Takes the options out of an error message as a shell would, and reads them."""
    words = shlex.split(re.search(r'--classes ".*?"(?: --ignore-index \d+)?', message)[0])
    options = dict(zip(words[::2], words[1::2], strict=True))
    ignored = options.get("--ignore-index")
    return MaskDecisions((options["--classes"],), None if ignored is None else int(ignored))


UNDERSTOOD = {
    "0 and 1": ([stripes(0, 1)], ["background", "foreground"]),
    "0 and 255": ([stripes(0, 255)], ["background", "foreground"]),
    "one class with a gap": ([stripes(0, 7)], ["background", "foreground"]),
    "contiguous ids": ([stripes(0, 1), stripes(0, 2)], ["background", "class1", "class2"]),
    "16-bit ids": ([stripes(0, 1, 2).astype(np.uint16)], ["background", "class1", "class2"]),
    "16-bit 0 and 65535": (
        [stripes(0, 1).astype(np.uint16) * 65535],
        ["background", "foreground"],
    ),
    "one bit": ([stripes(0, 1).astype(bool)], ["background", "foreground"]),
    "grey stored as RGB": ([painted(BLACK, WHITE)], ["background", "foreground"]),
    "one colour on black": ([painted(BLACK, RED)], ["background", "foreground"]),
}


@pytest.mark.parametrize("case", UNDERSTOOD)
def test_what_has_one_reading_is_understood(case: str, write: Callable[..., list[Path]]) -> None:
    masks, names = UNDERSTOOD[case]
    paths = write(*masks)
    understood = understand_masks(paths)
    assert list(understood.classes.names) == names
    assert understood.classes.ignore_index is None
    ids = np.unique(np.concatenate([decoded(understood, path).ravel() for path in paths]))
    assert ids.tolist() == list(range(len(names)))
    assert all(sentence.endswith(".") for sentence in understood.findings)


def test_the_reading_is_told_in_full_sentences(write: Callable[..., list[Path]]) -> None:
    paths = write(stripes(0, 255, 0, 0), stripes(0, 0), stripes(0, 255, 0, 0))
    assert understand_masks(paths).findings == (
        "Masks hold 0 and 255, both of them in 2 of 3 files: read as background and foreground.",
        "Of the pixels that count: background 80.0 %, foreground 20.0 %.",
        "1 of 3 masks hold nothing but background: masks/001.png.",
    )


def test_a_large_foreground_is_pointed_at_and_the_line_to_swap_it_works(
    write: Callable[..., list[Path]],
) -> None:
    paths = write(stripes(0, 255, 255))
    said = understand_masks(paths).findings[1]
    assert said == (
        "Most pixels are foreground; if 255 is the background, say so: "
        '--classes "background=255,foreground=0".'
    )
    swapped = understand_masks(paths, typed(said))
    assert decoded(swapped, paths[0])[0, ::4].tolist() == [1, 0, 0]


ASKED = {
    "ids with a stray 255": (
        [stripes(0, 1), stripes(0, 1, 255, 1)],
        "masks/001.png: expected class ids 0 to 1, found 255 in 16 pixels. Declare it with "
        '--ignore-index 255, or map it with --classes "background=0,class1=1,class2=255"',
    ),
    "three greys": (
        [stripes(0, 128, 255, 0)],
        "masks: expected class ids 0, 1, 2, … without gaps, or 0 and 255, found 0 (50.0 %), 128 "
        "(25.0 %) and 255 (25.0 %). If each value is a class, name them: "
        '--classes "background=0,class1=128,class2=255" If 255 marks pixels that do not count, add '
        "--ignore-index 255. If these are shades of one object, cut them with --threshold 128.",
    ),
    "a gap": (
        [stripes(0, 1, 5, 0)],
        "masks: expected class ids 0, 1, 2, … without gaps, or 0 and 255, found 0 (50.0 %), 1 "
        "(25.0 %) and 5 (25.0 %). If each value is a class, name them: "
        '--classes "background=0,class1=1,class2=5"',
    ),
    "ids from 1": (
        [stripes(1, 2)],
        "masks: expected class ids 0, 1, 2, … without gaps, or 0 and 255, found 1 (50.0 %) and 2 "
        '(50.0 %). If each value is a class, name them: --classes "background=1,class1=2"',
    ),
    "colours": (
        [painted(RED, BLACK, BLUE, RED)],
        "masks: expected a name for each colour, found #000000 (25.0 %), #0000FF (25.0 %) and "
        "#FF0000 (50.0 %). Name them, background first: "
        '--classes "background=#000000,class1=#FF0000,class2=#0000FF" '
        "A colour that is not to count is written ignore=#RRGGBB.",
    ),
}


@pytest.mark.parametrize("case", ASKED)
def test_what_has_more_readings_is_asked_in_these_words(
    case: str, write: Callable[..., list[Path]]
) -> None:
    masks, message = ASKED[case]
    with pytest.raises(DecisionNeeded) as caught:
        understand_masks(write(*masks))
    assert str(caught.value) == message


@pytest.mark.parametrize("case", ASKED)
def test_the_line_that_an_error_proposes_works_as_it_stands(
    case: str, write: Callable[..., list[Path]]
) -> None:
    paths = write(*ASKED[case][0])
    understood = understand_masks(paths, typed(ASKED[case][1]))
    for path in paths:
        assert decoded(understood, path).max() < understood.classes.num_classes


def test_files_of_one_value_have_nothing_to_learn_from(write: Callable[..., list[Path]]) -> None:
    with pytest.raises(DataError) as caught:
        understand_masks(write(stripes(0, 0), stripes(0, 0)))
    assert str(caught.value) == (
        "masks: expected at least two values to tell apart, found only 0 in all 2 files. "
        "Check that these are the masks and that none are missing."
    )


def test_numbered_objects_are_recognised(write: Callable[..., list[Path]]) -> None:
    paths = write(*[stripes(*range(count)) for count in (3, 6, 4, 5)])
    with pytest.raises(DecisionNeeded, match="as in instance masks, where each object") as caught:
        understand_masks(paths)
    assert "make them one class with --threshold 1;" in str(caught.value)
    understood = understand_masks(paths, decide("cell", threshold=1))
    assert understood.classes.names == ("background", "cell")
    np.testing.assert_array_equal(decoded(understood, paths[1]), stripes(0, 1, 1, 1, 1, 1))


def test_photographs_in_place_of_masks_are_recognised(write: Callable[..., list[Path]]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 40), dtype=np.uint8)
    with pytest.raises(DecisionNeeded, match=r"256 values from 0 to 255, as in photographs\. If "):
        understand_masks(write(noise))
    colors = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    with pytest.raises(DecisionNeeded, match=r"expected one exact colour a class, found \d+ colo"):
        understand_masks(write(colors))


def test_soft_edges_are_cut_in_the_middle_and_said(write: Callable[..., list[Path]]) -> None:
    soft, hard = disk(20, softness=3), (disk(15, softness=1) >= 128) * np.uint8(255)
    paths = write(soft, hard)
    understood = understand_masks(paths)
    assert understood.encoding == MaskEncoding("threshold", (), 128)
    assert re.fullmatch(
        r"Masks hold 0 and 255 with soft edges in 1 of 2 files \(\d\.\d % of the pixels lie "
        r"between, 100\.0 % of these at edges\): read as foreground from 128 up\.",
        understood.findings[0],
    )
    np.testing.assert_array_equal(decoded(understood, paths[0]), soft >= 128)


@pytest.mark.parametrize("quality", [30, 75, 95])
def test_jpeg_masks_are_soft_edges(tmp_path: Path, quality: int) -> None:
    path = tmp_path / "mask.jpg"
    hard = disk(20, softness=0.01)
    Image.fromarray(hard).convert("RGB").save(path, quality=quality)
    understood = understand_masks([path])
    assert understood.encoding.rule == "threshold"
    assert np.mean(decoded(understood, path) != (hard > 0)) < 0.01


def test_a_wide_blur_is_not_taken_for_soft_edges(write: Callable[..., list[Path]]) -> None:
    with pytest.raises(DecisionNeeded, match="--threshold 128"):
        understand_masks(write(disk(20, softness=30)))


def test_rare_ids_beside_255_are_not_taken_for_soft_edges(
    write: Callable[..., list[Path]],
) -> None:
    mask = np.zeros((100, 100), np.uint8)
    mask[0, :6] = [1, 2, 3, 4, 5, 6]
    mask[50:, :] = 255
    with pytest.raises(DecisionNeeded, match="expected class ids 0 to 6, found 255 in 5,000"):
        understand_masks(write(mask))


def test_a_palette_gives_ids_and_colours(write: Callable[..., list[Path]]) -> None:
    paths = write(stripes(0, 1, 2), stripes(0, 2), palette=[BLACK, RED, BLUE])
    understood = understand_masks(paths)
    assert understood.encoding.rule == "values"
    assert understood.classes.colors == (BLACK, RED, BLUE)


def test_palettes_that_differ_are_read_by_their_colours(tmp_path: Path) -> None:
    first, second = tmp_path / "a.png", tmp_path / "b.png"
    write_png(first, stripes(0, 1), [BLACK, RED])
    write_png(second, stripes(0, 1), [RED, BLACK])
    understood = understand_masks([first, second])
    assert "because these palettes differ" in understood.findings[0]
    np.testing.assert_array_equal(decoded(understood, first), stripes(0, 1))
    np.testing.assert_array_equal(decoded(understood, second), stripes(1, 0))


def test_an_index_that_the_palette_has_no_colour_for_is_no_black(tmp_path: Path) -> None:
    path, colored = tmp_path / "a.png", tmp_path / "b.png"
    mask = stripes(0, 1, 255)
    write_png(path, mask, [BLACK, WHITE])
    whole = path.read_bytes()
    place = whole.index(b"PLTE")
    length, palette = struct.pack(">I", 6), b"PLTE" + bytes([*BLACK, *WHITE])
    cut = length + palette + struct.pack(">I", zlib.crc32(palette))
    path.write_bytes(whole[: place - 4] + cut + whole[place + 4 + 3 * 256 + 4 :])
    with pytest.raises(DecisionNeeded, match=r"found 255 in 16 pixels\. Declare it with --ignore"):
        understand_masks([path])
    understood = understand_masks([path], decide(ignore_index=255))
    np.testing.assert_array_equal(decoded(understood, path), mask)
    # Where colours decide, such a pixel has none.
    write_png(colored, painted(BLACK, WHITE, RED))
    for decisions in (decide(), decide("background=#000000", "wall=#FFFFFF", "sea=#FF0000")):
        with pytest.raises(DataError) as caught:
            understand_masks([colored, path], decisions)
        assert str(caught.value).endswith(
            "a.png: expected a colour in the palette for every index, found none for 255, in 16 "
            "pixels. Save this mask with its whole palette."
        )


def test_palette_rgb_grey_and_one_bit_masks_mix(tmp_path: Path) -> None:
    arrays = {
        "palette": (stripes(0, 1), [WHITE, BLACK]),
        "rgb": (painted(BLACK, WHITE), None),
        "grey": (stripes(0, 255), None),
        "bit": (stripes(0, 1).astype(bool), None),
    }
    for name, (array, palette) in arrays.items():
        write_png(tmp_path / f"{name}.png", array, palette)
    understood = understand_masks([tmp_path / f"{name}.png" for name in arrays])
    assert understood.encoding.rule == "colors"
    for name in ("rgb", "grey", "bit"):
        np.testing.assert_array_equal(
            decoded(understood, tmp_path / f"{name}.png"), stripes(0, 1), err_msg=name
        )
    # Index 0 of this palette is white: what is seen counts, not the number.
    np.testing.assert_array_equal(decoded(understood, tmp_path / "palette.png"), stripes(1, 0))


def test_the_void_of_pascal_voc_is_ignored(write: Callable[..., list[Path]]) -> None:
    palette = [BLACK, RED, *[BLUE] * 253, (224, 224, 192)]
    paths = write(stripes(0, 1, 255), palette=palette)
    understood = understand_masks(paths)
    assert understood.classes.names == ("background", "foreground")
    assert understood.classes.ignore_index == 255
    assert understood.findings[0] == (
        "The value 255 is ignored: its palette colour is the one that PASCAL VOC gives to "
        "outlines and doubtful pixels."
    )
    np.testing.assert_array_equal(decoded(understood, paths[0]), stripes(0, 1, 255))
    gap = write(stripes(0, 5, 15, 255), palette=palette)
    with pytest.raises(DecisionNeeded) as caught:
        understand_masks(gap)
    assert understand_masks(gap, typed(str(caught.value))).classes.ignore_index == 255


def test_gif_and_tiff_masks(tmp_path: Path) -> None:
    Image.fromarray(stripes(0, 255)).save(tmp_path / "a.gif")
    Image.fromarray(stripes(0, 255)).save(tmp_path / "b.tif")
    understood = understand_masks([tmp_path / "a.gif", tmp_path / "b.tif"])
    for name in ("a.gif", "b.tif"):
        np.testing.assert_array_equal(decoded(understood, tmp_path / name), stripes(0, 1))


def test_transparency_is_read_as_black(write: Callable[..., list[Path]]) -> None:
    red = np.dstack([painted(RED, RED), stripes(0, 255)])
    understood = understand_masks(write(red))
    assert understood.encoding.table == ((0, 0), (0xFF0000, 1))
    assert understood.findings[-1] == (
        "1 of 1 masks have transparency, masks/000.png is the first: it is read as black."
    )


def test_black_shapes_on_a_transparent_ground_lie_in_the_transparency(
    write: Callable[..., list[Path]],
) -> None:
    (path,) = write(np.dstack([painted(BLACK, BLACK), stripes(0, 255)]))
    understood = understand_masks([path])
    np.testing.assert_array_equal(decoded(understood, path), stripes(0, 1))
    assert understood.findings[-1] == (
        "1 of 1 masks have transparency, masks/000.png is the first: what is opaque is the object, "
        "because all of it is black."
    )


def test_a_black_mask_among_black_shapes_needs_a_decision(
    write: Callable[..., list[Path]],
) -> None:
    def black(*opacity: int) -> NDArray[np.uint8]:
        return np.dstack([painted(*[BLACK] * len(opacity)), stripes(*opacity)])

    paths = write(black(0, 255), black(255, 255))
    with pytest.raises(DecisionNeeded) as caught:
        understand_masks(paths)
    assert str(caught.value) == (
        "masks/001.png: expected black shapes on a transparent ground, as in masks/000.png, found "
        "black everywhere. Make it transparent if nothing is there, white if all of it is the "
        "object."
    )
    for mask, value in ((black(0, 0), 0), (painted(WHITE, WHITE), 1)):
        paths = write(black(0, 255), mask)
        assert (decoded(understand_masks(paths), paths[1]) == value).all()


@pytest.mark.parametrize("opacity", [0, 255])
def test_black_on_a_transparent_ground_among_white_shapes_needs_a_decision(
    opacity: int, write: Callable[..., list[Path]]
) -> None:
    # A turned scan, say, has a transparent margin: where it shows no object, all of it is black.
    white = np.dstack([painted(WHITE, BLACK, BLACK), stripes(255, 255, opacity)])
    black = np.dstack([painted(BLACK, BLACK, BLACK), stripes(255, 255, 0)])
    with pytest.raises(DecisionNeeded) as caught:
        understand_masks(write(white, black, painted(BLACK, BLACK)))
    assert str(caught.value) == (
        "masks/001.png: expected objects that are not black, as in masks/000.png, found black on a "
        "transparent ground. Fill the ground with black if there is no object, make the black "
        "white if it is the object."
    )


def test_an_empty_mask_beside_coloured_shapes_is_empty(
    write: Callable[..., list[Path]],
) -> None:
    red = np.dstack([painted(RED, RED), stripes(0, 255)])
    paths = write(red, np.zeros((4, 8, 4), np.uint8), painted(BLACK, BLACK))
    understood = understand_masks(paths)
    assert [int(decoded(understood, path).max()) for path in paths] == [1, 0, 0]


def test_a_declared_ignore_index_becomes_255(write: Callable[..., list[Path]]) -> None:
    paths = write(stripes(0, 1, 9))
    understood = understand_masks(paths, decide(ignore_index=9))
    assert understood.classes.ignore_index == 255
    assert understood.findings[0] == "The value 9 is ignored, as declared."
    assert understood.findings[-1] == "Ignored are 33.3 % of all pixels, in 1 of 1 masks."
    np.testing.assert_array_equal(decoded(understood, paths[0]), stripes(0, 1, 255))


def test_values_join_into_classes_and_colours_are_left_out(
    write: Callable[..., list[Path]],
) -> None:
    paths = write(stripes(0, 3, 4))
    joined = understand_masks(paths, decide("background=0,other=3+4"))
    np.testing.assert_array_equal(decoded(joined, paths[0]), stripes(0, 1, 1))
    paths = write(painted(RED, BLUE, WHITE))
    left = understand_masks(paths, decide("road=#ff0000", "sea=#0000FF", "ignore=#FFFFFF"))
    assert left.classes.colors == (RED, BLUE)
    np.testing.assert_array_equal(decoded(left, paths[0]), stripes(0, 1, 255))


def test_a_value_that_was_not_declared_is_named_with_its_file(
    write: Callable[..., list[Path]],
) -> None:
    paths = write(stripes(0, 255), stripes(0, 254, 255))
    with pytest.raises(DecisionNeeded) as caught:
        understand_masks(paths, decide("wall=0", "chair=255"))
    assert str(caught.value) == (
        "masks/001.png: expected only the values declared, 0, 255, found 254 in 16 pixels. Add it "
        "to a class, as in wall=0+254, or leave it out with --ignore-index 254."
    )


def legend(*names: str, yolo: bool = False, **more: tuple[int, ...]) -> Legend:
    return Legend(Path("data.yaml" if yolo else "classes.json"), names, **more)  # type: ignore[arg-type]


def test_one_name_less_than_ids_makes_0_the_background(write: Callable[..., list[Path]]) -> None:
    understood = understand_masks(write(stripes(0, 1, 2)), legend=legend("bed", "sofa", yolo=True))
    assert understood.classes.names == ("background", "bed", "sofa")
    assert understood.findings[0] == (
        "Masks hold 0, 1 and 2 and data.yaml lists 2 names: read as class ids, 0 is the "
        "background, then the names in their order."
    )


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("wall", "bed", "sofa"), ("wall", "bed", "sofa")),
        (("background", "bed", "sofa", "cat"), ("background", "bed", "sofa", "cat")),
    ],
)
def test_as_many_names_as_ids_are_in_order(
    names: Sequence[str], expected: Sequence[str], write: Callable[..., list[Path]]
) -> None:
    assert (
        understand_masks(write(stripes(0, 1, 2)), legend=legend(*names)).classes.names == expected
    )


def test_names_that_fit_two_ways_are_asked_for(write: Callable[..., list[Path]]) -> None:
    paths = write(stripes(0, 1, 2))
    with pytest.raises(DecisionNeeded) as caught:
        understand_masks(paths, legend=legend("bed", "sofa", "table", yolo=True))
    assert str(caught.value) == (
        "masks: expected ids that show whether 0 is the background or 'bed', the first of the 3 "
        "names in data.yaml, found 0, 1 and 2, which fits both. Say which: --classes "
        '"background,bed,sofa,table" or --classes "bed,sofa,table"'
    )
    named = understand_masks(paths, typed(str(caught.value)))
    assert named.classes.names == ("background", "bed", "sofa", "table")


@pytest.mark.parametrize("mask", [stripes(0, 1), stripes(0, 255)])
def test_two_names_of_a_yolo_file_never_name_the_background(
    mask: NDArray[np.uint8], write: Callable[..., list[Path]]
) -> None:
    with pytest.raises(DecisionNeeded):
        understand_masks(write(mask), legend=legend("chair", "table", yolo=True))


@pytest.mark.parametrize("yolo", [True, False])
def test_two_names_and_the_ids_0_and_2(yolo: bool, write: Callable[..., list[Path]]) -> None:
    understood = understand_masks(write(stripes(0, 2)), legend=legend("chair", "table", yolo=yolo))
    assert understood.classes.names == ("background", "chair", "table")
    assert understood.findings[-1] == "No mask holds 'chair'."


@pytest.mark.parametrize(
    ("low", "high", "threshold", "better"), [(0, 1, 128, 1), (0, 255, 300, 128), (5, 9, 5, 7)]
)
def test_a_threshold_that_divides_nothing_is_refused(
    low: int, high: int, threshold: int, better: int, write: Callable[..., list[Path]]
) -> None:
    paths = write(stripes(low), stripes(high))
    with pytest.raises(ArgumentError) as caught:
        understand_masks(paths, decide(threshold=threshold))
    assert str(caught.value) == (
        f"--threshold {threshold}: expected a value that some pixels reach and some do not, found "
        f"values from {low} to {high}. Try --threshold {better}."
    )
    understood = understand_masks(paths, decide(threshold=better))
    assert [int(decoded(understood, path).max()) for path in paths] == [0, 1]


def test_a_legend_may_give_ids(write: Callable[..., list[Path]]) -> None:
    given = legend("background", "road", "void", ids=(0, 5, 255))
    paths = write(stripes(0, 5, 255))
    understood = understand_masks(paths, legend=given)
    assert understood.classes.names == ("background", "road")
    np.testing.assert_array_equal(decoded(understood, paths[0]), stripes(0, 1, 255))
    with pytest.raises(DecisionNeeded, match=r"classes\.json names, 0, 5 and 255, found 7 in 16"):
        understand_masks(write(stripes(0, 5, 7)), legend=given)


@pytest.mark.parametrize("number", [-1, 65536])
def test_an_id_that_no_mask_can_store_is_refused(
    number: int, write: Callable[..., list[Path]]
) -> None:
    given = legend("background", "road", "plate", ids=(0, 5, number))
    with pytest.raises(DataError) as caught:
        understand_masks(write(stripes(0, 5)), legend=given)
    assert str(caught.value) == (
        f"classes.json: expected ids that a mask can store, from 0 to 65535, found {number}. "
        "Correct it, or take its class out of the list."
    )


def test_classes_that_a_legend_does_not_tell_apart_are_refused(
    write: Callable[..., list[Path]],
) -> None:
    names = ("background", "cat", "dog")
    with pytest.raises(DataError) as caught:
        understand_masks(write(stripes(0, 1)), legend=legend(*names, ids=(0, 1, 1)))
    assert str(caught.value) == (
        "classes.json: expected an id or colour of its own for each class, found 1 for 'cat' and "
        "for 'dog'. Correct it, or leave one of the two out."
    )
    given = legend(*names, colors=(BLACK, RED, RED))  # type: ignore[arg-type]
    with pytest.raises(DataError, match="found #FF0000 for 'cat' and for 'dog'"):
        understand_masks(write(painted(BLACK, RED)), legend=given)
    # Several names of what is not to count are no mistake.
    given = legend("background", "cat", "void", "border", ids=(0, 1, 255, 255))
    assert understand_masks(write(stripes(0, 1)), legend=given).classes.num_classes == 2


def test_a_legend_with_the_colours_of_the_masks(write: Callable[..., list[Path]]) -> None:
    given = legend("road", "background", colors=(RED, BLACK))  # type: ignore[arg-type]
    understood = understand_masks(write(painted(BLACK, RED)), legend=given)
    assert understood.classes.names == ("background", "road")
    assert understood.classes.colors == (BLACK, RED)


def test_a_legend_with_other_colours_names_both_lists(write: Callable[..., list[Path]]) -> None:
    paths = write(painted(BLACK, RED, WHITE))
    given = legend("road", "sea", colors=(RED, BLUE))  # type: ignore[arg-type]
    with pytest.raises(DecisionNeeded) as caught:
        understand_masks(paths, legend=given)
    assert str(caught.value) == (
        "masks: expected only the colours of classes.json (road #FF0000, sea #0000FF), found "
        "#000000 (33.3 %), #FF0000 (33.3 %) and #FFFFFF (33.3 %). Put the right name before each "
        'colour, background first: --classes "class0=#000000,road=#FF0000,class2=#FFFFFF" '
        "Not among them yet: sea. A colour that is not to count is written ignore=#RRGGBB."
    )
    assert understand_masks(paths, typed(str(caught.value))).classes.names[1] == "road"


def test_a_stranger_that_comes_later_is_refused_with_its_pixels() -> None:
    by_value = MaskEncoding("values", ((0, 0), (255, 1)))
    with pytest.raises(DataError) as caught:
        by_value.decode(MaskValues(stripes(0, 255, 7)), "masks/093.png")
    assert str(caught.value) == (
        "masks/093.png: expected only the values 0, 255, found 7 in 16 pixels. "
        "Correct this mask, or give each value a class with --classes."
    )
    by_color = MaskEncoding("colors", ((0, 0), (0xFF0000, 1)))
    with pytest.raises(DataError, match=r"only the colours #000000, #FF0000, found #0000FF in 16 "):
        by_color.decode(MaskValues(painted(BLACK, BLUE)), "a.png")
    with pytest.raises(DataError, match=r"found #0000FF in 16 pixels"):
        by_color.decode(MaskValues(stripes(0, 1), (BLACK, BLUE)), "a.png")
    with pytest.raises(
        DataError, match=r"expected only the values 0, 255, found colours in 16 pix"
    ):
        by_value.decode(MaskValues(painted(BLACK, BLUE)), "a.png")


@pytest.mark.parametrize(
    ("items", "message"),
    [
        (("chair=red",), "expected a value from 0 to 65535 or a colour as #RRGGBB for 'chair', "),
        (("chair=",), "expected NAME, NAME=VALUE or NAME=#RRGGBB, separated by commas, found 'cha"),
        (("wall=0", "chair"), "expected a value after every name or after none, found none after "),
        (("wall=0", "wall=1"), "expected every name once, found 'wall' twice"),
        (("wall=0", "chair=0"), "expected every value once, found 0 twice"),
        (("wall=0", "chair=#FF0000"), "expected either numbers or colours, found both"),
        (("wall=0",), "expected at least two classes, the background first, found only 'wall'"),
        (("wall=0,ignore=9",), "Leave it out and add: --ignore-index 9"),
    ],
)
def test_a_wrong_item_of_classes_is_answered_with_an_example(
    items: Sequence[str], message: str
) -> None:
    with pytest.raises(ArgumentError) as caught:
        parse_classes(items)
    assert message in str(caught.value)
    assert "--classes" in str(caught.value)


def test_all_classes_may_stand_in_one_text(write: Callable[..., list[Path]]) -> None:
    paths = write(stripes(0, 255))
    understood = understand_masks(paths, MaskDecisions("wall=255,chair=0"))
    assert understood == understand_masks(paths, decide("wall=255", "chair=0"))


@pytest.mark.parametrize(
    ("decisions", "message"),
    [
        (decide(threshold=0), "--threshold: expected a value from 1 to 65535, found 0."),
        (decide("a=0,b=1", threshold=9), "--threshold: expected no other decision about values"),
        (decide(ignore_index=-1), "--ignore-index: expected a value from 0 to 65535, found -1."),
        (decide("a=0,b=1", ignore_index=1), "found 1, which --classes names."),
    ],
)
def test_decisions_that_contradict_are_refused(decisions: MaskDecisions, message: str) -> None:
    with pytest.raises(ArgumentError, match=re.escape(message)):
        understand_masks([Path("never-read.png")], decisions)


def test_no_masks_at_all() -> None:
    with pytest.raises(DataError, match="expected at least one mask, found none"):
        understand_masks([])


def test_progress_counts_every_mask(write: Callable[..., list[Path]]) -> None:
    calls: list[tuple[int, int]] = []
    understand_masks(write(*[stripes(0, 1)] * 3), progress=lambda *call: calls.append(call))
    assert calls == [(1, 3), (2, 3), (3, 3)]


@given(st.lists(st.integers(0, 0xFFFFFF), min_size=2, max_size=20, unique=True), st.randoms())
def test_colours_survive_encoding_and_the_file_format(packed: list[int], random) -> None:
    encoding = MaskEncoding("colors", tuple((color, place) for place, color in enumerate(packed)))
    assert MaskEncoding.from_json(encoding.to_json()) == encoding
    ids = np.array([random.randrange(len(packed)) for _ in range(35)]).reshape(5, 7)
    stored = np.array(packed)[ids]
    colors = np.stack([stored >> 16, stored >> 8 & 255, stored & 255], axis=-1).astype(np.uint8)
    np.testing.assert_array_equal(encoding.decode(MaskValues(colors), "a.png"), ids)


def masks_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in (".png", ".tif"))


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "names", "shares"),
    [
        ("chairs97", ("background", "foreground"), "background 68.0 %, foreground 32.0 %."),
        ("dsb2018_nuclei", ("background", "foreground"), "background 86.1 %, foreground 13.9 %."),
        ("isbi_em", ("background", "foreground"), "background 22.0 %, foreground 78.0 %."),
        (
            "furniture6",
            ("background", "bed", "chair", "plant pot", "sofa", "swivelchair", "table"),
            "background 60.8 %, bed 7.0 %, chair 10.0 %, plant pot 0.3 %, sofa 11.7 %, "
            "swivelchair 4.6 %, table 5.6 %.",
        ),
    ],
)
def test_real_masks_are_understood(
    real_data: Path, name: str, names: Sequence[str], shares: str
) -> None:
    folder = real_data / name
    understood = understand_masks(masks_in(folder / "masks"), legend=find_legend(folder))
    assert understood.classes.names == names
    assert f"Of the pixels that count: {shares}" in understood.findings
    assert ("Most pixels are foreground" in " ".join(understood.findings)) == (name == "isbi_em")


@pytest.mark.real
def test_real_masks_whose_legend_has_other_colours(real_data: Path) -> None:
    folder = real_data / "dubai_aerial"
    paths, given = masks_in(folder / "masks")[::2], find_legend(folder)
    with pytest.raises(DecisionNeeded) as caught:
        understand_masks(paths, legend=given)
    assert "(Water #50E3C2, Land (unpaved area) #F5A623," in str(caught.value)
    (line,) = typed(str(caught.value)).classes
    assert line.startswith("class0=#000000,class1=#8429F6,")
    assert line.endswith(",Unlabeled=#9B9B9B")
    spec = "land=#8429F6,water=#E2A929,building=#3C1098,plants=#FEDD3A,road=#6EC1E4"
    understood = understand_masks(paths[::3], decide(spec, "ignore=#9B9B9B+#000000"), given)
    assert understood.classes.names == ("land", "water", "building", "plants", "road")
    with_palette = next(path for path in paths[::3] if read_mask_values(path).palette)
    assert set(np.unique(decoded(understood, with_palette))) <= {0, 1, 2, 3, 4, 255}


@pytest.mark.real
def test_real_instance_numbers_are_asked_about(real_data: Path) -> None:
    paths = masks_in(real_data / "dsb2018_nuclei" / "instances_uint16")[:40]
    with pytest.raises(DecisionNeeded, match="as in instance masks"):
        understand_masks(paths)
    assert understand_masks(paths, decide("nucleus", threshold=1)).classes.num_classes == 2
