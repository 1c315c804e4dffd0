"""A U-Net of segmentation-models-pytorch with a MobileNetV2 encoder, trained as its examples do.

From `binary_segmentation_intro.ipynb` (photographs resized to 256 × 256) are the optimiser, Adam
from 2e-4 to 1e-5 along a cosine that ends with the training, and the Dice loss alone, with one
channel for two classes. From `camvid_segmentation_multiclass.ipynb` are the loss of several
classes, the augmentation ("since our dataset is very small we will apply a large number of
different augmentations"), crops of 320 × 320 at the images' own scale, and prediction of whole
images padded to what the network divides. Whether images are resized or cropped is said by
`view`. All training images are learnt from, nothing is chosen, the last weights count, as there.

What is changed, and why:

- Batches of 8, not of 64 or 32, which leaves room for a few dozen steps in three minutes.
- The length of the cosine is in minutes, not in epochs.
- Images are decoded once and kept, and there is no Lightning: both save the peer time.
- `ShiftScaleRotate` is called `Affine` in the Albumentations of today.
"""

import math
import os
from collections.abc import Iterator
from pathlib import Path

import albumentations as A
import cv2
import numpy as np
import segmentation_models_pytorch as smp
import torch
from keras_mobilenet import ENCODER, MEAN, OPTIONS, STD, convert
from task import Predict, Task, read_image, read_samples, run_tool
from torch.utils.data import DataLoader, Dataset

BATCH = 8
WHOLE, CROP = 256, 320  # sides of what the network sees in training
DIVISOR = 32
FIRST_RATE, LAST_RATE = 2e-4, 1e-5


def set_up(cache: Path) -> None:
    """Converts the pretrained weights, once."""
    if not weights_in(cache).exists():
        convert(make_network(1).encoder, weights_in(cache))


def weights_in(cache: Path) -> Path:
    """Returns the file of the converted weights."""
    return cache / "mobilenet_v2.pt"


def make_network(outputs: int) -> torch.nn.Module:
    """Builds the U-Net, which begins at random."""
    return smp.Unet(ENCODER, encoder_weights=None, classes=outputs, **OPTIONS)


def train(task: Task) -> Predict:
    """Trains until the minutes are over."""
    torch.manual_seed(task.seed)
    outputs = 1 if task.num_classes == 2 else task.num_classes
    network = make_network(outputs)
    if not task.scratch:
        network.encoder.load_state_dict(torch.load(weights_in(task.cache)))
    mode = smp.losses.BINARY_MODE if outputs == 1 else smp.losses.MULTICLASS_MODE
    loss = smp.losses.DiceLoss(mode, from_logits=True, ignore_index=task.ignore_index)
    optimizer = torch.optim.Adam(network.parameters(), FIRST_RATE)
    network.train()
    steps = 0
    for images, masks in task.while_time_lasts(batches(task)):
        for group in optimizer.param_groups:
            group["lr"] = rate(task.share_used())
        logits = network(normalize(images))
        truth = masks[:, None].float() if outputs == 1 else masks.long()
        optimizer.zero_grad()
        loss(logits.contiguous(), truth).backward()
        optimizer.step()
        steps += 1
    print(f"{steps} steps of {BATCH}.", flush=True)
    network.eval()

    def predict(path: Path) -> np.ndarray:
        return predict_image(network, read_image(path), task.view)

    return predict


def rate(share: float) -> float:
    """Returns the learning rate when so much of the training is over: `CosineAnnealingLR`."""
    return LAST_RATE + 0.5 * (FIRST_RATE - LAST_RATE) * (1 + math.cos(math.pi * share))


def normalize(images: torch.Tensor) -> torch.Tensor:
    """Brings pixels 0-255 to what the encoder knows."""
    return (images.float() - MEAN) / STD


class Samples(Dataset):
    """Images and masks in memory, augmented when they are asked for."""

    def __init__(self, task: Task) -> None:
        self.samples = read_samples(task)
        self.augment = augmentation(task)

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, place: int) -> tuple[np.ndarray, np.ndarray]:
        image, mask = self.samples[place]
        changed = self.augment(image=image, mask=mask)
        return np.ascontiguousarray(changed["image"].transpose(2, 0, 1)), changed["mask"]


def batches(task: Task) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yields batches epoch after epoch without end."""
    samples = Samples(task)
    loader = DataLoader(
        samples,
        batch_size=min(BATCH, len(samples)),
        shuffle=True,
        # A single image cannot be normalised by its batch.
        drop_last=True,
        num_workers=os.cpu_count() or 1,
        persistent_workers=True,
    )
    while True:
        yield from loader


def augmentation(task: Task) -> A.Compose:
    """Makes the augmentation of the CamVid example, for squares or for crops."""
    outside = {"border_mode": cv2.BORDER_CONSTANT, "fill": 0}
    outside["fill_mask"] = 0 if task.ignore_index is None else task.ignore_index
    changes = [
        A.HorizontalFlip(p=0.5),
        A.Affine(scale=(0.5, 1.5), translate_percent=(-0.1, 0.1), p=1, **outside),
        A.PadIfNeeded(CROP, CROP, border_mode=cv2.BORDER_REFLECT_101),
        A.RandomCrop(CROP, CROP),
        A.GaussNoise(p=0.2),
        A.Perspective(p=0.5, **outside),
        A.OneOf([A.CLAHE(p=1), A.RandomBrightnessContrast(p=1), A.RandomGamma(p=1)], p=0.9),
        A.OneOf(
            [A.Sharpen(p=1), A.Blur(blur_limit=3, p=1), A.MotionBlur(blur_limit=3, p=1)], p=0.9
        ),
        A.OneOf([A.RandomBrightnessContrast(p=1), A.HueSaturationValue(p=1)], p=0.9),
    ]
    if task.view == "whole":
        changes[2:4] = []
        changes.insert(0, A.Resize(WHOLE, WHOLE))
    return A.Compose(changes)


def predict_image(network: torch.nn.Module, image: np.ndarray, view: str) -> np.ndarray:
    """Predicts an image, resized and back, or at its own scale."""
    height, width = image.shape[:2]
    if view == "whole":
        image = cv2.resize(image, (WHOLE, WHOLE))
    else:
        sides = ((0, -height % DIVISOR), (0, -width % DIVISOR), (0, 0))
        image = np.pad(image, sides, mode="reflect")
    with torch.inference_mode():
        pixels = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))
        logits = network(normalize(pixels[None]))[0].numpy().transpose(1, 2, 0)
    if view == "whole":
        logits = cv2.resize(logits, (width, height)).reshape(height, width, -1)
    logits = logits[:height, :width]
    return logits[..., 0] > 0 if logits.shape[2] == 1 else logits.argmax(axis=2)


if __name__ == "__main__":
    run_tool(train, ("segmentation-models-pytorch", "timm", "torch"), set_up)
