"""Hours of training need no more memory and descriptors than minutes."""

import os
from pathlib import Path

import pytest

from training_processes import end_of, logged, start, wait_for
from unblur.training.checkpoints import list_checkpoints


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_three_thousand_steps(runs):
    recipe = runs.recipe(
        trainer={"max_steps": 3000},
        data={"workers": 2},
        run={"save_every": 100, "log_every": 10, "validate_every": 100, "pictures_every": 100},
    )
    process = start(["train", str(recipe), "--out", str(runs.folder / "run")], runs.folder / "run.log")
    facts = Path("/proc") / str(process.pid)
    seen = []
    for step in range(500, 3000, 250):
        assert wait_for(lambda step=step: logged(runs.file("log.csv")) >= step, process)
        pages = int((facts / "statm").read_text(encoding="ascii").split()[1])
        seen.append((pages * os.sysconf("SC_PAGE_SIZE"), len(list((facts / "fd").iterdir()))))
    assert end_of(process) == 0
    (memory, files), *later = seen
    assert max(grown for grown, _ in later) <= 1.02 * memory, seen
    assert max(opened for _, opened in later) <= files + 2, seen
    assert len(list_checkpoints(runs.file("checkpoints"))) == 3
