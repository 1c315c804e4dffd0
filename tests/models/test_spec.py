import re

import pytest

from fewmask.errors import ArgumentError
from fewmask.models import encoders, pretrained
from fewmask.models.names import ENCODERS
from fewmask.models.spec import ModelSpec


def test_a_spec_survives_json():
    spec = ModelSpec("mobilenet_v2", 3, channels=1, weights="imagenet", dropout=0.1)
    assert ModelSpec.from_json(spec.to_json()) == spec


def test_mean_and_std_default_to_the_middle_of_the_range():
    spec = ModelSpec("unet", 2, channels=2)
    assert spec.mean == spec.std == (127.5, 127.5)


@pytest.mark.parametrize(
    ("fields", "stride"),
    [
        ({"depth": 4}, 16),
        ({"depth": 3, "stem_stride": 2}, 16),
        ({"name": "resnet50", "depth": 2}, 32),
        ({"name": "fcn8"}, 32),
    ],
)
def test_the_stride_follows_from_the_fields(fields, stride):
    assert ModelSpec(**{"name": "unet", "num_classes": 2, **fields}).stride == stride


@pytest.mark.parametrize(("num_classes", "logits"), [(2, 1), (3, 3), (21, 21)])
def test_two_classes_share_one_logit(num_classes, logits):
    assert ModelSpec("unet", num_classes).out_channels == logits


def test_every_encoder_has_a_way_to_be_built_and_a_file_of_weights():
    assert set(ENCODERS) == set(encoders.ENCODERS) == set(pretrained.FILES)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            {"name": "vgg"},
            "--model: expected one of unet, mobilenet_v2, mobilenet_v3_small, mobilenet_v3_large, "
            "efficientnet_v2_b0, resnet50, vgg16, fcn32, fcn16, fcn8, found vgg. "
            "Give another value.",
        ),
        (
            {"name": "resnet50", "channels": 4},
            "--model resnet50: expected images with 1 or 3 channels, found 4 channels. "
            "Take --model unet, which takes any number.",
        ),
        (
            {"num_classes": 1},
            "num_classes: expected at least 2 classes, found 1. Give another value.",
        ),
        (
            {"dropout": 1.0},
            "dropout: expected a share from 0 to below 1, found 1.0. Give another value.",
        ),
        (
            {"mean": (1.0,)},
            "mean: expected 3 values, one a channel, found [1.0]. Give another value.",
        ),
        (
            {"weights": "imagenet"},
            "weights: expected none for a U-Net from scratch, found imagenet. Give another value.",
        ),
        (
            {"normalization": "layer"},
            "normalization: expected one of group, batch, group+batch, none, found layer. Give "
            "another value.",
        ),
        (
            {"context": True},
            "context: expected an encoder's name, found unet. Give another value.",
        ),
        (
            {"outlines": True},
            "outlines: expected an encoder's name, or a U-Net with a stem_stride of 2, found unet. "
            "Give another value.",
        ),
        ({"stem_stride": 4}, "stem_stride: expected 1 or 2, found 4. Give another value."),
    ],
)
def test_a_value_out_of_range_is_refused(fields, sentence):
    with pytest.raises(ArgumentError, match=f"^{re.escape(sentence)}$"):
        ModelSpec(**{"name": "unet", "num_classes": 2, **fields})


def test_a_spec_written_before_there_were_decoders_is_read():
    values = ModelSpec("mobilenet_v2", 3).to_json()
    del values["decoder"], values["shortcut"], values["context"], values["outlines"]
    assert ModelSpec.from_json(values) == ModelSpec("mobilenet_v2", 3, decoder="unet")


@pytest.mark.parametrize(
    ("name", "decoder", "said"),
    [
        ("vgg16", "tower", "decoder: expected one of unet, pyramid, found tower."),
        ("unet", "pyramid", "decoder: expected a pretrained encoder under a pyramid, found unet."),
        ("fcn8", "pyramid", "decoder: expected a pretrained encoder under a pyramid, found fcn8."),
    ],
)
def test_a_decoder_must_fit(name, decoder, said):
    with pytest.raises(ArgumentError, match=re.escape(said)):
        ModelSpec(name, 2, decoder=decoder)
