"""Pictures of every format come in as they are meant, and broken ones not at all."""

import contextlib
import io
import struct
import tempfile
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageOps

from fewmask.data.imageio import (
    DEFAULT_MAX_PIXELS,
    IMAGE_SUFFIXES,
    encode_jpeg,
    encode_png,
    open_picture,
    read_image,
    read_mask_values,
    read_size,
    resize,
    write_png,
)
from fewmask.data.imageio.orientation import exif_orientation, turn_upright
from fewmask.errors import ArgumentError, DataError

READERS = (read_image, read_mask_values, open_picture)


def picture(height: int = 48, width: int = 64) -> np.ndarray:
    """A coloured picture without any symmetry."""
    y, x = np.mgrid[:height, :width]
    planes = [x * 255 // width, y * 255 // height, (x * y) * 255 // (width * height)]
    return np.stack(planes, axis=-1).astype(np.uint8)


def packed(array: np.ndarray, kind: str, **options: object) -> bytes:
    memory = io.BytesIO()
    Image.fromarray(array).save(memory, kind, **options)
    return memory.getvalue()


def png_with_header(data: bytes, width: int, height: int) -> bytes:
    """The same file with other sizes in its header, and a checksum that agrees."""
    header = b"IHDR" + struct.pack(">II", width, height) + data[24:29]
    return data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:]


def png_of(header: bytes, rows: bytes) -> bytes:
    """A PNG file from the 13 bytes of its header and its filtered rows."""
    chunks = (b"IHDR" + header, b"IDAT" + zlib.compress(rows), b"IEND")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        for chunk in chunks
    )


def jpeg_with_height(data: bytes, height: int) -> bytes:
    frame = data.index(b"\xff\xc0")
    return data[: frame + 5] + struct.pack(">H", height) + data[frame + 7 :]


@pytest.mark.parametrize("name", ["ảnh đẹp.png", "số 1.jpg", "Stuhl groß.bmp", "a b.webp", "x.tif"])
def test_reads_every_format_under_any_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / "thư mục" / name
    path.parent.mkdir()
    kind = {".jpg": "JPEG", ".tif": "TIFF"}.get(path.suffix, path.suffix[1:].upper())
    path.write_bytes(packed(picture(), kind, **({"lossless": True} if kind == "WEBP" else {})))
    image = read_image(path)
    assert (image.shape, image.dtype) == ((48, 64, 3), np.uint8)
    assert np.abs(image.astype(int) - picture()).mean() < (3 if kind == "JPEG" else 1e-9)
    assert read_size(path) == (48, 64)
    assert path.suffix in IMAGE_SUFFIXES


def test_a_gif_gives_its_first_picture(tmp_path: Path) -> None:
    frames = [Image.fromarray(np.full((4, 4), value, np.uint8)) for value in (0, 255)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert read_image(tmp_path / "a.gif", channels=1).max() == 0


def test_the_suffix_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(encode_png(picture()))
    np.testing.assert_array_equal(read_image(tmp_path / "a.jpg"), picture())


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_orientation_is_applied_to_images_and_masks(
    tmp_path: Path, kind: str, orientation: int
) -> None:
    path = tmp_path / "a"
    tags = Image.Exif()
    tags[0x0112] = orientation
    options = {"exif": tags} if kind != "WEBP" else {"exif": tags, "lossless": True}
    path.write_bytes(packed(picture(), kind, **options))
    with Image.open(path) as opened:
        expected = np.asarray(ImageOps.exif_transpose(opened))
    np.testing.assert_array_equal(read_image(path), expected)
    np.testing.assert_array_equal(read_mask_values(path).values, expected)
    np.testing.assert_array_equal(np.asarray(open_picture(path)), expected)
    assert read_size(path) == expected.shape[:2]


def test_an_orientation_behind_the_pixels_of_a_png_counts_for_size_too(tmp_path: Path) -> None:
    tags = Image.Exif()
    tags[0x0112] = 6
    content = b"eXIf" + tags.tobytes().removeprefix(b"Exif\0\0")
    chunk = struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))
    data = encode_png(picture())
    (tmp_path / "a.png").write_bytes(data[:-12] + chunk + data[-12:])
    assert read_size(tmp_path / "a.png") == (64, 48)
    assert read_image(tmp_path / "a.png").shape == (64, 48, 3)


@given(st.binary(max_size=80))
def test_broken_exif_counts_as_upright(noise: bytes) -> None:
    for start in (b"", b"Exif\0\0II*\0", b"MM\0*\0\0\0\x08"):
        assert 1 <= exif_orientation(start + noise) <= 8


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turning_as_often_as_needed_comes_back(orientation: int) -> None:
    turned = picture()
    for _ in range(4):
        turned = turn_upright(turned, orientation)
    np.testing.assert_array_equal(turned, picture())


def test_channels_as_asked_for(tmp_path: Path) -> None:
    gray, color = tmp_path / "gray.png", tmp_path / "color.png"
    write_png(gray, picture()[..., 0])
    write_png(color, picture())
    assert read_image(gray).shape == (48, 64, 1)
    assert read_image(gray, channels=3).shape == (48, 64, 3)
    luma = picture() @ [0.299, 0.587, 0.114]
    assert np.abs(read_image(color, channels=1)[..., 0] - luma).max() <= 1
    with pytest.raises(DataError, match=r"expected an image of 5 channels, found 3\."):
        read_image(color, channels=5)


def test_transparency_and_palettes_are_for_masks_only(tmp_path: Path) -> None:
    rgba = np.dstack([picture(), np.full((48, 64), 9, np.uint8)])
    write_png(tmp_path / "rgba.png", rgba)
    np.testing.assert_array_equal(read_image(tmp_path / "rgba.png"), picture())
    mask = read_mask_values(tmp_path / "rgba.png")
    assert mask.alpha is not None
    assert mask.alpha.max() == 9
    write_png(tmp_path / "opaque.png", np.dstack([picture(), np.full((48, 64), 255, np.uint8)]))
    assert read_mask_values(tmp_path / "opaque.png").alpha is None

    ids = np.array([[0, 1], [2, 1]], np.uint8)
    colors = ((0, 0, 0), (10, 20, 30), (40, 50, 60))
    write_png(tmp_path / "palette.png", ids, colors)
    np.testing.assert_array_equal(read_image(tmp_path / "palette.png"), np.array(colors)[ids])
    mask = read_mask_values(tmp_path / "palette.png")
    np.testing.assert_array_equal(mask.values, ids)
    assert mask.palette is not None
    assert mask.palette[:3] == colors


def test_16_bit_pictures_keep_all_their_bits(tmp_path: Path) -> None:
    deep = np.arange(12, dtype=np.uint16).reshape(3, 4) * 5000
    write_png(tmp_path / "a.png", deep)
    tifffile.imwrite(tmp_path / "a.tif", deep)
    for name in ("a.png", "a.tif"):
        image = read_image(tmp_path / name)
        assert image.dtype == np.uint16
        np.testing.assert_array_equal(image[..., 0], deep)
        np.testing.assert_array_equal(read_mask_values(tmp_path / name).values, deep)
    # Of 16-bit colours Pillow alone would keep the upper 8 bits.
    channels = np.dstack([deep, deep + 1, deep + 2])
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in channels)
    header = struct.pack(">IIBBBBB", 4, 3, 16, 2, 0, 0, 0)
    (tmp_path / "rgb.png").write_bytes(png_of(header, rows))
    np.testing.assert_array_equal(read_image(tmp_path / "rgb.png"), channels)
    assert open_picture(tmp_path / "rgb.png").mode == "RGB"
    # Grey with transparency stays grey.
    with_alpha = np.dstack([deep, np.full_like(deep, 65535)])
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in with_alpha)
    header = struct.pack(">IIBBBBB", 4, 3, 16, 4, 0, 0, 0)
    (tmp_path / "la.png").write_bytes(png_of(header, rows))
    np.testing.assert_array_equal(read_image(tmp_path / "la.png"), deep[..., None])
    with pytest.raises(DataError, match="found 2 channels of type uint16"):
        read_mask_values(tmp_path / "la.png")


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_masks_of_few_bits_keep_their_ids(tmp_path: Path, bits: int) -> None:
    ids = np.arange(8).reshape(1, 8) % 2**bits
    row = np.packbits((ids[0][:, None] >> np.arange(bits)[::-1]) & 1).tobytes()
    header = struct.pack(">IIBBBBB", 8, 1, bits, 0, 0, 0, 0)
    (tmp_path / "a.png").write_bytes(png_of(header, b"\0" + row))
    np.testing.assert_array_equal(read_mask_values(tmp_path / "a.png").values, ids)
    # For the eye, the largest of few values is white.
    np.testing.assert_array_equal(
        read_image(tmp_path / "a.png")[..., 0], ids * (255 // (2**bits - 1))
    )


def test_tiff_files_of_science(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    bands = np.arange(5 * 6 * 7, dtype=np.uint16).reshape(5, 6, 7)
    tifffile.imwrite(path, bands, photometric="minisblack", planarconfig="separate")
    np.testing.assert_array_equal(read_image(path), bands.transpose(1, 2, 0))
    tifffile.imwrite(path, bands[:2], imagej=True, metadata={"axes": "CYX"})
    np.testing.assert_array_equal(read_image(path), bands[:2].transpose(1, 2, 0))
    tifffile.imwrite(path, bands[0].astype(np.int32))
    assert read_mask_values(path).values.dtype == np.uint16
    tifffile.imwrite(path, bands[0] > 3)
    np.testing.assert_array_equal(read_mask_values(path).values, bands[0] > 3)
    assert read_size(path) == (6, 7)


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.uint16])
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_tiff_whose_zero_is_white_is_a_mask_as_stored_and_an_image_as_seen(
    dtype: type, order: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.tif"
    stored = np.zeros((6, 8), dtype)
    stored[2:4] = True if dtype == np.bool_ else np.iinfo(dtype).max
    tifffile.imwrite(path, stored, photometric="miniswhite", byteorder=order)
    np.testing.assert_array_equal(read_mask_values(path).values, stored)
    # For the eye, 0 is white.
    white = 255 if dtype == np.bool_ else np.iinfo(dtype).max
    seen = read_image(path)
    assert seen.dtype == (np.uint8 if dtype == np.bool_ else dtype)
    np.testing.assert_array_equal(seen[..., 0], np.where(stored > 0, 0, white))


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (
            np.zeros((6, 7), np.float32),
            "expected 8- or 16-bit whole numbers, found values of type float32. Scale them to "
            "0-65535 and save them as uint16, so that nothing is rounded unseen.",
        ),
        (
            np.full((6, 7), -1, np.int16),
            "expected whole numbers from 0 to 65535, found values from -1 to -1. Scale them to "
            "that range and save them as uint16.",
        ),
        (
            np.zeros((9, 6, 7), np.uint8),
            "expected one picture, found 9 (axes IYX). Save each as its own file, or as channels "
            "of one picture (axes CYX).",
        ),
    ],
)
def test_tiff_files_that_are_no_picture(tmp_path: Path, array: np.ndarray, message: str) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, array, photometric="minisblack", metadata=None)
    with pytest.raises(DataError) as caught:
        read_image(path)
    assert str(caught.value) == f"{path}: {message}"


def test_a_tiff_of_several_pictures_is_refused_but_not_for_smaller_copies(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    small, large = np.zeros((4, 4), np.uint8), np.ones((6, 6), np.uint8)
    with tifffile.TiffWriter(path) as tiff:
        tiff.write(small, metadata=None)
        tiff.write(large, metadata=None)
    for read in (*READERS, read_size):
        with pytest.raises(DataError) as caught:
            read(path)
        assert str(caught.value) == (
            f"{path}: expected one picture, found 2 in one file. Save each as its own file."
        )
    for flag in (0, 1):  # thumbnails are not always declared as such
        with tifffile.TiffWriter(path) as tiff:
            tiff.write(large, metadata=None)
            tiff.write(small, metadata=None, subfiletype=flag)
        assert read_image(path).shape == (6, 6, 1)


def test_a_huge_picture_is_refused_by_its_header(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    data = encode_png(np.zeros((8, 8), bool))
    path.write_bytes(png_with_header(data, 30_000, 30_000))
    for read in (*READERS, read_size):
        with pytest.raises(DataError) as caught:
            read(path)
        assert str(caught.value) == (
            f"{path}: expected at most {DEFAULT_MAX_PIXELS:,} pixels, found 30,000 × 30,000 = "
            "900,000,000. If the file is meant to be so large, allow it with "
            "--max-pixels 900000000."
        )
    assert read_size(path, max_pixels=900_000_000) == (30_000, 30_000)


def test_the_limit_of_pillow_is_neither_used_nor_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    for kind in ("PNG", "JPEG", "BMP", "GIF", "TIFF"):
        (tmp_path / "a").write_bytes(packed(picture(), kind))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert read_image(tmp_path / "a").shape == (48, 64, 3)
    assert Image.MAX_IMAGE_PIXELS == 100


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
@pytest.mark.parametrize("compression", ["raw", "tiff_lzw"])
def test_a_large_tiff_is_read_as_a_small_one(
    mode: str, compression: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.tif"
    tags = Image.Exif()
    tags[0x0112] = 6
    drawn = Image.fromarray(picture())
    drawn = drawn.convert("I").convert("I;16") if mode == "I;16" else drawn.convert(mode)
    drawn.save(path, compression=compression, exif=tags)
    image, mask = read_image(path), read_mask_values(path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(read_image(path), image)
        np.testing.assert_array_equal(read_mask_values(path).values, mask.values)
        assert read_mask_values(path).palette == mask.palette
    assert image.shape[:2] == (64, 48)


DAMAGED = {
    "jpeg cut": packed(picture(), "JPEG")[:-200],
    "jpeg cut and ended": packed(picture(), "JPEG")[:-200] + b"\xff\xd9",
    "jpeg with too many rows": jpeg_with_height(packed(picture(), "JPEG"), 480),
    "progressive jpeg cut": packed(picture(), "JPEG", progressive=True)[:-200],
    "png cut": packed(picture(), "PNG")[:-200],
    "png with too many rows": png_with_header(packed(picture(), "PNG"), 64, 96),
    "mask with too many rows": png_with_header(encode_png(np.zeros((8, 8), np.uint8)), 8, 9),
    "png with other columns": png_with_header(packed(picture(), "PNG"), 65, 48),
    "gif cut": packed(picture(), "GIF")[:-900],
    "bmp cut": packed(picture(), "BMP")[:-200],
    "webp cut": packed(picture(), "WEBP")[:-20],
    "tiff cut": packed(picture(), "TIFF", compression="tiff_deflate")[:400],
}


@pytest.mark.parametrize("case", DAMAGED)
@pytest.mark.parametrize("read", READERS)
def test_damaged_files_are_refused(tmp_path: Path, case: str, read: Callable[..., object]) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(DAMAGED[case])
    with pytest.raises(DataError) as caught:
        read(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: expected a whole picture, found a damaged or cut-off one (")
    assert text.endswith("). Copy or export the file again, or leave it out.")


@pytest.mark.parametrize("interlaced", [False, True])
def test_a_whole_png_with_a_black_last_row_is_no_short_one(
    tmp_path: Path, interlaced: bool
) -> None:
    data = encode_png(np.zeros((5, 3), np.uint8))
    if interlaced:  # the passes of a 3 × 5 picture: 1×1, none, 1×1, 1×2, 2×2, 1×3, 3×2 pixels
        rows = b"\0\0" * 1 + b"\0\0" + b"\0\0\0" + b"\0\0" * 2 + b"\0\0" * 3 + b"\0\0\0\0" * 2
        data = png_of(struct.pack(">IIBBBBB", 3, 5, 8, 0, 0, 0, 1), rows)
    (tmp_path / "a.png").write_bytes(data)
    assert read_image(tmp_path / "a.png").shape == (5, 3, 1)


@pytest.mark.parametrize(
    ("content", "found", "remedy"),
    [
        (b"", "an empty file", "Copy or export the file again, or leave it out."),
        (b"name;value\n", "something else", "Leave it out, or convert it to PNG."),
        (
            b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
            "a HEIC picture",
            "Convert it to JPEG or PNG, for example with: magick mogrify -format jpg *.heic",
        ),
    ],
)
def test_files_that_are_no_picture(tmp_path: Path, content: bytes, found: str, remedy: str) -> None:
    path = tmp_path / "ảnh.jpg"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_image(path)
    expected = "a PNG, JPEG, TIFF, BMP, GIF or WebP picture"
    assert str(caught.value) == f"{path}: expected {expected}, found {found}. {remedy}"


def test_a_path_that_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"expected an image file, found no such file\. Check"):
        read_image(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"expected an image file, found a folder\. Check"):
        read_size(tmp_path)
    with pytest.raises(
        DataError, match=r"expected an image file, found (file name too long|no such file)\."
    ):
        read_image(tmp_path / ("a" * 300))


@settings(max_examples=60)
@given(
    st.sampled_from(["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF"]),
    st.lists(st.tuples(st.integers(0, 250), st.integers(0, 255)), max_size=4),
    st.floats(0.05, 1),
)
def test_no_damage_ends_in_a_traceback(
    kind: str, changes: list[tuple[int, int]], kept: float
) -> None:
    data = bytearray(packed(picture(12, 16), kind))
    data = data[: max(1, int(len(data) * kept))]
    for place, value in changes:
        data[place % len(data)] = value
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Pillow notices in passing
        path = Path(folder) / "a.png"
        path.write_bytes(bytes(data))
        for read in (read_image, read_mask_values, read_size):
            with contextlib.suppress(DataError):
                read(path, max_pixels=100_000)


def test_a_jpeg_may_come_back_smaller_but_never_too_small(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(encode_jpeg(picture(480, 640)))
    assert read_image(path).shape == (480, 640, 3)
    assert read_image(path, at_least=640).shape == (480, 640, 3)
    assert read_image(path, at_least=321).shape == (480, 640, 3)
    assert read_image(path, at_least=320).shape == (240, 320, 3)
    assert read_image(path, at_least=100).shape == (120, 160, 3)
    assert read_image(path, at_least=2000).shape == (480, 640, 3)


@given(arrays.arrays(np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, max_side=9)))
def test_png_round_trip(array: np.ndarray) -> None:
    for each in (array, array.astype(np.uint16) * 257, array > 9, np.dstack([array] * 3)):
        with Image.open(io.BytesIO(encode_png(each))) as opened:
            np.testing.assert_array_equal(np.asarray(opened), each)


def test_a_palette_grows_with_the_values(tmp_path: Path) -> None:
    write_png(tmp_path / "a.png", np.array([[0, 255]], np.uint8), [(0, 0, 0), (9, 9, 9)])
    mask = read_mask_values(tmp_path / "a.png")
    assert mask.values.tolist() == [[0, 255]]
    assert mask.palette is not None
    assert mask.palette[255] == (255, 255, 255)


@pytest.mark.parametrize(
    "array", [np.zeros((2, 2)), np.zeros((2, 2, 5), np.uint8), np.zeros(3, np.uint8)]
)
def test_what_is_no_picture_is_not_written(tmp_path: Path, array: np.ndarray) -> None:
    with pytest.raises(ArgumentError, match=r"^array: expected \(H, W\) of uint8, uint16 or bool"):
        write_png(tmp_path / "a.png", array)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(6, 8), (6, 8, 1), (6, 8, 3), (6, 8, 5)])
def test_resize_keeps_type_channels_and_constants(dtype: type, shape: tuple[int, ...]) -> None:
    for smooth in (True, False):
        resized = resize(np.full(shape, 77, dtype), 3, 11, smooth)
        assert (resized.shape, resized.dtype) == ((3, 11, *shape[2:]), dtype)
        assert (resized == 77).all()


def test_resize_by_hand() -> None:
    row = np.array([[0, 0, 100, 100]], np.uint8)
    assert resize(row, 1, 2, smooth=False).tolist() == [[0, 100]]
    # A tent two pixels wide each way, cut at the ends: weights 3, 3, 1 of 7.
    assert resize(row, 1, 2, smooth=True).tolist() == [[14, 86]]


@pytest.mark.real
def test_real_tiff_files(real_data: Path) -> None:
    formats = real_data / "formats"
    for name, shape, dtype in [
        ("geotiff/RGBA.uint16.tif", (411, 634, 3), "uint16"),
        ("geotiff/alpha.tif", (1223, 1223, 3), "uint8"),
        ("geotiff/rgb_deflate.tif", (718, 791, 3), "uint8"),
        ("tiff_uint16/img2d.tif", (512, 512, 1), "uint16"),
    ]:
        image = read_image(formats / name)
        assert (image.shape, image.dtype.name) == (shape, dtype), name
        assert read_size(formats / name) == shape[:2]
    for name, text in [
        ("geotiff/corrupt.tif", "a damaged or cut-off one"),
        ("geotiff/float.tif", "values of type float64"),
        ("geotiff/all-nodata.tif", "pip install imagecodecs"),
        ("tiff_uint16/img3d.tif", "expected one picture, found 31"),
    ]:
        with pytest.raises(DataError, match=text):
            read_image(formats / name)
