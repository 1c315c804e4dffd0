import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest

from fewmask.errors import RunError
from fewmask.run import Run
from fewmask.training.source import Source

RUN = Run(Path("runs/ghế-1"))


def source_of(dataset: str | Path, masks: str | Path | None = None) -> Source:
    return Source.of(dataset, masks, ["wall=0", "chair=255"], 7, None, 10**6)


def test_comes_back_from_json() -> None:
    source = source_of("demo/chairs", "masks")
    assert Source.from_json(json.loads(json.dumps(asdict(source))), RUN) == source


def test_a_folder_is_found_again_from_anywhere(
    discs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(discs.parent)
    source = Source.of("discs", "discs/masks", [], None, None, 10**6)
    monkeypatch.chdir(tmp_path)
    assert len(source.read()) == 12


def test_a_name_stays_a_name() -> None:
    assert source_of("demo/chairs").path == "demo/chairs"


def test_masks_in_the_data_go_with_the_data(
    discs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "masks").mkdir()
    monkeypatch.chdir(tmp_path)
    # There is one here too, but the one in the data is meant.
    assert source_of(discs, "masks").masks == "masks"
    assert source_of(discs, os.fspath(tmp_path / "masks")).masks == str(tmp_path / "masks")


def test_what_was_made_in_python_cannot_be_read_again() -> None:
    with pytest.raises(RunError) as error:
        Source.from_json(asdict(Source(None)), RUN)
    assert str(error.value) == (
        f"{RUN.folder}: expected a run whose dataset was read from a folder, found one that was "
        "made in Python. Resume it there: fewmask.resume(run, dataset)."
    )
