"""The U-Net of medicai with an EfficientNet-B0 encoder, trained as its tutorial on moles does.

From the tutorial "Melanoma Binary Segmentation" are: Keras on torch and a torch training loop,
images resized to 256 × 256 and divided by 255, flips and right-angle rotations, Adam with a
learning rate of 0.001, binary cross-entropy, and the last weights. The encoder begins at random:
medicai brings no pretrained weights. The network is `UNet`; the tutorial takes `AttentionUNet`.

What is changed, and why:

- Batches of 8, not of 32, which leaves room for more than a few steps.
- For more than two classes there is an output for each, with cross-entropy.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import albumentations as A
import cv2
import numpy as np
from task import Predict, Task, read_image, read_samples, run_tool

os.environ["KERAS_BACKEND"] = "torch"

import keras
import torch
from medicai.models import UNet

SIDE = 256
BATCH = 8
RATE = 1e-3
ENCODER = "efficientnet_b0"


def train(task: Task) -> Predict:
    """Trains until the minutes are over."""
    keras.utils.set_random_seed(task.seed)
    binary = task.num_classes == 2 and task.ignore_index is None
    network = UNet(
        encoder_name=ENCODER,
        input_shape=(SIDE, SIDE, 3),
        num_classes=1 if binary else task.num_classes,
        classifier_activation="sigmoid" if binary else "softmax",
    )
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE)
    network.train()
    steps = 0
    for images, masks in task.while_time_lasts(batches(task)):
        optimizer.zero_grad()
        loss_of(network(images), masks, task).backward()
        optimizer.step()
        steps += 1
    print(f"{steps} steps of {BATCH}.", flush=True)
    network.eval()

    def predict(path: Path) -> np.ndarray:
        image = read_image(path)
        small = cv2.resize(image, (SIDE, SIDE)).astype(np.float32) / 255
        with torch.no_grad():
            found = network(torch.from_numpy(small)[None])[0].cpu().numpy()
        found = cv2.resize(found, image.shape[1::-1])
        return found > 0.5 if binary else found.argmax(axis=2)

    return predict


def loss_of(found: torch.Tensor, masks: torch.Tensor, task: Task) -> torch.Tensor:
    """Compares probabilities `(N, H, W, 1 or K)` with class ids `(N, H, W)`."""
    if found.shape[-1] == 1:
        return torch.nn.functional.binary_cross_entropy(found[..., 0], masks.float())
    logarithms = found.clamp_min(1e-7).log().movedim(-1, 1).contiguous()
    ignored = -100 if task.ignore_index is None else task.ignore_index
    return torch.nn.functional.nll_loss(logarithms, masks.long(), ignore_index=ignored)


def batches(task: Task) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yields batches epoch after epoch without end."""
    augment = A.Compose([A.HorizontalFlip(p=0.5), A.VerticalFlip(p=0.5), A.RandomRotate90(p=0.5)])
    resize = A.Resize(SIDE, SIDE)
    samples = [resize(image=image, mask=mask) for image, mask in read_samples(task)]
    random = np.random.default_rng(task.seed)
    while True:
        order = random.permutation(len(samples))
        # A last batch of one image could not be normalised by its statistics.
        for start in range(0, max(1, len(order) - BATCH + 1), BATCH):
            lot = [augment(**samples[place]) for place in order[start : start + BATCH]]
            images = np.stack([each["image"] for each in lot]).astype(np.float32) / 255
            masks = np.stack([each["mask"] for each in lot])
            yield torch.from_numpy(images), torch.from_numpy(masks)


if __name__ == "__main__":
    run_tool(train, ("medicai", "keras", "torch"))
