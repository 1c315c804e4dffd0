"""Trainings from beginning to end, on pictures of every kind, and what can happen on the way."""

import errno
import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
import tifffile

from fewmask.data.imageio import read_image, write_png
from fewmask.errors import ArgumentError, DecisionNeeded, FewmaskError, ModelError, RunError
from fewmask.inference.predict import load
from fewmask.packages.load import load_dataset
from fewmask.run import Run
from fewmask.training import train as training
from fewmask.training.averaging import AveragedWeights
from fewmask.training.checkpoint import State, epoch_of_weights
from fewmask.training.events import EpochDone, StepDone
from fewmask.training.judge import Judge
from fewmask.training.keeper import LAST, Diverged
from fewmask.training.train import train

WHOLE = {
    "plan.toml", "run.json", "fingerprint.json", "parts.csv", "bundle.json", "epochs.csv", "last",
    "best", "samples", "model.keras", "model.onnx", "scores.json", "report.html",
}  # fmt: skip


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "các lần chạy"


def assert_whole(run: Run) -> None:
    assert {path.name for path in run.folder.iterdir()} == WHOLE
    assert run.read_json("run.json")["state"] == "finished"
    scores = run.read_json("scores.json")
    assert 0 <= scores["mean_dice"] <= 1
    assert "<html" in (run.folder / "report.html").read_text("utf-8")


def test_leaves_a_whole_run(trained: Any) -> None:
    run, _ = trained
    assert_whole(run)
    facts = run.read_json("run.json")
    assert facts["dataset"] == "discs"
    assert facts["epochs"] == 2
    assert facts["seconds"] > 0
    assert facts["versions"]["keras"]
    assert [row["epoch"] for row in run.epochs()] == [1, 2]


def test_says_what_it_does(trained: Any) -> None:
    run, heard = trained
    sentences = heard.sentences
    for sentence in (
        "12 images in images/ paired with masks in masks/ by equal names.",
        "Drawn for the test part: 2 of 12 images (seed 0).",
        "Training on 8 images, choosing by 2, testing on 2; classes: background, foreground.",
        "unet at 32 × 32 pixels: 2 epochs of 4 steps with 2 images.",
        f"Training into {run.folder}; Ctrl-C ends it with the best model so far.",
        f"Saved the model, for Keras and for ONNX Runtime, in {run.folder}.",
    ):
        assert sentence in sentences
    ended = sentences.index(f"Saved the model, for Keras and for ONNX Runtime, in {run.folder}.")
    assert sentences[ended + 1].startswith("mean Dice 0.")
    assert sentences[ended + 2].startswith("baseline all background: ")
    assert sum(isinstance(event, StepDone) for event in heard) == 8
    assert sum(isinstance(event, EpochDone) for event in heard) == 2


def test_its_model_predicts(trained: Any, discs: Path) -> None:
    run, _ = trained
    path = discs / "images" / "đĩa 00.png"
    prediction = load(run).predict(path)
    assert prediction.label_map.shape == read_image(path).shape[:2]


def test_draws_six_samples_beside_each_other(trained: Any) -> None:
    run, _ = trained
    sheets = sorted((run.folder / "samples").iterdir())
    assert sheets
    height, width, _ = read_image(sheets[0]).shape
    assert width == 2 * height


def test_a_test_image_that_is_trained_on_is_said_and_stands_beside_the_score(
    discs: Path, tmp_path: Path, runs: Path, tiny: Any, heard: Any
) -> None:
    folder = Path(shutil.copytree(discs, tmp_path / "twice"))
    for kind in ("images", "masks"):
        for part, names in (("train", slice(0, 8)), ("test", slice(7, 10))):
            (folder / part / kind).mkdir(parents=True)
            for path in sorted((folder / kind).iterdir())[names]:
                shutil.copy(path, folder / part / kind / f"{part} {path.name}")
        shutil.rmtree(folder / kind)
    run = train(folder, runs=runs, listener=heard, **{**tiny, "epochs": 1})
    copy, other = "test/images/test đĩa 07", "train/images/train đĩa 07"
    sentence = (
        "1 of 3 test images is byte for byte among the training images too "
        f"({copy} is {other}, for one): scores may flatter the model."
    )
    # At the start and beside the score.
    assert heard.sentences.count(sentence) == 2
    assert sentence in run.read_json("scores.json")["notes"]
    assert sentence in (run.folder / "report.html").read_text("utf-8")


# --- names ------------------------------------------------------------------------------------


def test_a_name_in_use_is_refused_before_any_image_is_read(
    finished: Run, heard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training.Source, "read", None)
    with pytest.raises(RunError) as error:
        train("anywhere", name=finished.name, runs=finished.folder.parent, listener=heard)
    assert str(error.value) == (
        f"{finished.folder}: expected a new name, found a run that is there already. "
        f"Take --name discs-2, or go on with it: fewmask train --resume {finished.folder}"
    )


def test_what_fails_before_training_leaves_no_run(
    discs: Path, runs: Path, tiny: Any, heard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*args: Any) -> NoReturn:
        raise FewmaskError("parts.csv", "room", "none", "Free some.")

    monkeypatch.setattr(training, "write_seen", no_room)
    with pytest.raises(FewmaskError, match="expected room"):
        train(discs, runs=runs, listener=heard, **tiny)
    assert list(runs.iterdir()) == []


def test_a_runs_folder_without_the_right_to_write(
    discs: Path, runs: Path, tiny: Any, heard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, *args: Any, **kwargs: Any) -> NoReturn:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(FewmaskError) as error:
        train(discs, runs=runs, listener=heard, **tiny)
    assert str(error.value) == (
        f"{runs}: expected a folder that may be written to, found no right to write there. "
        "Choose another folder or change its rights."
    )


# --- pictures of every kind -------------------------------------------------------------------


def write_tiff(path: Path, image: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, image, photometric="minisblack", planarconfig="contig")


@pytest.mark.parametrize("count", [2, 6])
def test_too_few_images_to_choose_by(
    count: int, discs: Path, tmp_path: Path, runs: Path, tiny: Any, heard: Any
) -> None:
    folder = tmp_path / "few"
    for kind in ("images", "masks"):
        for path in sorted((discs / kind).iterdir())[:count]:
            (folder / kind).mkdir(parents=True, exist_ok=True)
            shutil.copy(path, folder / kind)
    run = train(folder, runs=runs, listener=heard, **tiny)
    assert_whole(run)
    left = count - 1
    images = f"{left} training image{'s' if left > 1 else ''}"
    assert f"No validation part: {images} cannot spare any." in heard.sentences
    assert all(math.isnan(row["validation_dice"]) for row in run.epochs())
    assert (run.folder / "samples" / "epoch-0002.jpg").exists()


@pytest.mark.parametrize("asked", ["early_stopping", "plateau"])
def test_patience_needs_images_to_judge_by(
    asked: str, discs: Path, runs: Path, tiny: Any, heard: Any
) -> None:
    few = load_dataset(discs).take(range(5))
    with pytest.raises(ArgumentError) as error:
        train(few, runs=runs, listener=heard, **{**tiny, asked: 3})
    name = "--" + asked.replace("_", "-")
    assert str(error.value) == (
        f"{name}: expected validation images to judge the epochs by, found 4 training images, "
        f"too few to spare any. Leave {name} out, or add images."
    )
    assert not runs.exists()


def test_five_classes_and_pixels_that_do_not_count(
    tmp_path: Path, runs: Path, tiny: Any, heard: Any, disc: Any
) -> None:
    folder = tmp_path / "năm lớp"
    for number in range(12):
        image, mask = disc(number, num_classes=5)
        mask[:, :3] = 255
        write_png(folder / "images" / f"{number}.png", image)
        write_png(folder / "masks" / f"{number}.png", mask)
    names = ["nền", "đỏ", "vàng", "lục", "lam"]
    specs = [f"{name}={class_id}" for class_id, name in enumerate(names)]
    with pytest.raises(DecisionNeeded, match="255"):
        train(folder, runs=runs, classes=specs, listener=heard, **tiny)
    run = train(folder, runs=runs, classes=specs, ignore_index=255, listener=heard, **tiny)
    assert_whole(run)
    predictor = load(run)
    assert predictor.bundle.classes.names == tuple(names)
    assert predictor.bundle.classes.ignore_index == 255
    assert predictor.predict(folder / "images" / "0.png").probabilities.shape[2] == 5


@pytest.mark.parametrize("channels", [1, 4])
def test_tiff_images_of_16_bits_and_of_four_channels(
    channels: int, tmp_path: Path, runs: Path, tiny: Any, heard: Any, disc: Any
) -> None:
    folder = tmp_path / "tiffs"
    for number in range(10):
        image, mask = disc(number)
        if channels == 1:
            stored = image[..., 0].astype(np.uint16) * 16 + 100
        else:
            stored = np.dstack([image, 255 - image[..., :1]])
        write_tiff(folder / "images" / f"{number}.tif", stored)
        write_png(folder / "masks" / f"{number}.png", mask * np.uint8(255))
    run = train(folder, runs=runs, listener=heard, **{**tiny, "size": 96})
    assert_whole(run)
    bundle = load(run).bundle
    assert bundle.channels == channels
    assert bundle.value_range[1] > 255 if channels == 1 else bundle.value_range == (0, 255)


def test_a_dataset_made_in_python(discs: Path, runs: Path, tiny: Any, heard: Any) -> None:
    dataset = load_dataset(discs)
    run = train(dataset, runs=runs, listener=heard, **{**tiny, "epochs": 1})
    assert_whole(run)
    (run.folder / "report.html").unlink()
    with pytest.raises(RunError, match="found one that was made in Python"):
        training.resume(run, listener=heard)
    training.resume(run, dataset, listener=heard)
    assert_whole(run)


# --- what can happen on the way ---------------------------------------------------------------


def interrupt_at(moment: Callable[[Any], bool], heard: Any) -> Callable[[Any], None]:
    def listener(event: Any) -> None:
        heard(event)
        if moment(event):
            raise KeyboardInterrupt

    return listener


def test_nobody_else_can_go_on_with_a_training_that_begins(
    discs: Path, runs: Path, tiny: Any, heard: Any
) -> None:
    refused: list[str] = []

    def listener(event: Any) -> None:
        heard(event)
        if getattr(event, "text", "").startswith("Training into "):
            with pytest.raises(RunError) as error:
                training.resume("a", runs=runs, listener=heard)
            refused.append(error.value.found)

    run = train(discs, name="a", runs=runs, listener=listener, **{**tiny, "epochs": 1})
    (found,) = refused
    assert found.startswith("another training at work in it (process ")
    assert_whole(run)


def test_ctrl_c_ends_it_with_the_best_model_so_far(
    discs: Path, runs: Path, tiny: Any, heard: Any
) -> None:
    listener = interrupt_at(lambda event: isinstance(event, StepDone) and event.epoch == 2, heard)
    run = train(discs, runs=runs, listener=listener, **tiny)
    assert {path.name for path in run.folder.iterdir()} == WHOLE
    assert run.read_json("run.json")["state"] == "stopped"
    assert "Stopped after 1 epoch; finishing with the best model so far." in heard.sentences
    assert heard.sentences[-1] == f"Go on with: fewmask train --resume '{run.folder}'"
    training.resume(run, listener=heard)
    assert f"Going on with {run.folder} after 1 of 2 epochs." in heard.sentences
    assert_whole(run)


def test_ctrl_c_before_the_first_epoch_ends(discs: Path, runs: Path, tiny: Any, heard: Any) -> None:
    listener = interrupt_at(lambda event: isinstance(event, StepDone), heard)
    with pytest.raises(KeyboardInterrupt):
        train(discs, name="thử", runs=runs, listener=listener, **tiny)
    assert heard.sentences[-1] == (
        f"Stopped before the first epoch ended. Go on with: fewmask train --resume '{runs / 'thử'}'"
    )
    assert Run(runs / "thử").read_json("run.json")["state"] == "stopped"
    assert not (runs / "thử" / "copies").exists()
    assert_whole(training.resume("thử", runs=runs, listener=heard))


def test_ctrl_c_in_the_finish(discs: Path, runs: Path, tiny: Any, heard: Any) -> None:
    def is_scoring(event: Any) -> bool:
        return getattr(event, "what", "") == "scoring the test images"

    with pytest.raises(KeyboardInterrupt):
        train(discs, name="a", runs=runs, listener=interrupt_at(is_scoring, heard), **tiny)
    assert heard.sentences[-1] == (
        f"Stopped before the model was scored. Go on with: fewmask train --resume '{runs / 'a'}'"
    )
    assert_whole(training.resume("a", runs=runs, listener=heard))


def test_a_loss_that_is_no_number_ends_it_with_the_best_model_so_far(
    discs: Path, runs: Path, tiny: Any, heard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fewmask.training.batches import Batches

    def batch(self: Any, epoch: int, step: int, indices: Any) -> Any:
        images, masks = well(self, epoch, step, indices)
        return (images * np.nan if (epoch, step) == (2, 1) else images), masks

    well = Batches.batch
    monkeypatch.setattr(Batches, "batch", batch)
    with pytest.raises(Diverged) as error:
        train(discs, name="a", runs=runs, listener=heard, **tiny)
    assert str(error.value) == (
        "epoch 2, step 2: expected a finite loss, found nan. "
        "Train again with a lower --learning-rate, 0.0003 say."
    )
    assert "Stopped after 1 epoch; finishing with the best model so far." in heard.sentences
    assert {path.name for path in (runs / "a").iterdir()} == WHOLE


@pytest.mark.parametrize(("count", "epoch"), [(12, 1), (12, 2), (5, 2)])
def test_a_network_that_its_last_step_spoils_is_never_the_best(
    count: int,
    epoch: int,
    discs: Path,
    runs: Path,
    tiny: Any,
    heard: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def spoil(self: Any, batch: int, logs: Any = None) -> None:
        seen.append(batch)
        if batch == self.params["steps"] - 1 and seen.count(batch) == epoch:
            # The loss of this step is known, and is a number.
            self.model.set_weights([value * np.nan for value in self.weights()])
        take_in(self, batch, logs)

    seen: list[int] = []
    take_in = AveragedWeights.on_train_batch_end
    monkeypatch.setattr(AveragedWeights, "on_train_batch_end", spoil)
    dataset = load_dataset(discs).take(range(count))  # five leave none to judge the epochs by
    with pytest.raises(Diverged) as error:
        train(dataset, name="a", runs=runs, listener=heard, **tiny)
    assert str(error.value).startswith(f"epoch {epoch}, step ")
    if epoch == 1:
        assert not (runs / "a").exists()
    else:
        assert epoch_of_weights(runs / "a" / "best" / "weights.npz") == 1
        assert [row["epoch"] for row in Run(runs / "a").epochs()] == [1]
        assert 0 <= Run(runs / "a").read_json("scores.json")["mean_dice"] <= 1


@pytest.mark.parametrize(
    ("third", "kept", "said"),
    [
        (0.85, 3, True),  # lower than before by chance, for all one knows
        (0.95, 3, False),  # the highest anyhow
        (0.7, 2, False),  # so much lower that it has learnt its images by heart
    ],
)
def test_the_last_network_is_the_model_unless_it_is_much_worse(
    third: float,
    kept: int,
    said: bool,
    discs: Path,
    runs: Path,
    tiny: Any,
    heard: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scores = iter([0.5, 0.9, third])

    def on_epoch_end(self: Any, epoch: int, logs: dict[str, Any]) -> None:
        judged(self, epoch, logs)
        logs["validation_dice"] = next(scores)

    judged = Judge.on_epoch_end
    monkeypatch.setattr(Judge, "on_epoch_end", on_epoch_end)
    run = train(discs, runs=runs, listener=heard, **{**tiny, "epochs": 3})
    assert epoch_of_weights(run.folder / "best" / "weights.npz") == kept
    assert [row["kept"] for row in run.epochs()] == [1, 1, kept == 3]
    sentence = (
        "The model is the last one: it has come to rest, and validation Dice 0.900 before may be "
        "chance."
    )
    assert (sentence in heard.sentences) == said


def test_a_full_disk_leaves_the_last_checkpoint_whole(
    discs: Path, runs: Path, tiny: Any, heard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def savez(file: Any, **arrays: Any) -> None:
        if "facts" in arrays and json.loads(arrays["facts"].tobytes())["epoch"] == 2:
            file.write(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")
        write(file, **arrays)

    write = np.savez
    monkeypatch.setattr(np, "savez", savez)
    with pytest.raises(FewmaskError, match="found the disk is full"):
        train(discs, name="a", runs=runs, listener=heard, **tiny)
    assert State.load(runs / "a" / LAST).epoch == 1
    assert [path.name for path in (runs / "a" / "last").iterdir()] == ["state.npz"]
    monkeypatch.undo()
    assert_whole(training.resume("a", runs=runs, listener=heard))


def test_a_step_that_does_not_fit_into_the_memory_is_a_sentence(
    discs: Path, tmp_path: Path, tiny: dict[str, Any], heard: Any, monkeypatch: Any
) -> None:
    def fit(*arguments: Any, **options: Any) -> float:
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr("fewmask.training.fit_members.fit", fit)
    with pytest.raises(ModelError) as error:
        train(discs, runs=tmp_path, listener=heard, **tiny)
    assert str(error.value) == (
        "memory: expected room for a step with 2 images of 32 pixels, found not enough. "
        "Train again with --batch-size 1 or a smaller --size."
    )
    # The name is free for the next try.
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ModelError, match=r"found not enough\. Train again with a smaller --size"):
        train(discs, runs=tmp_path, listener=heard, **{**tiny, "batch_size": 1})
