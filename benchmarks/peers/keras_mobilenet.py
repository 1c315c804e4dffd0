"""Gives timm's MobileNetV2 the weights that `keras.applications` has, and checks that it does.

So segmentation-models-pytorch begins with the same pretrained bytes as fewmask. The network is
timm's, padded as TensorFlow pads (`pad_type="same"`) and with its epsilon; the file is the one in
Keras' cache, or what Keras downloads.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np
import torch

ENCODER = "tu-mobilenetv2_100"
OPTIONS = {"pad_type": "same", "bn_eps": 1e-3}
"""What `smp.Unet(ENCODER, **OPTIONS)` hands on to timm."""
MEAN, STD = 127.5, 127.5
"""How Keras prepares pixels for it, `x / 127.5 - 1`."""

STAGES = ("expanded_conv_project_BN", "block_2_add", "block_5_add", "block_12_add")
LAST_STAGE = "block_16_project_BN"
TOLERANCE = 1e-3


def convert(encoder: torch.nn.Module, file: Path) -> None:
    """Writes the weights of Keras into a file for `encoder.load_state_dict`.

    Args:
        encoder: The encoder of `smp.Unet`, on whose features the weights are checked.
        file: The file to be.

    Raises:
        AssertionError: If a feature differs from that of Keras by more than 0.001.
    """
    network = load_keras()
    copy_weights(network, encoder)
    encoder.eval()
    for height, width in ((224, 224), (256, 320)):
        gap = largest_gap(network, encoder, height, width)
        print(f"Features of {height} × {width} pixels differ from those of Keras by {gap:.1e}.")
        assert gap < TOLERANCE, f"Expected features equal to {TOLERANCE}, found {gap}."
    beside = file.with_name(f".{file.name}")
    torch.save(encoder.state_dict(), beside)
    beside.replace(file)


def load_keras() -> Any:
    """Builds MobileNetV2 in Keras, on torch, with its weights."""
    os.environ["KERAS_BACKEND"] = "torch"
    import keras

    return keras.applications.MobileNetV2(include_top=False, weights="imagenet")


def copy_weights(network: Any, encoder: torch.nn.Module) -> None:
    """Copies layer after layer: both networks hold theirs in the order of the computation."""
    targets = [each for each in encoder.modules() if holds_weights(each)]
    sources = [each for each in network.layers if each.weights]
    # Keras' last convolution and its normalisation widen to 1280 channels; timm leaves them out.
    assert len(sources) == len(targets) + 2
    for source, target in zip(sources, targets, strict=False):
        values = [np.asarray(value) for value in source.get_weights()]
        if isinstance(target, torch.nn.BatchNorm2d):
            names = ("weight", "bias", "running_mean", "running_var")
        else:
            names = ("weight",)
            depthwise = target.groups > 1
            values = [values[0].transpose((2, 3, 0, 1) if depthwise else (3, 2, 0, 1))]
        for name, value in zip(names, values, strict=True):
            tensor = getattr(target, name)
            assert tensor.shape == value.shape, f"{source.name}: {value.shape}, {tensor.shape}"
            with torch.no_grad():
                tensor.copy_(torch.from_numpy(np.ascontiguousarray(value)))


def holds_weights(module: torch.nn.Module) -> bool:
    """Says whether a module is a convolution or a normalisation."""
    return isinstance(module, torch.nn.Conv2d | torch.nn.BatchNorm2d)


def largest_gap(network: Any, encoder: torch.nn.Module, height: int, width: int) -> float:
    """Compares the features of all five stages on an image of random pixels."""
    import keras

    outputs = [network.get_layer(name).output for name in (*STAGES, LAST_STAGE)]
    features = keras.Model(network.input, outputs)
    pixels = np.random.default_rng(0).integers(0, 256, (1, height, width, 3))
    image = ((pixels - MEAN) / STD).astype(np.float32)
    with torch.inference_mode():
        theirs = [each.cpu().numpy() for each in features(image, training=False)]
        ours = encoder(torch.from_numpy(image.transpose(0, 3, 1, 2).copy()))[1:]
    pairs = zip(theirs, ours, strict=True)
    return max(float(np.abs(a.transpose(0, 3, 1, 2) - b.numpy()).max()) for a, b in pairs)
