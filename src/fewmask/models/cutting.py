"""A ReLU in place that ends at a ceiling, such as ReLU6, in a margin at 0; imports torch.

Torch's own, `hardtanh_`, keeps a copy of what was there for its slopes, which can be read from
the result just as well.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import torch

Margin: TypeAlias = tuple[tuple[int, int], tuple[int, int]]
NO_MARGIN: Margin = ((0, 0), (0, 0))


class _Cut(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(context: Any, inputs: Any, ceiling: float, margin: Margin) -> Any:
        outputs = torch.ops.aten.hardtanh_(inputs, 0.0, ceiling)
        for axis, (near, far) in zip((2, 3), margin, strict=True):
            size = outputs.shape[axis]
            outputs.narrow(axis, 0, near).zero_()
            outputs.narrow(axis, size - far, far).zero_()
        context.mark_dirty(outputs)
        context.save_for_backward(outputs)
        context.ceiling = ceiling
        return outputs

    @staticmethod
    def backward(context: Any, *slopes: Any) -> tuple[Any, None, None]:
        (outputs,) = context.saved_tensors
        # At the ceiling as at 0 no slope passes, so that the result does for what was there.
        slope = torch.ops.aten.hardtanh_backward(slopes[0], outputs, 0.0, context.ceiling)
        return slope, None, None


def cut_(array: torch.Tensor, ceiling: float, margin: Margin = NO_MARGIN) -> torch.Tensor:
    """Sets in place what is below 0 to 0 and what is above `ceiling` to that; inf for none.

    Args:
        array: Shape `(N, C, H, W)`; neither what made it nor anything else reads it.
        ceiling: Above 0.
        margin: Rows at the top and the bottom, columns at the left and the right, that become 0
            and pass no slope.

    Returns:
        `array`, changed.
    """
    if ceiling == float("inf") and margin == NO_MARGIN:
        return array.relu_()
    cut: torch.Tensor = _Cut.apply(array, ceiling, margin)
    return cut
