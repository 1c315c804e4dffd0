"""What fixes a network: the arguments that build it anew, weights apart."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from fewmask.errors import ArgumentError, check_argument
from fewmask.models.names import (
    DECODERS,
    ENCODERS,
    FCN_ENCODER,
    FCN_STRIDES,
    NAMES,
    NORMALIZATIONS,
)

_WHOLE_NUMBERS = frozenset(
    ("num_classes", "channels", "depth", "width", "decoder_convs", "stem_stride", "networks")
)
_YES_OR_NO = frozenset(("shortcut", "context", "outlines"))


@dataclass(frozen=True)
class ModelSpec:
    """All that is needed to build a network again and put its weights back.

    Args:
        name: `"unet"`, the name of the encoder that a light decoder is put on, or one of
            `FCN_STRIDES`, which takes `channels`, `dropout` and `weights` of what follows.
        num_classes: Number of classes K; two classes share one sigmoid channel.
        channels: Number of image channels C; 1 or 3 with an encoder.
        depth: How many times a U-Net halves the image.
        width: Channels of the finest level; each coarser one has twice as many. With the decoder
            `"pyramid"`, of every level.
        normalization: What follows each convolution: `"group"`, `"batch"`, `"none"`, or
            `"group+batch"`, which is by group on the way down and by batch on the way up.
        decoder_convs: Convolutions a level on the way up.
        stem_stride: 2 lets a U-Net work at half the image's resolution, each of whose
            pixels then predicts 2 × 2; 1 works at full resolution.
        dropout: Share of channels left out at the coarsest level in training, in [0, 1).
        weights: `"imagenet"` where the encoder starts pretrained, None where all is learned.
        mean: Pixel value in 0-255 that becomes 0, one a channel; an encoder brings its own.
        std: Difference in pixel values that becomes 1, one a channel.
        decoder: What is put on an encoder: that of a `"unet"`, or a `"pyramid"`, which has a
            fraction of its arithmetic.
        shortcut: Whether the deepest features also reach the head past the decoder, so that it is
            soon known which things are of which class. An FCN is nothing but such ways.
        context: Whether the mean of what an encoder says at its end, of the whole image, is
            added to each of its deepest features.
        outlines: Whether a network that works at half the image's resolution sees the image
            itself once more at the end, to draw the outlines of things to the pixel.
        networks: How many networks of this kind the model holds; it says the mean of what they
            say.

    Raises:
        ArgumentError: If a value is out of its range.

    Example:

    >>> ModelSpec("unet", num_classes=2).stride
    16
    """

    name: str
    num_classes: int
    channels: int = 3
    depth: int = 4
    width: int = 16
    normalization: str = "group"
    decoder_convs: int = 2
    stem_stride: int = 1
    dropout: float = 0.0
    weights: str | None = None
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    decoder: str = "unet"
    shortcut: bool = False
    context: bool = False
    outlines: bool = False
    networks: int = 1

    def __post_init__(self) -> None:
        # An image says nothing more about its range than that it lies in 0-255.
        object.__setattr__(self, "mean", self.mean or (127.5,) * self.channels)
        object.__setattr__(self, "std", self.std or (127.5,) * self.channels)
        check_argument("--model", self.name in NAMES, f"one of {', '.join(NAMES)}", self.name)
        check_argument(
            "normalization",
            self.normalization in NORMALIZATIONS,
            f"one of {', '.join(NORMALIZATIONS)}",
            self.normalization,
        )
        check_argument("networks", self.networks >= 1, "a whole number from 1", self.networks)
        check_argument("num_classes", self.num_classes >= 2, "at least 2 classes", self.num_classes)
        check_argument("depth", 1 <= self.depth <= 8, "a whole number from 1 to 8", self.depth)
        check_argument("width", self.width >= 1, "a whole number from 1", self.width)
        check_argument("decoder_convs", self.decoder_convs >= 1, "at least 1", self.decoder_convs)
        check_argument(
            "decoder", self.decoder in DECODERS, f"one of {', '.join(DECODERS)}", self.decoder
        )
        check_argument(
            "decoder",
            self.decoder == "unet" or self.name in ENCODERS,
            f"a pretrained encoder under a {self.decoder}",
            self.name,
        )
        check_argument("stem_stride", self.stem_stride in (1, 2), "1 or 2", self.stem_stride)
        check_argument(
            "context", not self.context or self.name in ENCODERS, "an encoder's name", self.name
        )
        half = self.name in ENCODERS or (self.name == "unet" and self.stem_stride == 2)
        check_argument(
            "outlines",
            not self.outlines or half,
            "an encoder's name, or a U-Net with a stem_stride of 2",
            self.name,
        )
        check_argument("dropout", 0 <= self.dropout < 1, "a share from 0 to below 1", self.dropout)
        check_argument("channels", self.channels >= 1, "at least 1 channel", self.channels)
        check_argument(
            "mean",
            len(self.mean) == self.channels,
            f"{self.channels} values, one a channel",
            list(self.mean),
        )
        check_argument(
            "std",
            len(self.std) == self.channels and min(self.std) >= 0,
            f"{self.channels} values from 0, one a channel",
            list(self.std),
        )
        if self.name == "unet":
            check_argument(
                "weights", self.weights is None, "none for a U-Net from scratch", self.weights
            )
            return
        check_argument(
            "weights", self.weights in ("imagenet", None), '"imagenet" or None', self.weights
        )
        if self.channels not in (1, 3):
            raise ArgumentError(
                f"--model {self.name}",
                "images with 1 or 3 channels",
                f"{self.channels} channels",
                "Take --model unet, which takes any number.",
            )

    @property
    def stride(self) -> int:
        """Number that height and width of what the network takes must be multiples of."""
        return self.stem_stride * 2**self.depth if self.name == "unet" else 32

    @property
    def encoder(self) -> str | None:
        """Name of the encoder that the network is built on, or None."""
        return encoder_of(self.name)

    @property
    def out_channels(self) -> int:
        """Number of logits a pixel: 1 for two classes, K for more."""
        return 1 if self.num_classes == 2 else self.num_classes

    def to_json(self) -> dict[str, Any]:
        """Returns plain values that `from_json` turns back into an equal spec."""
        return {**asdict(self), "mean": list(self.mean), "std": list(self.std)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> ModelSpec:
        """Rebuilds a spec from what `to_json` returned.

        Raises:
            ArgumentError: If a value is of another kind or out of its range.
        """
        for name in _WHOLE_NUMBERS & set(values):
            check_argument(name, type(values[name]) is int, "a whole number", values[name])
        for name in _YES_OR_NO & set(values):
            check_argument(name, isinstance(values[name], bool), "true or false", values[name])
        for name in ("mean", "std"):
            numbers = all(type(value) in (int, float) for value in values[name])
            check_argument(name, numbers, "numbers", values[name])
        return cls(**{**values, "mean": tuple(values["mean"]), "std": tuple(values["std"])})


def encoder_of(name: str) -> str | None:
    """Returns the encoder that a network is built on, or None where all is learned.

    Args:
        name: One of `NAMES`.

    Example:

    >>> encoder_of("resnet50"), encoder_of("fcn8"), encoder_of("unet")
    ('resnet50', 'mobilenet_v2', None)
    """
    if name in FCN_STRIDES:
        return FCN_ENCODER
    return name if name in ENCODERS else None


def build(
    spec: ModelSpec, data_format: str = "channels_last", weights_file: Path | None = None
) -> Any:
    """Builds the network: the *core*, which every other form of the model is made from.

    Nothing is downloaded: without `weights_file` all weights are random, and a saved core gets
    its own by `set_weights`. The layout changes no weight: what `get_weights` gives in one
    layout, `set_weights` takes in the other.

    Args:
        spec: What to build.
        data_format: `"channels_first"` or `"channels_last"`.
        weights_file: Pretrained weights of the encoder, from `models.pretrained.find_weights`.

    Returns:
        A `keras.Model` that takes raw pixels 0-255, float32 of shape `(N, H, W, C)` with H and W
        multiples of `spec.stride`, and gives logits `(N, H, W, 1 or K)`; `(N, C, H, W)` and
        `(N, 1 or K, H, W)` in `channels_first`.
    """
    # Imported here so that a plan can be read and checked without Keras.
    from fewmask.models.encoders import unet_with_encoder
    from fewmask.models.ensemble import mean_of_networks
    from fewmask.models.fcn import fcn
    from fewmask.models.unet import unet

    if spec.networks > 1:
        alone = replace(spec, networks=1)
        return mean_of_networks(
            lambda: build(alone, data_format, weights_file),
            spec.networks,
            spec.channels,
            data_format,
        )
    if spec.name == "unet":
        return unet(
            spec.depth,
            spec.width,
            normalization=spec.normalization,
            decoder_convs=spec.decoder_convs,
            stem_stride=spec.stem_stride,
            dropout=spec.dropout,
            shortcut=spec.shortcut,
            outlines=spec.outlines,
            channels=spec.channels,
            out_channels=spec.out_channels,
            mean=spec.mean,
            std=spec.std,
            data_format=data_format,
        )
    if spec.name in FCN_STRIDES:
        return fcn(
            FCN_ENCODER,
            FCN_STRIDES[spec.name],
            spec.num_classes,
            dropout=spec.dropout,
            channels=spec.channels,
            frozen_statistics=spec.weights is not None,
            weights_file=weights_file,
            data_format=data_format,
        )
    return unet_with_encoder(
        spec.name,
        spec.width,
        decoder=spec.decoder,
        normalization=spec.normalization,
        decoder_convs=spec.decoder_convs,
        dropout=spec.dropout,
        shortcut=spec.shortcut,
        context=spec.context,
        outlines=spec.outlines,
        channels=spec.channels,
        out_channels=spec.out_channels,
        frozen_statistics=spec.weights is not None,
        weights_file=weights_file,
        data_format=data_format,
    )
