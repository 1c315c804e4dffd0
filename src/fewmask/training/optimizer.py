"""The optimiser of a training: AdamW with the plan's learning rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fewmask.models.backend import keras
from fewmask.training.plan import Plan
from fewmask.training.schedule import Trapezoid


def make_optimizer(plan: Plan, encoder: Sequence[Any] = ()) -> Any:
    """Builds AdamW with the plan's learning rates.

    Args:
        plan: The plan.
        encoder: Variables of the encoder, which take smaller steps: it has learnt already.

    Reference: Loshchilov and Hutter (2019), arXiv:1711.05101.
    """
    kind = FusedAdamW if keras.config.backend() == "torch" else TwoRatesAdamW
    optimizer = kind(
        learning_rate_of(plan),
        weight_decay=plan.weight_decay,
        slow=encoder,
        slow_share=plan.encoder_rate,
    )
    # Decaying a bias or the scale of a normalisation only shifts what they are there for.
    optimizer.exclude_from_weight_decay(var_names=["bias", "beta", "gamma"])
    return optimizer


def learning_rate_of(plan: Plan) -> Any:
    """Returns the plan's learning rate: a number, or a schedule for Keras.

    Args:
        plan: The plan.
    """
    if plan.schedule == "constant":
        return plan.learning_rate
    return Trapezoid(plan.learning_rate, plan.warm_up_steps, plan.pace.legs)


class TwoRatesAdamW(keras.optimizers.AdamW):  # type: ignore[misc]
    """Keras' AdamW with a second, lower learning rate for some of the variables.

    Args:
        learning_rate: The learning rate of the others.
        slow: The variables with the lower one.
        slow_share: The lower one as a share of the other.
        **arguments: Those of `keras.optimizers.AdamW`.
    """

    weight_decay: float

    def __init__(
        self,
        learning_rate: Any,
        slow: Sequence[Any] = (),
        slow_share: float = 1.0,
        **arguments: Any,
    ) -> None:
        super().__init__(learning_rate, **arguments)
        self._slow_ones = frozenset(id(variable) for variable in slow)
        self._slow_share = slow_share

    def share_of(self, variable: Any) -> float:
        """Returns the share of the learning rate that a variable is updated with."""
        # TensorFlow hands out variables of its own kind, which only the optimiser can place.
        ours = self._trainable_variables[self._get_variable_index(variable)]
        return self._slow_share if id(ours) in self._slow_ones else 1.0

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Updates one variable."""
        super().update_step(gradient, variable, learning_rate * self.share_of(variable))

    def _apply_weight_decay(self, variables: Any) -> None:
        """Decays each variable at its own rate: what learns slowly is to be forgotten slowly."""
        by_share: dict[float, list[Any]] = {}
        for variable in filter(self._use_weight_decay, variables):
            by_share.setdefault(self.share_of(variable), []).append(variable)
        decay = self.weight_decay
        for share, of_share in by_share.items():
            self.weight_decay = decay * share
            super()._apply_weight_decay(of_share)
        self.weight_decay = decay


class FusedAdamW(TwoRatesAdamW):
    """The same whose step is torch's own kernel, one pass over the memory instead of nine.

    Takes the same steps as `keras.optimizers.AdamW`, up to rounding.
    """

    def _apply_weight_decay(self, variables: Any) -> None:
        """Leaves the decay to the kernel, which does it in the same pass."""

    def _backend_update_step(
        self, grads: Any, trainable_variables: Any, learning_rate: Any
    ) -> None:
        alike: dict[tuple[float, float], list[tuple[Any, Any]]] = {}
        for variable, grad in zip(trainable_variables, grads, strict=True):
            decay = self.weight_decay if self._use_weight_decay(variable) else 0.0
            alike.setdefault((self.share_of(variable), decay), []).append((variable, grad))
        for (share, decay), pairs in alike.items():
            self._fused_step(pairs, float(learning_rate) * share, decay)

    def _fused_step(
        self, pairs: Sequence[tuple[Any, Any]], learning_rate: float, decay: float
    ) -> None:
        """Updates variables that share a learning rate and a decay."""
        import torch
        from torch.optim.adamw import adamw

        arrays = []
        for variable, grad in pairs:
            place = self._get_variable_index(variable)
            moments = (each[place].value for each in (self._momentums, self._velocities))
            # The kernel walks along memory, so that all four must lie alike.
            axes = sorted(range(grad.ndim), key=variable.value.stride, reverse=True)
            value, slope, *both = (each.permute(axes) for each in (variable.value, grad, *moments))
            arrays.append((value, slope.contiguous(), *both))
        values, slopes, means, squares = zip(*arrays, strict=True)
        step = float(self.iterations)
        correction = 1.0 - self.beta_2 ** (step + 1.0)
        # The kernel wants them where the variables are.
        counters = torch.full((len(values),), step, device=values[0].device)
        with torch.no_grad():
            adamw(
                values,
                slopes,
                means,
                squares,
                [],
                # One counter a variable, which the kernel raises by one before it uses it.
                list(counters.unbind()),
                fused=True,
                amsgrad=False,
                beta1=self.beta_1,
                beta2=self.beta_2,
                lr=learning_rate,
                weight_decay=decay,
                # Keras adds it to the root of the moment as it is, torch after the correction.
                eps=self.epsilon / correction**0.5,
                maximize=False,
            )
