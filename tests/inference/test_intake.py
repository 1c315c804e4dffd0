import re

import numpy as np
import pytest
import tifffile
from PIL import Image

from fewmask.bundle import Bundle
from fewmask.data.classes import Classes
from fewmask.data.imageio import read_image
from fewmask.errors import ArgumentError, DataError
from fewmask.inference.intake import take_in
from fewmask.scale import Frame


def bundle(channels=3, value_range=(0, 255)):
    return Bundle(Classes(("background", "cell")), Frame(256), channels, value_range)


def noise(*shape, dtype=np.uint8):
    return np.random.default_rng(0).integers(np.iinfo(dtype).max, size=shape, dtype=dtype)


def test_an_array_that_fits_is_taken_as_it_is():
    image = noise(3, 4, 3)
    assert take_in(image, bundle()) is image or np.shares_memory(take_in(image, bundle()), image)


def test_a_file_in_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    image = noise(3, 4, 3)
    Image.fromarray(image).save(tmp_path / "a.png")
    np.testing.assert_array_equal(take_in("~/a.png", bundle()), image)


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 1)])
def test_grey_becomes_colour(shape):
    image = noise(*shape)
    taken = take_in(image, bundle())
    assert taken.shape == (2, 3, 3)
    assert (taken == image.reshape(2, 3, 1)).all()


def test_colour_becomes_the_grey_that_reading_makes(tmp_path):
    image = noise(9, 8, 3)
    Image.fromarray(image).save(tmp_path / "a.png")
    from_file = take_in(tmp_path / "a.png", bundle(channels=1))
    np.testing.assert_array_equal(take_in(image, bundle(channels=1)), from_file)


@pytest.mark.parametrize("dtype", ["<u2", ">u2"])
def test_16_bits_are_brought_to_8_as_in_training(dtype):
    image = np.array([[1000, 2000, 9000]], dtype)
    taken = take_in(image, bundle(channels=1, value_range=(1000, 3000)))
    assert (taken.ravel().tolist(), taken.dtype) == ([0, 128, 255], np.uint8)


def test_8_bits_in_16_are_8_bits():
    image = np.array([[0, 200, 255]], np.uint16)
    assert take_in(image, bundle(channels=1)).ravel().tolist() == [0, 200, 255]


def test_16_bits_for_a_model_of_8_would_be_white():
    with pytest.raises(
        DataError,
        match=r"^image: expected 8-bit values, as the model was trained on, found 16-bit values "
        r"up to 4095\. Convert it to 8 bits in the way the training images were\.$",
    ):
        take_in(np.array([[7, 4095]], np.uint16), bundle())


def test_8_bits_for_a_model_of_16_would_be_black():
    with pytest.raises(
        DataError,
        match=r"^image: expected 16-bit values from 300 to 4000, as the model was trained on, "
        r"found an 8-bit image\. Predict the 16-bit original of this image\.$",
    ):
        take_in(noise(2, 2), bundle(channels=1, value_range=(300, 4000)))


@pytest.mark.parametrize("dtype", [np.float32, np.int64, bool])
def test_what_no_file_stores(dtype):
    with pytest.raises(
        ArgumentError,
        match=rf"^image: expected stored pixel values, uint8 or uint16, found {np.dtype(dtype)}\. "
        r"Give the values as the file holds them, neither scaled nor normalised\.$",
    ):
        take_in(np.zeros((2, 2, 3), dtype), bundle())


@pytest.mark.parametrize("shape", [(3,), (1, 2, 2, 3), (0, 5, 3)])
def test_what_is_no_image(shape):
    with pytest.raises(ArgumentError, match=re.escape(f"found shape {shape}. Give one image a")):
        take_in(np.zeros(shape, np.uint8), bundle())


@pytest.mark.parametrize(
    ("found", "channels", "words"),
    [(4, 3, "3 channels"), (2, 1, "1 channel"), (3, 5, "5 channels")],
)
def test_channels_that_cannot_be_converted(found, channels, words):
    with pytest.raises(
        DataError,
        match=rf"^image: expected an image of {words}, as the model was trained on, "
        rf"found {found}\. Keep the channels of the training images, in their order\.$",
    ):
        take_in(noise(2, 2, found), bundle(channels))


def test_five_channels_for_a_model_of_five():
    assert take_in(noise(2, 2, 5), bundle(5)).shape == (2, 2, 5)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_pillow_image_is_taken_like_its_file(tmp_path, mode, channels):
    deep = mode == "I;16"
    picture = Image.fromarray(noise(6, 9, dtype=np.uint16) if deep else noise(6, 9, 3))
    picture = picture if deep else picture.convert(mode)
    path = tmp_path / ("a.tif" if mode == "CMYK" else "a.png")
    picture.save(path)
    facts = bundle(channels, (0, 65535) if deep else (0, 255))
    with Image.open(path) as opened:
        np.testing.assert_array_equal(take_in(opened, facts), take_in(path, facts))


def test_a_pillow_image_of_a_big_endian_file_is_taken_like_its_file(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, noise(6, 9, dtype=np.uint16), byteorder=">", photometric="minisblack")
    facts = bundle(1, (0, 65535))
    with Image.open(path) as opened:
        assert opened.mode == "I;16B"
        np.testing.assert_array_equal(take_in(opened, facts), take_in(path, facts))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_pillow_image_is_turned_like_its_file(tmp_path, orientation, suffix):
    path = tmp_path / f"ảnh{suffix}"
    exif = Image.Exif()
    exif[274] = orientation
    Image.fromarray(noise(4, 7, 3)).save(path, exif=exif)
    with Image.open(path) as opened:
        np.testing.assert_array_equal(take_in(opened, bundle()), take_in(path, bundle()))
    np.testing.assert_array_equal(take_in(str(path), bundle()), read_image(path))
