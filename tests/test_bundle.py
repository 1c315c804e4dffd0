import json

import pytest

from fewmask.bundle import Bundle
from fewmask.data.classes import Classes
from fewmask.errors import ModelError
from fewmask.scale import Frame

BUNDLE = Bundle(
    Classes(("background", "ghế"), ((0, 0, 0), (1, 2, 3)), ignore_index=255),
    Frame(96),
    channels=1,
    value_range=(12, 4095),
    provenance={"dataset": "ghế"},
)


def test_comes_back_from_its_text() -> None:
    assert Bundle.from_json(BUNDLE.to_json()) == BUNDLE


def test_people_can_read_its_text() -> None:
    facts = json.loads(BUNDLE.to_json())
    assert facts["scale"] == {"rule": "frame", "size": 96}
    assert '"ghế"' in BUNDLE.to_json()


def test_refuses_what_a_newer_fewmask_wrote() -> None:
    text = json.dumps({**json.loads(BUNDLE.to_json()), "format": 2})
    with pytest.raises(ModelError) as error:
        Bundle.from_json(text, "model.onnx")
    assert str(error.value) == (
        "model.onnx: expected a model in format 1 or older, found format 2, made by a newer "
        "fewmask. Upgrade: pip install --upgrade fewmask"
    )
