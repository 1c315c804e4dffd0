"""Encoders: networks from `keras.applications` as the way down, and U-Nets on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fewmask.errors import check_argument
from fewmask.models.backend import keras, keras_settings
from fewmask.models.names import DECODERS
from fewmask.models.pyramid import decode_pyramid
from fewmask.models.unet import Blocks, down_and_up, image_input

IMAGENET_MEAN = (123.675, 116.28, 103.53)
IMAGENET_STD = (58.395, 57.12, 57.375)
BLUE_GREEN_RED_MEAN = (103.939, 116.779, 123.68)
LEVELS = 5
"""Features that a decoder takes, each at half the resolution of the one before."""


@dataclass(frozen=True)
class Encoder:
    """How one network of `keras.applications` becomes the way down of another.

    Args:
        application: Its name there.
        features: The layers whose output the decoder takes, at strides 2, 4, 8, 16 and 32. Of
            each stride the last one that is thin: a decoder of few channels has no use for the
            hundreds that these networks hold between two thin layers.
        mean: Pixel value that the network was trained to see as 0, one a channel.
        std: Difference in pixel values that it was trained to see as 1.
        blue_first: Whether it was trained on blue, green, red.
        options: Further arguments of the application.
    """

    application: str
    features: tuple[str, str, str, str, str]
    mean: Sequence[float] = (127.5, 127.5, 127.5)
    std: Sequence[float] = (127.5, 127.5, 127.5)
    blue_first: bool = False
    options: dict[str, Any] = field(default_factory=dict)


# Their own preprocessing is switched off and done by our first layer instead: one place for all.
ENCODERS = {
    "mobilenet_v2": Encoder(
        "MobileNetV2",
        (
            "expanded_conv_project_BN",
            "block_2_add",
            "block_5_add",
            "block_12_add",
            "block_16_project_BN",
        ),
    ),
    "mobilenet_v3_small": Encoder(
        "MobileNetV3Small",
        (
            "conv_bn",
            "expanded_conv_project_bn",
            "expanded_conv_2_add",
            "expanded_conv_7_add",
            "expanded_conv_10_add",
        ),
        options={"include_preprocessing": False},
    ),
    "mobilenet_v3_large": Encoder(
        "MobileNetV3Large",
        (
            "expanded_conv_add",
            "expanded_conv_2_add",
            "expanded_conv_5_add",
            "expanded_conv_11_add",
            "expanded_conv_14_add",
        ),
        options={"include_preprocessing": False},
    ),
    "efficientnet_v2_b0": Encoder(
        "EfficientNetV2B0",
        (
            "block1a_project_activation",
            "block2b_add",
            "block3b_add",
            "block5e_add",
            "block6h_add",
        ),
        IMAGENET_MEAN,
        IMAGENET_STD,
        options={"include_preprocessing": False},
    ),
    "resnet50": Encoder(
        "ResNet50",
        (
            "conv1_relu",
            "conv2_block3_out",
            "conv3_block4_out",
            "conv4_block6_out",
            "conv5_block3_out",
        ),
        BLUE_GREEN_RED_MEAN,
        (1.0, 1.0, 1.0),
        blue_first=True,
    ),
    "vgg16": Encoder(
        "VGG16",
        ("block1_pool", "block2_pool", "block3_pool", "block4_pool", "block5_pool"),
        BLUE_GREEN_RED_MEAN,
        (1.0, 1.0, 1.0),
        blue_first=True,
    ),
}


def unet_with_encoder(
    name: str,
    width: int = 16,
    *,
    decoder: str = "unet",
    normalization: str = "group",
    decoder_convs: int = 2,
    dropout: float = 0.0,
    shortcut: bool = False,
    context: bool = False,
    outlines: bool = False,
    channels: int = 3,
    out_channels: int = 1,
    frozen_statistics: bool = True,
    weights_file: Path | None = None,
    data_format: str = "channels_last",
) -> Any:
    """Builds a light decoder on an encoder; see `ModelSpec` for most arguments.

    The decoder works up to half the resolution of the image; each of its pixels predicts
    2 × 2, mended by `outlines`.

    Args:
        name: One of `ENCODERS`.
        width: Channels of the decoder at its finest level, or of all of a pyramid.
        decoder: `"unet"` or `"pyramid"`.
        normalization: One of `NORMALIZATIONS`; that of the way up is the decoder's.
        decoder_convs: Convolutions a level of the decoder.
        dropout: Share of channels left out at the coarsest level in training.
        shortcut: Whether the deepest features also reach the head past the decoder.
        context: Whether what the encoder says of the whole image is added to these.
        outlines: Whether the image itself helps to draw the outlines, at its full resolution.
        channels: Number of image channels, 1 or 3.
        out_channels: Number of logits a pixel.
        frozen_statistics: Whether the encoder's batch normalisations keep what they learned on
            ImageNet. Batches of a few images would spoil it; without pretrained weights there
            is nothing to keep.
        weights_file: Pretrained weights of the encoder; random ones when None.
        data_format: `"channels_first"` or `"channels_last"`.

    Returns:
        A `keras.Model`: raw pixels 0-255 in, float32 of shape `(N, H, W, C)`, height and width
        multiples of 32; logits out, `(N, H, W, out_channels)`. In `channels_first` the channels
        come second. Its layer `encoder` is the encoder.

    Raises:
        ArgumentError: If there is no such encoder, decoder or normalisation, or the images have
            neither 1 nor 3 channels.
    """
    check_argument("name", name in ENCODERS, f"one of {', '.join(ENCODERS)}", name)
    check_argument("decoder", decoder in DECODERS, f"one of {', '.join(DECODERS)}", decoder)
    check_argument("channels", channels in (1, 3), "1 or 3", channels)
    blocks = Blocks(down_and_up(normalization)[1], data_format)
    image = image_input(channels, data_format)
    features = encode(name, image, blocks, frozen_statistics, weights_file, with_last=context)
    *skips, deepest = features[:LEVELS]
    if context:
        deepest = blocks.add_context(deepest, features[LEVELS])
    deepest = blocks.drop_channels(deepest, dropout)
    if decoder == "pyramid":
        x = decode_pyramid(blocks, [*skips, deepest], width, decoder_convs)
    else:
        x = blocks.decode(deepest, skips, width, decoder_convs)
    if shortcut:
        x = blocks.add_shortcut(x, deepest, 2 ** len(skips))
    logits = blocks.add_logits(x, out_channels, stride=2)
    if outlines:
        middle = (127.5,) * channels
        logits = blocks.draw_outlines(logits, x, blocks.normalize_pixels(image, middle, middle))
    return keras.Model(image, logits, name=f"unet_on_{name}")


def encode(
    name: str,
    image: Any,
    blocks: Blocks,
    frozen_statistics: bool,
    weights_file: Path | None,
    with_last: bool = False,
) -> list[Any]:
    """Puts an encoder behind an input of raw pixels; a grey image is repeated to three channels.

    Args:
        name: One of `ENCODERS`.
        image: The input, 1 or 3 channels of raw pixels 0-255.
        blocks: Parts in the layout of `image`.
        frozen_statistics: See `unet_with_encoder`.
        weights_file: See `unet_with_encoder`.
        with_last: Whether to return what the encoder ends with too.

    Returns:
        Five features, at strides 2, 4, 8, 16 and 32; then, if asked for, the encoder's last ones,
        which it told the classes of ImageNet from: hundreds of channels at stride 32.
    """
    encoder = ENCODERS[name]
    x = image
    if image.shape[blocks.channel_axis] == 1:
        x = keras.layers.Concatenate(axis=blocks.channel_axis)([x, x, x])
    if encoder.blue_first:
        x = keras.ops.flip(x, axis=blocks.channel_axis)
    x = blocks.normalize_pixels(x, encoder.mean, encoder.std)
    way_down = _build_encoder(encoder, weights_file, blocks.data_format, with_last)
    if frozen_statistics:
        for layer in way_down.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.trainable = False
    features: list[Any] = way_down(x)
    return features


def _build_encoder(
    encoder: Encoder, weights_file: Path | None, data_format: str, with_last: bool
) -> Any:
    """Builds the network from normalised pixels to its five features, or to its end too."""
    free = (None, None)
    with keras_settings(data_format):
        network = getattr(keras.applications, encoder.application)(
            include_top=False,
            input_shape=(3, *free) if data_format == "channels_first" else (*free, 3),
            weights=None if weights_file is None else str(weights_file),
            **encoder.options,
        )
    outputs = [network.get_layer(layer).output for layer in encoder.features]
    if with_last:
        outputs.append(network.output)
    return keras.Model(network.input, outputs, name="encoder")
