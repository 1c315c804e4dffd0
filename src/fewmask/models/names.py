"""Names: what can be asked for of a network, known without building any."""

ENCODERS = (
    "mobilenet_v2",
    "mobilenet_v3_small",
    "mobilenet_v3_large",
    "efficientnet_v2_b0",
    "resnet50",
    "vgg16",
)
"""Pretrained encoders that a U-Net or an FCN can be built on; `models.encoders` says how."""

FCN_STRIDES = {"fcn32": 32, "fcn16": 16, "fcn8": 8}
FCN_ENCODER = "mobilenet_v2"
"""The encoder under an FCN that is asked for by name; `models.fcn` takes any."""

NAMES = ("unet", *ENCODERS, *FCN_STRIDES)
NORMALIZATIONS = ("group", "batch", "group+batch", "none")
DECODERS = ("unet", "pyramid")

PRECISIONS = ("float32", "bfloat16")
"""In what the convolutions of a network multiply in training; `models.precision` says how."""
