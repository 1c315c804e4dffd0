import errno
import os
from pathlib import Path
from typing import Any, NoReturn

import pytest

from fewmask.errors import FewmaskError
from fewmask.files import cannot_write, remove_unfinished, whole_file, whole_folder, write_text


def test_makes_the_folder_and_leaves_nothing_beside(tmp_path: Path) -> None:
    path = tmp_path / "thư mục" / "ghi chú.txt"
    write_text(path, "ghế\r\n")
    assert path.read_bytes() == "ghế\r\n".encode()
    assert list(path.parent.iterdir()) == [path]


def test_a_tilde_means_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.chdir(tmp_path)
    write_text("~/notes/a.txt", "")
    with whole_folder("~/pictures"):
        pass
    assert sorted(path.name for path in home.iterdir()) == ["notes", "pictures"]
    assert list(tmp_path.iterdir()) == [home]


def test_lends_a_hidden_name_of_the_same_kind(tmp_path: Path) -> None:
    with whole_file(tmp_path / "picture.png") as beside:
        beside.write_text("")
        assert beside.parent == tmp_path
        assert beside.name.startswith(".picture-")
        assert beside.suffix == ".png"


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_a_block_that_raises_leaves_the_old_file(
    error: type[BaseException], tmp_path: Path
) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def write_half() -> None:
        with whole_file(path) as beside:
            beside.write_text("ne")
            raise error

    with pytest.raises(error):
        write_half()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (
            errno.ENOSPC,
            "expected room on the disk to write it, found the disk is full. "
            "Free some room or choose another folder; nothing half-written was left.",
        ),
        (
            errno.EACCES,
            "expected a folder that may be written to, found no right to write there. "
            "Choose another folder or change its rights.",
        ),
        (
            errno.EROFS,
            "expected a folder that may be written to, found no right to write there. "
            "Choose another folder or change its rights.",
        ),
        (
            errno.EIO,
            "expected to be written, found the system refused: Input/output error. "
            "Check the path and the disk, or choose another folder.",
        ),
    ],
)
def test_what_the_system_refuses_is_said_in_a_sentence(
    number: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any) -> NoReturn:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(FewmaskError) as error:
        write_text(tmp_path / "a.txt", "new")
    assert str(error.value) == f"{tmp_path / 'a.txt'}: {words}"
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    with pytest.raises(FewmaskError, match="the system refused: File exists"):
        write_text(tmp_path / "runs" / "a.txt", "new")


@pytest.mark.parametrize("name", [".", "/", "there"])
def test_the_name_of_a_folder_is_no_name_for_a_file(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    with pytest.raises(FewmaskError) as error:
        write_text(name, "new")
    assert str(error.value) == (
        f"{name}: expected the name of a file to be, found that of a folder. Name a file, in it "
        "for example."
    )


def test_an_error_without_a_number_is_told_by_its_text() -> None:
    assert "the system refused: no luck." in str(cannot_write("a", OSError("no luck")))


def test_removes_what_a_kill_left_and_nothing_else(tmp_path: Path) -> None:
    kept = [".lock", ".gitignore", ".my-notes.txt", "model-0123abcd.onnx", ".a-0123ABCD.txt"]
    left = [".model-0123abcd.onnx", ".state-89abcdef.npz", ".plan-0123abcd"]
    for name in (*kept, *left):
        write_text(tmp_path / "last" / name, "")
    remove_unfinished(tmp_path)
    assert {path.name for path in (tmp_path / "last").iterdir()} == set(kept)


def test_every_name_that_is_lent_would_be_removed(tmp_path: Path) -> None:
    for name in ("a.txt", "no suffix", "ghế.tar.gz", ".hidden"):
        with whole_file(tmp_path / name) as beside:
            beside.write_text("")
            lent = tmp_path / "left" / beside.name
            write_text(lent, "")
    remove_unfinished(tmp_path / "left")
    assert list((tmp_path / "left").iterdir()) == []


def test_a_folder_appears_whole(tmp_path: Path) -> None:
    with whole_folder(tmp_path / "sâu" / "thư mục") as beside:
        (beside / "a").mkdir()
        (beside / "a" / "b.txt").write_text("all of it")
        assert not (tmp_path / "sâu" / "thư mục").exists()
    assert [path.name for path in (tmp_path / "sâu").iterdir()] == ["thư mục"]
    assert (tmp_path / "sâu" / "thư mục" / "a" / "b.txt").read_text() == "all of it"


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_a_folder_whose_block_raises_leaves_nothing(
    error: type[BaseException], tmp_path: Path
) -> None:
    def write_half() -> None:
        with whole_folder(tmp_path / "new") as beside:
            (beside / "a.txt").write_text("ha")
            raise error

    with pytest.raises(error):
        write_half()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [".", "/"])
def test_a_folder_without_a_name_is_there_already(name: str) -> None:
    with pytest.raises(FewmaskError) as error, whole_folder(name):
        pass
    assert str(error.value) == (
        f"{name}: expected a name that is free, found something of this name. Choose another name."
    )


def test_a_folder_that_exists_is_kept(tmp_path: Path) -> None:
    write_text(tmp_path / "there" / "a.txt", "old")
    with pytest.raises(FewmaskError, match="expected a name that is free"):  # noqa: SIM117
        with whole_folder(tmp_path / "there") as beside:
            (beside / "a.txt").write_text("new")
    assert [path.name for path in tmp_path.iterdir()] == ["there"]
    assert (tmp_path / "there" / "a.txt").read_text() == "old"
