"""How pages are run: what lies beside the reader, what is made faster, what is not run and why.

Every block of README.md, CONTRIBUTING.md and the pages in docs/ is run or stands below. Whoever
writes a page needs nothing from here as long as its commands can be typed one after the other in a
folder that holds a dataset `photos/`. What is typed is indented, or fenced as `sh`. A block fenced
as `text` is compared with what was printed before it; where nothing was, it is a tree or a file.
Otherwise:

- it needs other files: add the page to `BESIDE`;
- it names a place that only its readers have: add what stands for it to `INSTEAD`;
- a command cannot run in a test: add its beginning and the reason to `NOT_RUN`;
- a command serves until it is stopped: add its beginning to `SERVES`;
- a line of output depends on how long was trained: add its beginning to `DEPENDS`.
"""

from __future__ import annotations

FAST = {"epochs": 2, "size": 32, "model": "unet", "width": 4, "depth": 1}
"""Every training of a page has these settings, whatever the page says; it is checked before."""

FAST_FIT = {"epochs": 1}
"""Likewise for Keras' own `fit`."""

DEMO_IMAGES = 28
"""As many of the 97 images of demo/chairs there are: enough for folds of 20 and 8."""

BESIDE: dict[str, tuple[str, ...]] = {
    "README.md": (),
    "docs/index.md": ("photos", "new"),
    "docs/tutorial.md": (),
    "docs/how-to/convert.md": (
        "photos",
        "labelled",
        "annotations.json",
        "cvat-export",
        "cells",
    ),
    "docs/how-to/prepare-masks.md": ("photos", "labels"),
    "docs/how-to/predict.md": ("photos", "new", "more", "runs/photos-1"),
    "docs/explanation/from-classifier-to-fcn.md": (),
    "docs/how-to/score.md": ("photos", "more-photos", "runs/photos-1", "runs/photos-2"),
    "docs/how-to/use-the-model-elsewhere.md": (
        "photos",
        "photo.jpg",
        "runs/photos-1",
        "model files",
    ),
}
"""Page → what lies in the folder that its commands are typed in; see `beside.py` for the choice."""

PHOTOS_ONLY = ("photos",)
"""What lies beside the reader of a page that is not in `BESIDE`."""

HERE, FREE_PORT = "{the folder of the reader}", "{a free port}"

INSTEAD: dict[str, dict[str, str]] = {
    "docs/how-to/share-a-dataset.md": {
        "/mnt/share/registry": f"{HERE}/registry",
        "https://example.org/registry": f"http://127.0.0.1:{FREE_PORT}",
        "8000": FREE_PORT,
    },
}
"""Page → what stands in its blocks → what a test reads instead."""

SERVES: dict[str, tuple[str, ...]] = {
    "docs/how-to/share-a-dataset.md": ("python -m http.server ",),
}
"""Page → beginnings of commands that go on until the page is read."""

_NO_NETWORK = "needs a package index, and changes the Python that runs the tests"
_MAKE = ".ci/run types it"
_CLONE = "needs an address and a network"
_VENV = "is for the terminal of a reader; the tests run in another one"

NOT_RUN: dict[str, dict[str, str]] = {
    "README.md": {
        "git clone ": _CLONE,
        "make ": _MAKE,
        "python3 -m venv ": _VENV,
        "pip install ": _NO_NETWORK,
    },
    "CONTRIBUTING.md": {
        "git clone ": _CLONE,
        "make ": _MAKE,
        ". .venv/bin/activate": _VENV,
    },
    "docs/index.md": {"python3 -m venv ": _VENV, "pip install ": _NO_NETWORK},
    "docs/explanation/from-classifier-to-fcn.md": {
        "python examples/classifier_to_fcn.py": "needs pretrained weights; its tests do without",
    },
    "docs/explanation/what-augmentation-and-pretraining-bring.md": {
        "python benchmarks/what_helps.py": "takes more than an hour",
    },
    "docs/reference/quality.md": {
        "make bench-quality": "takes hours",
        ".venv/bin/python benchmarks/unseen_data.py": "clones more than a gigabyte",
    },
    "docs/explanation/what-the-data-allows.md": {
        "python benchmarks/what_the_data_allows.py": "needs real photographs to say anything",
    },
}
"""Page → beginning of a command or of a Python block → why no test runs it."""

ANY_PAGE = ""

DEPENDS: dict[str, tuple[str, ...]] = {
    ANY_PAGE: ("Better than the best baseline", "chair: in "),
    # Other labels than those of the page.
    "docs/how-to/convert.md": ("annotations.json: COCO", "3 of its shapes", "Not kept:"),
    # It is told from several machines; here there is one, which has it all from the beginning.
    "docs/how-to/share-a-dataset.md": (
        "Built rohan/chairs-with-masks@2",
        "Pushed rohan/chairs-with-masks@2",
        "Installed rohan/chairs-with-masks@2",
        "fewmask.lock pinned",
        "rohan/chairs-with-masks  2, 1",
        "They use ",
    ),
}
"""Page → beginnings of lines that a test prints otherwise, or not at all."""

SAME_BLOCKS = {"docs/vi/index.md": "docs/index.md", "docs/vi/tutorial.md": "docs/tutorial.md"}
"""Page → the page whose blocks it has, which are run there; `test_two_languages.py` compares."""
