"""What can go wrong: one family of errors that say where, expected, found, and what to do."""

from __future__ import annotations

import re
import shlex

_NEEDS_NO_QUOTES = re.compile(r"[\w@%+=:,./-]+")


class FewmaskError(Exception):
    """Something that the person at the keyboard can put right.

    The command line prints it as one sentence and ends with exit code 2; what was half written
    has been removed by then.

    Args:
        where: File, argument or run that is wrong, as the reader would name it.
        expected: The rule that was broken, a phrase: `"class ids 0 to 1"`.
        found: What is there instead, a phrase: `"255 in 812 pixels"`.
        remedy: What to do next, one or more full sentences.

    Example:

    >>> print(FewmaskError("a.png", "class ids 0 to 1", "255 in 812 pixels", "Use --classes."))
    a.png: expected class ids 0 to 1, found 255 in 812 pixels. Use --classes.
    """

    def __init__(self, where: object, expected: str, found: str, remedy: str) -> None:
        self.where = str(where)
        self.expected = expected
        self.found = found
        self.remedy = remedy
        super().__init__(f"{self.where}: expected {expected}, found {found}. {remedy}")


class DataError(FewmaskError):
    """An image, a mask, a table or a folder of them cannot be used as it is."""


class DecisionNeeded(DataError):
    """The files allow more than one reading, and only their owner knows which is meant."""


class ArgumentError(FewmaskError, ValueError):
    """An argument, an option or a value in a recipe file is out of its range."""


class RunError(FewmaskError):
    """A run cannot be made, found, read or continued."""


class ModelError(FewmaskError):
    """A model cannot be built, saved, exported, loaded, or does not do what it promises."""


class MissingPackage(FewmaskError, ImportError):
    """A Python package that this ability needs is not installed.

    Args:
        package: What could not be imported.
        ability: What was to be done with it, a phrase: `"training"`.
        install: The exact command that brings it.

    Example:

    >>> print(MissingPackage("keras", "training", 'pip install "fewmask[torch]"'))
    keras: expected to be installed for training, found no such package.
    Run: pip install "fewmask[torch]"
    """

    def __init__(self, package: str, ability: str, install: str) -> None:
        super().__init__(
            package, f"to be installed for {ability}", "no such package", f"Run: {install}"
        )


def check_argument(where: str, holds: bool, expected: str, found: object) -> None:
    """Refuses an argument that breaks a rule.

    Args:
        where: Its name.
        holds: Whether it keeps the rule.
        expected: The rule, a phrase.
        found: Its value.

    Raises:
        ArgumentError: If it does not hold.
    """
    if not holds:
        raise ArgumentError(where, expected, str(found), "Give another value.")


def typed(*words: object) -> str:
    """Writes words as they are typed at a command line, for remedies that name a command.

    Args:
        words: Words of a command; paths may be among them.

    Returns:
        The words with spaces between them, those in quotes that need some.

    Example:

    >>> print(typed("fewmask", "train", "ghế", "--name", "my chairs"))
    fewmask train ghế --name 'my chairs'
    """
    texts = [str(word) for word in words]
    return " ".join(
        text if _NEEDS_NO_QUOTES.fullmatch(text) else shlex.quote(text) for text in texts
    )
