"""Parquet by pyarrow: whether equal rows give equal bytes, from one release to the next.

    python benchmarks/parquet_bytes.py [18.1.0 22.0.0 26.0.1 …]

Versions of a dataset share files that are equal byte for byte, so the same rows have to be written
alike next year. Each release named is fetched from the package index into a folder of its own and
writes one table, once as it likes and once with everything fixed that it lets one fix: format,
pages, groups, no compression, dictionary, statistics, index or schema of Arrow's. What is compared
is the file, the pages in it, and the footer behind them. Beside it: our own writer.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROWS = 100
FIXED = {
    "version": "2.4",
    "data_page_version": "1.0",
    "compression": "none",
    "use_dictionary": False,
    "write_statistics": False,
    "write_page_index": False,
    "write_page_checksum": False,
    "store_schema": False,
    "data_page_size": 2**30,
    "row_group_size": ROWS,
}

Facts = dict[str, str]


def rows() -> list[dict[str, object]]:
    """Makes rows as datasets have them: an image, a mask, a category, a list."""
    return [
        {
            "image": {"bytes": bytes([number]) * 50_000, "path": f"images/{number}.png"},
            "mask": {"bytes": bytes([number, 0]) * 500, "path": f"masks/{number}.png"},
            "kind": number % 3,
            "seen": list(range(number % 4)),
        }
        for number in range(ROWS)
    ]


def facts_of(path: Path) -> Facts:
    """Returns the length of a Parquet file, and hashes of its parts."""
    content = path.read_bytes()
    end = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    digest = {
        "file": content,
        "pages": content[:end],
        "footer": content[end:],
    }
    hashes = {name: hashlib.sha256(part).hexdigest()[:8] for name, part in digest.items()}
    return {"bytes": f"{len(content):,}", **hashes}


def write() -> None:
    """Writes the table with the pyarrow that is there, and prints what came of it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pylist(rows())
    with tempfile.TemporaryDirectory() as folder:
        found = {}
        for name, options in (("as it likes", {}), ("all fixed", FIXED)):
            pq.write_table(table, Path(folder, "a"), **options)
            found[name] = facts_of(Path(folder, "a"))
        created_by = pq.read_metadata(Path(folder, "a")).created_by
    print(json.dumps({"created_by": created_by, "found": found}))


def ours() -> Facts:
    """Writes the same rows as `fewmask build` does."""
    from fewmask.data.schema import Column
    from fewmask.packages.shard import write_shard

    columns = [
        Column("image", "image"),
        Column("mask", "mask"),
        Column("kind", "integer"),
        Column("seen", "integer array"),
    ]
    values = [
        [(row[name]["path"], row[name]["bytes"]) for name in ("image", "mask")]  # type: ignore[index]
        + [row["kind"], row["seen"]]
        for row in rows()
    ]
    with tempfile.TemporaryDirectory() as folder:
        write_shard(Path(folder, "a"), columns, [values], {})
        return facts_of(Path(folder, "a"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("releases", nargs="*", default=["18.1.0", "22.0.0", "26.0.1"])
    parser.add_argument("--write", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.write:
        write()
        return
    print("| written by | options | bytes | file | pages | footer |\n|---|---|--:|---|---|---|")
    for release in asked.releases:
        with tempfile.TemporaryDirectory() as folder:
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
            subprocess.run([*pip, folder, f"pyarrow=={release}"], check=True)
            told = subprocess.run(
                [sys.executable, __file__, "--write"],
                env=os.environ | {"PYTHONPATH": folder},
                check=True,
                capture_output=True,
                text=True,
            )
        for options, facts in json.loads(told.stdout)["found"].items():
            print(f"| pyarrow {release} | {options} | {' | '.join(facts.values())} |")
    print(f"| fewmask | | {' | '.join(ours().values())} |")


if __name__ == "__main__":
    main()
