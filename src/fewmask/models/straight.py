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


@dataclass(frozen=True)
class _Link:
    """Stands for one of the arrays that a layer made."""

    maker: str
    place: int


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
        self, sources: Sequence[_Link], steps: Sequence[_Step], results: Sequence[_Link]
    ) -> None:
        self.sources = sources
        self.steps = steps
        self.results = results
        kept = {link.maker for link in results}
        last_use = {link.maker: step for step in steps for link in _links(step.arguments)}
        for maker, step in last_use.items():
            if maker not in kept:
                step.done_with.append(maker)

    def __call__(self, inputs: Sequence[Any], training: bool) -> list[Any]:
        made = {link.maker: [array] for link, array in zip(self.sources, inputs, strict=True)}
        for step in self.steps:
            arguments = [_fetch(argument, made) for argument in step.arguments]
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
    operations = {operation.name: operation for operation in network.operations}
    settings = network.get_config()
    steps = []
    for layer in settings["layers"]:
        operation = operations[layer["name"]]
        if getattr(operation, "compute_dtype", None) not in (None, "float32"):
            return None
        calls = layer["inbound_nodes"]
        if not calls:
            continue
        options = {key: value for key, value in calls[0]["kwargs"].items() if value is not None}
        if len(calls) > 1 or not all(isinstance(value, PLAIN) for value in options.values()):
            return None
        call, takes_training = operation.call, True
        if isinstance(operation, keras.Model):
            inner = _follow(operation, precision)
            if inner is None:
                return None
            call = _inside(inner)
        else:
            takes_training = "training" in inspect.signature(call).parameters
        arguments = [_linked(argument) for argument in calls[0]["args"]]
        name = layer["name"]
        steps.append(_Step(name, operation, call, arguments, options, takes_training))
    results = _ends(settings["output_layers"])
    steps = _joined(steps, results)
    if precision == "bfloat16":
        steps = [replace(step, call=shorten(step.layer, step.call)) for step in steps]
    return _Walk(_ends(settings["input_layers"]), steps, results)


def _joined(steps: Sequence[_Step], results: Sequence[_Link]) -> list[_Step]:
    """Makes one step of those that can be, where nothing else takes what passes between them."""
    uses = Counter(link.maker for step in steps for link in _links(step.arguments))
    uses.update(link.maker for link in results)
    made: dict[str, _Step] = {}
    for step in steps:
        makers = [link.maker for link in _links(step.arguments)]
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


def _ends(described: Any) -> list[_Link]:
    """Reads which arrays go into a network, or come out; Keras leaves out the list around one."""
    ends = [described] if isinstance(described[0], str) else described
    return [_Link(maker, place) for maker, _, place in ends]


def _linked(argument: Any) -> Any:
    """Puts a link in the place of each array that Keras' description of a call names."""
    if isinstance(argument, list | tuple):
        return [_linked(each) for each in argument]
    if isinstance(argument, dict) and argument.get("class_name") == "__keras_tensor__":
        maker, _, place = argument["config"]["keras_history"]
        return _Link(maker, place)
    return argument


def _links(argument: Any) -> list[_Link]:
    if isinstance(argument, _Link):
        return [argument]
    if isinstance(argument, list):
        return [link for each in argument for link in _links(each)]
    return []


def _fetch(argument: Any, made: dict[str, list[Any]]) -> Any:
    if isinstance(argument, _Link):
        return made[argument.maker][argument.place]
    if isinstance(argument, list):
        return [_fetch(each, made) for each in argument]
    return argument
