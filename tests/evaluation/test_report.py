import base64
import hashlib
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from fewmask.errors import FewmaskError
from fewmask.evaluation.report import write_report

HALF_RIGHT = ([[1, 1, 0, 0]], [[1, 0, 1, 0]])
RIGHT = ([[0, 1, 1, 1]], [[0, 1, 1, 1]])
EPOCHS = [
    {"epoch": 1.0, "loss": 0.9, "validation_dice": 0.4, "kept": 1.0},
    {"epoch": 2.0, "loss": 0.5, "validation_dice": 0.6, "kept": 1.0},
]
VOID = {"meta", "link", "img", "br", "input"}


def look(sample):
    labels = np.ones((4, 6), np.uint8)
    return np.full((4, 6, 3), 90, np.uint8), labels, labels


def report_of(evaluation, path, **changes):
    arguments = {
        "title": "ghế nhà",
        "evaluation": evaluation,
        "look": look,
        "epochs": EPOCHS,
        "plan": {"training": {"epochs": 40}},
        "facts": {"keras": "3.15.1"},
        "next_commands": ["fewmask predict runs/ghế PHOTO.jpg"],
    } | changes
    write_report(path, **arguments)
    return path.read_text("utf-8")


class Markup(HTMLParser):
    """Collects what a browser would act on, and checks that tags close as they opened."""

    def __init__(self, html):
        super().__init__()
        self.open, self.texts, self.addresses, self.scripts, self.ids = [], [], [], 0, []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.addresses += [attributes[name] for name in ("src", "href") if name in attributes]
        self.ids += [attributes["id"]] if "id" in attributes else []
        self.scripts += tag == "script"
        assert not any(name.startswith("on") for name in attributes)
        if tag not in VOID and not self.get_starttag_text().endswith("/>"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)

    def handle_data(self, data):
        if "script" not in self.open and "style" not in self.open:
            self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


@pytest.fixture
def page(make, chair, tmp_path):
    evaluation = make.evaluation([HALF_RIGHT, RIGHT], chair, part="test")
    return report_of(evaluation, tmp_path / "report.html")


def test_tells_score_baselines_curves_plan_origin(page):
    text = Markup(page).text
    for passage in (
        "0.750",
        "95 % interval 0.50 to 1.00",
        "all chair",
        "Not clearly better than the baseline all chair",
        "0.600 in epoch 2, kept",
        "training.epochs",
        "3.15.1",
        "fewmask predict runs/ghế PHOTO.jpg",
        "Mean scores each image, then averages",
        "With 2 scored images",
    ):
        assert passage in text, passage


def test_all_names_and_links_of_the_page_meet(page):
    markup = Markup(page)
    assert len(markup.ids) == len(set(markup.ids))
    inside = {address[1:] for address in markup.addresses if address.startswith("#")}
    assert inside <= set(markup.ids)


def test_fetches_nothing(page):
    assert all(each.startswith(("data:", "#")) for each in Markup(page).addresses)
    addresses = set(re.findall(r"https?://[^\s\"'<>)]+", page))
    assert addresses == {"http://www.w3.org/2000/svg"}  # a name, not a place
    assert "@import" not in page
    assert re.findall(r"url\((?!data:)[^v]", page) == []


def test_only_its_own_script_may_run(page):
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page).group(1)
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL).group(1)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy.startswith("default-src 'none'; img-src data:; ")
    assert f"script-src 'sha256-{digest}'" in policy
    assert "connect-src" not in policy  # so the default holds


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        ("test", "They chose nothing: no weight, no epoch, no setting was decided on them."),
        ("validation", "They helped to choose the model, so expect a little less on new images."),
        ("train", "This says how well it remembers, not how well it will do on new images."),
    ],
)
def test_says_what_the_images_were_to_the_model(part, sentence, make, chair, tmp_path):
    evaluation = make.evaluation([RIGHT], chair, part=part)
    assert sentence in Markup(report_of(evaluation, tmp_path / "report.html")).text


def test_claims_nothing_that_nobody_said(make, chair, tmp_path):
    text = Markup(report_of(make.evaluation([RIGHT], chair), tmp_path / "report.html")).text
    assert "Measured on things : 1 image, each at its own size." in text
    assert "chose nothing" not in text


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "$title ${style}", "Ghế “xanh” & đỏ"]
)
def test_names_stay_names(name, make, chair, tmp_path):
    evaluation = make.evaluation([RIGHT], chair)
    for holder, field in ((evaluation, "dataset"), (evaluation.images[0], "sample")):
        object.__setattr__(holder, field, name)
    object.__setattr__(evaluation, "notes", (name,))
    html = report_of(
        evaluation,
        tmp_path / "report.html",
        title=name,
        plan={name: {name: name}},
        facts={name: name},
        next_commands=[name],
    )
    markup = Markup(html)
    assert markup.scripts == 1
    assert markup.text.count(name) >= 9


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ([([[0, 0]], [[0, 0]])] * 20, "mean Dice – no foreground 20 images"),
        ([RIGHT], "mean Dice 1.000 too few for an interval 1 image"),
    ],
)
def test_the_headline_says_why_there_is_no_interval(pairs, words, make, chair, tmp_path):
    html = report_of(make.evaluation(pairs, chair), tmp_path / "report.html")
    assert words in Markup(html).text


def test_the_curve_of_one_network_of_several_is_called_that(make, chair, tmp_path):
    evaluation = make.evaluation([RIGHT], chair)
    for later, said in (([], False), ([[[0, 9]], [[0, 9]]], True)):
        html = report_of(evaluation, tmp_path / "report.html", plan={"later_paces": later})
        assert ("The first of 3 networks, judged by" in Markup(html).text) == said


def test_sections_without_matter_are_left_out(make, chair, tmp_path):
    html = report_of(
        make.evaluation([RIGHT], chair),
        tmp_path / "report.html",
        epochs=[],
        next_commands=[],
    )
    assert re.findall(r'<section id="(\w+)"', html) == [
        "score", "images", "classes", "spread", "origin",
    ]  # fmt: skip


def test_many_large_images_make_a_file_that_can_be_mailed(make, chair, tmp_path):
    pairs = [([[1] * 70], [[1] * hits + [0] * (70 - hits)]) for hits in range(1, 71)]
    evaluation = make.evaluation(pairs, chair)
    random = np.random.default_rng(0)
    noise = random.integers(0, 256, (60, 80, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    shape = np.zeros(noise.shape[:2], np.uint8)
    shape[100:300, 200:500] = 1

    def large(sample):
        return noise, shape, np.roll(shape, 40, axis=1)

    path = tmp_path / "report.html"
    html = report_of(evaluation, path, look=large)
    assert html.count('class="sample"') == 60
    assert path.stat().st_size < 12_000_000
    assert "60 of 70 images: the 40 worst, then the 20 best" in html
    assert html.count('<th scope="row"><a href="#sample-') == 60  # the table lists the others too
    assert html.count('<th scope="row">sample ') == 10


def test_an_old_report_stays_where_a_new_one_fails(make, chair, tmp_path):
    evaluation = make.evaluation([RIGHT], chair)
    path = tmp_path / "report.html"
    path.write_text("old", "utf-8")

    def broken(sample):
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        report_of(evaluation, path, look=broken)
    assert path.read_text("utf-8") == "old"


def test_a_report_that_cannot_be_written_is_one_sentence(make, chair, tmp_path):
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(FewmaskError, match=r"report\.html: expected"):
        report_of(make.evaluation([RIGHT], chair), tmp_path / "file" / "report.html")
