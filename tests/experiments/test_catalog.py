import subprocess
import sys

import pytest

from unblur.errors import UsageError
from unblur.experiments.catalog import EXPERIMENTS, find_experiment, run_of, settings_class_of
from unblur.methods.settings import describe_settings, make_settings


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_entries_can_be_imported(name):
    entry = find_experiment(name)
    settings = settings_class_of(entry)
    assert make_settings(settings, entry.quick) != settings()
    assert all(item.help.endswith(".") for item in describe_settings(settings))
    assert callable(run_of(entry))


def test_an_unknown_name():
    with pytest.raises(UsageError, match="golf-toy"):
        find_experiment("cricket")


def test_the_command_lists_them_without_torch():
    code = (
        "import sys; from unblur.cli.main import main; main(['experiment']); main(['experiment', 'cricket']);"
        "print('torch' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert all(name in ran.stdout for name in EXPERIMENTS)
    assert ran.stdout.splitlines()[-1] == "False"
    assert "choose one of" in ran.stderr
    assert "needs the data set Kodak" in ran.stdout


def test_the_command_writes_a_report(run, tmp_path):
    ran = run("experiment", "golf-runtime", "--quick", "--set", "side=40", "--out", tmp_path / "time")
    assert ran.code == 0
    assert (tmp_path / "time" / "report.md").is_file()
    assert "size of putt: printed 0.46 MiB, ours 0.46 MiB (± 0.005 MiB): matches" in ran.err
    assert '"side": 40' in (tmp_path / "time" / "record.json").read_text()


def test_the_command_refuses_unknown_settings(run):
    ran = run("experiment", "golf-toy", "--set", "fog=1")
    assert ran.code == 2
    assert "there is no setting 'fog'" in ran.errors[0]
