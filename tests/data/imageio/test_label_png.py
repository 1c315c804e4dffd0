import hashlib
import io

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fewmask.data.imageio import encode_png, read_mask_values
from fewmask.data.imageio.label_png import encode_labels
from fewmask.data.packed import PackedFile
from fewmask.errors import ArgumentError

PALETTE = [(0, 0, 0), (242, 73, 24), (1, 2, 3)]


def read(content):
    return read_mask_values(PackedFile("a.png", "test", lambda: content))


@settings(max_examples=60)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 256), st.integers(0, 2**32 - 1))
def test_every_reader_gets_the_ids_back(height, width, values, seed):
    labels = np.random.default_rng(seed).integers(0, values, (height, width)).astype(np.uint8)
    content = encode_labels(labels, PALETTE)
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.mode == "P"
        assert (np.asarray(picture) == labels).all()
    assert (read(content).values == labels).all()


@pytest.mark.parametrize("length", [*range(1, 40), *range(255, 265), 513, 516, 517, 518, 519, 5000])
def test_runs_of_every_length(length):
    labels = np.full((1, length), 3, np.uint8)
    assert (read(encode_labels(labels, PALETTE)).values == labels).all()
    twice = np.concatenate([labels, labels * 0], axis=1)
    assert (read(encode_labels(twice, PALETTE)).values == twice).all()


def test_the_colours_are_those_of_the_classes_and_white_beyond():
    labels = np.array([[0, 1, 2, 4]], np.uint8)
    content = np.frombuffer(encode_labels(labels, PALETTE), np.uint8)
    shown = cv2.cvtColor(cv2.imdecode(content, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    assert [tuple(map(int, color)) for color in shown[0]] == [*PALETTE, (255, 255, 255)]


def test_the_bytes_never_change():
    # Stores all over the world share files by their bytes: if this fails, none of them will.
    rows, columns = np.mgrid[:300, :400]
    labels = ((rows - 150) ** 2 + (columns - 200) ** 2 < 120**2).astype(np.uint8)
    labels[200:220, 10:390] = 2
    labels[::37, ::41] = 255
    content = encode_labels(labels, PALETTE)
    expected = "e29043276b14cd98cbbb8c278c410a42865458474f815313f58817aba1d6481a"
    assert hashlib.sha256(content).hexdigest() == expected


def test_it_takes_little_more_room_than_a_general_compressor():
    rows, columns = np.mgrid[:640, :640]
    labels = (np.hypot(rows - 300, columns - 320 - rows // 9) < 200).astype(np.uint8)
    assert len(encode_labels(labels, PALETTE)) < 1.2 * len(encode_png(labels, PALETTE))


@pytest.mark.parametrize(
    "array",
    [np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2), np.uint16), np.zeros((0, 2), np.uint8)],
)
def test_what_is_no_label_map_is_refused(array):
    with pytest.raises(ArgumentError, match=r"label map: expected class ids of shape \(H, W\)"):
        encode_labels(array, PALETTE)
