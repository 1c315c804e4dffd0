"""The report of a model: one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from fewmask.data.classes import Classes
from fewmask.data.wording import counted
from fewmask.evaluation.charts import Bar, Dot, score_bars, strip_plot
from fewmask.evaluation.curves import learning_curves
from fewmask.evaluation.gallery import Look, Selection, anchor, draw_gallery, select_samples
from fewmask.evaluation.pictures import error_legend
from fewmask.evaluation.results import Evaluation, show_score
from fewmask.evaluation.tables import (
    class_name,
    class_table,
    confusion_table,
    facts_table,
    image_table,
    swatch,
)
from fewmask.files import write_text

MOST_STRIPS = 12
"""Classes with a strip plot of their own; the table has all of them."""

_MEASURED_ON = {
    "test": (
        "Measured on the test part of <b>{dataset}</b>: {images}, each at its own size. They chose "
        "nothing: no weight, no epoch, no setting was decided on them."
    ),
    "validation": (
        "Measured on the validation part of <b>{dataset}</b>: {images}, each at its own size. They "
        "helped to choose the model, so expect a little less on new images."
    ),
    "train": (
        "Measured on <b>{dataset}</b>: {images} that the model was <b>trained on</b>. This says "
        "how well it remembers, not how well it will do on new images."
    ),
}
_CROSS_VALIDATION = (
    " <b>Cross-validation</b>: the {images} training images, each predicted by the one network "
    "that had not learnt from it. These networks know fewer images than there are, and the model "
    "can be the mean of them all, so expect it to do a little better than they do."
)
_MEASURED_ON_SOME = "Measured on <b>{dataset}</b>: {images}, each at its own size."


def write_report(
    path: str | Path,
    *,
    title: str,
    evaluation: Evaluation,
    look: Look,
    epochs: Sequence[Mapping[str, float]],
    plan: Mapping[str, Any],
    facts: Mapping[str, str],
    next_commands: Sequence[str],
    cross_validation: Evaluation | None = None,
) -> None:
    """Writes what there is to know of a model into one HTML file.

    It opens from a disk or a mail, fetches nothing, and forbids itself to. Without JavaScript
    only the class filter and the enlarged pictures are missing.

    Args:
        path: The file to be; written whole or not at all.
        title: Name of the run or of what was evaluated.
        evaluation: The scores.
        look: Makes image `(H, W, C)`, truth `(H, W)` and prediction `(H, W)` of a sample id.
        epochs: Rows of `epochs.csv`.
        plan: Every number of the training, nested as deep as it likes.
        facts: Versions and origins, by name.
        next_commands: What to type next, one command each.
        cross_validation: Scores of several networks, each on training images that it had not
            learnt from.

    Raises:
        FewmaskError: If the file cannot be written.
    """
    selection = select_samples(evaluation)
    gallery = draw_gallery(selection, look, evaluation.classes)
    links = {row.sample: f"#{anchor(place)}" for place, row in enumerate(selection.rows)}
    sections = [
        ("score", "Score", _score(evaluation, cross_validation)),
        ("images", "Predictions", _gallery(gallery, selection, evaluation.classes)),
        ("classes", "Classes", _classes(evaluation)),
        ("spread", "Image by image", _spread(evaluation, links)),
        ("training", "Training", _curves(epochs, plan)),
        ("next", "What to type next", _commands(next_commands)),
        ("origin", "How it was made", _origin(plan, facts)),
    ]
    sections = [section for section in sections if section[2]]
    page = files("fewmask.evaluation") / "page"
    script = (page / "report.js").read_text("utf-8")
    # Only this very script may run: a name that smuggles in another would find it refused.
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    html = Template((page / "report.html").read_text("utf-8")).substitute(
        title=escape(title),
        style=(page / "report.css").read_text("utf-8"),
        script=script,
        script_digest=digest,
        links="".join(f'<a href="#{name}">{heading}</a>' for name, heading, _ in sections),
        sections="\n".join(_section(*section) for section in sections),
    )
    write_text(path, html)


def _section(name: str, heading: str, body: str) -> str:
    return (
        f'<section id="{name}" aria-labelledby="{name}-heading"><h2 id="{name}-heading">{heading}'
        f"</h2>{body}</section>"
    )


def _score(evaluation: Evaluation, crossed: Evaluation | None) -> str:
    images = counted(evaluation.num_images, "image")
    bars = [Bar("this model", evaluation.mean_dice, evaluation.interval, is_model=True)]
    if crossed is not None:
        bars.append(Bar("cross-validation", crossed.mean_dice, crossed.interval, is_model=True))
    bars += [
        Bar(each.name, each.mean_dice, each.interval, is_model=False)
        for each in evaluation.baselines
    ]
    measured_on = _MEASURED_ON.get(evaluation.part or "", _MEASURED_ON_SOME)
    sentence = measured_on.format(dataset=escape(evaluation.dataset), images=images)
    if crossed is not None:
        sentence += _CROSS_VALIDATION.format(images=crossed.num_images)
    notes = "".join(f"<li>{escape(note)}</li>" for note in evaluation.notes)
    return (
        '<div class="card headline"><div class="big"><p class="big-label">mean Dice</p>'
        f'<p class="big-score">{show_score(evaluation.mean_dice)}</p>'
        f'<p class="big-interval">{evaluation.certainty}<br>{images}</p></div>'
        f'<div class="beside">{score_bars(bars)}{_verdict(evaluation)}</div></div>'
        f'<p class="measured">{sentence}</p>' + (f'<ul class="notes">{notes}</ul>' if notes else "")
    )


def _verdict(evaluation: Evaluation) -> str:
    verdict, best = evaluation.verdict(), evaluation.best_baseline
    if verdict is None or best is None:
        return ""
    kind = "good" if best.lead.low > 0 else "warn"
    return f'<p class="verdict {kind}">{escape(verdict)}</p>'


def _gallery(gallery: str, selection: Selection, classes: Classes) -> str:
    options = "".join(
        f'<option value="{escape(name)}" data-id="{k}">{escape(name)}</option>'
        for k, name in list(enumerate(classes.names))[1:]
    )
    legend = "".join(
        f"<li>{swatch(color)}{escape(words)}</li>" for words, color in error_legend(classes)
    )
    names = "".join(f"<li>{class_name(classes, k)}</li>" for k in range(1, classes.num_classes))
    # Choosing the only class there is would change nothing; its address (#class=…) still works.
    hidden = " hidden" if classes.num_classes == 2 else ""
    return (
        f'<p class="lead">{selection.sentence()} Click a picture to enlarge it.</p>'
        f'<div class="gallery-bar"><label class="filter"{hidden}>Errors of '
        f'<select id="class-filter"><option value="" data-id="-1">all classes</option>{options}'
        '</select></label><p id="filter-says" aria-live="polite"></p>'
        f'<ul class="legend" aria-label="Classes"><li>classes:</li>{names}</ul>'
        f'<ul class="legend" aria-label="Errors"><li>errors:</li>{legend}</ul>'
        f'</div><ol class="gallery" id="gallery">{gallery}</ol>'
        '<p class="more"><button type="button" id="show-more" hidden></button></p>'
    )


def _classes(evaluation: Evaluation) -> str:
    return (
        '<p class="lead"><b>Mean</b> scores each image, then averages: every image weighs the '
        "same. <b>Pooled</b> counts the pixels of all images together: large objects weigh more. "
        "Precision and recall are pooled. A dash means that there was nothing to score.</p>"
        f"{class_table(evaluation)}<h3>What was taken for what</h3>"
        '<p class="lead">Each row is a true class: of 100 of its pixels, so many were predicted as '
        "each class.</p>"
        f"{confusion_table(evaluation.confusion, evaluation.classes)}"
    )


def _spread(evaluation: Evaluation, links: Mapping[str, str]) -> str:
    classes = evaluation.classes
    dots = [Dot(row.sample, row.mean_dice, links.get(row.sample, "")) for row in evaluation.images]
    strips = [strip_plot("mean Dice", dots, evaluation.interval)]
    for k in range(1, min(classes.num_classes, MOST_STRIPS + 1) if classes.num_classes > 2 else 1):
        dots = [
            Dot(row.sample, row.scores.dice[k], links.get(row.sample, ""))
            for row in evaluation.images
        ]
        strips.append(strip_plot(classes.names[k], dots))
    scale = "".join(f"<span>{tick:g}</span>" for tick in (0, 0.25, 0.5, 0.75, 1))
    return (
        '<p class="lead">Each dot is an image, the upright line their mean, the band its '
        "95 % interval.</p>"
        f'<div class="card strips">{"".join(strips)}'
        f'<p class="scale" aria-hidden="true">{scale}</p></div>'
        f"<details><summary>Scores of all {evaluation.num_images} images</summary>"
        f"{image_table(evaluation, links)}</details>"
    )


def _curves(epochs: Sequence[Mapping[str, float]], plan: Mapping[str, Any]) -> str:
    curves = learning_curves(epochs)
    later = len(plan.get("later_paces", ()))
    of_which = (
        f'<p class="lead">The first of {later + 1} networks, judged by the training images that it '
        "left out. The others have theirs in <code>networks/</code>.</p>"
        if later and curves
        else ""
    )
    return f'{of_which}<div class="curves">{curves}</div>' if curves else ""


def _commands(commands: Sequence[str]) -> str:
    return "".join(f"<pre><code>{escape(command)}</code></pre>" for command in commands)


def _origin(plan: Mapping[str, Any], facts: Mapping[str, str]) -> str:
    return (
        f"{facts_table(facts, 'Versions and origins')}"
        "<details><summary>The plan: every number of the training</summary>"
        f"{facts_table(plan, 'Plan')}</details>"
    )
