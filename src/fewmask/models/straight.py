"""Training without Keras' bookkeeping: the layers of a network called one after another.

Keras checks and converts every layer's inputs on every call and keeps each intermediate array
until the last layer is done. On a processor that is a tenth of a training step and more. Here each
layer's own `call` is called, and an array goes as soon as nothing needs it any more; the results
are the same to the last bit. Only where a frozen batch normalisation is folded into a convolution,
or a convolution multiplies in fewer bits, do they differ by rounding.
"""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fewmask.models.backend import keras
from fewmask.models.folding import fold
from fewmask.models.precision import shorten
from fewmask.models.wiring import Link, fetch, links_in, wiring_of


class StraightNetwork(keras.Model):  # type: ignore[misc]
    """A network of the same layers and weights as another, which it calls one after another.

    Args:
        core: A network that `straighten` could follow.
        walk: What it found.
    """

    def __init__(self, core: Any, walk: _Walk) -> None:
        super().__init__(name=core.name)
        self.core = core
        self._walk = walk
        self.built = True

    def call(self, image: Any, training: bool = False) -> Any:
        """Runs the network on `image`."""
        (logits,) = self._walk([image], training)
        return logits


def straighten(core: Any, precision: str = "float32") -> Any:
    """Returns a network that trains faster with the same weights, where there is one.

    Args:
        core: A functional `keras.Model` of one image and one array of logits.
        precision: In what its convolutions multiply, out of `PRECISIONS`.

    Returns:
        A `StraightNetwork` over the very layers of `core`, of which those that are frozen now
        must stay so; `core` itself on other backends than torch, in mixed precision, and where a
        layer is called in a way not foreseen here.
    """
    if keras.config.backend() != "torch":
        return core
    walk = _follow(core, precision)
    return core if walk is None else StraightNetwork(core, walk)


PLAIN = (bool, int, float, str)
"""Options of a call that are the same in every call."""


@dataclass
class _Step:
    """One layer's call: what goes in, and whose arrays nobody needs afterwards."""

    name: str
    layer: Any
    call: Any
    arguments: list[Any]
    options: dict[str, Any]
    takes_training: bool
    done_with: list[str] = field(default_factory=list)


class _Walk:
    """The calls of a functional network, in an order in which each finds its arguments made."""

    def __init__(
        self, sources: Sequence[Link], steps: Sequence[_Step], results: Sequence[Link]
    ) -> None:
        self.sources = sources
        self.steps = steps
        self.results = results
        kept = {link.maker for link in results}
        last_use = {link.maker: step for step in steps for link in links_in(step.arguments)}
        for maker, step in last_use.items():
            if maker not in kept:
                step.done_with.append(maker)

    def __call__(self, inputs: Sequence[Any], training: bool) -> list[Any]:
        made = {link.maker: [array] for link, array in zip(self.sources, inputs, strict=True)}
        for step in self.steps:
            arguments = [fetch(argument, made) for argument in step.arguments]
            mode = {"training": training} if step.takes_training else {}
            outputs = step.call(*arguments, **(step.options | mode))
            made[step.name] = list(outputs) if isinstance(outputs, list | tuple) else [outputs]
            # These names would hold on to the arrays until the next step has made its own.
            del arguments, outputs
            for maker in step.done_with:
                del made[maker]
        return [made[link.maker][link.place] for link in self.results]


def _follow(network: Any, precision: str) -> _Walk | None:
    """Finds the calls of a functional network; None where one is of an unforeseen kind."""
    if any(
        getattr(layer, "compute_dtype", None) not in (None, "float32")
        for layer in network.operations
    ):
        return None
    wiring = wiring_of(network)
    if wiring is None:
        return None
    steps = []
    for layer, arguments, options in wiring.calls:
        if not all(isinstance(value, PLAIN) for value in options.values()):
            return None
        call, takes_training = layer.call, True
        if isinstance(layer, keras.Model):
            inner = _follow(layer, precision)
            if inner is None:
                return None
            call = _inside(inner)
        else:
            takes_training = "training" in inspect.signature(call).parameters
        steps.append(_Step(layer.name, layer, call, arguments, options, takes_training))
    steps = _joined(steps, wiring.results)
    if precision == "bfloat16":
        steps = [replace(step, call=shorten(step.layer, step.call)) for step in steps]
    return _Walk(wiring.sources, steps, wiring.results)


def _joined(steps: Sequence[_Step], results: Sequence[Link]) -> list[_Step]:
    """Makes one step of those that can be, where nothing else takes what passes between them."""
    uses = Counter(link.maker for step in steps for link in links_in(step.arguments))
    uses.update(link.maker for link in results)
    made: dict[str, _Step] = {}
    for step in steps:
        makers = [link.maker for link in links_in(step.arguments)]
        if len(makers) == 1 and uses[makers[0]] == 1 and makers[0] in made:
            before = made[makers[0]]
            both = fold(before.layer, step.layer)
            if both is not None:
                del made[before.name]
                step = replace(before, name=step.name, layer=both, call=both.call)
        made[step.name] = step
    return list(made.values())


def _inside(walk: _Walk) -> Any:
    """Makes a walk callable the way a network inside another one is called."""
    return lambda *inputs, training: walk(inputs, training)
