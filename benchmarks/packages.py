"""Datasets by name: how fast they are built, installed and read, and what a new version costs.

    make bench-packages FOLDER=…, which brings DVC, or by hand
    python benchmarks/packages.py FOLDER [--images 10000] [--rounds 3] [--dvc PATH/TO/dvc]

FOLDER holds images/ and masks/ (the nuclei of the Data Science Bowl 2018, for one), whose files
are copied under new names until there are enough. All that is timed lies on one disk, below
--work.

Speed. The least that moving files safely takes is `cp -r` and `sha256sum` of the copy. Beside it:
packing (what `build` does once the folder is understood and every pixel is checked; these are
timed apart and once, as only `build` does them), `push` to a registry in a folder and `install`
from it into an empty store; the same samples written as Parquet and loaded by Hugging Face
`datasets`; and `dvc add` with `dvc push`, then `dvc pull` into a fresh clone. They take turns;
medians of the rounds are reported.

Reading. Random samples, image and mask decoded into arrays: from the original files, from the
installed dataset, and by `datasets`. Bytes alone, without decoding, too.

Sharing. What one changed mask, one added and one removed image cost, in bytes that are not there
yet: by shards that rows are hashed to (what `build` does), by shards of rows in their order (what
`datasets` writes), and by Parquet files cut by pyarrow's content-defined chunking, if something
stored each of their pages once.

Commands. `dataset list`, `info` and `install` of what is there already, from the start of Python to
its end, in turns; and the first `dataset list` on a machine, when Python has yet to compile what it
imports.

Memory is the most that a process held that did nothing but build.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from machine import describe_machine

NAME = "bench/nuclei"
SAMPLES = 600
TURN = 20

Seconds = dict[str, list[float]]


def copy_images(source: Path, folder: Path, count: int) -> None:
    """Copies images and their masks under new names until there are enough."""
    images = sorted(path for path in (source / "images").rglob("*") if path.is_file())
    masks = {path.stem: path for path in (source / "masks").rglob("*") if path.is_file()}
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    for number in range(count):
        image = images[number % len(images)]
        mask = masks[image.stem]
        stem = f"{number // len(images):03d}-{image.stem}"
        shutil.copyfile(image, folder / f"images/{stem}{image.suffix}")
        shutil.copyfile(mask, folder / f"masks/{stem}{mask.suffix}")


def timed(action: Callable[[], Any]) -> tuple[float, Any]:
    """Times an action that does not wait for what others have yet to write to the disk."""
    if hasattr(os, "sync"):
        os.sync()
    started = time.perf_counter()
    result = action()
    return time.perf_counter() - started, result


def empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def copy_and_hash(folder: Path, copy: Path) -> None:
    subprocess.run(["cp", "-r", folder, copy], check=True)
    listing = f"find '{copy}' -type f -print0 | xargs -0 sha256sum"
    subprocess.run(listing, shell=True, check=True, stdout=subprocess.DEVNULL)


class Fewmask:
    """Builds, publishes and installs, each step timed apart."""

    def __init__(self, folder: Path, work: Path) -> None:
        from fewmask.packages.load import load_dataset
        from fewmask.packages.store import Store

        self.work = work
        self.store, self.other = Store(work / "store"), Store(work / "other-store")
        self.understanding, self.dataset = timed(lambda: load_dataset(folder))
        self.checking, self.checked = timed(self.check)

    def check(self) -> Any:
        from fewmask.packages.checking import check_pixels

        return check_pixels(self.dataset, self.work / "masks")

    def pack(self) -> None:
        """Builds without looking at the pixels again."""
        from fewmask.packages import build

        check_pixels = build.check_pixels
        build.check_pixels = lambda *_arguments: self.checked
        try:
            build.build_package(NAME, self.dataset, license="CC0-1.0", store=self.store)
        finally:
            build.check_pixels = check_pixels

    def push(self) -> None:
        from fewmask.packages.push import push

        push(NAME, str(self.work / "registry"), store=self.store)

    def install(self) -> None:
        from fewmask.packages.install import install

        install(NAME, source=str(self.work / "registry"), store=self.other)


def write_with_datasets(rows: Sequence[tuple[Path, Path]], folder: Path) -> None:
    """Writes the samples as `push_to_hub` would, into a folder: bytes embedded, in shards."""
    import datasets
    from datasets.table import embed_table_storage

    columns = {
        "image": [str(image) for image, _ in rows],
        "mask": [str(mask) for _, mask in rows],
    }
    made = datasets.Dataset.from_dict(columns)
    made = made.cast_column("image", datasets.Image()).cast_column("mask", datasets.Image())
    made = made.with_format("arrow").map(embed_table_storage, batched=True, batch_size=100)
    (folder / "data").mkdir(parents=True)
    for number in range(4):
        part = made.shard(4, number, contiguous=True)
        part.to_parquet(folder / f"data/train-{number:05d}-of-00004.parquet", batch_size=100)


def load_with_datasets(folder: Path, cache: Path) -> Any:
    import datasets

    return datasets.load_dataset(str(folder), cache_dir=str(cache), split="train")


class Dvc:
    """Runs DVC in a folder of its own, with a remote in another."""

    def __init__(self, program: str, folder: Path, work: Path) -> None:
        self.program, self.folder, self.work = program, folder, work

    def run(self, place: Path, *words: str) -> None:
        subprocess.run([self.program, *words], cwd=place, check=True, capture_output=True)

    def prepare(self) -> None:
        """Copies the files into an empty project, which is not timed."""
        for name in ("dvc", "dvc-remote", "dvc-clone"):
            empty(self.work / name).mkdir()
        shutil.copytree(self.folder, self.work / "dvc/photos")
        self.run(self.work / "dvc", "init", "--no-scm")
        self.run(self.work / "dvc", "remote", "add", "-d", "here", str(self.work / "dvc-remote"))

    def add_and_push(self) -> None:
        self.run(self.work / "dvc", "add", "photos")
        self.run(self.work / "dvc", "push")

    def pull(self) -> None:
        for name in (".dvc/config", "photos.dvc"):
            target = self.work / "dvc-clone" / name
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(self.work / "dvc" / name, target)
        self.run(self.work / "dvc-clone", "pull")


def measure_memory(folder: Path, work: Path) -> float:
    """Returns the most megabytes that building took; the first child of this process."""
    program = (
        "import sys; from fewmask.packages.build import build_package\n"
        "from fewmask.packages.load import load_dataset\n"
        "from fewmask.packages.store import Store\n"
        "build_package('a/b', load_dataset(sys.argv[1]), license='MIT', store=Store(sys.argv[2]))"
    )
    subprocess.run([sys.executable, "-c", program, folder, work / "memory"], check=True)
    empty(work / "memory")
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def measure_speed(
    folder: Path, work: Path, rounds: int, dvc: str | None
) -> tuple[Seconds, Fewmask]:
    seconds: Seconds = defaultdict(list)
    ours = Fewmask(folder, work)
    rows = [
        (ours.dataset.image_path(index), ours.dataset.mask_path(index))
        for index in range(len(ours.dataset))
    ]
    for number in range(rounds):
        print(f"  round {number + 1} of {rounds}", file=sys.stderr)
        # Twenty thousand files take long to remove, which is nobody's task here.
        for name in ("copy", "store", "other-store", "registry", "datasets", "cache"):
            empty(work / name)
        (work / "registry").mkdir()
        steps: dict[str, Callable[[], Any]] = {
            "cp -r + sha256sum": partial(copy_and_hash, folder, work / "copy"),
            "fewmask build: packing": ours.pack,
            "fewmask push": ours.push,
            "fewmask install": ours.install,
            "datasets: to_parquet": partial(write_with_datasets, rows, work / "datasets"),
            "datasets: load_dataset": partial(
                load_with_datasets, work / "datasets", work / "cache"
            ),
        }
        for name, step in steps.items():
            seconds[name].append(timed(step)[0])
        if dvc is not None:
            peer = Dvc(dvc, folder, work)
            peer.prepare()
            seconds["dvc add + push"].append(timed(peer.add_and_push)[0])
            seconds["dvc pull"].append(timed(peer.pull)[0])
    seconds["fewmask build: understanding the folder"] = [ours.understanding]
    seconds["fewmask build: checking every pixel"] = [ours.checking]
    return seconds, ours


def measure_reading(ours: Fewmask, work: Path, rounds: int) -> dict[str, list[float]]:
    """Returns samples a second, by one thread and by two, in turns."""
    import numpy as np

    from fewmask.packages.load import load_dataset

    installed = load_dataset(NAME, store=ours.other)
    hub = load_with_datasets(work / "datasets", work / "cache")
    places = [random.Random(0).randrange(len(installed)) for _ in range(SAMPLES)]

    def decode(dataset: Any) -> Callable[[int], object]:
        return lambda index: (dataset.read_image(index), dataset.read_mask(index))

    def bytes_of(dataset: Any) -> Callable[[int], object]:
        return lambda index: (
            dataset.image_path(index).read_bytes(),
            dataset.mask_path(index).read_bytes(),
        )

    def by_datasets(index: int) -> object:
        row = hub[index]
        return np.asarray(row["image"]), np.asarray(row["mask"])

    contestants = {
        "original files": decode(ours.dataset),
        "fewmask, installed": decode(installed),
        "datasets": by_datasets,
        "original files, bytes alone": bytes_of(ours.dataset),
        "fewmask, installed, bytes alone": bytes_of(installed),
    }
    # In short turns, so that whatever else the machine does meets all of them.
    rates: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        spent: dict[str, float] = defaultdict(float)
        with ThreadPoolExecutor(2) as threads:
            for start in range(0, SAMPLES, TURN):
                for name, read in contestants.items():
                    began = time.perf_counter()
                    list(threads.map(read, places[start : start + TURN]))
                    spent[name] += time.perf_counter() - began
        for name, seconds in spent.items():
            rates[name].append(SAMPLES / seconds)
    return rates


def measure_commands(work: Path, rounds: int) -> Seconds:
    """Times commands that need nothing but what is there, in a home that has the dataset."""
    home, project = work / "home", work / "project"
    project.mkdir()
    names = ("HOME", "USERPROFILE", "LOCALAPPDATA", "XDG_DATA_HOME", "XDG_CONFIG_HOME")
    surroundings = os.environ | {name: str(home) for name in names}

    def run(*words: str, **more: str) -> None:
        subprocess.run(
            [sys.executable, "-m", "fewmask", *words],
            cwd=project,
            env=surroundings | more,
            check=True,
            stdout=subprocess.DEVNULL,
        )

    run("registry", "add", "here", str(work / "registry"))
    run("install", NAME)
    commands = {
        "fewmask dataset list": partial(run, "dataset", "list"),
        "fewmask dataset info": partial(run, "dataset", "info", NAME),
        "fewmask install, of what is there": partial(run, "install", NAME),
        "fewmask install, of what is pinned and there": partial(run, "install"),
    }
    seconds: Seconds = defaultdict(list)
    for _ in range(3 * rounds):
        for name, command in commands.items():
            seconds[name].append(timed(command)[0])
        compiled = empty(work / "compiled")
        first = partial(run, "dataset", "list", PYTHONPYCACHEPREFIX=str(compiled))
        seconds["fewmask dataset list, nothing compiled yet"].append(timed(first)[0])
    return seconds


# --- sharing ------------------------------------------------------------------------------------

Row = tuple[str, bytes, bytes]


Piece = tuple[bytes, int]


def piece_of(content: bytes | memoryview) -> Piece:
    """Returns what a store would know of a piece: its hash and its size."""
    return hashlib.sha256(content).digest(), len(content)


def new_share(before: Sequence[Piece], after: Sequence[Piece]) -> float:
    """Returns the bytes of pieces that were not there, as a share of all."""
    there = {digest for digest, _ in before}
    new = sum(size for digest, size in after if digest not in there)
    return new / sum(size for _, size in after)


def by_hash(rows: Sequence[Row], work: Path) -> list[Piece]:
    """Writes shards as `build` does."""
    from fewmask.data.schema import Column
    from fewmask.packages.shard import write_shard
    from fewmask.packages.sharing import count_shards, group_rows, hash_id, shard_of

    columns = [Column("image", "image"), Column("mask", "mask")]
    count = count_shards(len(rows), sum(len(image) + len(mask) for _, image, mask in rows))
    shards: list[list[tuple[int, Row]]] = [[] for _ in range(count)]
    for row in rows:
        shards[shard_of(hash_id(row[0]), count)].append((hash_id(row[0]), row))
    pieces = []
    for members in shards:
        ordered = [row for _, row in sorted(members)]
        groups = group_rows([len(image) + len(mask) for _, image, mask in ordered])
        values = [
            [
                ((f"{sample}.png", image), (f"{sample}.png", mask))
                for sample, image, mask in (ordered[place] for place in group)
            ]
            for group in groups
        ]
        shard = write_shard(work / "shard", columns, values, {})
        pieces.append((bytes.fromhex(shard.sha256), shard.size))
    return pieces


def arrow_table(rows: Sequence[Row]) -> Any:
    import pyarrow as pa

    return pa.Table.from_pylist(
        [
            {
                "image": {"bytes": image, "path": f"{sample}.png"},
                "mask": {"bytes": mask, "path": f"{sample}.png"},
            }
            for sample, image, mask in rows
        ]
    )


def in_order(rows: Sequence[Row], work: Path) -> list[Piece]:
    """Writes 64 shards of rows in their order."""
    import pyarrow.parquet as pq

    size = -(-len(rows) // 64)
    pieces = []
    for start in range(0, len(rows), size):
        pq.write_table(arrow_table(rows[start : start + size]), work / "shard", compression="none")
        pieces.append(piece_of((work / "shard").read_bytes()))
    return pieces


def by_content(rows: Sequence[Row], work: Path) -> list[Piece]:
    """Writes one file by content-defined chunking, and returns its pages and its footer."""
    import pyarrow.parquet as pq

    from fewmask.packages.thrift import read_struct

    pq.write_table(
        arrow_table(rows),
        work / "shard",
        compression="none",
        use_dictionary=False,
        use_content_defined_chunking=True,
        row_group_size=1_000_000,
    )
    content = (work / "shard").read_bytes()
    metadata = pq.read_metadata(work / "shard")
    pieces, last = [], 0
    for group in range(metadata.num_row_groups):
        for column in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(column)
            place = chunk.data_page_offset
            last = place + chunk.total_compressed_size
            while place < last:
                head, end = read_struct(content, place)
                pieces.append(piece_of(content[place : end + head[3]]))
                place = end + head[3]
    return [*pieces, piece_of(content[last:])]


def measure_sharing(ours: Fewmask, work: Path, count: int) -> list[tuple[str, list[float]]]:
    """Returns, for each way to cut, the share that three changes cost."""
    rows: list[Row] = [
        (
            ours.dataset.sample_id(index),
            ours.dataset.image_path(index).read_bytes(),
            ours.dataset.mask_path(index).read_bytes(),
        )
        for index in range(min(count, len(ours.dataset)))
    ]
    middle = len(rows) // 2
    sample, image, mask = rows[middle]
    versions = [
        [*rows[:middle], (sample, image, mask + b"changed"), *rows[middle + 1 :]],
        [("0-new", image + b"new", mask), *rows],
        rows[1:],
    ]
    found = []
    for name, write in (
        ("64 shards by the hash of the id", by_hash),
        ("64 shards in the order of rows", in_order),
        ("pages cut by content (pyarrow)", by_content),
    ):
        print(f"  {name}", file=sys.stderr)
        before = write(rows, work)
        found.append((name, [new_share(before, write(version, work)) for version in versions]))
    return found


# --- report -------------------------------------------------------------------------------------


def report(seconds: Seconds, size: int, files: int) -> None:
    base = statistics.median(seconds["cp -r + sha256sum"])
    title = f"{files} files, {size / 1e6:.0f} MB"
    print(f"\n| {title} | s | least to most | MB/s | × the speed of cp -r + sha256sum |")
    print("|---|---|---|---|---|")
    middle = {name: statistics.median(rounds) for name, rounds in seconds.items()}
    middle["fewmask build: packing, then install"] = (
        middle["fewmask build: packing"] + middle["fewmask install"]
    )
    for name, spent in middle.items():
        rate = size / spent / 1e6
        rounds = seconds.get(name, [spent])
        span = f"{min(rounds):.2f} to {max(rounds):.2f}"
        print(f"| {name} | {spent:.2f} | {span} | {rate:.0f} | {base / spent:.2f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", type=Path, default=Path(".benchmark-packages"))
    parser.add_argument("--dvc", default=".venv-dvc/bin/dvc")
    asked = parser.parse_args()
    import datasets

    datasets.disable_progress_bars()
    dvc = str(Path(asked.dvc).absolute()) if Path(asked.dvc).exists() else None
    print(describe_machine(("pyarrow", "datasets", "numpy", "pillow")))
    if dvc is None:
        print(f"DVC is left out: {asked.dvc} is not there. This brings it: make bench-packages")
    work = empty(asked.work).absolute()
    try:
        copy_images(asked.folder, work / "photos", asked.images)
        listed = [path for path in (work / "photos").rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in listed)
        print(f"`fewmask build` held at most {measure_memory(work / 'photos', work):.0f} MB")
        seconds, ours = measure_speed(work / "photos", work, asked.rounds, dvc)
        report(seconds, size, len(listed))
        print("\n| random samples, 2 threads | a second | × original files |\n|---|---|---|")
        rates = measure_reading(ours, work, asked.rounds)
        for name, rounds in rates.items():
            files = "original files" + (", bytes alone" if "bytes" in name else "")
            ratio = statistics.median(rounds) / statistics.median(rates[files])
            print(f"| {name} | {statistics.median(rounds):,.0f} | {ratio:.2f} |")
        print("\n| command | s | least to most |\n|---|---|---|")
        for name, spent in measure_commands(work, asked.rounds).items():
            span = f"{min(spent):.2f} to {max(spent):.2f}"
            print(f"| {name} | {statistics.median(spent):.2f} | {span} |")
        print("\n| what is new, of all bytes | one mask changed | one row added | one removed |")
        print("|---|---|---|---|")
        for name, shares in measure_sharing(ours, work, asked.images):
            print(f"| {name} | {' | '.join(f'{share:.2%}' for share in shares)} |")
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
