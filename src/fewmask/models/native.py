"""Layers that call torch's own kernels, for training in `channels_first`.

Keras puts these together from small operations, which then take a third of a training step.
Weights and results are Keras' own, so that a network trained with them is saved with the
ordinary layers, and nothing that is saved knows of this file.

`channels_first` names the axes; in memory the channels of a pixel lie side by side, which torch
calls `torch.channels_last`. An array that lies so goes in, and every layer hands on what it got.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fewmask.models.backend import keras


def order_for_torch(variables: Iterable[Any]) -> None:
    """Lays kernels out in memory as images lie in it; their shape stays Keras'.

    A training step then takes about 0.85 of the time, see benchmarks/training_loop.py. What belongs
    to a kernel, an optimiser's moments for one, must lie as it does, or torch updates them one by
    one.

    Args:
        variables: Variables of a network or an optimiser; all with four axes are kernels.
    """
    if keras.config.backend() != "torch":
        return
    for variable in variables:
        if len(variable.shape) == 4:
            kernel = variable.value
            kernel.data = kernel.data.permute(3, 0, 1, 2).contiguous().permute(1, 2, 3, 0)


def _is_torch(inputs: Any) -> bool:
    # While a model is put together its inputs are symbols, which only Keras' own code takes.
    return keras.config.backend() == "torch" and bool(keras.ops.is_tensor(inputs))


def convolve(layer: Any, inputs: Any, kernel: Any, bias: Any) -> Any:
    """Does the work of one of Keras' convolutions by torch's.

    Args:
        layer: Says how wide the kernel is and how it strides over which margin.
        inputs: Shape `(N, C, H, W)`.
        kernel: In torch's order, `(filters, C, height, width)`, or `(C, 1, height, width)` for
            one kernel a channel.
        bias: One number a filter.

    Returns:
        Shape `(N, filters, H', W')`, a new array.
    """
    from torch.nn.functional import conv2d, pad

    margin: list[int] | int = 0
    if layer.padding == "same":
        # What is missing beyond the last pixel, and where it is odd one pixel more, on the far
        # side: torch can pad only both alike.
        sides = zip(inputs.shape[2:], layer.kernel_size, layer.strides, strict=True)
        missing = [max((-(-n // step) - 1) * step + width - n, 0) for n, width, step in sides]
        margin = [each // 2 for each in missing]
        if any(each % 2 for each in missing):
            (top, left), (bottom, right) = margin, [each - each // 2 for each in missing]
            inputs, margin = pad(inputs, (left, right, top, bottom)), 0
    groups = inputs.shape[1] // kernel.shape[1]
    return conv2d(inputs, kernel, bias, layer.strides, margin, groups=groups)


class Conv2D(keras.layers.Conv2D):  # type: ignore[misc]
    """Convolves `(N, C, H, W)`; see `keras.layers.Conv2D`.

    Keras adds the bias in a walk of its own over the array, and sums its slopes in another.
    """

    def call(self, inputs: Any) -> Any:
        """Convolves `inputs`."""
        if not _is_torch(inputs):
            return super().call(inputs)
        kernel = keras.ops.convert_to_tensor(self.kernel).permute(3, 2, 0, 1)
        return convolve(self, inputs, kernel, keras.ops.convert_to_tensor(self.bias))


class GroupNormalization(keras.layers.GroupNormalization):  # type: ignore[misc]
    """Normalises groups of channels of `(N, C, H, W)`; see `keras.layers.GroupNormalization`."""

    def call(self, inputs: Any) -> Any:
        """Normalises `inputs`."""
        if not _is_torch(inputs):
            return super().call(inputs)
        from torch.nn.functional import group_norm

        gamma, beta = (keras.ops.convert_to_tensor(each) for each in (self.gamma, self.beta))
        return group_norm(inputs, self.groups, gamma, beta, self.epsilon)


class ReLU(keras.layers.ReLU):  # type: ignore[misc]
    """Sets what is negative to 0, in place: only behind a layer whose output nothing else reads."""

    def call(self, inputs: Any) -> Any:
        """Changes `inputs`, which no convolution or normalisation needs for its slopes."""
        return inputs.relu_() if _is_torch(inputs) else super().call(inputs)


class UpSampling2D(keras.layers.UpSampling2D):  # type: ignore[misc]
    """Repeats the pixels of `(N, C, H, W)`; see `keras.layers.UpSampling2D`, nearest only."""

    def call(self, inputs: Any) -> Any:
        """Enlarges `inputs`."""
        if not _is_torch(inputs):
            return super().call(inputs)
        from fewmask.models.repeating import repeat

        return repeat(inputs, tuple(self.size))


class BatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]
    """Normalises the channels of `(N, C, H, W)`; see `keras.layers.BatchNormalization`."""

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Normalises `inputs`; in training by their own statistics, which it remembers."""
        if not _is_torch(inputs):
            return super().call(inputs, training=training, mask=mask)
        import torch

        gamma, beta = (keras.ops.convert_to_tensor(each) for each in (self.gamma, self.beta))
        if not (training and self.trainable):
            mean, variance = self.moving_mean.value, self.moving_variance.value
            return torch.batch_norm(
                inputs, gamma, beta, mean, variance, False, 0.0, self.epsilon, False
            )
        outputs, mean, inverse_deviation = torch.native_batch_norm(
            inputs, gamma, beta, None, None, True, 0.0, self.epsilon
        )
        with torch.no_grad():
            variance = inverse_deviation**-2 - self.epsilon
            for kept, now in ((self.moving_mean, mean), (self.moving_variance, variance)):
                kept.value.lerp_(now, 1.0 - self.momentum)
        return outputs
