import pickle
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import tifffile

from fewmask.data.dataset import Dataset
from fewmask.data.fingerprint import take_fingerprint
from fewmask.data.imageio import encode_jpeg, encode_png, open_picture, read_image, read_size
from fewmask.data.packed import PackedFile, read_slice, sha256_of
from fewmask.data.schema import Column
from fewmask.errors import DataError

PIXELS = np.random.default_rng(0).integers(0, 255, (20, 30, 3), np.uint8)


@pytest.fixture
def box(tmp_path):
    """A file that holds others; returns what makes a packed file of some bytes in it."""
    path = tmp_path / "box"
    path.write_bytes(b"front")

    def put(name, content):
        start = path.stat().st_size
        with path.open("ab") as file:
            file.write(content + b"behind")
        return PackedFile(
            name, "rohan/things@1", partial(read_slice, str(path), start, len(content))
        )

    return put


def test_it_answers_as_a_path_to_an_image_does(box):
    content = encode_png(PIXELS)
    file = box("images/ghế.1.png", content)
    path = Path("images/ghế.1.png")
    assert (file.name, file.stem, file.suffix) == (path.name, path.stem, path.suffix)
    assert file.parent.name == path.parent.name
    assert str(file) == "rohan/things@1:images/ghế.1.png"
    assert file.read_bytes() == file.open().read() == content
    assert file.open().name == "ghế.1.png"
    with pytest.raises(ValueError, match="Expected the mode 'rb', got 'w'"):
        file.open("w")


def test_images_of_every_kind_are_read_out_of_it(box, tmp_path):
    deep = np.random.default_rng(1).integers(0, 65535, (9, 8, 3), np.uint16)
    tifffile.imwrite(tmp_path / "deep.tif", deep, photometric="rgb")
    kinds = {
        "a.png": encode_png(PIXELS),
        "a.jpg": encode_jpeg(PIXELS),
        "a.tif": (tmp_path / "deep.tif").read_bytes(),
    }
    for name, content in kinds.items():
        (tmp_path / name).write_bytes(content)
        file = box(name, content)
        assert (read_image(file) == read_image(tmp_path / name)).all()
        assert read_size(file) == read_size(tmp_path / name)
        assert open_picture(file).size == open_picture(tmp_path / name).size
        assert sha256_of(file) == sha256_of(tmp_path / name)


def test_a_broken_image_is_named_by_dataset_and_path(box):
    file = box("images/a.png", encode_png(PIXELS)[:-200])
    with pytest.raises(DataError, match=r"^rohan/things@1:images/a\.png: expected a whole picture"):
        read_image(file)
    with pytest.raises(DataError, match=r"found something else\. Leave it out"):
        read_image(box("b.png", b"not an image"))


def test_it_can_be_pickled_and_read_by_many_threads(box):
    files = [box(f"{number}.png", encode_png(PIXELS + np.uint8(number))) for number in range(8)]
    files = pickle.loads(pickle.dumps(files))
    with ThreadPoolExecutor(8) as threads:
        images = list(threads.map(lambda number: read_image(files[number % 8]), range(200)))
    assert all((image == PIXELS + np.uint8(n % 8)).all() for n, image in enumerate(images))


def test_a_dataset_reads_packed_files_and_others_alike(box, tmp_path):
    (tmp_path / "b.png").write_bytes(encode_png(PIXELS))
    packed = {"images/a.png": box("images/a.png", encode_png(PIXELS))}
    dataset = Dataset(
        "mixed",
        tmp_path,
        [Column("image", "image")],
        [("images/a.png",), ("b.png",)],
        packed=packed,
    )
    assert (dataset.read_image(0) == dataset.read_image(1)).all()
    assert dataset.image_path(0) is packed["images/a.png"]
    assert dataset.image_path(1) == tmp_path / "b.png"
    assert dataset.load_image("images/a.png", lambda file: file.read(4)) == b"\x89PNG"
    assert dataset.load_image("b.png", Path) == tmp_path / "b.png"
    assert take_fingerprint(dataset[:1]).num_images == 1
    assert pickle.loads(pickle.dumps(dataset)).read_image(0).shape == (20, 30, 3)


def test_a_file_that_was_cut_off_or_removed_says_what_to_do(box, tmp_path):
    file = box("a.png", encode_png(PIXELS))
    with (tmp_path / "box").open("r+b") as content:
        content.truncate(100)
    with pytest.raises(DataError, match=r"it was cut off\. Find what is damaged with: fewmask"):
        file.read_bytes()
    (tmp_path / "box").unlink()
    with pytest.raises(DataError, match=r"it was uninstalled meanwhile\. Install the dataset"):
        read_image(file)


def test_the_sum_of_a_file_is_that_of_its_bytes(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    # from FIPS 180-2, appendix B.1
    assert sha256_of(tmp_path / "abc") == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


def test_a_file_that_is_gone_has_no_sum(tmp_path):
    with pytest.raises(DataError, match=r"gone: expected a file that can be read, found no such"):
        sha256_of(tmp_path / "gone")
