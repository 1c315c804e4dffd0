import json
import shutil

import pytest

from .conftest import draw_folder, save, scene


@pytest.fixture
def here(fewmask, trained, tmp_path, monkeypatch):
    """A copy of the folder with `photos` and the run `boxes`."""
    copy = tmp_path / "here"
    shutil.copytree(trained, copy)
    monkeypatch.chdir(copy)
    return copy


def test_the_images_of_the_training_are_known_again(fewmask, here):
    told = fewmask("evaluate", "runs/boxes", "photos")
    assert (told.code, told.err) == (0, "Evaluating runs/boxes\nOn photos\n")
    lines = told.out.splitlines()
    assert lines[0].startswith("mean Dice ")
    assert lines[0].endswith("10 images)")
    assert lines[1].startswith("baseline all background: 0.000")
    notes = [line for line in lines if "images are not new" in line]
    assert notes == [
        "6 of 10 images are not new. The model was trained on them, so the score says how well it "
        "remembers.",
        "2 of 10 images are not new. They helped to choose the model, so the score is a little "
        "too high.",
    ]
    folder = here / "runs" / "boxes" / "evaluations" / "photos"
    assert lines[-2:] == [
        f"Report: {folder / 'report.html'}",
        "Use the model: fewmask predict runs/boxes PHOTO.jpg",
    ]
    assert sorted(path.name for path in folder.iterdir()) == ["report.html", "scores.json"]


def test_new_images_are_said_to_be_new(fewmask, here):
    for number in range(20, 23):
        image, mask = scene(number)
        save(here / "mới lạ" / "images" / f"{number}.png", image)
        save(here / "mới lạ" / "masks" / f"{number}.png", mask)
    told = fewmask("evaluate", "boxes", "mới lạ")
    assert told.code == 0
    assert "None of the 3 images was part of the training's dataset.\n" in told.out
    assert (here / "runs" / "boxes" / "evaluations" / "mới-lạ" / "report.html").is_file()


def test_one_part_of_a_dataset(fewmask, here):
    draw_folder(here / "parts")
    rows = ["image,mask,part"]
    rows += [f"images/{n}.png,masks/{n}.png,{'val' if n < 3 else 'train'}" for n in range(10)]
    (here / "parts" / "split.csv").write_text("\n".join(rows) + "\n")
    told = fewmask("evaluate", "runs/boxes", "parts", "--part", "val", "--json")
    assert told.code == 0
    facts = json.loads(told.out)
    assert facts["num_images"] == 3
    assert (here / "runs" / "boxes" / "evaluations" / "parts-val" / "scores.json").read_text(
        "utf-8"
    ) == told.out.rstrip("\n")


def test_the_test_part_is_called_by_its_name(fewmask, here):
    """The run's own `parts.csv` tells which images they are."""
    rows = (here / "runs" / "boxes" / "parts.csv").read_text("utf-8").splitlines()
    for row in rows:
        sample, part, *_ = row.split(",")
        if part == "test":
            for kind in ("images", "masks"):
                name = sample.replace("images", kind) + ".png"
                (here / "held back" / kind).mkdir(parents=True, exist_ok=True)
                shutil.copy(here / "photos" / name, here / "held back" / name)
    told = fewmask("evaluate", "boxes", "held back", "--out", "kết quả")
    assert "They are the run's test part, which the training never looked at.\n" in told.out
    assert json.loads((here / "kết quả" / "scores.json").read_text("utf-8"))["part"] == "test"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nowhere", "photos"],
         "nowhere: expected the folder of a run, found nothing there. Runs in runs: boxes."),
        (["runs/boxes/model.onnx", "photos"],
         "runs/boxes/model.onnx: expected the folder of a run, found a single file. "
         "Runs in runs: boxes."),
        (["boxes", "photos", "--part", "weekend"],
         "--part weekend: expected one of test, train, validation, found no such part. "
         "Try --part test"),
        (["boxes", "nowhere"],
         "nowhere: expected a folder of images and masks, the name of an installed dataset, or "
         "demo/chairs, found nothing there. Check the path for a slip."),
        (["boxes", "photos/images"],
         "photos/images: expected images and their masks, found 10 pictures and no masks. "
         "Name the folder above, which holds both: {here}/photos"),
    ],
)  # fmt: skip
def test_what_cannot_be_scored(fewmask, here, words, sentence):
    told = fewmask("evaluate", *words)
    assert (told.code, told.out) == (2, "")
    assert told.error == f"Error: {sentence.format(here=here)}"
    assert not (here / "runs" / "boxes" / "evaluations").exists()


def test_other_classes_than_the_model_has(fewmask, here):
    told = fewmask("evaluate", "boxes", "photos", "--classes", "wall=0,cat=255")
    assert told.code == 2
    assert "expected the classes" in told.error


def test_a_run_that_has_no_model_yet(fewmask, here):
    (here / "runs" / "boxes" / "model.onnx").unlink()
    (here / "runs" / "boxes" / "model.keras").unlink()
    (here / "runs" / "boxes" / "best" / "weights.npz").unlink()
    told = fewmask("evaluate", "boxes", "photos")
    assert (told.code, told.error) == (
        2,
        "Error: runs/boxes: expected a run with a model, found a training whose first epoch has "
        "not ended. Wait for it, or go on with it: fewmask train --resume runs/boxes",
    )


def test_a_run_without_onnx_is_scored_by_keras(fewmask, here):
    first = fewmask("evaluate", "boxes", "photos", "--json")
    (here / "runs" / "boxes" / "model.onnx").unlink()
    told = fewmask("evaluate", "boxes", "photos", "--json")
    assert told.code == 0
    expected = json.loads(first.out)["mean_dice"]
    assert json.loads(told.out)["mean_dice"] == pytest.approx(expected, abs=1e-3)
