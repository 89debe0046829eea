"""Hours of training need no more memory and descriptors than minutes."""

import os
from pathlib import Path

import pytest
from lightning.pytorch import Callback

from unblur.training import load_recipe, run


class Watch(Callback):
    """Notes memory and descriptors every 500 steps."""

    def __init__(self):
        self.seen = []

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        if trainer.global_step % 500 == 0:
            pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
            self.seen.append((pages * os.sysconf("SC_PAGE_SIZE"), len(os.listdir("/proc/self/fd"))))


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_three_thousand_steps(runs, monkeypatch):
    watch = Watch()
    trainer = run.Trainer
    monkeypatch.setattr(run, "Trainer", lambda **words: trainer(**words | {"callbacks": [*words["callbacks"], watch]}))
    recipe = runs.recipe(
        trainer={"max_steps": 3000},
        data={"workers": 2},
        run={"save_every": 100, "log_every": 10, "validate_every": 100, "pictures_every": 100},
    )
    run.train(load_recipe(recipe), runs.folder / "run", say=lambda _: None, warn=runs.warnings.append)
    (memory, files), *later = watch.seen
    assert len(later) == 5
    assert max(grown for grown, _ in later) <= 1.02 * memory, watch.seen
    assert max(opened for _, opened in later) <= files, watch.seen
