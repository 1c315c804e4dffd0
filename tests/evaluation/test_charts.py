import math
import re

from fewmask.evaluation.bootstrap import Interval
from fewmask.evaluation.charts import Bar, Dot, score_bars, strip_plot

UNKNOWN = Interval(math.nan, math.nan)


def test_bars_share_one_scale():
    html = score_bars(
        [
            Bar("this model", 0.873, Interval(0.84, 0.9), is_model=True),
            Bar("all <chair>", 0.5, UNKNOWN, is_model=False),
        ]
    )
    assert 'class="bar model"' in html
    assert "width:87.30%" in html
    assert 'style="left:84.00%;width:6.00%"' in html
    assert html.count("whisker") == 1  # none where there is no interval
    assert "all &lt;chair&gt;" in html
    assert "nan" not in html


def test_an_unmeasured_bar_is_empty():
    html = score_bars([Bar("all background", math.nan, UNKNOWN, is_model=False)])
    assert "width:0.00%" in html
    assert "–" in html


def centers(html):
    return [tuple(map(float, at)) for at in re.findall(r'cx="([\d.]+)%" cy="([\d.]+)"', html)]


def test_each_scored_image_is_one_dot():
    html = strip_plot("chair", [Dot("a", 0.25), Dot("b", 1.0), Dot("c", math.nan)])
    assert [x for x, _ in centers(html)] == [25.0, 100.0]
    assert "mean 0.625, 2 images" in html


def test_dots_of_one_score_lie_beside_each_other():
    html = strip_plot("chair", [Dot(str(place), 0.5) for place in range(40)])
    heights = [y for _, y in centers(html)]
    assert len(set(heights)) == 40
    assert max(heights) < float(re.search(r'height="(\d+)"', html).group(1)) < 100


def test_a_dot_names_its_sample_without_trusting_it():
    html = strip_plot("<b>ghế</b>", [Dot("<script>alert(1)</script>", 0.5, "#sample-3")])
    assert "<script" not in html
    assert "<title>&lt;script&gt;alert(1)&lt;/script&gt;: 0.500</title>" in html
    assert 'href="#sample-3"' in html
    assert "&lt;b&gt;ghế" in html


def test_the_interval_is_a_band():
    html = strip_plot("all", [Dot("a", 0.5), Dot("b", 0.7)], Interval(0.5, 0.7))
    assert '<rect class="band" x="50.00%" y="0" width="20.00%"' in html


def test_a_strip_without_scores_stays_empty():
    html = strip_plot("plant pot", [Dot("a", math.nan)])
    assert "circle" not in html
    assert "mean –, 0 images" in html
