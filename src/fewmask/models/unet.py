"""The U-Net: halves the image several times, doubles it again, and joins what it saw on the way.

Its parts (convolutions, decoder, head) also make the networks with a pretrained encoder.
Upsampling is always by nearest neighbour or transposed convolution: the only kinds that every
backend can export to ONNX.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fewmask.errors import check_argument
from fewmask.models import native
from fewmask.models.backend import keras
from fewmask.models.names import NORMALIZATIONS

GROUPS = 8
"""Groups of a group normalisation; as Wu & He (2018) say, it hardly matters between 2 and 32."""
OUTLINE_WIDTH = 8
"""Channels of the one convolution at an image's full resolution, where each costs the most."""


def unet(
    depth: int = 4,
    width: int = 16,
    *,
    normalization: str = "group",
    decoder_convs: int = 2,
    stem_stride: int = 1,
    dropout: float = 0.0,
    shortcut: bool = False,
    outlines: bool = False,
    channels: int = 3,
    out_channels: int = 1,
    mean: Sequence[float] = (127.5, 127.5, 127.5),
    std: Sequence[float] = (127.5, 127.5, 127.5),
    data_format: str = "channels_last",
) -> Any:
    """Builds a U-Net that learns from nothing.

    Group normalisation is the default because batches of a few images are the rule here, and
    batch normalisation measures its statistics on them. The network of a 2017 tutorial is among
    them, to the last of its 34,614,369 parameters:
    `unet(5, 32, normalization="batch", decoder_convs=3)`.

    Args:
        depth: How many times it halves the image.
        width: Channels of the finest level; each coarser one has twice as many.
        normalization: What follows each convolution: `"group"`, `"batch"`, `"none"`, or
            `"group+batch"`, see `down_and_up`.
        decoder_convs: Convolutions a level on the way up.
        stem_stride: 1, or 2 to work at half the image's resolution.
        dropout: Share of channels left out at the coarsest level in training.
        shortcut: Whether the deepest features also reach the head past the decoder.
        outlines: Whether a network at half the resolution sees the image itself at the end.
        channels: Number of image channels C.
        out_channels: Number of logits a pixel: 1 for two classes, K for more.
        mean: Pixel value that becomes 0, one a channel.
        std: Difference in pixel values that becomes 1, one a channel.
        data_format: `"channels_first"` or `"channels_last"`.

    Returns:
        A `keras.Model`: raw pixels 0-255 in, float32 of shape `(N, H, W, C)`, height and width
        multiples of `stem_stride * 2**depth`; logits out, `(N, H, W, out_channels)`. In
        `channels_first` the channels come second.

    Raises:
        ArgumentError: If there is no such normalisation or stride, or outlines are asked of a
            network at full resolution.

    Example:

    >>> unet(depth=1, width=8).output.shape
    (None, None, None, 1)

    Reference: Ronneberger, Fischer & Brox (2015), arXiv:1505.04597.
    """
    check_argument("stem_stride", stem_stride in (1, 2), "1 or 2", stem_stride)
    full = stem_stride == 1
    check_argument("outlines", not (outlines and full), "a stem_stride of 2", stem_stride)
    down, up = (Blocks(each, data_format) for each in down_and_up(normalization))
    image = image_input(channels, data_format)
    pixels = x = down.normalize_pixels(image, mean, std)
    if stem_stride == 2:
        x = down.convolve(x, width, stride=2)
    skips = []
    for level in range(depth):
        x = down.convolve_twice(x, width * 2**level)
        skips.append(x)
        x = keras.layers.MaxPooling2D(2, data_format=data_format)(x)
    x = down.convolve_twice(x, width * 2**depth)
    deepest = down.drop_channels(x, dropout)
    x = up.decode(deepest, skips, width, decoder_convs)
    if shortcut:
        x = up.add_shortcut(x, deepest, 2**depth)
    logits = up.add_logits(x, out_channels, stem_stride)
    if outlines:
        logits = up.draw_outlines(logits, x, pixels)
    return keras.Model(image, logits, name="unet")


def down_and_up(normalization: str) -> tuple[str, str]:
    """Says how the two ways through a network are normalised.

    Normalised by group, every image is measured by itself: a dark one looks like a bright one
    from the first layer on. Normalised by batch, it is measured by those seen in training, and one
    unlike them is lost; but how bright a thing is beside others stays known.

    Args:
        normalization: One of `NORMALIZATIONS`.

    Returns:
        What follows the convolutions on the way down, and on the way up.

    Raises:
        ArgumentError: If there is no such normalisation.

    Example:

    >>> down_and_up("group+batch"), down_and_up("batch")
    (('group', 'batch'), ('batch', 'batch'))

    Reference: Pan et al. (2018), arXiv:1807.09441, for both kinds in one network.
    """
    expected = f"one of {', '.join(NORMALIZATIONS)}"
    check_argument("normalization", normalization in NORMALIZATIONS, expected, normalization)
    down, _, up = normalization.partition("+")
    return down, up or down


def image_input(channels: int, data_format: str) -> Any:
    """Makes the input of a core: raw pixels 0-255, float32, of free height and width."""
    free = (None, None)
    shape = (channels, *free) if data_format == "channels_first" else (*free, channels)
    return keras.Input(shape, dtype="float32", name="image")


class Blocks:
    """The parts that networks are put together from, in one normalisation and one layout.

    Args:
        normalization: `"group"`, `"batch"` or `"none"`.
        data_format: `"channels_first"` or `"channels_last"`.
    """

    def __init__(self, normalization: str, data_format: str) -> None:
        self.normalization = normalization
        self.data_format = data_format
        self.channel_axis = 1 if data_format == "channels_first" else -1
        # The layout that nothing is saved in may use layers that only fewmask knows.
        self.native = data_format == "channels_first"

    def normalize_pixels(self, x: Any, mean: Sequence[float], std: Sequence[float]) -> Any:
        """Brings raw pixels to zero mean and unit spread, as the first layer of every core."""
        # Images of one flat colour have no spread; 1 leaves their values small.
        variance = [value**2 if value > 0 else 1.0 for value in std]
        return keras.layers.Normalization(
            axis=self.channel_axis, mean=list(mean), variance=variance, dtype="float32"
        )(x)

    def convolve(self, x: Any, filters: int, stride: int = 1) -> Any:
        """Puts a 3 × 3 convolution, the normalisation and a ReLU behind `x`."""
        convolution = native.Conv2D if self.native else keras.layers.Conv2D
        x = convolution(
            filters,
            3,
            strides=stride,
            padding="same",
            kernel_initializer="he_normal",
            data_format=self.data_format,
        )(x)
        if self.normalization == "group":
            # The largest number of groups up to GROUPS that divides the channels.
            groups = next(count for count in range(GROUPS, 0, -1) if filters % count == 0)
            normalize = (
                native.GroupNormalization if self.native else keras.layers.GroupNormalization
            )
            x = normalize(groups, axis=self.channel_axis)(x)
        elif self.normalization == "batch":
            normalize = (
                native.BatchNormalization if self.native else keras.layers.BatchNormalization
            )
            x = normalize(axis=self.channel_axis)(x)
        return (native.ReLU if self.native else keras.layers.ReLU)()(x)

    def project(self, x: Any, filters: int) -> Any:
        """Makes `filters` channels of those of `x`, each pixel by itself."""
        convolution = native.Conv2D if self.native else keras.layers.Conv2D
        return convolution(filters, 1, padding="same", data_format=self.data_format)(x)

    def enlarge(self, x: Any, times: int = 2) -> Any:
        """Repeats every pixel, to `times` the height and width."""
        enlarge = native.UpSampling2D if self.native else keras.layers.UpSampling2D
        return enlarge(times, data_format=self.data_format)(x)

    def convolve_twice(self, x: Any, filters: int) -> Any:
        """Puts two convolutions behind `x`."""
        return self.convolve(self.convolve(x, filters), filters)

    def drop_channels(self, x: Any, share: float) -> Any:
        """Leaves out whole channels in training; neighbouring pixels tell each other too much."""
        if share == 0:
            return x
        return keras.layers.SpatialDropout2D(share, data_format=self.data_format)(x)

    def decode(self, x: Any, skips: Sequence[Any], width: int, convs: int) -> Any:
        """Doubles `x` until it has the size of the first of `skips`, joining each on the way.

        Args:
            x: The coarsest features.
            skips: Finer features, the finest first, each twice the size of the next.
            width: Channels of the finest level; each coarser one has twice as many.
            convs: Convolutions a level.

        Returns:
            Features of the size of `skips[0]` with `width` channels.
        """
        for level in reversed(range(len(skips))):
            x = keras.layers.Concatenate(axis=self.channel_axis)([self.enlarge(x), skips[level]])
            for _ in range(convs):
                x = self.convolve(x, width * 2**level)
        return x

    def add_shortcut(self, x: Any, deepest: Any, times: int) -> Any:
        """Adds to `x` what the deepest features say of each pixel, past the whole decoder.

        A decoder that begins at random passes on next to nothing. This way what stands for which
        class is learnt from the first step on, and the decoder learns to draw its outline.

        Args:
            x: What a decoder made.
            deepest: What the decoder began with.
            times: How much smaller that is.
        """
        short = self.project(deepest, x.shape[self.channel_axis])
        return keras.layers.Add()([x, self.enlarge(short, times)])

    def add_context(self, x: Any, seen: Any) -> Any:
        """Adds to every pixel of `x` what there is to see in the whole image.

        What stands for a class in one place often stands for another elsewhere; the whole image
        tells which.

        Args:
            x: The deepest features.
            seen: Features of the image whose mean tells of all of it.

        Reference: Liu, Rabinovich & Berg (2015), arXiv:1506.04579.
        """
        mean = keras.layers.GlobalAveragePooling2D(data_format=self.data_format, keepdims=True)
        return keras.layers.Add()([x, self.project(mean(seen), x.shape[self.channel_axis])])

    def add_logits(self, x: Any, out_channels: int, stride: int) -> Any:
        """Ends a network: logits at `stride` times the size of `x`, in float32 under any policy."""
        if stride == 1:
            return keras.layers.Conv2D(
                out_channels, 1, data_format=self.data_format, dtype="float32", name="logits"
            )(x)
        enlarge = keras.layers.Conv2DTranspose(
            out_channels,
            stride,
            strides=stride,
            data_format=self.data_format,
            dtype="float32",
            name="logits",
        )
        logits = enlarge(x)
        # The pixels made of one begin alike: drawn apart, they leave a chequerboard in every
        # prediction until training has found them all (Aitken et al., 2017, arXiv:1707.02937).
        first = keras.ops.convert_to_numpy(enlarge.kernel)[:1, :1]
        enlarge.kernel.assign(first.repeat(stride, axis=0).repeat(stride, axis=1))
        return logits

    def draw_outlines(self, logits: Any, x: Any, pixels: Any) -> Any:
        """Adds to logits of twice the size of `x` what the image itself says of every pixel.

        A network that works at half the resolution knows the outline of a thing to two pixels. One
        convolution that sees what it knows beside the image draws it to one.

        Args:
            logits: Of the size of the image.
            x: What they were made of, at half of it.
            pixels: The image, normalised.
        """
        both = keras.layers.Concatenate(axis=self.channel_axis)([self.enlarge(x), pixels])
        outlines = self.convolve(both, OUTLINE_WIDTH)
        more = keras.layers.Conv2D(
            logits.shape[self.channel_axis], 1, data_format=self.data_format, dtype="float32"
        )(outlines)
        return keras.layers.Add(dtype="float32")([logits, more])
