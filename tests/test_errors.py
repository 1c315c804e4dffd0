import inspect

import pytest

from fewmask import errors
from fewmask.errors import ArgumentError, FewmaskError, MissingPackage

KINDS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, FewmaskError) and kind is not MissingPackage
]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_says_where_what_and_what_to_do(kind: type[FewmaskError]) -> None:
    error = kind("ghế 1.png", "class ids 0 to 1", "255 in 812 pixels", "Use --classes.")
    assert str(error) == (
        "ghế 1.png: expected class ids 0 to 1, found 255 in 812 pixels. Use --classes."
    )
    assert (error.where, error.remedy) == ("ghế 1.png", "Use --classes.")
    assert isinstance(error, FewmaskError)


def test_python_programmers_catch_what_they_expect() -> None:
    with pytest.raises(ValueError, match="--size"):
        raise ArgumentError("--size", "32 or more", "3", "Try --size 32.")
    with pytest.raises(ImportError, match="keras"):
        raise MissingPackage("keras", "training", "pip install keras")


def test_a_missing_package_names_the_command() -> None:
    error = MissingPackage("keras", "training", 'pip install "fewmask[torch]"')
    assert str(error) == (
        "keras: expected to be installed for training, found no such package. "
        'Run: pip install "fewmask[torch]"'
    )
