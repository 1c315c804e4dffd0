"""Curves in the files that TensorBoard shows, written without TensorFlow or TensorBoard.

Keras' own callback needs all of TensorFlow, whatever backend trains. The format is small: records
of length, check sums and an `Event` message of Protocol Buffers, of which numbers need six fields.
"""

from __future__ import annotations

import math
import os
import socket
import struct
import time
from pathlib import Path
from typing import Any

from fewmask.files import cannot_write
from fewmask.models.backend import keras

FOLDER = "tensorboard"
"""Folder in the run for the curves: `tensorboard --logdir runs` finds it."""

_CURVES = ("loss", "validation_loss", "validation_dice", "learning_rate")
_VARINT, _DOUBLE, _BYTES, _FLOAT = 0, 1, 2, 5  # Protocol Buffers' wire types


class TensorBoardCurves(keras.callbacks.Callback):  # type: ignore[misc]
    """Appends the numbers of every epoch to an event file.

    A resumed training begins another file in the same folder, which TensorBoard joins.

    Args:
        folder: Where the file goes; made with the first epoch.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        name = f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{os.getpid()}"
        self.path = folder / name

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Writes what is known of the epoch; steps of the curves are epochs, from 1."""
        numbers = {
            **(logs or {}),
            "learning_rate": float(self.model.optimizer.learning_rate),
        }
        events = b"".join(
            scalar_event(name, float(numbers[name]), epoch + 1, time.time())
            for name in _CURVES
            if name in numbers and not math.isnan(numbers[name])
        )
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            head = b"" if self.path.exists() else first_event(time.time())
            with self.path.open("ab") as file:
                file.write(head + events)
        except OSError as error:
            raise cannot_write(self.path, error) from error


def first_event(seconds: float) -> bytes:
    """Returns the record that every event file begins with.

    Args:
        seconds: Time, in seconds since 1970.
    """
    return record(field(1, _DOUBLE, struct.pack("<d", seconds)) + text_field(3, "brain.Event:2"))


def scalar_event(name: str, value: float, step: int, seconds: float) -> bytes:
    """Returns the record of one point of a curve.

    Args:
        name: Name of the curve.
        value: Its value.
        step: Where on the horizontal axis.
        seconds: Time, in seconds since 1970.
    """
    point = text_field(1, name) + field(2, _FLOAT, struct.pack("<f", value))
    summary = bytes_field(1, point)
    event = field(1, _DOUBLE, struct.pack("<d", seconds)) + field(2, _VARINT, varint(step))
    return record(event + bytes_field(5, summary))


def record(message: bytes) -> bytes:
    """Frames a message as TensorFlow's record files do: length, sum, message, sum.

    Args:
        message: The message.
    """
    length = struct.pack("<Q", len(message))
    return length + masked_sum(length) + message + masked_sum(message)


def field(number: int, wire_type: int, value: bytes) -> bytes:
    """Returns one field of a Protocol Buffers message."""
    return varint(number << 3 | wire_type) + value


def bytes_field(number: int, value: bytes) -> bytes:
    """Returns a field that holds bytes, or another message."""
    return field(number, _BYTES, varint(len(value)) + value)


def text_field(number: int, value: str) -> bytes:
    """Returns a field that holds a text."""
    return bytes_field(number, value.encode("utf-8"))


def varint(number: int) -> bytes:
    """Writes a whole number of 0 or more in groups of seven bits, lowest first.

    Example:

    >>> varint(300).hex()
    'ac02'
    """
    groups = bytearray()
    while number > 0x7F:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*groups, number])


def masked_sum(data: bytes) -> bytes:
    """Returns the check sum of record files: CRC-32C, turned and shifted.

    Args:
        data: What to sum.
    """
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def crc32c(data: bytes) -> int:
    """Returns the Castagnoli check sum of bytes.

    Example:

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'

    Reference: RFC 3720, appendix B.4.
    """
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF
