from pathlib import Path

import pytest

from fewmask.data.folders.settings import Settings, read_settings
from fewmask.errors import ArgumentError


def write(folder, text):
    (folder / "fewmask.toml").write_text(text, encoding="utf-8")


def test_every_key_is_read(tmp_path):
    write(
        tmp_path,
        'masks = "labels"\nclasses = ["nền=0", "ghế=255"]\nignore_index = 7\nthreshold = 128\n',
    )
    settings = read_settings(tmp_path)
    assert settings == Settings("labels", ("nền=0", "ghế=255"), 7, 128)
    assert settings.describe() == (
        "masks = 'labels', classes = ['nền=0', 'ghế=255'], ignore_index = 7, threshold = 128"
    )


def test_no_file_decides_nothing(tmp_path):
    assert read_settings(tmp_path) == Settings()
    assert Settings().describe() == ""


def test_zero_is_a_decision(tmp_path):
    write(tmp_path, "ignore_index = 0")
    assert read_settings(tmp_path).describe() == "ignore_index = 0"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "class = []",
            ": expected keys out of masks, classes, ignore_index, threshold, found 'class'. "
            "Did you mean 'classes'?",
        ),
        (
            "[train]",
            ": expected keys out of masks, classes, ignore_index, threshold, found 'train'. "
            "Remove it.",
        ),
        (
            "masks = 3",
            ', masks: expected a folder, as in masks = "labels", found 3. Correct the value.',
        ),
        (
            'classes = "cell"',
            ', classes: expected a list of texts, as in classes = ["background=0", "cell=255"], '
            "found 'cell'. Correct the value.",
        ),
        (
            "threshold = true",
            ", threshold: expected a whole number from 0 on, as in threshold = 128, found True. "
            "Correct the value.",
        ),
        (
            "ignore_index = -1",
            ", ignore_index: expected a whole number from 0 on, as in ignore_index = 128, "
            "found -1. Correct the value.",
        ),
    ],
)
def test_what_means_nothing_is_refused(tmp_path, text, sentence):
    write(tmp_path, text)
    with pytest.raises(ArgumentError) as caught:
        read_settings(tmp_path)
    assert str(caught.value) == str(tmp_path / "fewmask.toml") + sentence


def test_a_slip_in_the_file_is_shown_with_its_line(tmp_path):
    write(tmp_path, "threshold = 128\nmasks = labels\n")
    with pytest.raises(ArgumentError, match=r"expected TOML in UTF-8, found .*line 2"):
        read_settings(tmp_path)


def test_a_file_that_may_not_be_read_is_refused(tmp_path, monkeypatch):
    def refuse(path, **how):
        raise PermissionError(13, "Permission denied", str(path))

    write(tmp_path, "threshold = 128")
    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(ArgumentError) as caught:
        read_settings(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}/fewmask.toml: expected a file that can be read, found permission denied. "
        "Check its rights."
    )
