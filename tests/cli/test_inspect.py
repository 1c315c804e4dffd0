import json
import shlex

import numpy as np
import pytest
from PIL import Image

from fewmask.packages.load import load_dataset

from .conftest import contents, draw_folder, save, scene


def test_what_a_folder_is_taken_for(fewmask, tmp_path):
    draw_folder(tmp_path / "photos")
    told = fewmask("inspect", "photos")
    assert (told.code, told.err) == (0, "Reading photos\n")
    assert told.out.splitlines() == [
        "photos: 10 images",
        "  10 images in images/ paired with masks in masks/ by equal names.",
        "  Masks hold 0 and 255, both of them in 10 of 10 files: read as background and "
        "foreground.",
        # boxes of 8 × 10 pixels in images of 24 × 32
        "  Of the pixels that count: background 89.6 %, foreground 10.4 %.",
        "  Drawn for the test part: 2 of 10 images (seed 0).",
        "  Drawn for the validation part: 2 of 8 training images (seed 0).",
        "  ■ foreground is outlined in #F24918, in 10 of 10 images",
        f"Look at {tmp_path / 'contact.png'}: is that what you meant?",
        "Then: fewmask train photos",
    ]
    with Image.open(tmp_path / "contact.png") as sheet:
        # ten places of 240 pixels, four in a row
        assert sheet.size == (4 * 246 + 6, 3 * 246 + 6)
        assert (np.array(sheet) == (242, 73, 24)).all(axis=2).any()


def test_json_alone_is_on_the_standard_output(fewmask, tmp_path):
    draw_folder(tmp_path / "ghế gỗ")
    told = fewmask("inspect", "ghế gỗ", "--json", "--out", "tờ.png")
    facts = json.loads(told.out)
    assert facts["dataset"] == "ghế gỗ"
    assert facts["classes"]["names"] == ["background", "foreground"]
    assert facts["parts"] == {"train": 6, "validation": 2, "test": 2}
    assert facts["contact_sheet"] == "tờ.png"
    assert facts["fingerprint"]["num_images"] == 10
    assert len(facts["findings"]) == 5
    assert (tmp_path / "tờ.png").is_file()


@pytest.mark.parametrize(
    "typed",
    [
        ["--classes", "wall=0", "--classes", "my chair=255"],
        ["--classes", "wall=0,my chair=255"],
        ["--threshold", "100", "--masks", "masks", "--max-pixels", "768"],
    ],
)
def test_the_next_command_repeats_the_decisions(fewmask, tmp_path, typed):
    draw_folder(tmp_path / "my photos")
    told = fewmask("inspect", "my photos", *typed)
    words = shlex.split(told.out.splitlines()[-1].removeprefix("Then: "))
    assert words[:3] == ["fewmask", "train", "my photos"]
    again = fewmask("inspect", *words[2:])
    assert again.out == told.out


def test_names_of_classes_are_those_that_were_given(fewmask, tmp_path):
    draw_folder(tmp_path / "photos")
    told = fewmask("inspect", "photos", "--classes", "tường=0,ghế=255")
    assert "  Of the pixels that count: tường 89.6 %, ghế 10.4 %.\n" in told.out


def test_inside_the_data_the_contact_sheet_goes_beside_them(fewmask, tmp_path, monkeypatch):
    data = draw_folder(tmp_path / "photos")
    monkeypatch.chdir(data / "images")
    before = contents(data)
    told = fewmask("inspect", "..")
    assert told.code == 0
    assert f"Look at {tmp_path / 'contact.png'}:" in told.out
    assert contents(data) == before


def test_a_contact_sheet_among_the_data_is_refused(fewmask, tmp_path):
    draw_folder(tmp_path / "my photos")
    before = contents(tmp_path)
    told = fewmask("inspect", "my photos", "--out", "my photos/masks/sheet.png")
    assert told.code == 2
    assert told.error == (
        "Error: --out my photos/masks/sheet.png: expected a place outside the dataset, found one "
        "inside, where it would be taken for an image or a mask. "
        f"Try --out {tmp_path / 'contact.png'}"
    )
    assert contents(tmp_path) == before


def test_a_contact_sheet_that_would_be_no_png_is_refused_before_any_work(fewmask, tmp_path):
    draw_folder(tmp_path / "photos")
    told = fewmask("inspect", "photos", "--out", "sheet.jpg")
    assert (told.code, told.out) == (2, "")
    assert told.error == (
        "Error: sheet.jpg: expected a name that ends in .png, found sheet.jpg. "
        "Name the picture with --out, contact.png for example."
    )
    assert not (tmp_path / "sheet.jpg").exists()


def test_a_contact_sheet_in_the_home_folder(fewmask, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    draw_folder(tmp_path / "photos")
    told = fewmask("inspect", "photos", "--out", "~/sheet.png")
    assert f"Look at {tmp_path / 'home' / 'sheet.png'}: is that what you meant?" in told.out
    assert (tmp_path / "home" / "sheet.png").is_file()


def test_what_is_proposed_can_be_typed(fewmask, tmp_path):
    """Masks of three values need a decision; the line that the error proposes makes it."""
    draw_folder(tmp_path / "photos")
    for number in range(10):
        mask = scene(number)[1]
        mask[0] = 128
        save(tmp_path / "photos" / "masks" / f"{number}.png", mask)
    told = fewmask("inspect", "photos")
    assert told.code == 2
    proposed = shlex.split(told.error.partition("name them: ")[2])[:2]
    assert proposed == ["--classes", "background=0,class1=128,class2=255"]
    assert fewmask("inspect", "photos", *proposed).code == 0
    assert load_dataset("photos", classes=proposed[1:]).classes.num_classes == 3


def test_colours_that_the_legend_does_not_name_are_asked_for(fewmask, tmp_path):
    draw_folder(tmp_path / "photos")
    for number in range(10):
        mask = np.zeros((24, 32, 3), np.uint8)
        mask[scene(number)[1] > 0] = (60, 16, 152)
        save(tmp_path / "photos" / "masks" / f"{number}.png", mask)
    (tmp_path / "photos" / "classes.json").write_text('[{"name": "road", "color": "#6EC1E4"}]')
    told = fewmask("inspect", "photos")
    assert told.code == 2
    proposed = shlex.split(told.error.partition("first: ")[2])[:2]
    assert proposed == ["--classes", "class0=#000000,class1=#3C1098"]
    assert fewmask("inspect", "photos", *proposed).code == 0
