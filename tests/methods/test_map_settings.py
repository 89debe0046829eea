import subprocess
import sys

import pytest

from unblur.errors import SettingsError
from unblur.methods.catalog import settings_class_of
from unblur.methods.classical_map.settings import MapSettings
from unblur.methods.kernel_search.pyramid import HYPOTHESES
from unblur.methods.loading import load_method


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hypotheses", 0),
        ("hypotheses", 5),
        ("hypotheses", 1.5),
        ("first_box", 30),
        ("first_box", 1),
        ("largest_box", 100),
        ("largest_box", -3),
        ("rounds", 0),
        ("pixels", 0),
        ("smoothness", 0),
        ("smoothness", -1),
        ("smoothness", "nan"),
        ("smoothness", "inf"),
        ("prior", "dark"),
        ("solver", "magic"),
    ],
)
def test_a_bad_value_is_one_sentence(name, value):
    with pytest.raises(SettingsError) as caught:
        load_method("map", {name: value})
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [0, -0.5, "nan"])
def test_a_bad_smoothness_of_known_kernel(value):
    with pytest.raises(SettingsError, match="smoothness takes a number above 0"):
        load_method("known-kernel", {"smoothness": value})


def test_the_largest_number_of_hypotheses_is_how_many_there_are():
    MapSettings(hypotheses=len(HYPOTHESES))
    with pytest.raises(SettingsError):
        MapSettings(hypotheses=len(HYPOTHESES) + 1)


@pytest.mark.parametrize("name", ["map", "known-kernel"])
def test_settings_need_no_torch(name):
    code = (
        "import sys; from unblur.methods.catalog import settings_class_of; "
        f"settings_class_of({name!r})(); sys.exit('torch' in sys.modules)"
    )
    assert settings_class_of(name)
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
