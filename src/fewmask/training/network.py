"""The network of a plan, ready to learn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fewmask.models.backend import keras
from fewmask.models.losses import make_loss
from fewmask.models.native import order_for_torch
from fewmask.models.spec import build
from fewmask.models.straight import straighten
from fewmask.training.optimizer import make_optimizer
from fewmask.training.plan import Plan


def make_network(plan: Plan, weights_file: Path | None) -> Any:
    """Builds the plan's network with its loss and its optimiser.

    Args:
        plan: The plan.
        weights_file: Pretrained weights of the encoder; random ones when None.

    Returns:
        A compiled `keras.Model`, laid out in memory as its backend trains fastest.
    """
    network = build(plan.model, plan.data_format, weights_file)
    pretrained = plan.model.encoder is not None and plan.model.weights is not None
    encoder = network.get_layer("encoder").trainable_variables if pretrained else ()
    core = straighten(network, plan.precision)
    core.compile(
        optimizer=make_optimizer(plan, encoder),
        loss=make_loss(plan.loss, plan.data_format),
        # Compiling takes torch half a minute a network, more than it gives back here.
        jit_compile=False if keras.config.backend() == "torch" else "auto",
    )
    order_for_torch(core.variables)
    core.optimizer.build(core.trainable_variables)
    order_for_torch(core.optimizer.variables)
    return core
