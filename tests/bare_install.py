"""Tries an installed fewmask where neither a training framework nor a development package is.

    python tests/bare_install.py PATH_TO_FEWMASK WORKDIR

The model and the photos are made with the packages of the Python that runs this; the fewmask
that is tried has its own. Prints what was tried; exits with 1 where something is not as it should.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
from PIL import Image

TESTS = Path(__file__).parent


def main(executable: Path, folder: Path) -> int:
    """Makes a model with photos and masks, and types one command after the other."""
    folder.mkdir(parents=True, exist_ok=True)
    make_photos(folder / "my photos", count=6)
    make_run(folder / "runs" / "red", count=6)
    print(f"Trying {executable} in {folder}")
    tried = [
        attempt(executable, folder, ["--version"], out="fewmask, version "),
        attempt(executable, folder, ["--help"], out="Begin with: fewmask train"),
        attempt(
            executable, folder, ["inspect", "my photos"], out="Then: fewmask train 'my photos'"
        ),
        attempt(executable, folder, ["inspect", "my photos", "--json"], out='"train": 5'),
        attempt(
            executable,
            folder,
            ["predict", "runs/red", "my photos/images", "--probability"],
            out="6 images predicted, the results are in predicted",
        ),
        attempt(
            executable,
            folder,
            ["predict", "runs/red/model.onnx", "my photos/images/0.png", "--out", "one"],
            out="foreground: 50.0 % of the area",
        ),
        attempt(
            executable,
            folder,
            ["evaluate", "red", "my photos"],
            out="mean Dice 1.000 (95 % interval 1.00 to 1.00, 6 images)",
        ),
        attempt(
            executable,
            folder,
            ["train", "my photos"],
            code=2,
            err="Starting Keras\nError: keras: expected to be installed for training, found no "
            'such package. Run: pip install "fewmask[torch]"\n',
        ),
        attempt(executable, folder, ["predict", "runs/blue", "x.png"], code=2, err="runs/blue: "),
    ]
    made = [
        "contact.png",
        "predicted/5.png",
        "predicted/5.overlay.jpg",
        "predicted/5.probability.png",
        "one/0.png",
        "runs/red/evaluations/my-photos/report.html",
        "runs/red/evaluations/my-photos/scores.json",
    ]
    missing = [name for name in made if not (folder / name).is_file()]
    print(f"{len(made) - len(missing)} of {len(made)} files are there", *missing)
    return 0 if all(tried) and not missing else 1


def attempt(
    executable: Path, folder: Path, words: list[str], code: int = 0, out: str = "", err: str = ""
) -> bool:
    """Types a command; returns whether it ended and spoke as expected."""
    told = subprocess.run([executable, *words], cwd=folder, capture_output=True, encoding="utf-8")
    right = (
        told.returncode == code
        and out in told.stdout
        and err in told.stderr
        and "Traceback" not in told.stderr
    )
    print(f"{'ok   ' if right else 'WRONG'} fewmask {' '.join(words)}")
    if not right:
        print(f"expected exit code {code}, {out!r} on stdout, {err!r} on stderr; found")
        print(f"exit code {told.returncode}\n{told.stdout}\n{told.stderr}")
    return right


def make_photos(folder: Path, count: int) -> None:
    """Draws photos whose left half is red, which their masks hold as 1."""
    for kind in ("images", "masks"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    for number in range(count):
        image = np.full((20 + number, 32, 3), (0, 90, number), np.uint8)
        image[:, :16] = (255, 0, 0)
        Image.fromarray(image).save(folder / "images" / f"{number}.png")
        Image.fromarray((image[..., 0] == 255).astype(np.uint8)).save(
            folder / "masks" / f"{number}.png"
        )


def make_run(folder: Path, count: int) -> None:
    """Makes the least that is a run: a model that finds what is red, and what a run tells of it."""
    import onnx

    from fewmask.bundle import Bundle
    from fewmask.data.classes import Classes
    from fewmask.scale import Frame

    folder.mkdir(parents=True, exist_ok=True)
    bundle = Bundle(Classes(("background", "foreground")), Frame(256))
    onnx.save(inference_fixtures().red_model(bundle), folder / "model.onnx")
    facts = {"format": 1, "state": "finished", "versions": {"fewmask": "0.1.0"}}
    (folder / "run.json").write_text(json.dumps(facts))
    (folder / "plan.toml").write_text("size = 256\n")
    learnt = f"images/elsewhere,train,{'0' * 64},{'0' * 64}\n"
    (folder / "parts.csv").write_text(f"sample,part,image_sha256,mask_sha256\n{learnt}")


def inference_fixtures() -> ModuleType:
    """Imports the tests' maker of tiny models."""
    place = TESTS / "inference" / "conftest.py"
    spec = importlib.util.spec_from_file_location("inference_conftest", place)
    if spec is None or spec.loader is None:
        raise ImportError(str(place))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(Path(sys.argv[1]).absolute(), Path(sys.argv[2]).absolute()))
