import base64
import re
from xml.etree import ElementTree as ET

import pytest

from unblur.benchmarks.report.charts import colour_of, quality_against_time
from unblur.benchmarks.report.content import Point
from unblur.benchmarks.report.statistics import Interval


def texts_of(address: str) -> dict[str, tuple[float, float]]:
    """Every text of the picture, and where it stands (from the left, from above)."""
    kind, _, data = address.partition(";base64,")
    assert kind == "data:image/svg+xml"
    found = {}
    for text in ET.fromstring(base64.b64decode(data)).iter("{http://www.w3.org/2000/svg}text"):
        place = re.search(r"translate\(([\d.]+) ([\d.]+)\)", text.get("transform", ""))
        x, y = place.groups() if place else (text.get("x", "nan"), text.get("y", "nan"))
        found["".join(text.itertext())] = float(x), float(y)
    return found


def test_points_stand_where_their_numbers_are():
    points = [Point("quick", 0.01, Interval(25, 24, 26)), Point("slow", 1.0, Interval(35, 34, 36))]
    texts = texts_of(quality_against_time(points))
    assert texts["quick"][0] < texts["slow"][0]
    assert texts["quick"][1] > texts["slow"][1]
    assert "mean PSNR, dB" in texts
    assert quality_against_time(points) == quality_against_time(points)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("$x^2$ & \\frac", "$x^2$ & \\frac"),
        ("a\udcff\u202e漢\x1b\0", "a\\udcff\\u202e漢\\x1b\\x00"),
    ],
)
def test_labels_are_text(name, shown):
    assert shown in texts_of(quality_against_time([Point(name, 0.0, Interval(30, 29, 31))]))


def test_colours_rise_from_dark_to_bright():
    assert colour_of(0.0) == ("#440154", "#ffffff")
    assert colour_of(1.0) == ("#fde725", "#111111")
