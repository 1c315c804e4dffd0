import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from fewmask.models.backend import fast_data_format, keras, keras_settings

SOURCES = Path(__file__).parents[2] / "src"
# A Keras of one page: it takes its backend as the real one does, and as the real one writes a
# keras.json before it looks at the environment.
FAKE_KERAS = """
    import importlib, json, os, sys, types
    home = os.environ["KERAS_HOME"]
    path = os.path.join(home, "keras.json")
    name = json.load(open(path))["backend"] if os.path.exists(path) else "tensorflow"
    os.makedirs(home, exist_ok=True)
    json.dump({"backend": name}, open(path, "w"))
    name = os.environ.get("KERAS_BACKEND") or name
    settings = types.ModuleType("keras.src.backend.config")
    settings.backend = lambda: name
    settings = sys.modules.setdefault("keras.src.backend.config", settings)
    if settings.backend() not in ("torch", "jax", "tensorflow"):
        raise ValueError(f"Unable to import backend : {settings.backend()}")
    importlib.import_module(settings.backend())
    config = settings
"""


@pytest.fixture
def start(tmp_path):
    """Starts a Python that has nothing but our sources and the given packages, empty ones."""

    def run(code, installed=(), environment=None):
        packages = tmp_path / "packages"
        for name in installed:
            (packages / name).mkdir(parents=True, exist_ok=True)
            text = textwrap.dedent(FAKE_KERAS) if name == "keras" else ""
            (packages / name / "__init__.py").write_text(text, "utf-8")
        done = subprocess.run(
            [sys.executable, "-S", "-c", textwrap.dedent(code)],
            env={
                "PYTHONPATH": os.pathsep.join([str(SOURCES), str(packages)]),
                "KERAS_HOME": str(tmp_path / "thư mục keras"),
                **(environment or {}),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout.strip() or done.stderr.strip().splitlines()[-1]

    return run


SHOW = """
    from fewmask.models.backend import backend_notice, keras
    print(keras.config.backend(), backend_notice())
"""
NOTICE = (
    "Keras runs on {}, the first installed of torch, jax, tensorflow; "
    "set KERAS_BACKEND to take another."
)


@pytest.mark.parametrize(
    ("installed", "taken"),
    [
        (("torch",), "torch"),
        (("tensorflow", "torch", "jax"), "torch"),
        (("tensorflow", "jax"), "jax"),
        (("tensorflow",), "tensorflow"),
    ],
)
def test_the_first_installed_backend_is_taken_and_named(start, installed, taken):
    assert start(SHOW, ("keras", *installed)) == f"{taken} {NOTICE.format(taken)}"


def test_what_the_environment_says_is_done_without_a_word(start):
    packages = ("keras", "torch", "jax")
    assert start(SHOW, packages, {"KERAS_BACKEND": "jax"}) == "jax None"


def test_what_keras_json_says_is_done_without_a_word(start, tmp_path):
    (tmp_path / "thư mục keras").mkdir()
    (tmp_path / "thư mục keras" / "keras.json").write_text(json.dumps({"backend": "jax"}))
    assert start(SHOW, ("keras", "torch", "jax")) == "jax None"


def test_the_keras_json_that_keras_writes_by_itself_is_no_choice(start):
    first = start(SHOW, ("keras", "torch"))
    assert start(SHOW, ("keras", "torch")) == first == f"torch {NOTICE.format('torch')}"


@pytest.mark.parametrize("broken", ["", "[]", "{}", "{", '"jax"'])
def test_a_broken_keras_json_is_no_choice(start, tmp_path, broken):
    (tmp_path / "thư mục keras").mkdir()
    (tmp_path / "thư mục keras" / "keras.json").write_text(broken)
    code = """
        import os
        try:
            import fewmask.models.backend
        except Exception:
            pass  # the one-page Keras gives up on such a file; the choice is made by then
        print(os.environ["KERAS_BACKEND"])
    """
    assert start(code, ("keras", "torch")) == "torch"


def test_without_keras_the_command_to_type_is_told(start):
    assert start(SHOW, ("torch",)) == (
        "fewmask.errors.MissingPackage: keras: expected to be installed for training, "
        'found no such package. Run: pip install "fewmask[torch]"'
    )


def test_without_a_backend_the_command_to_type_is_told(start):
    assert start(SHOW, ("keras",)) == (
        "fewmask.errors.MissingPackage: torch, jax or tensorflow: expected to be installed for "
        'training, found no such package. Run: pip install "fewmask[torch]"'
    )


SENTENCE = (
    "fewmask.errors.ModelError: keras: expected its backend {0} to be installed, found that it "
    "cannot be imported: {1}. Start again with KERAS_BACKEND set to an "
    'installed one of torch, jax and tensorflow, or run: pip install "fewmask[torch]"'
)


def test_a_missing_backend_in_the_environment_is_one_sentence(start):
    found = start(SHOW, ("keras", "torch"), {"KERAS_BACKEND": "jax"})
    assert found == SENTENCE.format("jax", "No module named 'jax'")


def test_a_slip_in_the_name_of_the_backend_is_one_sentence(start):
    found = start(SHOW, ("keras", "torch"), {"KERAS_BACKEND": "pytorch"})
    assert found == SENTENCE.format("pytorch", "Unable to import backend : pytorch")


def test_a_keras_that_was_loaded_with_a_missing_backend_is_one_sentence(start):
    code = """
        try:
            import keras
        except ImportError:
            pass
        from fewmask.models.backend import keras
    """
    missing = SENTENCE.format("tensorflow", "No module named 'tensorflow'")
    assert start(code, ("keras", "torch")) == missing


def test_settings_are_put_back_even_after_an_error():
    before = keras.config.image_data_format(), keras.config.dtype_policy().name
    other = "channels_first" if before[0] == "channels_last" else "channels_last"

    def fail():
        with keras_settings(other, "mixed_bfloat16"):
            assert keras.config.image_data_format() == other
            assert keras.config.dtype_policy().name == "mixed_bfloat16"
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert (keras.config.image_data_format(), keras.config.dtype_policy().name) == before


def test_torch_trains_channels_first():
    torch = keras.config.backend() == "torch"
    assert fast_data_format() == ("channels_first" if torch else "channels_last")
