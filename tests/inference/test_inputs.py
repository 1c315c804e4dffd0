import os
import re
from pathlib import Path

import pytest

from fewmask.errors import ArgumentError, DataError
from fewmask.inference.inputs import find_images

OUT = "predicted"


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """A folder `photos` in the working directory, with what lies in such folders."""
    monkeypatch.chdir(tmp_path)
    for name in (
        "photos/b.jpg", "photos/a.PNG", "photos/ghế số 1.tif", "photos/été/c.jpg",
        "photos/notes.txt", "photos/.d.jpg", "photos/._b.jpg", "photos/.cache/e.jpg",
        "other/f.png",
    ):  # fmt: skip
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()
    return Path("photos")


def names(sources, out=OUT):
    return [path.as_posix() for path in find_images(sources, out).paths]


def places(sources, out=OUT):
    inputs = find_images(sources, out)
    return [inputs.place(path).as_posix() for path in inputs.paths]


ALL = ["photos/a.PNG", "photos/b.jpg", "photos/ghế số 1.tif", "photos/été/c.jpg"]


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (["photos/b.jpg"], ["photos/b.jpg"]),
        (["photos"], ALL),
        ("photos", ALL),
        (["photos/*.jpg"], ["photos/b.jpg"]),
        (["photos/**/*.jpg"], ["photos/b.jpg", "photos/été/c.jpg"]),
        (["photos/ghế*"], ["photos/ghế số 1.tif"]),
        (["photos/?.*"], ["photos/a.PNG", "photos/b.jpg"]),
        (["pho*"], ALL),
        (["other", "photos/b.jpg"], ["other/f.png", "photos/b.jpg"]),
        (["photos/b.jpg", "photos", "./photos/b.jpg"], ["photos/b.jpg", *ALL[:1], *ALL[2:]]),
        (["photos/.d.jpg"], ["photos/.d.jpg"]),
    ],
)
def test_what_sources_name(photos, sources, expected):
    assert names(sources) == expected


def test_a_name_that_looks_like_somebodys_home_is_a_name(photos):
    Path("~$photo.jpg").touch()
    assert names(["~$photo.jpg"]) == ["~$photo.jpg"]


def test_a_name_with_brackets_is_a_name(photos):
    Path("photos/b [1].jpg").touch()
    assert names(["photos/b [1].jpg"]) == ["photos/b [1].jpg"]


def test_brackets_in_the_name_of_a_folder_are_no_pattern(photos):
    photos.rename("photos [2024]")
    assert names(["photos [2024]/*.jpg"]) == ["photos [2024]/b.jpg"]
    assert names(["photos [2024]/[a-z].*"]) == ["photos [2024]/a.PNG", "photos [2024]/b.jpg"]


def test_a_file_that_is_named_is_taken_whatever_its_suffix(photos):
    assert names(["photos/notes.txt"]) == ["photos/notes.txt"]


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (["photos/b.jpg"], ["b.jpg"]),
        (["photos/été/c.jpg"], ["c.jpg"]),
        (["photos/b.jpg", "photos/été/c.jpg"], ["b.jpg", "été/c.jpg"]),
        (["photos/**/c.jpg"], ["été/c.jpg"]),
        (["other", "photos/b.jpg"], ["other/f.png", "photos/b.jpg"]),
    ],
)
def test_results_lie_where_the_images_lie_in_the_shared_folder(photos, sources, expected):
    assert places(sources) == expected


def test_folder_and_pattern_of_all_in_it_place_alike(photos):
    assert places(["photos"]) == places(["photos/*"])


def test_earlier_results_are_no_images(photos):
    Path("photos/predicted/été").mkdir(parents=True)
    Path("photos/predicted/été/c.png").touch()
    for sources in (["photos"], ["photos/**/*"], ["photos/*"]):
        assert set(names(sources, "photos/predicted")) == set(ALL)


def test_earlier_results_behind_a_link_are_no_images(photos, tmp_path):
    Path("photos/predicted").mkdir()
    Path("photos/predicted/b.png").touch()
    Path("link").symlink_to(tmp_path / "photos", target_is_directory=True)
    assert not any("predicted" in name for name in names(["link"], "photos/predicted"))


@pytest.mark.parametrize(
    ("sources", "out", "image"),
    [
        (["photos"], "photos", "photos/a.PNG"),
        (["photos/b.jpg"], ".", "photos/b.jpg"),
        (["photos/été"], "photos", "photos/été/c.jpg"),
        (["photos/*.jpg"], "photos/../photos", "photos/b.jpg"),
    ],
)
def test_results_never_lie_among_the_images(photos, sources, out, image):
    with pytest.raises(
        ArgumentError,
        match=re.escape(
            f"--out {out}: expected a folder with no images to predict in it, found {image}. "
            "Choose another folder for the results with --out."
        ),
    ):
        find_images(sources, out)


def test_in_a_folder_images_are_those_that_training_would_find(photos, tmp_path):
    for name in ("run-1/samples/s.jpg", "@eaDir/b.jpg/thumb.jpg", "__MACOSX/b.jpg"):
        Path("photos", name).parent.mkdir(parents=True)
        Path("photos", name).touch()
    Path("photos/run-1/run.json").touch()
    Path("photos/linked").symlink_to(tmp_path / "other", target_is_directory=True)
    assert set(names(["photos"])) == {*ALL, "photos/linked/f.png"}


def test_a_folder_that_may_not_be_read_is_named(photos, monkeypatch):
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("été"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(DataError, match=r"^photos/été: expected a folder that may be read, found"):
        names(["photos"])


def test_nothing_of_that_name(photos):
    with pytest.raises(
        ArgumentError,
        match=r"^photoz: expected an image, a folder of images or a pattern, found nothing of that "
        r"name\. Check the spelling; a name with spaces needs quotes\.$",
    ):
        find_images(["photos", "photoz"], OUT)


def test_a_dataset_by_its_name_says_how_to_get_its_images(photos):
    with pytest.raises(ArgumentError) as refused:
        find_images("demo/chairs", OUT)
    assert str(refused.value) == (
        "demo/chairs: expected an image, a folder of images or a pattern, found the name of a "
        "dataset. Write its images into a folder first: fewmask convert demo/chairs"
    )


def test_a_folder_without_images_says_what_it_holds(photos):
    Path("photos2").mkdir()
    for name in ("a.txt", "b.txt", "c.CSV"):
        Path("photos2", name).touch()
    with pytest.raises(
        ArgumentError,
        match=re.escape(
            "photos2: expected at least one image, found none (photos2 holds 2 .txt, 1 .csv). "
            "Name images, a folder of images, or a pattern such as '*.jpg'."
        ),
    ):
        find_images(["photos2"], OUT)


def test_a_pattern_that_nothing_matches(photos):
    Path("photos/more.txt").touch()
    with pytest.raises(
        ArgumentError,
        match=re.escape(
            "photos/*.bmp: expected at least one image, found none (photos holds 2 .txt, 1 "
        ),
    ):
        find_images(["photos/*.bmp"], OUT)


def test_below_a_pattern_no_disk_is_searched(photos, monkeypatch):
    looked_at = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: looked_at.append(str(path)) or scandir(path))
    with pytest.raises(ArgumentError):
        find_images(["photos/*.bmp"], OUT)
    assert set(looked_at) == {"photos"}


def test_an_empty_folder(tmp_path):
    with pytest.raises(ArgumentError, match=r"found none \(.* holds no files\)"):
        find_images([tmp_path], tmp_path.parent / "elsewhere")


def test_no_source(tmp_path):
    with pytest.raises(ArgumentError, match=r"^sources: expected at least one image, found none"):
        find_images([], OUT)


def test_photographs_of_telephones_are_not_passed_over(photos):
    Path("photos/IMG_1.HEIC").touch()
    assert "photos/IMG_1.HEIC" in names(["photos"])
