"""Compares what a budget could have been spent on: sizes, scales, models, rates, one network.

    python benchmarks/budget_choices.py FOLDER [--budget 3m] [--seeds 1] [--size 192 256 320]

Trains once for each choice, by `fewmask train --budget` with that choice made by hand, and prints
the mean Dice of the test part, which chose nothing. The last line is what fewmask chooses by
itself. Nothing else should run meanwhile: a budget is spent by the clock.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

from machine import describe_machine

import fewmask
from fewmask.training import budget_plan
from fewmask.training.clock import parse_budget

NETWORKS = budget_plan.NETWORKS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset")
    parser.add_argument("--budget", default="3m", help="time of each training")
    parser.add_argument("--seeds", type=int, default=1, help="trainings of each choice")
    parser.add_argument("--size", type=int, nargs="*", default=[], help="sizes to compare")
    parser.add_argument("--scale", type=float, nargs="*", default=[], help="scales of patches")
    parser.add_argument("--model", nargs="*", default=[], help="networks")
    parser.add_argument("--learning-rate", type=float, nargs="*", default=[])
    parser.add_argument("--batch-size", type=int, nargs="*", default=[])
    parser.add_argument("--one-network", action="store_true", help="where there would be several")
    parser.add_argument("--classes", nargs="*", default=[], help="as fewmask train takes them")
    asked = parser.parse_args()
    parse_budget(asked.budget)
    print(describe_machine(("keras", "torch")))
    dataset = fewmask.load_dataset(asked.dataset, classes=asked.classes)
    choices: list[dict[str, Any]] = [
        {name: value}
        for name in ("size", "scale", "model", "learning_rate", "batch_size")
        for value in getattr(asked, name)
    ]
    if asked.one_network:
        choices.append({"networks": 1})
    for choice in (*choices, {}):
        for seed in range(asked.seeds):
            print(train(dataset, asked.budget, seed, choice), flush=True)


def train(dataset: fewmask.Dataset, budget: str, seed: int, choice: dict[str, Any]) -> str:
    """Trains with one choice and puts what came of it in a line."""
    asked = {name: value for name, value in choice.items() if name != "networks"}
    budget_plan.NETWORKS = choice.get("networks", NETWORKS)
    with tempfile.TemporaryDirectory() as folder:
        run = fewmask.train(
            dataset,
            runs=Path(folder),
            budget=budget,
            seed=seed,
            listener=lambda event: None,
            **asked,
        )
        scores, plan = run.read_json("scores.json"), run.plan()
    low, high = scores["interval"]
    shown = plan["pace"][-1][1] * plan["batch_size"]
    networks = 1 + len(plan.get("later_paces", []))
    scale = f", patches at {plan['pixels']['scale']:g}" if "pixels" in plan else ""
    made = ", ".join(f"{name} {value}" for name, value in choice.items()) or "by itself"
    return (
        f"{dataset.name}, {budget}, seed {seed}, {made}: mean Dice {scores['mean_dice']:.3f} "
        f"({low:.2f} to {high:.2f}); {networks} × {plan['model']['name']} at {plan['size']}"
        f"{scale}, {shown:,} shown"
    )


if __name__ == "__main__":
    main()
