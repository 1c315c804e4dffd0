"""What the report does in a browser; the file is opened from the disk, as a reader would."""

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path

import numpy as np
import pytest

from fewmask.data.imageio import read_image
from fewmask.evaluation.report import write_report

pytestmark = pytest.mark.chromium

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--virtual-time-budget=3000",
)


@pytest.fixture(scope="module")
def chromium():
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("no Chromium to look at the report with: sudo apt-get install chromium")
    return program


@pytest.fixture
def browse(chromium, tmp_path):
    """Opens an address in a fresh browser and returns the page as it then is."""

    def open_page(address: str, *options: str) -> str:
        profile = tmp_path / f"profile {len(list(tmp_path.iterdir()))}"
        done = subprocess.run(
            [chromium, *FLAGS, f"--user-data-dir={profile}", "--dump-dom", *options, address],
            capture_output=True,
            timeout=60,
            check=True,
            encoding="utf-8",
        )
        return done.stdout

    return open_page


@pytest.fixture
def use(browse):
    """Runs a script in a report, as if a reader acted, and returns what it puts into `told`."""

    def run_in_page(report: Path, script: str, *options: str):
        html = report.read_text("utf-8")
        # The policy, which has a test of its own, would refuse this script.
        html = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html)
        script = f"(async () => {{ {script}; document.title = JSON.stringify(told); }})();"
        used = report.with_name("used.html")
        used.write_text(html.replace("</body>", f"<script>{script}</script></body>"), "utf-8")
        title = re.search(r"<title>(.*?)</title>", browse(used.as_uri(), *options)).group(1)
        return json.loads(unescape(title))

    return run_in_page


@pytest.fixture
def report(make, furniture, tmp_path) -> Path:
    """Ten images of chairs; one has a table too, found without a fault; worst is an armchair."""
    chair = np.zeros((30, 40), np.uint8)
    chair[5:25, 5:35] = 1
    pairs = {}
    for place in range(8):
        prediction = chair.copy()
        prediction[5 : 6 + 2 * place] = 0  # ever more missed
        pairs[f"chair {place}"] = chair, prediction
    both = chair.copy()
    both[5:25, 20:35] = 3
    table_alone = np.where(both == 3, both, 0)
    pairs["bàn"] = both, table_alone
    pairs["tệ nhất"] = chair, np.roll(chair, 15, axis=1) * 2

    def look(sample):
        return np.full((30, 40, 3), 120, np.uint8), *pairs[sample]

    path = tmp_path / "báo cáo.html"
    write_report(
        path,
        title="Nội thất",
        evaluation=make.evaluation(list(pairs.values()), furniture, list(pairs), part="test"),
        look=look,
        epochs=[{"epoch": 1, "loss": 1.0}, {"epoch": 2, "loss": 0.5}],
        plan={"seed": 0},
        facts={"keras": "3.15.1", "a very long path": "/home/someone/" + "deeper/" * 40},
        next_commands=["fewmask predict runs/Nội-thất PHOTO.jpg --out predictions --overwrite"],
    )
    return path


def shown_samples(dom: str) -> list[str]:
    """Returns the names of the samples that are not hidden, from top to bottom."""
    samples = re.findall(r'(<li class="sample"[^>]*>).*?<h3>(.*?)</h3>', dom, re.DOTALL)
    return [name for tag, name in samples if ' hidden=""' not in tag]


def shown_error_layers(dom: str) -> set[str]:
    layers = re.findall(r'<img class="layer" alt="" data-class="(-?\d)"([^>]*)>', dom)
    return {class_id for class_id, rest in layers if ' hidden=""' not in rest}


def test_the_worst_comes_first_with_eight_shown(browse, report):
    dom = browse(report.as_uri())
    shown = shown_samples(dom)
    assert shown[:3] == ["tệ nhất", "chair 7", "bàn"]
    assert len(shown) == 8
    assert "Show all 10 images" in dom  # written by the script: the policy let it run
    assert shown_error_layers(dom) == {"-1"}


def test_the_address_chooses_a_class(browse, report):
    dom = browse(f"{report.as_uri()}#class=chair")
    # The mean Dice of "bàn" is better than that of "chair 7", but its chair is missed.
    assert shown_samples(dom)[:3] == ["tệ nhất", "bàn", "chair 7"]
    assert shown_error_layers(dom) == {"1"}
    assert "10 of 10 pictures: those with chair in mask or prediction." in dom


def test_a_class_without_a_fault_shows_no_errors(browse, report):
    dom = browse(f"{report.as_uri()}#class=table")
    assert shown_samples(dom) == ["bàn"]
    assert shown_error_layers(dom) == set()


def test_the_menu_writes_the_address_with_links_followed(use, report):
    told = use(
        report,
        """
        const told = [];
        const tell = () => told.push([
          decodeURIComponent(location.hash),
          document.querySelectorAll(".sample:not([hidden])").length,
          document.querySelector(".sample:not([hidden]) h3").textContent,
        ]);
        const once = { once: true };
        const arrived = () => new Promise((go) => window.addEventListener("hashchange", go, once));
        const menu = document.getElementById("class-filter");
        for (const name of ["ghế bành", "chair", ""]) {
          menu.value = name;
          menu.dispatchEvent(new Event("change"));
          tell();
        }
        for (const hash of ["#class=cat", "#class=table", "#sample-10", "#images"]) {
          const there = arrived();
          location.hash = hash;
          await there;
          tell();
        }
        """,
    )
    assert told == [
        ["#class=ghế+bành", 1, "tệ nhất"],
        ["#class=chair", 8, "tệ nhất"],
        ["#images", 8, "tệ nhất"],
        ["#class=cat", 8, "tệ nhất"],  # no such class: all of them
        ["#class=table", 1, "bàn"],
        ["#sample-10", 10, "tệ nhất"],  # it was beyond the eight that are shown first
        ["#images", 10, "tệ nhất"],
    ]


def test_a_picture_is_enlarged_with_keys_to_go_on(use, report):
    told = use(
        report,
        """
        const viewer = document.getElementById("viewer");
        const told = [];
        const tell = () => told.push([
          viewer.open,
          document.getElementById("viewer-name").textContent,
          document.querySelector(".views [aria-pressed=true]").dataset.view,
          document.querySelector("#viewer-stage .picture").className,
        ]);
        document.querySelector('.panel[data-view="truth"]').click();
        tell();
        for (const key of ["4", "ArrowRight", "x", "ArrowLeft", "ArrowLeft"]) {
          viewer.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
          tell();
        }
        document.getElementById("viewer-close").click();
        told.push(viewer.open);
        """,
    )
    assert told == [
        [True, "tệ nhất", "truth", "picture truth"],
        [True, "tệ nhất", "errors", "picture errors"],
        [True, "chair 7", "errors", "picture errors"],
        [True, "chair 7", "errors", "picture errors"],
        [True, "tệ nhất", "errors", "picture errors"],
        [True, "chair 2", "errors", "picture errors"],  # the last of the eight
        False,
    ]


def test_the_policy_refuses_the_scripts_of_others(browse, report):
    html = report.read_text("utf-8").replace("<h1>", "<h1><script>document.title='taken'</script>")
    attacked = report.with_name("attacked.html")
    attacked.write_text(html, "utf-8")
    dom = browse(attacked.as_uri())
    assert "<title>Nội thất · fewmask report</title>" in dom
    assert len(shown_samples(dom)) == 8  # our own still runs


def test_nothing_is_wider_than_the_screen(use, report):
    told = use(
        report,
        f"""
        const told = [];
        for (const width of [340, 390, 800, 1280]) {{
          // In a frame, because no window of Chromium is as narrow as a phone.
          const frame = document.createElement("iframe");
          frame.style.cssText = `width: ${{width}}px; height: 900px; border: 0`;
          frame.src = "{report.as_uri()}";
          const loaded = new Promise((go) => frame.addEventListener("load", go));
          document.body.append(frame);
          await loaded;
          const page = frame.contentDocument;
          const inside = () => page.documentElement.scrollWidth <= width;
          const fits = [inside()];
          page.querySelectorAll("details").forEach((each) => {{ each.open = true; }});
          fits.push(inside());
          page.querySelector(".panel").click();
          const parts = [...page.querySelectorAll("#viewer *")];
          const ends = parts.map((each) => each.getBoundingClientRect());
          fits.push(ends.every((end) => end.left >= 0 && end.right <= width));
          told.push([width, ...fits]);
        }}
        """,
        "--allow-file-access-from-files",
        "--window-size=1300,1000",
    )
    assert told == [[width, True, True, True] for width in (340, 390, 800, 1280)]


def test_it_follows_the_readers_choice_of_light_or_dark(browse, report, tmp_path):
    brightness = {}
    for scheme, number in (("light", 1), ("dark", 0)):
        picture = tmp_path / f"{scheme}.png"
        browse(
            report.as_uri(),
            f"--blink-settings=preferredColorScheme={number}",
            "--window-size=800,600",
            f"--screenshot={picture}",
        )
        brightness[scheme] = read_image(picture, channels=1).mean()
    assert brightness["light"] > 200
    assert brightness["dark"] < 80
