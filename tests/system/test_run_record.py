import json
from pathlib import Path

from unblur.system.run_record import differences, make_record, record_bytes

SETTINGS = {"seed": 1, "optimizer": {"lr": 0.1, "betas": (0.9, 0.99)}, "folder": Path("photos")}


def test_a_record_survives_its_file():
    record = make_record(SETTINGS, data={"train": "4 files"}, code={"unblur": "abc"}, packages=("torch", "no-such"))
    assert json.loads(record_bytes(record)) == record
    assert record["settings"] == {"seed": 1, "optimizer.lr": 0.1, "optimizer.betas": [0.9, 0.99], "folder": "photos"}
    assert record["versions"]["torch"]
    assert record["versions"]["no-such"] is None
    assert record["hardware"]
    assert record["date"].endswith("+00:00")


def test_what_decides_results_is_compared():
    before = make_record(SETTINGS, data={"train": "4 files"}, code={"unblur": "abc"})
    now = make_record(
        {**SETTINGS, "seed": 2, "workers": 3}, data={"train": "5 files"}, code={"unblur": "x" * 80}, packages=()
    )
    assert differences(before, before) == []
    assert differences(before | {"date": "earlier", "hardware": "elsewhere"}, before) == []
    found = differences(before, now, without_effect=["workers"])
    assert found[:3] == [
        "seed was 1, is 2", "data of train was 4 files, is 5 files", f"code of unblur was abc, is {'x' * 57}..."
    ]  # fmt: skip
    assert [line.partition(" was ")[0] for line in found[3:]] == [
        f"version of {name}" for name in ("numpy", "torch", "unblur")
    ]
    assert all(line.endswith("is not there") for line in found[3:])
