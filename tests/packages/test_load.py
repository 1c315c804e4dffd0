import sys
import types
from pathlib import Path

import numpy as np
import pytest

from fewmask.data.imageio import write_png
from fewmask.errors import ArgumentError, DataError, FewmaskError
from fewmask.packages import load
from fewmask.packages.load import load_dataset

CHAIRS = f"chairs-{load.DEMO_VERSION}"


def fill(folder, count=1, progress=None):
    """Draws a dataset as small as can be."""
    for number in range(count):
        write_png(folder / f"images/{number}.png", np.full((4, 6, 3), number, np.uint8))
        write_png(folder / f"masks/{number}.png", np.eye(4, 6, dtype=np.uint8) * 255)
        if progress is not None:
            progress(number + 1, count)
    return folder


@pytest.fixture
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setattr(load.platformdirs, "user_cache_dir", lambda name: str(folder / name))
    return folder / "fewmask" / "demo"


@pytest.fixture
def drawings(monkeypatch):
    """Replaces the drawing of chairs; returns the folders it was asked to fill."""
    asked = []

    def draw_chairs(folder, count=3, progress=None):
        asked.append(folder)
        fill(folder, count, progress)

    demo = types.ModuleType("fewmask.data.demo")
    demo.draw_chairs = draw_chairs
    monkeypatch.setitem(sys.modules, "fewmask.data.demo", demo)
    return asked


def test_a_path_may_be_text_or_path_or_begin_at_home(tmp_path, monkeypatch):
    fill(tmp_path / "Ảnh của tôi")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    for source in (tmp_path / "Ảnh của tôi", str(tmp_path / "Ảnh của tôi"), "~/Ảnh của tôi"):
        assert len(load_dataset(source)) == 1


def test_a_path_that_exists_is_a_path_and_the_findings_say_so(tmp_path, monkeypatch, drawings):
    monkeypatch.chdir(tmp_path)
    fill(tmp_path / "demo" / "chairs")
    dataset = load_dataset("demo/chairs")
    assert dataset.findings[0] == (
        "demo/chairs is read as the folder of this name, not as an installed dataset."
    )
    assert dataset.name == "chairs"
    assert drawings == []
    assert not load_dataset("./demo/chairs").findings[0].startswith("demo/chairs is read")


@pytest.mark.parametrize("classes", [["floor=0", "seat=255"], "floor=0,seat=255"])
def test_decisions_are_passed_on(tmp_path, classes):
    fill(tmp_path)
    dataset = load_dataset(tmp_path, classes=classes)
    assert dataset.classes.names == ("floor", "seat")


def test_the_demo_is_drawn_once(cache, drawings):
    calls = []
    dataset = load_dataset("demo/chairs", progress=lambda *now: calls.append(now))
    assert dataset.name == "demo/chairs"
    assert len(dataset) == 3
    assert dataset.root == cache / CHAIRS
    assert calls[:3] == [(1, 3), (2, 3), (3, 3)]
    load_dataset("demo/chairs")
    assert len(drawings) == 1
    assert [entry.name for entry in cache.iterdir()] == [CHAIRS], "nothing is left beside"


def test_a_drawing_that_is_broken_off_leaves_nothing(cache, drawings, monkeypatch):
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_dataset("demo/chairs", progress=stop)
    assert list(cache.iterdir()) == []


def test_of_two_that_draw_at_once_both_get_the_demo(cache, drawings):
    def overtake(done, total):
        # While the first of ours is drawn another process has finished all of them.
        if not (cache / CHAIRS).exists():
            fill(cache / CHAIRS, 2)

    assert len(load_dataset("demo/chairs", progress=overtake)) == 2
    assert [entry.name for entry in cache.iterdir()] == [CHAIRS]


def test_a_cache_that_cannot_be_written_is_one_sentence(cache, drawings):
    cache.parent.mkdir(parents=True)
    cache.write_text("a file where the folder should be")
    with pytest.raises(FewmaskError, match=rf"{CHAIRS}: expected to be written, found the system"):
        load_dataset("demo/chairs")


@pytest.mark.parametrize("source", ["photoss", "./a/b", Path("owner") / "name", "a" * 300])
def test_a_path_with_a_slip_is_refused(source, tmp_path, monkeypatch, store):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError) as caught:
        load_dataset(source, store=store)
    assert str(caught.value) == (
        f"{source}: expected a folder of images and masks, the name of an installed dataset, or "
        "demo/chairs, found nothing there. Check the path for a slip."
    )


@pytest.mark.parametrize("source", ["owner/name", "ảnh/ghế"])
def test_what_is_neither_path_nor_name_says_how_to_get_it(source, tmp_path, monkeypatch, store):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError) as caught:
        load_dataset(source, store=store)
    assert str(caught.value) == (
        f"{source}: expected a folder of images and masks, or the name of an installed dataset, "
        f"found neither. Check the path for a slip, or bring the dataset: fewmask install {source}"
    )


@pytest.mark.parametrize(
    ("typed", "meant"), [("demo/chair", "demo/chairs"), ("rohan/thngs", "rohan/things")]
)
def test_a_slip_in_a_name_is_pointed_at(typed, meant, built, tmp_path, monkeypatch, store):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError) as caught:
        load_dataset(typed, store=store)
    assert str(caught.value).endswith(
        f"Did you mean {meant}? If not, bring the dataset: fewmask install {typed}"
    )


@pytest.mark.parametrize(
    ("address", "remedy"),
    [
        ("hf://owner/name", "Install it first: fewmask install hf://owner/name"),
        (
            "https://x.org/a.zip",
            "Download and unpack it, or if it is a registry, install from it: fewmask install "
            "OWNER/NAME --from https://x.org/a.zip",
        ),
    ],
)
def test_an_address_says_how_to_get_what_is_there(address, remedy, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError) as caught:
        load_dataset(address)
    assert str(caught.value) == (
        f"{address}: expected a folder, or the name of an installed dataset, found an address. "
        f"{remedy}"
    )


def test_a_name_with_a_version_is_always_a_name(built, store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rohan").mkdir()
    fill(tmp_path / "rohan/things")
    fill(tmp_path / "rohan/things@1")
    assert load_dataset("rohan/things", store=store).name == "things"
    for dataset in (
        load_dataset("rohan/things@1", store=store),
        load_dataset("rohan/things", version=1, store=store),
        load_dataset("rohan/things@1", version=1, store=store),
    ):
        assert (dataset.name, len(dataset)) == ("rohan/things@1", 10)
    with pytest.raises(
        DataError, match="rohan/things@2: expected an installed version, found only"
    ):
        load_dataset("rohan/things", version=2, store=store)
    with pytest.raises(ArgumentError, match="version: expected that of rohan/things@1, found 2"):
        load_dataset("rohan/things@1", version=2, store=store)


def test_no_name_is_refused():
    with pytest.raises(DataError, match="source: expected a folder of images and masks, found"):
        load_dataset("")


def test_the_demo_is_called_as_its_drawing_calls_it():
    from fewmask.data.demo import DEMO_NAME

    assert load.DEMO == DEMO_NAME
