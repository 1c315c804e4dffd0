"""Measures the mean Dice that fewmask and other tools reach on whole images in the same minutes.

    python benchmarks/quality.py --data FOLDER [BLOCK ...] [--tools TOOL ...]

Each cell is a tool on a dataset for so many minutes with a seed, a process of its own in the
environment of the tool. All are given the same training part, none the test part (`datasets.toml`
says what they are), and the label maps that they write are scored here, all by the same lines. What
a cell found is a line of `quality.csv`, of which the tables in the documentation are made. Cells
that are there are not measured again on a machine like this, so that this goes on where it was
stopped.

The minutes begin with the process of a tool and end with its trained model; fewmask's hold its own
evaluation and export too. Nothing else should run meanwhile: the load at the beginning is noted.
"""

import argparse
import sys
from pathlib import Path

from machine import name_machine
from marked_page import around_markers, write_between
from quality_cells import BLOCKS, KEY, TOOLS, Cell, cells_of
from quality_data import prepare, read_decisions
from quality_measure import PATIENCE, ToolFailed, measure, run_tool
from quality_page import SCRIPT, tables
from score_file import add_score, read_scores

import fewmask
from fewmask.training.lock import locked

ROOT = Path(__file__).parents[1]
SCORES = Path(__file__).with_suffix(".csv")
PAGE = ROOT / "docs" / "reference" / "quality.md"
WORK = Path("runs") / "quality"
DATA = Path("..") / "shared" / "data"


def measure_all(cells: list[Cell], asked: argparse.Namespace) -> list[str]:
    """Measures every cell that has no score yet; returns what failed."""
    decisions = read_decisions()
    failed: dict[str, str] = {}
    set_up: set[str] = set()
    for number, cell in enumerate(cells, 1):
        if is_measured(cell, asked.scores):
            continue
        print(f"{number} of {len(cells)}: {', '.join(cell.key)}", flush=True)
        prepared = prepare(cell.dataset, asked.data, asked.work, decisions[cell.dataset])
        try:
            if cell.tool not in set_up:
                log = asked.work / f"set-up-{cell.tool}.txt"
                run_tool(cell.tool, ["--set-up"], asked.work, log, PATIENCE)
                set_up.add(cell.tool)
            found = measure(cell, prepared, asked.work)
        except (ToolFailed, fewmask.FewmaskError) as error:
            print(error, flush=True)
            failed[cell.name] = str(error)
        else:
            add_score(asked.scores, found, KEY)
            write_tables(asked)
            print(
                f"  {found['mean_dice']} ({found['low']} to {found['high']}), {found['seconds']} s"
            )
    return list(failed)


def write_tables(asked: argparse.Namespace) -> None:
    """Writes the tables of the page anew, from all scores."""
    write_between(asked.page, SCRIPT, tables(read_scores(asked.scores), list(read_decisions())))


def is_measured(cell: Cell, scores: Path) -> bool:
    """Says whether a cell has its score on a machine like this."""
    sought = (*cell.key, name_machine())
    return any(tuple(each[name] for name in KEY) == sought for each in read_scores(scores))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    decided = list(read_decisions())
    parser.add_argument("blocks", nargs="*", metavar="BLOCK", help=f"out of {', '.join(BLOCKS)}")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the datasets")
    parser.add_argument("--tools", nargs="+", choices=TOOLS, default=list(TOOLS))
    parser.add_argument("--datasets", nargs="+", choices=decided, default=decided)
    parser.add_argument("--scores", type=Path, default=SCORES, help="file that scores are added to")
    parser.add_argument("--page", type=Path, default=PAGE, help="page that tables are written into")
    parser.add_argument("--work", type=Path, default=WORK, help="folder for all else")
    parser.add_argument("--list", action="store_true", help="show the cells and measure nothing")
    parser.add_argument("--tables", action="store_true", help="write the tables and no more")
    asked = parser.parse_args()
    blocks = asked.blocks or ["first"]
    if unknown := set(blocks) - set(BLOCKS):
        parser.error(f"no block {', '.join(sorted(unknown))}; there are {', '.join(BLOCKS)}")
    cells = list(cells_of(blocks, asked.tools, asked.datasets))
    if asked.list:
        for cell in cells:
            print("measured" if is_measured(cell, asked.scores) else "        ", *cell.key)
        return
    # What would end it after hours ends it now.
    around_markers(asked.page, SCRIPT)
    if asked.tables:
        write_tables(asked)
        return
    asked.work = asked.work.absolute()
    asked.work.mkdir(parents=True, exist_ok=True)
    try:
        # Two of these at once would take each other's time.
        with locked(fewmask.Run(asked.work)):
            failed = measure_all(cells, asked)
    except fewmask.FewmaskError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("Stopped; the same command goes on.")
    write_tables(asked)
    print(f"Tables: {asked.page}\nNext: make docs")
    if failed:
        sys.exit(f"Failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
