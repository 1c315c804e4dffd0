"""Predicts many image files, and writes what it sees in them."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fewmask.data.ahead import work_ahead
from fewmask.data.imageio import DEFAULT_MAX_PIXELS
from fewmask.data.wording import counted
from fewmask.errors import ArgumentError, DataError, FewmaskError
from fewmask.files import expanded
from fewmask.inference.inputs import Inputs, find_images
from fewmask.inference.intake import take_in
from fewmask.inference.outputs import Prediction
from fewmask.inference.predict import Predictor

OUT = Path("predicted")
"""Folder of the results, beside where the command is typed."""


@dataclass(frozen=True)
class Result:
    """One image, and the files made of it.

    Args:
        image: The image.
        mask: PNG of class ids.
        overlay: JPEG to look at, or None if not asked for.
        probability: Probability map, or None if not asked for.
        area_shares: Share of the image's pixels by class name.
    """

    image: Path
    mask: Path
    overlay: Path | None = None
    probability: Path | None = None
    area_shares: dict[str, float] = field(default_factory=dict)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files made of the image."""
        return tuple(path for path in (self.mask, self.overlay, self.probability) if path)


@dataclass(frozen=True)
class Outcome:
    """What came of many images.

    Args:
        out: The folder of the results.
        written: The images that were predicted.
        failed: The others, each with the sentence that says why.
    """

    out: Path
    written: tuple[Result, ...]
    failed: tuple[tuple[Path, str], ...]


def predict_files(
    predictor: Predictor,
    sources: str | Path | Sequence[str | Path],
    out: str | Path = OUT,
    *,
    overwrite: bool = False,
    overlay: bool = True,
    probability: bool = False,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    progress: Callable[[int, int], None] | None = None,
) -> Outcome:
    """Predicts image files and writes a mask, and more if asked, of each.

    The results keep the images' places below the folder that all sources share, and their names:
    of `photos/a/1.jpg`, found in `photos`, become `out/a/1.png` (class ids in the class colours),
    `out/a/1.overlay.jpg` and `out/a/1.probability.png`. Where two images differ in the suffix
    alone, it stays in their names: `1.jpg.png`.

    An image that cannot be predicted does not keep the others from it. Every file is written
    whole or not at all, so that this may be stopped at any moment.

    Args:
        predictor: The model.
        sources: Files, folders (everything in them and below), patterns; or one of them.
        out: Folder of the results, made if it is missing. No image may lie in it, unless it lies
            in a source itself: then it is passed over.
        overwrite: Whether earlier results may be replaced.
        overlay: Whether to write pictures to look at.
        probability: Whether to write probability maps, see `Prediction.save_probability`.
        max_pixels: Images with more pixels are refused before they fill the memory.
        progress: Called with the images done and the images in all; while a large image is
            predicted block by block, with the blocks as if every image had as many.

    Returns:
        What was written, and what failed.

    Raises:
        ArgumentError: Before anything is computed: if a source names no image, results are
            there already, or `out` is no folder to write results into.
        DataError: Before anything is computed: if a folder may not be read.
        FewmaskError: If a result cannot be written.
    """
    out = expanded(out)
    inputs = find_images(sources, out)
    suffix = Prediction.probability_suffix(predictor.bundle.classes) if probability else None
    asked = _name_results(inputs, out, overlay, suffix)
    _check_free(asked, out, overwrite)

    def read(result: Result) -> NDArray[np.uint8] | FewmaskError:
        try:
            return take_in(result.image, predictor.bundle, max_pixels)
        except FewmaskError as error:
            return error
        except MemoryError:
            return _too_large(result.image)

    written: list[Result] = []
    failed: list[tuple[Path, str]] = []
    # The next image is decoded while the model is busy with this one; a second thread would
    # take from the model what it gives.
    ahead = work_ahead(read, asked, threads=1, ahead=2)
    for result, pixels in zip(asked, ahead, strict=True):
        done = len(written) + len(failed)
        made: Prediction | Result | FewmaskError = _predict(
            predictor, result.image, pixels, probability, _within(progress, done, len(asked))
        )
        if isinstance(made, Prediction):
            made = _write(made, result)
        if isinstance(made, Result):
            written.append(made)
        else:
            failed.append((result.image, str(made)))
        if progress is not None:
            progress(len(written) + len(failed), len(asked))
    return Outcome(out, tuple(written), tuple(failed))


def _predict(
    predictor: Predictor,
    path: Path,
    pixels: NDArray[np.uint8] | FewmaskError,
    probability: bool,
    progress: Callable[[int, int], None] | None,
) -> Prediction | FewmaskError:
    if isinstance(pixels, FewmaskError):
        return pixels
    try:
        return predictor.predict_pixels(pixels, path, probabilities=probability, progress=progress)
    except FewmaskError as error:
        return error
    except MemoryError:
        return _too_large(path)


def _within(
    progress: Callable[[int, int], None] | None, images_done: int, images: int
) -> Callable[[int, int], None] | None:
    """Turns the blocks done of one image into work done of all."""
    if progress is None:
        return None
    return lambda done, total: progress(images_done * total + done, images * total)


def _too_large(path: Path) -> DataError:
    return DataError(
        path, "an image that fits into memory", "one that does not", "Shrink it, or cut it up."
    )


def _write(prediction: Prediction, result: Result) -> Result | DataError:
    try:
        prediction.save(result.mask)
        if result.overlay is not None:
            prediction.save_overlay(result.overlay)
        if result.probability is not None:
            prediction.save_probability(result.probability)
        return replace(result, area_shares=prediction.area_shares())
    except MemoryError:
        return _too_large(result.image)


def _name_results(
    inputs: Inputs, out: Path, overlay: bool, probability_suffix: str | None
) -> list[Result]:
    """Names the files of every image, no file twice."""
    places = [inputs.place(path) for path in inputs.paths]
    alike = Counter(_key(place.with_suffix("")) for place in places)
    taken: set[str] = set()
    results = []
    for path, place in zip(inputs.paths, places, strict=True):
        alone = alike[_key(place.with_suffix(""))] == 1
        stem = out / place.parent / (place.stem if alone else place.name)
        # Even images with different names can clash: a.jpg and a.probability.jpg both want to
        # become a.probability.png.
        numbered = (stem.with_name(f"{stem.name} ({number})") for number in count(2))
        for free in chain([stem], numbered):
            result = Result(
                path,
                Path(f"{free}.png"),
                Path(f"{free}.overlay.jpg") if overlay else None,
                Path(f"{free}.probability{probability_suffix}") if probability_suffix else None,
            )
            if taken.isdisjoint(map(_key, result.files)):
                break
        taken.update(map(_key, result.files))
        results.append(result)
    return results


def _key(path: Path) -> str:
    """Returns what is equal for names that some file system cannot tell apart."""
    return unicodedata.normalize("NFC", str(path)).casefold()


def _check_free(results: Sequence[Result], out: Path, overwrite: bool) -> None:
    if out.exists() and not out.is_dir():
        raise ArgumentError(f"--out {out}", "a folder", "a file", "Choose another name with --out.")
    files = [file for result in results for file in result.files]
    there = [file for file in files if file.exists()]
    if there and not overwrite:
        raise ArgumentError(
            f"--out {out}",
            f"a place for {counted(len(files), 'new file')}",
            f"{len(there)} there already, such as {there[0]}",
            "Replace with --overwrite, or choose another folder with --out.",
        )
