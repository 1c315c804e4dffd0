"""A ReLU in place that ends at a ceiling, such as ReLU6; imports torch.

Torch's own, `hardtanh_`, keeps a copy of what was there for its slopes, which can be read from
the result just as well.
"""

from __future__ import annotations

from typing import Any

import torch


class _Cut(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(context: Any, inputs: Any, ceiling: float) -> Any:
        outputs = torch.ops.aten.hardtanh_(inputs, 0.0, ceiling)
        context.mark_dirty(outputs)
        context.save_for_backward(outputs)
        context.ceiling = ceiling
        return outputs

    @staticmethod
    def backward(context: Any, *slopes: Any) -> tuple[Any, None]:
        (outputs,) = context.saved_tensors
        # At the ceiling as at 0 no slope passes, so that the result does for what was there.
        return torch.ops.aten.hardtanh_backward(slopes[0], outputs, 0.0, context.ceiling), None


def cut_(array: torch.Tensor, ceiling: float) -> torch.Tensor:
    """Sets in place what is below 0 to 0 and what is above `ceiling` to that; inf for none.

    Args:
        array: Any array that neither what made it nor anything else reads.
        ceiling: Above 0.

    Returns:
        `array`, changed.
    """
    if ceiling == float("inf"):
        return array.relu_()
    cut: torch.Tensor = _Cut.apply(array, ceiling)
    return cut
