import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from fewmask.data.schema import Column
from fewmask.errors import DataError, RunError
from fewmask.packages.load import load_dataset
from fewmask.packages.shard import write_shard
from fewmask.run import Run
from fewmask.training.source import Source

RUN = Run(Path("runs/ghế-1"))


def source_of(dataset: str | Path, masks: str | Path | None = None) -> Source:
    return Source.of(dataset, masks, ["wall=0", "chair=255"], 7, None, 10**6)


def test_comes_back_from_json() -> None:
    source = source_of("demo/chairs", "masks")
    assert Source.from_json(json.loads(json.dumps(asdict(source))), RUN) == source


def test_all_classes_may_stand_in_one_text() -> None:
    source = Source.of("discs", None, "wall=0,chair=255", None, None, 10**6)
    assert source.classes == ("wall=0,chair=255",)


def test_a_folder_is_found_again_from_anywhere(
    discs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(discs.parent)
    source = Source.of("discs", "discs/masks", [], None, None, 10**6)
    source = source.pinned(source.read())
    monkeypatch.chdir(tmp_path)
    assert len(source.read()) == 12


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are always text")
def test_a_folder_around_the_data_whose_name_is_no_text_is_named_first(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9") / "discs"
    folder.mkdir(parents=True)
    with pytest.raises(DataError) as error:
        source_of(folder)
    assert str(error.value) == (
        f"{tmp_path}/caf\ufffd/discs: expected a name in UTF-8, found one in another encoding. "
        "Rename it."
    )


def test_a_name_stays_a_name() -> None:
    assert source_of("demo/chairs").path == "demo/chairs"


def test_masks_in_the_data_go_with_the_data(
    discs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "masks").mkdir()
    monkeypatch.chdir(tmp_path)
    # There is one here too, but the one in the data is meant.
    dataset = load_dataset(discs)
    assert source_of(discs, "masks").pinned(dataset).masks == "masks"
    elsewhere = os.fspath(tmp_path / "masks")
    assert source_of(discs, elsewhere).pinned(dataset).masks == elsewhere


def test_a_column_of_masks_is_no_folder_that_is_called_like_it(
    discs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = [Column("image", "image"), Column("mask", "mask")]
    files = zip(*(sorted((discs / kind).iterdir()) for kind in ("images", "masks")), strict=True)
    row = [(path.name, path.read_bytes()) for path in next(files)]
    write_shard(tmp_path / "packed" / "a.parquet", columns, [[row]], {})
    (tmp_path / "mask").mkdir()
    monkeypatch.chdir(tmp_path)
    source = Source.of("packed", "mask", ["wall=0", "chair=255"], None, None, 10**6)
    dataset = source.read()
    assert len(dataset) == 1
    assert source.pinned(dataset).masks == "mask"


def test_what_was_made_in_python_cannot_be_read_again() -> None:
    with pytest.raises(RunError) as error:
        Source.from_json(asdict(Source(None)), RUN)
    assert str(error.value) == (
        f"{RUN.folder}: expected a run whose dataset was read from a folder, found one that was "
        "made in Python. Resume it there: fewmask.resume(run, dataset)."
    )
