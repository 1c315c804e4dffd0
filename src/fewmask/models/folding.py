"""Frozen batch normalisation as part of the convolution in front of it, for training on torch.

A batch normalisation that is frozen multiplies and shifts each channel by numbers that stay.
Multiplying the kernel instead gives the same array without two more walks over it. The slopes go
through the multiplication, so that the kernel itself learns as ever; nothing that is saved knows
of this. Of a ReLU and a padding behind both there is no walk of their own either.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from fewmask.models.backend import keras
from fewmask.models.native import convolve


@dataclass(frozen=True)
class FoldedConvolution:
    """A convolution, the frozen batch normalisation behind it, a ReLU and a padding behind that.

    Args:
        convolution: A `Conv2D` or `DepthwiseConv2D` in `channels_first`.
        normalization: A `BatchNormalization` that is not trainable.
        ceiling: Where a ReLU ends, inf where it does not; None without a ReLU.
        margin: Rows and columns of zeros around all; None without a padding.
    """

    convolution: Any
    normalization: Any
    ceiling: float | None = None
    margin: Any = None

    def call(self, inputs: Any) -> Any:
        """Convolves, normalises, cuts off and pads, in one new array."""
        import torch

        from fewmask.models.cutting import NO_MARGIN, cut_

        if self.margin is not None:
            # Padded is what goes in, the thinner of the two where a network first widens and
            # then strides. What the margin becomes by this is set to 0 at the end.
            (top, bottom), (left, right) = self.margin
            inputs = torch.nn.functional.pad(inputs, (left, right, top, bottom))
        norm = self.normalization
        with torch.no_grad():
            scale = torch.rsqrt(norm.moving_variance.value + norm.epsilon)
            if norm.scale:
                scale = scale * norm.gamma.value
            shift = -norm.moving_mean.value * scale
            if norm.center:
                shift = shift + norm.beta.value
        kernel = self.convolution.kernel.value
        depthwise = isinstance(self.convolution, keras.layers.DepthwiseConv2D)
        kernel = kernel.permute(2, 3, 0, 1) if depthwise else kernel.permute(3, 2, 0, 1)
        if self.convolution.use_bias:
            shift = shift + self.convolution.bias.value * scale
        outputs = convolve(self.convolution, inputs, kernel * scale.view(-1, 1, 1, 1), shift)
        return (
            outputs
            if self.ceiling is None
            else cut_(outputs, self.ceiling, self.margin or NO_MARGIN)
        )


def fold(before: Any, layer: Any) -> FoldedConvolution | None:
    """Joins a layer to what alone stands before it, where one call can do the work of both.

    Args:
        before: A layer, or what `fold` returned.
        layer: The only layer that takes its output.

    Returns:
        What does the work of both, or None.
    """
    if _is_plain_convolution(before) and _is_frozen_normalization(layer):
        return FoldedConvolution(before, layer)
    if isinstance(before, FoldedConvolution) and before.ceiling is None:
        ceiling = _ceiling_of(layer)
        return None if ceiling is None else replace(before, ceiling=ceiling)
    if isinstance(before, FoldedConvolution) and before.margin is None:
        return replace(before, margin=layer.padding) if _can_pad(before, layer) else None
    return None


def _is_plain_convolution(layer: Any) -> bool:
    return (
        isinstance(layer, keras.layers.Conv2D | keras.layers.DepthwiseConv2D)
        # Keras' transposed and separable convolutions have bases of their own.
        and layer.data_format == "channels_first"
        and layer.activation is keras.activations.linear
        and tuple(layer.dilation_rate) == (1, 1)
        and getattr(layer, "depth_multiplier", 1) == 1
    )


def _is_frozen_normalization(layer: Any) -> bool:
    return (
        isinstance(layer, keras.layers.BatchNormalization)
        and not layer.trainable
        and layer.axis == 1
    )


def _can_pad(before: FoldedConvolution, layer: Any) -> bool:
    # Only where each pixel is convolved by itself do the others not see the margin.
    convolution = before.convolution
    return (
        isinstance(layer, keras.layers.ZeroPadding2D)
        and layer.data_format == "channels_first"
        and tuple(convolution.kernel_size) == tuple(convolution.strides) == (1, 1)
    )


def _ceiling_of(layer: Any) -> float | None:
    """Says where a ReLU ends; None for any other layer."""
    if isinstance(layer, keras.layers.ReLU):
        plain = not layer.negative_slope and not layer.threshold
        ceiling = float("inf") if layer.max_value is None else float(layer.max_value)
        return ceiling if plain else None
    if isinstance(layer, keras.layers.Activation) and layer.activation is keras.activations.relu:
        return float("inf")
    return None
