"""In how many bits the convolutions of a network multiply while it is trained.

A product of two 16-bit numbers (bfloat16: the range of float32 with 8 bits of precision) is summed
in 32 bits. Weights and their slopes stay float32, and so does everything that is saved or predicts.
What passes from one such convolution to the next is bfloat16: it would be rounded there anyway.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fewmask.models.backend import keras
from fewmask.models.folding import FoldedConvolution


def fast_precision() -> str:
    """Returns what of `PRECISIONS` a network learns fastest in, on this machine.

    That is `bfloat16` for torch on a processor with a unit for products of such matrices (AMX), see
    docs/explanation/how-a-plan-is-made.md. Without the unit it is slower, even where there are
    instructions for bfloat16.
    """
    if keras.config.backend() != "torch" or keras.ops.zeros(()).device.type != "cpu":
        return "float32"
    import torch

    # Older releases do not tell what a processor can.
    tell: Callable[[], dict[str, Any]] = getattr(torch.cpu, "get_capabilities", dict)
    has_unit = tell().get("amx_bf16", False) and torch.backends.mkldnn.is_available()
    return "bfloat16" if has_unit else "float32"


def shorten(layer: Any, call: Callable[..., Any]) -> Callable[..., Any]:
    """Lets a layer of a torch network multiply in bfloat16, where that makes it faster.

    Args:
        layer: A layer, or a `FoldedConvolution`.
        call: What it does: float32 in, float32 out.

    Returns:
        What does the same of arrays of either kind: bfloat16 out if it multiplies so, for most of
        these stand behind one another, else float32.
    """
    import torch

    if isinstance(layer, keras.Model):
        return call
    if not _gains(layer):
        return lambda *inputs, **options: call(*_lengthened(inputs), **options)

    def short_call(*inputs: Any, **options: Any) -> Any:
        with torch.autocast("cpu", torch.bfloat16):
            return call(*inputs, **options)

    return short_call


def _lengthened(inputs: Any) -> Any:
    if isinstance(inputs, list | tuple):
        return [_lengthened(each) for each in inputs]
    # What multiplies by a number is given that too.
    return inputs.float() if keras.ops.is_tensor(inputs) else inputs


def _gains(layer: Any) -> bool:
    # One of single pixels ends a network, whose logits need all their bits.
    if not isinstance(layer, FoldedConvolution):
        return isinstance(layer, keras.layers.Conv2D) and max(layer.kernel_size) > 1
    # Torch takes twenty times as long for the slopes of a depthwise convolution that strides.
    convolution = layer.convolution
    return isinstance(convolution, keras.layers.Conv2D) or tuple(convolution.strides) == (1, 1)
