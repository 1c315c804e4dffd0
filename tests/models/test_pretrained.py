import hashlib
import http.client
import io
import os
import shutil
import socket
import threading
import time
import urllib.error
from pathlib import Path

import h5py
import numpy as np
import pytest

from fewmask.models import pretrained
from fewmask.models.backend import keras
from fewmask.models.pretrained import FILES, find_weights
from fewmask.models.spec import ModelSpec, build

WEIGHTS = Path(__file__).parents[3] / "shared" / "weights" / FILES["mobilenet_v2"].name


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The folder for weights of a machine that has none yet."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "bộ nhớ đệm"))
    folder = tmp_path / "bộ nhớ đệm" / "models"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def content():
    """A small file of weights."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["kernel"] = np.arange(1000.0)
    return buffer.getvalue()


@pytest.fixture
def network(monkeypatch, content):
    """A network that serves `content`; returns what was asked of it."""
    asked = []

    def answer(request, timeout=None):
        asked.append((request.method, request.full_url))
        return io.BytesIO()

    def download(url, path, report):
        asked.append(("GET", url))
        asked.append(("timeout", socket.getdefaulttimeout()))
        Path(path).write_bytes(content)

    monkeypatch.setattr(pretrained.urllib.request, "urlopen", answer)
    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", download)
    return asked


@pytest.fixture
def no_network(monkeypatch):
    def refuse(request, timeout=None):
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr(pretrained.urllib.request, "urlopen", refuse)


ORIGIN = f"{pretrained.HOME}mobilenet_v2/{FILES['mobilenet_v2'].name}"


def test_weights_on_this_machine_are_taken_without_asking_anyone(cache, content, no_network):
    (cache / FILES["mobilenet_v2"].name).write_bytes(content)
    assert find_weights("mobilenet_v2") == cache / FILES["mobilenet_v2"].name


def test_weights_are_downloaded_once_to_where_keras_looks(cache, network):
    before = socket.getdefaulttimeout()
    first = find_weights("mobilenet_v2", patience=3.0)
    assert first == cache / FILES["mobilenet_v2"].name
    assert network == [("HEAD", ORIGIN), ("GET", ORIGIN), ("timeout", 3.0)]
    assert find_weights("mobilenet_v2") == first
    assert len(network) == 3
    assert socket.getdefaulttimeout() == before


def test_half_a_file_is_downloaded_again(cache, network, content):
    path = cache / FILES["mobilenet_v2"].name
    path.write_bytes(content[: len(content) // 2])
    assert find_weights("mobilenet_v2") == path
    assert path.read_bytes() == content


def test_half_a_file_without_a_network_is_as_good_as_none(cache, no_network, content):
    path = cache / FILES["mobilenet_v2"].name
    path.write_bytes(content[: len(content) // 2])
    assert find_weights("mobilenet_v2") is None
    assert path.exists()


def test_a_file_with_another_checksum_is_downloaded_again(cache, network, content, monkeypatch):
    wanted = pretrained.WeightsFile("resnet", "resnet.h5", hashlib.md5(content).hexdigest())
    monkeypatch.setitem(FILES, "resnet50", wanted)
    with h5py.File(cache / "resnet.h5", "w") as file:
        file["kernel"] = np.zeros(3)
    assert find_weights("resnet50") == cache / "resnet.h5"
    assert (cache / "resnet.h5").read_bytes() == content


def test_a_download_with_a_wrong_checksum_is_neither_used_nor_kept(cache, network):
    assert find_weights("resnet50") is None
    assert list(cache.iterdir()) == []


def test_without_a_network_there_are_none(cache, no_network):
    assert find_weights("mobilenet_v2") is None


def test_an_answer_that_is_no_http_is_none(cache, monkeypatch):
    def answer(request, timeout=None):
        raise http.client.BadStatusLine("I am a proxy")

    monkeypatch.setattr(pretrained.urllib.request, "urlopen", answer)
    assert find_weights("mobilenet_v2") is None


def test_a_silent_network_is_not_waited_for(cache, monkeypatch):
    over = threading.Event()

    def say_nothing(request, timeout=None):
        over.wait(60)
        raise urllib.error.URLError("timed out")

    monkeypatch.setattr(pretrained.urllib.request, "urlopen", say_nothing)
    started = time.monotonic()
    assert find_weights("mobilenet_v2", patience=0.1) is None
    assert time.monotonic() - started < 10
    over.set()


def test_a_download_that_breaks_off_leaves_nothing(cache, network, monkeypatch):
    def break_off(url, path, report):
        Path(path).write_bytes(b"half")
        raise urllib.error.URLError("connection reset")

    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", break_off)
    before = socket.getdefaulttimeout()
    assert find_weights("mobilenet_v2") is None
    assert list(cache.iterdir()) == []
    assert socket.getdefaulttimeout() == before


@pytest.mark.parametrize("the_other_breaks_off", [True, False])
def test_two_that_download_at_once_harm_neither(
    cache, network, content, monkeypatch, the_other_breaks_off
):
    begun = []

    def download(url, path, report):
        begun.append(path)
        if len(begun) == 2 and the_other_breaks_off:
            raise urllib.error.URLError("connection reset")
        with open(path, "wb") as file:
            file.write(content[:1000])
            if len(begun) == 1:
                other = find_weights("mobilenet_v2")
                assert (other is None) == the_other_breaks_off
            file.write(content[1000:])

    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", download)
    path = find_weights("mobilenet_v2")
    assert path.read_bytes() == content
    assert list(cache.iterdir()) == [path]


def test_what_another_brought_meanwhile_is_taken(cache, network, content, monkeypatch):
    def break_off(url, path, report):
        (cache / FILES["mobilenet_v2"].name).write_bytes(content)
        raise urllib.error.URLError("connection reset")

    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", break_off)
    assert find_weights("mobilenet_v2") == cache / FILES["mobilenet_v2"].name


@pytest.mark.real
@pytest.mark.skipif(not WEIGHTS.exists(), reason="needs the weights of MobileNetV2")
@pytest.mark.parametrize("data_format", ["channels_first", "channels_last"])
def test_the_encoder_does_what_keras_own_does(cache, no_network, data_format, picture, outputs):
    shutil.copy(WEIGHTS, cache)
    spec = ModelSpec("mobilenet_v2", 2, weights="imagenet", width=4, decoder_convs=1)
    core = build(spec, data_format, find_weights("mobilenet_v2"))
    own = keras.applications.MobileNetV2(
        input_shape=(64, 64, 3), include_top=False, weights=os.fspath(WEIGHTS)
    )
    own = keras.Model(own.input, own.get_layer("block_16_project_BN").output)
    image = picture(64, 64)[None].astype(np.float32)
    expected = own.predict_on_batch(keras.applications.mobilenet_v2.preprocess_input(image.copy()))
    if data_format == "channels_first":
        image = image.transpose(0, 3, 1, 2)
    normalize = next(
        layer for layer in core.layers if isinstance(layer, keras.layers.Normalization)
    )
    features = core.get_layer("encoder").predict_on_batch(np.asarray(normalize(image)))[-1]
    if data_format == "channels_first":
        features = features.transpose(0, 2, 3, 1)
    np.testing.assert_allclose(features, expected, atol=1e-3)
