"""How the layers of a functional network hang together, by Keras' own description of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple


@dataclass(frozen=True)
class Link:
    """Stands for one of the arrays that a layer made.

    Args:
        maker: Name of the layer.
        place: Which of its arrays, counted from 0.
    """

    maker: str
    place: int


class Call(NamedTuple):
    """The call of one layer.

    Args:
        layer: A layer, an operation of `keras.ops`, or another functional network.
        arguments: What it takes; a `Link`, or a list of some, in the place of each array.
        options: What it takes by name.
    """

    layer: Any
    arguments: list[Any]
    options: dict[str, Any]


@dataclass(frozen=True)
class Wiring:
    """The calls of a functional network.

    Args:
        sources: What goes in.
        calls: In an order in which each finds its arguments made.
        results: What comes out.
    """

    sources: list[Link]
    calls: list[Call]
    results: list[Link]


def wiring_of(network: Any) -> Wiring | None:
    """Reads how a network is put together; of networks inside it, that they are called.

    Args:
        network: A functional `keras.Model`.

    Returns:
        Its calls; None where a layer is called more than once.

    Example:

    >>> from fewmask.models.unet import unet
    >>> [type(call.layer).__name__ for call in wiring_of(unet(1, 8)).calls][:3]
    ['Normalization', 'Conv2D', 'GroupNormalization']
    """
    layers = {layer.name: layer for layer in network.operations}
    settings = network.get_config()
    calls = []
    for described in settings["layers"]:
        if len(described["inbound_nodes"]) > 1:
            return None
        # An input is called by nobody.
        for node in described["inbound_nodes"]:
            options = {key: value for key, value in node["kwargs"].items() if value is not None}
            arguments = [_linked(argument) for argument in node["args"]]
            calls.append(Call(layers[described["name"]], arguments, options))
    return Wiring(_ends(settings["input_layers"]), calls, _ends(settings["output_layers"]))


def links_in(argument: Any) -> list[Link]:
    """Returns the links of an argument, or of a list of arguments.

    Args:
        argument: As in `Call.arguments`.
    """
    if isinstance(argument, Link):
        return [argument]
    if isinstance(argument, list):
        return [link for each in argument for link in links_in(each)]
    return []


def fetch(argument: Any, made: Mapping[str, Sequence[Any]]) -> Any:
    """Puts what was made in the place of links.

    Args:
        argument: As in `Call.arguments`.
        made: What each layer made.

    Returns:
        The argument to call the layer with.
    """
    if isinstance(argument, Link):
        return made[argument.maker][argument.place]
    if isinstance(argument, list):
        return [fetch(each, made) for each in argument]
    return argument


def _ends(described: Any) -> list[Link]:
    """Reads which arrays go into a network, or come out; Keras leaves out the list around one."""
    ends = [described] if isinstance(described[0], str) else described
    return [Link(maker, place) for maker, _, place in ends]


def _linked(argument: Any) -> Any:
    """Puts a link in the place of each array that Keras' description of a call names."""
    if isinstance(argument, list | tuple):
        return [_linked(each) for each in argument]
    if isinstance(argument, dict) and argument.get("class_name") == "__keras_tensor__":
        maker, _, place = argument["config"]["keras_history"]
        return Link(maker, place)
    return argument
