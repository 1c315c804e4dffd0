"""What an evaluation found, as it is kept in `scores.json`."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fewmask.data.classes import Classes
from fewmask.data.wording import counted
from fewmask.errors import DataError
from fewmask.evaluation.baselines import BaselineScore
from fewmask.evaluation.bootstrap import Interval
from fewmask.evaluation.scores import (
    ClassScores,
    Counts,
    mean_where_scored,
    score_classes,
)

FORMAT = 1
"""Version of the JSON; a file with a higher one was written by a newer fewmask."""


@dataclass(frozen=True)
class ImageScores:
    """The scores of one image.

    Args:
        sample: Its id.
        mean_dice: Mean Dice of its foreground classes, NaN where it has none in truth and
            prediction.
        scores: Dice, IoU, precision and recall of every class.
        true_pixels: Counted pixels of each class in the mask, shape `(K,)`.
        predicted_pixels: Counted pixels of each class in the prediction, shape `(K,)`.
    """

    sample: str
    mean_dice: float
    scores: ClassScores
    true_pixels: tuple[int, ...]
    predicted_pixels: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The scores of a model on a set of images, and what they are worth.

    Args:
        dataset: Name of the dataset that the images belong to.
        part: Which part of it they are: `"test"` chose nothing; None where nobody said.
        classes: The classes that were scored.
        images: One row an image, in the order of the dataset.
        confusion: Pixel counts of shape `(K, K)` summed over the images, row = true class.
        interval: 95 % interval of the mean Dice.
        baselines: What needs no model, on the same images.
        notes: What a reader of the numbers should know, full sentences.
        images_sha256: Says which images they were: SHA-256 of the sorted SHA-256 of their files;
            None where nobody asked.
    """

    dataset: str
    part: str | None
    classes: Classes
    images: tuple[ImageScores, ...]
    confusion: Counts
    interval: Interval
    baselines: tuple[BaselineScore, ...]
    notes: tuple[str, ...]
    images_sha256: str | None = None

    @property
    def num_images(self) -> int:
        """Number of images N, those with nothing to score included."""
        return len(self.images)

    @property
    def mean_dice(self) -> float:
        """The headline: the mean over images of their mean Dice; NaN where none has one."""
        return float(mean_where_scored(np.array([row.mean_dice for row in self.images])))

    @property
    def worst_first(self) -> list[ImageScores]:
        """The images by their mean Dice, those with nothing to score last."""
        # NaN compares as neither less nor more.
        return sorted(self.images, key=lambda row: (math.isnan(row.mean_dice), row.mean_dice))

    @property
    def pooled(self) -> ClassScores:
        """Scores from pixel counts summed over images: large objects weigh more."""
        return score_classes(self.confusion)

    @property
    def mean(self) -> ClassScores:
        """Scores averaged over the images that have one: every image weighs the same."""

        def average(rows: Iterable[tuple[float, ...]]) -> tuple[float, ...]:
            return tuple(mean_where_scored(np.array(list(rows)), axis=0).tolist())

        return ClassScores(
            average(row.scores.dice for row in self.images),
            average(row.scores.iou for row in self.images),
            average(row.scores.precision for row in self.images),
            average(row.scores.recall for row in self.images),
        )

    @property
    def certainty(self) -> str:
        """How well the mean Dice is known, a phrase to stand beside it."""
        if math.isnan(self.mean_dice):
            return "no foreground"
        words = self.interval.words()
        return f"95 % interval {words}" if words else "too few for an interval"

    @property
    def best_baseline(self) -> BaselineScore | None:
        """The baseline with the highest mean Dice, None where none could be scored."""
        scored = [each for each in self.baselines if not math.isnan(each.mean_dice)]
        return max(scored, key=lambda each: each.mean_dice, default=None)

    def summary_lines(self) -> list[str]:
        """Puts the result into lines of plain text, the headline first.

        Returns:
            The mean Dice with its interval; each class, where there is more than one to find;
            each baseline; a verdict where the model is not clearly better than one; the notes.
        """
        lines = [self._headline()]
        if self.classes.num_classes > 2:
            pairs = zip(self.classes.names, self.mean.dice, self.pooled.dice, strict=True)
            lines += [
                f"class {name}: Dice {show_score(mean)} mean, {show_score(pooled)} pooled"
                for name, mean, pooled in list(pairs)[1:]
            ]
        lines += [
            f"baseline {each.name}: {show_score(each.mean_dice)}{_in_brackets(each.interval)}"
            for each in self.baselines
        ]
        verdict = self.verdict()
        return [*lines, *([verdict] if verdict else []), *self.notes]

    def verdict(self) -> str | None:
        """Says whether the model is better than the best baseline, None where nobody can."""
        best = self.best_baseline
        if best is None or math.isnan(best.lead.low):
            return None
        if best.lead.low > 0:
            return f"Better than the best baseline, {best.name}, by {best.lead.words()}."
        return f"Not clearly better than the baseline {best.name}: it may have learnt nothing."

    def _headline(self) -> str:
        images = counted(self.num_images, "image")
        if math.isnan(self.mean_dice):
            return f"mean Dice not measured: {self.certainty} in {images}"
        return f"mean Dice {show_score(self.mean_dice)} ({self.certainty}, {images})"

    def to_json(self) -> str:
        """Returns everything as a JSON text, NaN as null, averages included for its readers."""
        facts = {
            "format": FORMAT,
            "dataset": self.dataset,
            "part": self.part,
            "num_images": self.num_images,
            "images_sha256": self.images_sha256,
            "mean_dice": self.mean_dice,
            "interval": self.interval,
            "classes": self.classes.to_json(),
            "mean": asdict(self.mean),
            "pooled": asdict(self.pooled),
            "baselines": [asdict(each) for each in self.baselines],
            "notes": self.notes,
            "confusion": self.confusion.tolist(),
            "images": [asdict(row) for row in self.images],
        }
        return json.dumps(_nan_to_null(facts), ensure_ascii=False, allow_nan=False, indent=1)

    @classmethod
    def from_json(cls, text: str, where: object = "scores.json") -> Evaluation:
        """Rebuilds an evaluation from what `to_json` returned.

        Args:
            text: The JSON text.
            where: The file it stands in, for the error.

        Raises:
            DataError: If it is not such a text, or was written by a newer fewmask.
        """
        try:
            facts = json.loads(text)
            if facts["format"] > FORMAT:
                raise DataError(
                    where,
                    f"scores in format {FORMAT} or older",
                    f"format {facts['format']}, written by a newer fewmask",
                    "Upgrade: pip install --upgrade fewmask",
                )
            return cls(
                facts["dataset"],
                facts["part"],
                Classes.from_json(facts["classes"]),
                tuple(_read_image(row) for row in facts["images"]),
                np.array(facts["confusion"], np.int64),
                _read_interval(facts["interval"]),
                tuple(_read_baseline(each) for each in facts["baselines"]),
                tuple(facts["notes"]),
                facts.get("images_sha256"),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(
                where,
                "the scores that fewmask wrote",
                "a text that cannot be read as such",
                "Run fewmask evaluate again.",
            ) from error


def show_score(value: float, digits: int = 3) -> str:
    """Writes a score for people to read.

    Args:
        value: A score, or NaN.
        digits: Digits behind the point.

    Returns:
        The rounded score; a dash for NaN.

    Example:

    >>> show_score(0.98765), show_score(float("nan"))
    ('0.988', '–')
    """
    return "–" if math.isnan(value) else f"{value:.{digits}f}"


def _in_brackets(interval: Interval) -> str:
    words = interval.words()
    return f" ({words})" if words else ""


def _nan_to_null(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _nan_to_null(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_nan_to_null(inner) for inner in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _read_float(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _read_interval(values: list[float | None]) -> Interval:
    low, high = values
    return Interval(_read_float(low), _read_float(high))


def _read_image(row: dict[str, Any]) -> ImageScores:
    return ImageScores(
        row["sample"],
        _read_float(row["mean_dice"]),
        ClassScores(**{kind: tuple(map(_read_float, of)) for kind, of in row["scores"].items()}),
        tuple(row["true_pixels"]),
        tuple(row["predicted_pixels"]),
    )


def _read_baseline(row: dict[str, Any]) -> BaselineScore:
    return BaselineScore(
        row["name"],
        _read_float(row["mean_dice"]),
        _read_interval(row["interval"]),
        _read_interval(row["lead"]),
    )
