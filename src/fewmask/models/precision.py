"""In how many bits the convolutions of a network multiply while it is trained.

A product of two 16-bit numbers (bfloat16: the range of float32 with 8 bits of precision) is summed
in 32 bits. Weights, their slopes, and all that passes from layer to layer stay float32, and so does
everything that is saved or predicts.
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
        What does the same; `call` itself for layers that gain nothing.
    """
    if not _gains(layer):
        return call
    import torch

    def short_call(*inputs: Any, **options: Any) -> Any:
        with torch.autocast("cpu", torch.bfloat16):
            return call(*inputs, **options).float()

    return short_call


def _gains(layer: Any) -> bool:
    # A depthwise convolution is no product of matrices, and torch takes twenty times as long for
    # the slopes of one that strides. One of single pixels ends a network, whose logits need all
    # their bits.
    if isinstance(layer, FoldedConvolution):
        return isinstance(layer.convolution, keras.layers.Conv2D)
    return isinstance(layer, keras.layers.Conv2D) and max(layer.kernel_size) > 1
