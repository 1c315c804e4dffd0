import errno
import math
import os
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

from fewmask.errors import FewmaskError, RunError
from fewmask.training.checkpoint import State, epoch_of_weights, load_weights, save_weights


def some_state(epoch: int = 3) -> State:
    arrays = [np.full((2, 3), epoch, np.float32), np.array(7, np.int64), np.zeros((0,), np.uint32)]
    return State(
        epoch=epoch,
        model=arrays,
        optimizer=arrays[:2] * 6,
        average=arrays[:1],
        average_updates=5,
        counters={"EarlyStopping": {"wait": 2, "best": 0.1 + 0.2}},
        rows=[{"epoch": 1.0, "loss": 1 / 3, "validation_dice": math.nan}],
        best=(1 / 3, -math.inf),
        seconds=0.1,
        ended_early=True,
    )


def assert_equal(first: State, second: State) -> None:
    for group in ("model", "optimizer", "average"):
        pairs = list(zip(getattr(first, group), getattr(second, group), strict=True))
        for one, other in pairs:
            np.testing.assert_array_equal(one, other)
            assert one.dtype == other.dtype
    for name in ("epoch", "average_updates", "counters", "best", "seconds", "ended_early"):
        assert getattr(first, name) == getattr(second, name)
    assert repr(first.rows) == repr(second.rows)  # NaN is not equal to itself


def test_comes_back_bit_for_bit(tmp_path: Path) -> None:
    some_state().save(tmp_path / "last" / "state.npz")
    assert_equal(State.load(tmp_path / "last" / "state.npz"), some_state())


def test_a_fresh_one_comes_back_too(tmp_path: Path) -> None:
    State().save(tmp_path / "state.npz")
    assert_equal(State.load(tmp_path / "state.npz"), State())


def test_weights_keep_their_order(tmp_path: Path) -> None:
    weights = [np.array([index], np.float32) for index in range(12)]
    save_weights(tmp_path / "weights.npz", weights, epoch=7)
    assert epoch_of_weights(tmp_path / "weights.npz") == 7
    assert [value.item() for value in load_weights(tmp_path / "weights.npz")] == list(range(12))


@pytest.mark.parametrize("load", [State.load, load_weights, epoch_of_weights])
@pytest.mark.parametrize("content", [b"", b"half", None])
def test_names_a_damaged_file(load: Any, content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "state.npz"
    some_state().save(path)
    path.write_bytes(path.read_bytes()[:500] if content is None else content)
    with pytest.raises(RunError, match=r"state\.npz: expected (a whole checkpoint|whole weights)"):
        load(path)


def test_names_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"found nothing\. Train at least one epoch\.$"):
        load_weights(tmp_path / "weights.npz")
    with pytest.raises(RunError, match=r"found nothing\. Train at least one epoch\.$"):
        State.load(tmp_path / "state.npz")


@pytest.mark.parametrize("where", [(np, "savez"), (os, "replace")])
def test_a_full_disk_leaves_the_last_one_whole(
    where: tuple[Any, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state.npz"
    some_state(epoch=3).save(path)

    def no_room(*args: Any, **kwargs: Any) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(*where, no_room)
    with pytest.raises(FewmaskError) as error:
        some_state(epoch=4).save(path)
    assert str(error.value) == (
        f"{path}: expected room on the disk to write it, found the disk is full. "
        "Free some room or choose another folder; nothing half-written was left."
    )
    monkeypatch.undo()
    assert State.load(path).epoch == 3
    assert list(tmp_path.iterdir()) == [path]
