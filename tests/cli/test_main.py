import os
import subprocess
import sys
from importlib import import_module
from types import SimpleNamespace

import click
import pytest

import fewmask as package
from fewmask.cli import COMMANDS, commands
from fewmask.data.formats.labels import TITLES
from fewmask.errors import ArgumentError
from fewmask.models.names import ENCODERS


@pytest.fixture
def command_that(monkeypatch):
    """Puts a function in the place of `fewmask inspect`."""

    def replace(function):
        command = click.Command("inspect", callback=function)
        monkeypatch.setattr("fewmask.cli.import_module", lambda _: SimpleNamespace(inspect=command))

    return replace


def test_the_help_lists_the_commands(fewmask):
    told = fewmask("--help")
    assert told.code == 0
    for name, line in COMMANDS.items():
        assert f"  {name} " in told.out
        assert line in told.out
    assert told.out.endswith("Begin with: fewmask train demo/chairs\n")
    assert fewmask("-h").out == told.out


def test_the_help_names_every_encoder_and_every_format_that_is_read(fewmask):
    # Typed there by hand: their homes are not imported for a help text.
    models, formats = (set(fewmask(word, "--help").out.split()) for word in ("train", "convert"))
    assert set(ENCODERS) <= {word.strip(",;") for word in models}
    assert set(TITLES) <= {word.strip(",.") for word in formats}


def test_the_version(fewmask):
    assert fewmask("--version").out == f"fewmask, version {package.__version__}\n"


def commands_with_words():
    """Yields every command with the words that call it; groups give those inside them."""
    for name in COMMANDS:
        command = getattr(import_module(f"fewmask.cli.{name}"), name)
        if isinstance(command, click.Group):
            yield from ((inner, f"{name} {word}") for word, inner in command.commands.items())
        else:
            yield command, name


EVERY = pytest.mark.parametrize(
    ("command", "words"), [pytest.param(*each, id=each[1]) for each in commands_with_words()]
)


@EVERY
def test_the_help_of_every_command_has_an_example(fewmask, command, words):
    told = fewmask(*words.split(), "--help")
    assert told.code == 0
    example = told.out.rstrip("\n").rpartition("\n")[2] + " "
    assert example.startswith(f"  Example: fewmask {words} ")


@EVERY
def test_the_example_means_something_to_the_command(command, words):
    example = command.epilog.removeprefix(f"Example: fewmask {words}").split()
    # Parsing raises where an option or an argument is unknown.
    assert command.make_context(words, example) is not None


@EVERY
def test_every_command_that_tells_something_can_speak_json(command, words):
    silent = ("registry add", "registry remove", "dataset uninstall", "dataset export")
    spoken = "--json" in [option for each in command.params for option in each.opts]
    assert spoken or words in silent


def test_the_list_of_commands_is_theirs():
    for name in COMMANDS:
        assert commands.get_command(click.Context(commands), name).name == name


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("tran", "Did you mean: fewmask train"),
        ("evalute", "Did you mean: fewmask evaluate"),
        ("instal", "Did you mean: fewmask install"),
        ("xyzzy", "See: fewmask --help"),
    ],
)
def test_a_misspelled_command(fewmask, word, hint):
    told = fewmask(word, "x")
    assert (told.code, told.out) == (2, "")
    expected = f"expected one of {', '.join(COMMANDS)}"
    assert told.error == f"Error: {expected}, found {word!r}. {hint}"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["train", "--early-stoping"], "No such option '--early-stoping'. Did you mean "
         "'--early-stopping'?"),
        (["inspect"], "Missing argument 'DATASET'."),
        (["train", "x", "--epochs", "many"],
         "Invalid value for '--epochs': 'many' is not a valid integer."),
    ],
)  # fmt: skip
def test_what_cannot_be_parsed_is_told_with_a_hint(fewmask, words, sentence):
    told = fewmask(*words)
    assert (told.code, told.out) == (2, "")
    assert f"Try 'fewmask {words[0]} --help' for help." in told.err
    assert told.error == f"Error: {sentence}"


def test_a_mistake_of_the_user_is_one_sentence(fewmask, command_that):
    def refuse():
        raise ArgumentError("--epochs", "1 or more", "0", "Try --epochs 1")

    command_that(refuse)
    told = fewmask("inspect")
    sentence = "Error: --epochs: expected 1 or more, found 0. Try --epochs 1\n"
    assert (told.code, told.out, told.err) == (2, "", sentence)


def test_ctrl_c(fewmask, command_that):
    def interrupted():
        raise KeyboardInterrupt

    command_that(interrupted)
    told = fewmask("inspect")
    # The empty line ends the one in which the terminal shows ^C.
    assert (told.code, told.out, told.err) == (130, "", "\nStopped.\n")


def test_a_fault_of_ours_says_that_it_is_ours(fewmask, command_that):
    command_that(lambda: 1 / 0)
    told = fewmask("inspect")
    assert told.code == 1
    assert "ZeroDivisionError: division by zero" in told.err
    assert told.error == (
        "This is a fault of fewmask, not of yours. Please report it with the lines above."
    )


@pytest.mark.skipif(os.name == "nt", reason="pipes break otherwise there")
def test_a_reader_who_has_gone_is_no_fault():
    program = "import time; from fewmask.cli import main; time.sleep(0.2); main(['--help'])"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as told:
        told.stdout.close()
        assert told.stderr.read() == ""
