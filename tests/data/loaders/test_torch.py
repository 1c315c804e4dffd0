import importlib.util
import multiprocessing
import os
from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image

from fewmask.data.imageio import write_png
from fewmask.data.loaders.memory import LoanedMemory
from fewmask.data.loaders.sample import Sample
from fewmask.data.loaders.torch import TorchSamples, scale_into, torch
from fewmask.errors import ArgumentError, DataError, MissingPackage

DataLoader = torch.utils.data.DataLoader
default_collate = torch.utils.data.default_collate
# Python 3.12 and later say so at every fork of a process that has threads.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")


def flip(row):
    """A transform that workers started by spawn can take along."""
    return row._replace(image=row.image[::-1], mask=row.part)


def test_without_a_transform_images_and_masks_are_tensors(make):
    sample = TorchSamples(make(3))[2]
    assert (sample.image.shape, sample.image.dtype) == ((3, 6, 8), torch.float32)
    assert sample.image[0, 0, 0].item() == np.float32(18 / 255)
    assert (sample.mask.shape, sample.mask.dtype) == ((6, 8), torch.int64)
    assert sample.mask.unique().tolist() == [0, 1]
    assert sample.depth[0, 0, 0].item() == pytest.approx(2000 / 65535)
    assert (sample.part, sample.age, sample.weight, sample.note) == (0, 22, 1.0, "note 2")
    assert (sample.seen.tolist(), sample.box.dtype) == ([0], torch.float32)


def test_255_is_one_and_0_is_nought():
    image = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    scaled = np.empty((1, 16, 16), np.float32)
    scale_into(scaled, image, LoanedMemory())
    assert scaled[0].tolist() == torch.from_numpy(image[..., 0]).float().div(255).tolist()
    for channels in (1, 3, 5):
        deep = np.full((2, 3, channels), 65535, np.uint16)
        scaled = np.empty((channels, 2, 3), np.float32)
        scale_into(scaled, deep, LoanedMemory())
        assert np.unique(scaled).tolist() == [1]


def test_a_row_transform_gets_names_of_files_and_returns_what_it_likes(make):
    chairs = make(3)

    def both(row):
        assert isinstance(row, Sample)
        image = np.asarray(chairs.load_image(row.image))
        return image[:, ::-1].copy(), chairs.load_mask(row.mask)[:, ::-1].copy(), row.part

    image, mask, part = TorchSamples(chairs, both)[1]
    assert (image.shape, mask.shape, mask.max(), part) == ((6, 8, 3), (6, 8), 1, 0)


def test_an_image_transform_gets_what_pillow_opens(make):
    sizes = []

    def look(opened):
        assert isinstance(opened, Image.Image)
        sizes.append((opened.mode, opened.size))
        return opened.getextrema()

    sample = TorchSamples(make(2).select(["image", "mask", "age"]), look, "images")[1]
    assert sizes == [("RGB", (8, 6)), ("L", (8, 6))]
    assert (sample.image, sample.mask, sample.age) == (((9, 9),) * 3, (0, 255), 21)


def to_tensor(opened):
    """What torchvision's ToTensor does."""
    array = np.atleast_3d(np.asarray(opened))
    return torch.from_numpy(array.transpose(2, 0, 1).copy()).float() / 255


# --- DataLoader ---------------------------------------------------------------------------------


def test_a_data_loader_makes_batches_of_tensors(make):
    samples = TorchSamples(make(5).select(["image", "mask", "part", "weight", "note"]))
    batches = list(DataLoader(samples, batch_size=2))
    assert [batch.image.shape for batch in batches] == [(2, 3, 6, 8), (2, 3, 6, 8), (1, 3, 6, 8)]
    assert batches[1].mask.shape == (2, 6, 8)
    assert batches[1]["part"].tolist() == [0, 1]
    assert list(batches[1].note) == ["note 2", "note 3"]
    for image, mask in DataLoader(TorchSamples(make(2).select(["image", "mask"])), 2):
        assert (len(image), len(mask)) == (2, 2)


def test_samples_asked_for_together_are_those_asked_for_one_by_one(make, own_threads, monkeypatch):
    monkeypatch.setattr("fewmask.data.loaders.threads.count_cores", lambda: 3)
    samples = TorchSamples(make(7).select(["image", "mask"]))
    together = samples.__getitems__([6, 0, 3, 3])
    for sample, index in zip(together, [6, 0, 3, 3], strict=True):
        assert all(torch.equal(*pair) for pair in zip(sample, samples[index], strict=True))
    del samples  # which its threads notice in their own time
    for thread in own_threads():
        thread.join(timeout=10)
    assert own_threads() == []


def test_joining_samples_that_were_read_together_copies_nothing(make):
    samples = TorchSamples(make(4).select(["image", "mask", "box"]))
    read = samples.__getitems__([2, 0, 1])
    batch = default_collate(read)
    assert batch.image.data_ptr() == read[0].image.data_ptr()
    alone = [samples[row] for row in (2, 0, 1)]
    assert torch.equal(batch.image, torch.stack([sample.image for sample in alone]))
    for others in (alone, read[::-1], read[:2], [*read[:2], read[0]]):
        batch = default_collate(others)
        for name in ("image", "mask", "box"):
            assert torch.equal(batch[name], torch.stack([sample[name] for sample in others]))


def test_shapes_that_differ_inside_a_batch_are_named(make, tmp_path):
    dataset = make(3).select(["image", "mask"])
    write_png(tmp_path / dataset[1].image, np.zeros((9, 9, 3), np.uint8))
    write_png(tmp_path / dataset[1].mask, np.zeros((9, 9), np.uint8))
    message = (
        "images/ghế 1, image: expected shape (3, 6, 8), as images/ghế 0 has in the same batch, "
        "found (3, 9, 9). Bring all samples to one shape in a transform, or use batch_size=1."
    )
    with pytest.raises(DataError) as error:
        next(iter(DataLoader(TorchSamples(dataset), 3)))
    assert str(error.value) == message
    with pytest.raises(DataError) as error:
        default_collate([TorchSamples(dataset, to_tensor, "images")[row] for row in (0, 1)])
    assert str(error.value) == message
    assert [len(batch.image) for batch in DataLoader(TorchSamples(dataset))] == [1, 1, 1]
    listed = next(iter(DataLoader(TorchSamples(dataset), 3, collate_fn=list)))
    assert [sample.image.shape[1] for sample in listed] == [6, 9, 6]


@pytest.mark.parametrize(
    "start", [name for name in ("fork", "spawn") if name in multiprocessing.get_all_start_methods()]
)
def test_workers_read_the_same(make, start):
    samples = TorchSamples(make(5).select(["image", "mask", "part"]), flip)
    loader = DataLoader(
        samples, batch_size=2, num_workers=1, multiprocessing_context=start, shuffle=False
    )
    batches = list(loader)
    assert [batch.mask.tolist() for batch in batches] == [[1, 0], [0, 1], [0]]
    assert list(batches[0].image) == [row.image[::-1] for row in samples.dataset[:2]]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
def test_opencv_uses_one_thread_in_a_forked_worker_which_else_might_hang(make):
    before = cv2.getNumThreads()
    cv2.setNumThreads(2)
    try:
        samples = TorchSamples(make(3), lambda row: cv2.getNumThreads())
        assert next(iter(DataLoader(samples, 3))).tolist() == [2, 2, 2]
        forked = DataLoader(samples, 3, num_workers=1, multiprocessing_context="fork")
        assert next(iter(forked)).tolist() == [1, 1, 1]
        assert cv2.getNumThreads() == 2
    finally:
        cv2.setNumThreads(before)


def test_an_unreadable_image_is_named_from_a_worker_too(make, tmp_path):
    dataset = make(4).select(["image", "mask"])
    (tmp_path / dataset[3].image).write_bytes(b"no image")
    with pytest.raises(DataError, match=r"ghế 3\.png: expected a PNG"):
        list(DataLoader(TorchSamples(dataset), 2))
    # torch cannot rebuild an exception of another process; it hands over its text.
    with pytest.raises(RuntimeError, match=r"DataError: .*ghế 3\.png: expected a PNG"):
        list(DataLoader(TorchSamples(dataset), 2, num_workers=1))


def test_two_loaders_may_read_one_fold_at_once(make):
    fold = make(6).select(["image", "mask"])
    pairs = zip(DataLoader(TorchSamples(fold), 2), DataLoader(fold.to_pytorch(), 2), strict=True)
    assert all(torch.equal(one.image, other.image) for one, other in pairs)


# --- bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((None, "images"), "transform_columns: expected a transform to go with it, found none."),
        ((len, "image"), "transform_columns: expected 'images' or None, found 'image'."),
        ((len, ["image"]), "transform_columns: expected 'images' or None, found ['image']."),
        ((3, None), "transform: expected a function, or None, found a value of type int."),
    ],
)
def test_arguments_that_do_not_go_together(make, arguments, message):
    with pytest.raises(ArgumentError) as error:
        make(2).to_pytorch(*arguments)
    assert str(error.value).startswith(message)


def test_an_empty_fold_is_refused(make):
    with pytest.raises(DataError, match="at least one sample to load, found none in this fold"):
        make(2)[2:].to_pytorch()


def test_masks_that_nobody_understands_are_refused_where_ids_are_needed(make):
    unread = replace(make(2), encoding=None)
    with pytest.raises(DataError, match="masks whose values are understood"):
        unread.to_pytorch()
    assert len(unread.to_pytorch(flip)) == len(unread.select(["image"]).to_pytorch()) == 2


def test_what_a_transform_raises_comes_with_its_row(make):
    with pytest.raises(ZeroDivisionError) as error:
        TorchSamples(make(2).select(["image", "age"]), lambda row: row.age // 0)[1]
    assert error.value.__notes__ == [
        "This happened in transform, which was called for Row(image='images/ghế 1.png', age=21)."
    ]


@pytest.mark.parametrize("transform", [None, flip])
def test_a_mask_of_another_size_than_its_image_is_named(make, tmp_path, transform):
    dataset = make(2).select(["mask", "image"])
    write_png(tmp_path / dataset[1].mask, np.zeros((5, 8), np.uint8))
    if transform:  # what a row names is its own business
        assert TorchSamples(dataset, lambda row: row.mask)[1] == dataset[1].mask
    else:
        with pytest.raises(DataError, match=r"ghế 1\.png: expected the size of its image"):
            TorchSamples(dataset)[1]


def test_without_torch_the_command_to_type_is_told(monkeypatch):
    from fewmask.data.loaders.frameworks import load_torch

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingPackage) as error:
        load_torch()
    assert str(error.value) == (
        "torch: expected to be installed for to_pytorch, found no such package. "
        'Run: pip install "fewmask[torch]"'
    )
