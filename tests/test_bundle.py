import json
from dataclasses import replace
from typing import Any

import pytest

from fewmask.bundle import Bundle
from fewmask.data.classes import Classes
from fewmask.data.least_areas import LeastAreas
from fewmask.errors import ModelError
from fewmask.scale import Frame, Pixels

BUNDLE = Bundle(
    Classes(("background", "ghế"), ((0, 0, 0), (1, 2, 3)), ignore_index=255),
    Frame(96),
    channels=1,
    value_range=(12, 4095),
    provenance={"dataset": "ghế"},
    mirrored=True,
)


def test_comes_back_from_its_text() -> None:
    assert Bundle.from_json(BUNDLE.to_json()) == BUNDLE


def test_least_areas_travel_along_and_need_not() -> None:
    careful = replace(BUNDLE, least_areas=LeastAreas((0.0, 0.1), 480_000, never_empty=True))
    assert Bundle.from_json(careful.to_json()) == careful
    facts = json.loads(careful.to_json())
    del facts["least_areas"], facts["mirrored"]  # as before they were thought of
    assert Bundle.from_json(json.dumps(facts)) == replace(BUNDLE, mirrored=False)


def test_people_can_read_its_text() -> None:
    facts = json.loads(BUNDLE.to_json())
    assert facts["scale"] == {"rule": "frame", "size": 96}
    assert '"ghế"' in BUNDLE.to_json()


PATCHES = replace(BUNDLE, scale=Pixels.near(0.37, size=256))


def test_a_model_of_patches_comes_back_from_its_text() -> None:
    assert Bundle.from_json(PATCHES.to_json()) == PATCHES
    assert json.loads(PATCHES.to_json())["scale"] == {
        "rule": "pixels",
        "scale": 0.369942,
        "tile": 256,
        "overlap": 64,
        "block": 576,
        "block_in_image": 1557,
    }


def test_only_what_older_ones_cannot_use_has_the_new_format() -> None:
    assert json.loads(BUNDLE.to_json())["format"] == 1
    assert json.loads(PATCHES.to_json())["format"] == 2


def test_opens_what_the_first_fewmask_wrote() -> None:
    text = """{"format": 1, "channels": 3, "value_range": [0, 255], "provenance": {},
        "classes": {"names": ["background", "chair"], "colors": [[0, 0, 0], [9, 9, 9]],
                    "ignore_index": null},
        "scale": {"rule": "frame", "size": 256}}"""
    assert Bundle.from_json(text).scale == Frame(256)


TILES = "tiles that overlap by at most half of their side"


@pytest.mark.parametrize(
    ("changes", "expected", "found"),
    [
        ({"tile": 100}, TILES, "tiles of 100 with 64 pixels of overlap"),
        ({"tile": 0}, TILES, "tiles of 0 with 64 pixels of overlap"),
        ({"overlap": 0}, TILES, "tiles of 256 with 0 pixels of overlap"),
        ({"overlap": 256}, TILES, "tiles of 256 with 256 pixels of overlap"),
        ({"overlap": -64}, TILES, "tiles of 256 with -64 pixels of overlap"),
        ({"block": 500}, "blocks of whole tiles, multiples of 192 pixels", "blocks of 500"),
        ({"block": 0}, "blocks of whole tiles, multiples of 192 pixels", "blocks of 0"),
        ({"block_in_image": 0}, "a scale above 0, up to 2", "576 pixels made of 0"),
        ({"block_in_image": 100}, "a scale above 0, up to 2", "576 pixels made of 100"),
        ({"rule": "tiles"}, "the rule frame or pixels", "'tiles'"),
    ],
)
def test_refuses_a_scale_that_makes_no_sense(
    changes: dict[str, Any], expected: str, found: str
) -> None:
    facts = json.loads(PATCHES.to_json())
    facts["scale"].update(changes)
    with pytest.raises(ModelError) as error:
        Bundle.from_json(json.dumps(facts), "model.onnx")
    assert str(error.value) == (
        f"model.onnx: expected {expected}, found {found}. "
        "Copy it again from where it was made, or train again."
    )


def test_refuses_what_a_newer_fewmask_wrote() -> None:
    text = json.dumps({**json.loads(BUNDLE.to_json()), "format": 3})
    with pytest.raises(ModelError) as error:
        Bundle.from_json(text, "model.onnx")
    assert str(error.value) == (
        "model.onnx: expected a model in format 2 or older, found format 3, made by a newer "
        "fewmask. Upgrade: pip install --upgrade fewmask"
    )


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"format": "one"}', BUNDLE.to_json().replace("value_range", "range")]
)
def test_refuses_facts_that_are_none_of_ours(text: str) -> None:
    with pytest.raises(ModelError) as error:
        Bundle.from_json(text, "runs/a/bundle.json")
    assert str(error.value) == (
        "runs/a/bundle.json: expected the facts that fewmask writes into a model, found some that "
        "cannot be read. Copy it again from where it was made, or train again."
    )
