import errno
import struct
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

from fewmask.errors import FewmaskError
from fewmask.training.tensorboard import TensorBoardCurves, crc32c, masked_sum, varint


def read_varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[place] & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if data[place - 1] < 0x80:
            return value, place


def read_message(data: bytes) -> dict[int, Any]:
    """Reads a Protocol Buffers message: field number → value as it is stored."""
    fields, place = {}, 0
    while place < len(data):
        key, place = read_varint(data, place)
        kind = key & 7
        if kind == 0:
            value, place = read_varint(data, place)
        else:
            length = {1: 8, 5: 4}.get(kind)
            if length is None:
                length, place = read_varint(data, place)
            value, place = data[place : place + length], place + length
        fields[key >> 3] = value
    return fields


def read_events(path: Path) -> Iterator[dict[int, Any]]:
    data = path.read_bytes()
    while data:
        head, rest = data[:8], data[12:]
        assert data[8:12] == masked_sum(head)
        (length,) = struct.unpack("<Q", head)
        assert rest[length : length + 4] == masked_sum(rest[:length])
        yield read_message(rest[:length])
        data = rest[length + 4 :]


def curves(folder: Path) -> TensorBoardCurves:
    callback = TensorBoardCurves(folder)
    callback.set_model(SimpleNamespace(optimizer=SimpleNamespace(learning_rate=0.25)))
    return callback


def test_writes_a_point_a_curve_and_epoch(tmp_path: Path) -> None:
    callback = curves(tmp_path / "tensorboard")
    callback.on_epoch_end(0, {"loss": 0.5, "validation_dice": float("nan")})
    callback.on_epoch_end(299, {"loss": 0.125, "validation_dice": 1.0})
    first, *events = read_events(callback.path)
    assert first[3] == b"brain.Event:2"
    points = []
    for event in events:
        point = read_message(read_message(event[5])[1])
        points.append((event[2], point[1].decode(), struct.unpack("<f", point[2])[0]))
    assert points == [
        (1, "loss", 0.5),
        (1, "learning_rate", 0.25),
        (300, "loss", 0.125),
        (300, "validation_dice", 1.0),
        (300, "learning_rate", 0.25),
    ]


def test_the_check_sum_is_castagnolis() -> None:
    # from RFC 3720, appendix B.4
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(bytes(range(32))) == 0x46DD794E


@pytest.mark.parametrize("number", [0, 1, 127, 128, 300, 2**40])
def test_whole_numbers_come_back(number: int) -> None:
    assert read_varint(varint(number), 0) == (number, len(varint(number)))


def test_a_full_disk_is_said_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*args: Any, **kwargs: Any) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "mkdir", no_room)
    with pytest.raises(FewmaskError, match="the disk is full"):
        curves(tmp_path / "tensorboard").on_epoch_end(0, {"loss": 0.5})
