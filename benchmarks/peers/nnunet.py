"""nnU-Net v2 in its configuration `2d` on a processor, stopped when the minutes are over.

What `nnUNetv2_plan_and_preprocess` and `nnUNetv2_train DATASET 2d all -device cpu` do, by the
functions behind them: fingerprint, plan and preprocessing are inside the minutes. Its training is
1000 epochs of 250 steps long; at the end of the minutes it is stopped where it is, and the weights
of that moment predict, with mirroring and overlapping tiles as `nnUNetv2_predict` does. A user of
the commands would have to wait for the end of an epoch to have any.
"""

import json
import os
import random
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from task import Predict, Task, read_image, read_mask, run_tool

DATASET = "Dataset001_Quality"
CONFIGURATION = "2d"


class TimeIsOver(Exception):
    """The minutes are over."""


def train(task: Task) -> Predict:
    """Plans, preprocesses, trains until the minutes are over."""
    for name in ("raw", "preprocessed", "results"):
        os.environ[f"nnUNet_{name}"] = str(task.out / name)
    # It reads its folders from the environment when it is imported.
    from nnunetv2.experiment_planning.plan_and_preprocess_api import (
        extract_fingerprints,
        plan_experiments,
        preprocess,
    )

    random.seed(task.seed)
    np.random.seed(task.seed)
    torch.manual_seed(task.seed)
    processes = os.cpu_count() or 1
    torch.set_num_threads(processes)
    hand_over(task, task.out / "raw" / DATASET)
    extract_fingerprints([1], num_processes=processes)
    plans = plan_experiments([1])
    preprocess([1], plans, (CONFIGURATION,), [processes])
    trainer = make_trainer(task, plans)
    try:
        trainer.run_training()
    except TimeIsOver:
        print(f"Stopped after {trainer.steps} steps.", flush=True)
        trainer.on_train_end()
    return make_predictor(trainer)


def hand_over(task: Task, folder: Path) -> None:
    """Writes the dataset in nnU-Net's format: PNG files, and the ignored pixels as last class."""
    for name in ("imagesTr", "labelsTr"):
        (folder / name).mkdir(parents=True)
    samples = task.samples()
    for image, mask in samples:
        pixels = cv2.cvtColor(read_image(image), cv2.COLOR_RGB2BGR)
        ids = read_mask(mask)
        if task.ignore_index is not None:
            ids = np.where(ids == task.ignore_index, task.num_classes, ids).astype(np.uint8)
        cv2.imwrite(str(folder / "imagesTr" / f"{image.stem}_0000.png"), pixels)
        cv2.imwrite(str(folder / "labelsTr" / f"{image.stem}.png"), ids)
    labels = {name: value for value, name in enumerate(("background", *task.names[1:]))}
    if task.ignore_index is not None:
        labels["ignore"] = task.num_classes
    facts = {
        "channel_names": {"0": "R", "1": "G", "2": "B"},
        "labels": labels,
        "numTraining": len(samples),
        "file_ending": ".png",
    }
    (folder / "dataset.json").write_text(json.dumps(facts), "utf-8")


def make_trainer(task: Task, plans: str) -> Any:
    """Makes its trainer, with a look at the clock before every step."""
    from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

    class Trainer(nnUNetTrainer):
        """The trainer, which gives up when the minutes are over."""

        steps, took = 0, 0.0

        def train_step(self, batch: dict) -> dict:
            """Takes a step, unless it would end too late."""
            began = task.seconds_used()
            if task.seconds_left() < self.took:
                raise TimeIsOver
            found = super().train_step(batch)
            self.steps, self.took = self.steps + 1, task.seconds_used() - began
            return found

        def validation_step(self, batch: dict) -> dict:
            """Judges a batch, unless the minutes are over."""
            if task.seconds_left() < self.took:
                raise TimeIsOver
            return super().validation_step(batch)

    preprocessed = task.out / "preprocessed" / DATASET
    return Trainer(
        plans=json.loads((preprocessed / f"{plans}.json").read_text("utf-8"))
        | {"continue_training": False},
        configuration=CONFIGURATION,
        fold="all",
        dataset_json=json.loads((preprocessed / "dataset.json").read_text("utf-8")),
        device=torch.device("cpu"),
    )


def make_predictor(trainer: Any) -> Predict:
    """Predicts as nnU-Net does, with the network as it is now."""
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

    trainer.set_deep_supervision_enabled(False)
    predictor = nnUNetPredictor(device=torch.device("cpu"), allow_tqdm=False)
    predictor.manual_initialization(
        trainer.network,
        trainer.plans_manager,
        trainer.configuration_manager,
        [trainer.network.state_dict()],
        trainer.dataset_json,
        trainer.__class__.__name__,
        trainer.inference_allowed_mirroring_axes,
    )

    def predict(path: Path) -> np.ndarray:
        # As its reader of PNG files has them: channels, a depth of one, height, width.
        pixels = read_image(path).transpose(2, 0, 1)[:, None].astype(np.float32)
        return predictor.predict_single_npy_array(pixels, {"spacing": (999, 1, 1)})[0]

    return predict


if __name__ == "__main__":
    run_tool(train, ("nnunetv2", "torch"))
