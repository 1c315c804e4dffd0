"""The optimiser of a training: AdamW with the plan's learning rate."""

from __future__ import annotations

from typing import Any

from fewmask.models.backend import keras
from fewmask.training.plan import Plan
from fewmask.training.schedule import WarmUpThenCosine


def make_optimizer(plan: Plan) -> Any:
    """Builds AdamW with the plan's learning rate.

    Args:
        plan: The plan.

    Reference: Loshchilov and Hutter (2019), arXiv:1711.05101.
    """
    kind = FusedAdamW if keras.config.backend() == "torch" else keras.optimizers.AdamW
    optimizer = kind(learning_rate_of(plan), weight_decay=plan.weight_decay)
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
    return WarmUpThenCosine(plan.learning_rate, plan.warm_up_steps, plan.pace.knots)


class FusedAdamW(keras.optimizers.AdamW):  # type: ignore[misc]
    """Keras' AdamW whose step is torch's own kernel, one pass over the memory instead of nine.

    Takes the same steps as `keras.optimizers.AdamW`, up to rounding.
    """

    def _backend_update_step(
        self, grads: Any, trainable_variables: Any, learning_rate: Any
    ) -> None:
        import torch
        from torch.optim.adamw import adamw

        places = [self._get_variable_index(variable) for variable in trainable_variables]
        step = float(self.iterations)
        correction = 1.0 - self.beta_2 ** (step + 1.0)
        with torch.no_grad():
            adamw(
                [variable.value for variable in trainable_variables],
                list(grads),
                [self._momentums[place].value for place in places],
                [self._velocities[place].value for place in places],
                [],
                # One counter a variable, which the kernel raises by one before it uses it.
                list(torch.full((len(places),), step).unbind()),
                fused=True,
                amsgrad=False,
                beta1=self.beta_1,
                beta2=self.beta_2,
                lr=float(learning_rate),
                weight_decay=0.0,  # Keras has decayed what is to decay
                # Keras adds it to the root of the moment as it is, torch after the correction.
                eps=self.epsilon / correction**0.5,
                maximize=False,
            )
