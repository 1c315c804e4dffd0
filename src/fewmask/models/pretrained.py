"""Where the pretrained weights of the encoders come from: Keras' cache, or the network once."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import socket
import sys
import threading
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fewmask.models.backend import keras, keras_home

HOME = "https://storage.googleapis.com/tensorflow/keras-applications/"
PATIENCE = 10.0
"""Seconds that a silent network is given; training without pretrained weights beats waiting."""


@dataclass(frozen=True)
class WeightsFile:
    """One file of `keras.applications`, under the name that Keras itself keeps it by.

    Args:
        folder: Its folder below `HOME`.
        name: Its name there and in the cache.
        md5: Its checksum, where Keras publishes one.
    """

    folder: str
    name: str
    md5: str | None


FILES = {
    "mobilenet_v2": WeightsFile(
        "mobilenet_v2",
        "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5",
        None,
    ),
    "mobilenet_v3_small": WeightsFile(
        "mobilenet_v3",
        "weights_mobilenet_v3_small_224_1.0_float_no_top_v2.h5",
        "d3e8ec802a04aa4fc771ee12a9a9b836",
    ),
    "mobilenet_v3_large": WeightsFile(
        "mobilenet_v3",
        "weights_mobilenet_v3_large_224_1.0_float_no_top_v2.h5",
        "07fb09a5933dd0c8eaafa16978110389",
    ),
    "efficientnet_v2_b0": WeightsFile(
        "efficientnet_v2",
        "efficientnetv2-b0_notop.h5",
        "893217f2bb855e2983157299931e43ff",
    ),
    "resnet50": WeightsFile(
        "resnet",
        "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "4d473c1dd8becc155b73f8504c6f6626",
    ),
    "vgg16": WeightsFile(
        "vgg16",
        "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "6d6bbae143d832006294945121d1f1fc",
    ),
}


def find_weights(name: str, patience: float = PATIENCE) -> Path | None:
    """Finds the ImageNet weights of an encoder, on this machine or else on the network.

    A download goes where Keras puts it, `~/.keras/models` unless KERAS_HOME says otherwise, and
    happens once. Half a file that lies there is replaced. Several processes may do so at once.

    Args:
        name: One of `models.names.ENCODERS`.
        patience: Seconds that a network which does not answer is waited for.

    Returns:
        The file, or None where it is neither here nor to be had.
    """
    weights = FILES[name]
    home = keras_home()
    cached = home / "models" / weights.name
    if _is_whole(cached, weights.md5):
        return cached
    origin = f"{HOME}{weights.folder}/{weights.name}"
    if not _answers(origin, patience):
        return None
    # Under the final name, two processes would write into each other's file.
    own = f".{uuid.uuid4().hex[:8]}-{weights.name}"
    # Keras shows its download on standard output, which belongs to results, and raises bare
    # Exceptions when one fails.
    with (
        _socket_timeout(patience),
        contextlib.redirect_stdout(sys.stderr),
        contextlib.suppress(Exception),
    ):
        file = Path(keras.utils.get_file(own, origin, cache_dir=str(home), cache_subdir="models"))
        if _is_whole(file, weights.md5):
            return file.replace(file.with_name(weights.name))
        file.unlink()
    # Another process may have brought it meanwhile.
    return cached if _is_whole(cached, weights.md5) else None


def _is_whole(path: Path, md5: str | None) -> bool:
    # It comes with Keras. Without Keras the door to it, above, says what to install.
    import h5py  # type: ignore[import-untyped]

    try:
        with h5py.File(path), path.open("rb") as content:
            return md5 is None or hashlib.file_digest(content, "md5").hexdigest() == md5
    except OSError:
        return False


def _answers(origin: str, patience: float) -> bool:
    """Asks in a thread, because looking up a name on a dead network has no time limit."""
    answers = []

    def ask() -> None:
        try:
            request = urllib.request.Request(origin, method="HEAD")
            with urllib.request.urlopen(request, timeout=patience):
                answers.append(True)
        except (OSError, http.client.HTTPException):
            pass  # no answer is an answer

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(patience)
    return bool(answers)


@contextmanager
def _socket_timeout(seconds: float) -> Iterator[None]:
    """Ends a download that stalls; the limit is the whole process's, so it is put back."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
