"""The experiments with the kernel space, as short as possible, on untrained networks."""

import pytest
import torch

from unblur.errors import SettingsError
from unblur.experiments.kernel_space import augmentation, blur_swap, deblur, retrieval, walk
from unblur.experiments.kernel_space.settings import (
    AugmentationSettings,
    DeblurSettings,
    RetrievalSettings,
    SwapSettings,
    WalkSettings,
)
from unblur.methods.kernel_space.filters import reduced_kernel_space
from unblur.weights.safe_file import write_checkpoint

pytestmark = pytest.mark.usefixtures("quick_search")


@pytest.fixture(autouse=True)
def root(data_folder, monkeypatch):
    monkeypatch.setenv("UNBLUR_DATA", str(data_folder))


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights")
    for variational, name in ((False, "plain"), (True, "variational")):
        torch.manual_seed(0)
        network = reduced_kernel_space(signed=True, variational=variational)
        config = f'{{"size": "reduced", "signed": true, "variational": {str(variational).lower()}, "window": 128}}'
        metadata = {"arch": "kernel-space", "arch_config": config}
        write_checkpoint(folder / f"{name}.safetensors", network.state_dict(), metadata)
    return folder


def silent(_):
    """Print nothing."""


def test_retrieval(weights):
    settings = RetrievalSettings(str(weights / "plain.safetensors"), photos=1, kernels=2, kernel_size=9)
    outcome = retrieval.run(settings, silent)
    [table] = outcome.tables
    assert [row[:2] for row in table.rows] == [
        ["as in training", 1],
        ["as in training", 2],
        ["unseen", 1],
        ["unseen", 2],
    ]
    for row in table.rows:
        assert row[-1] == pytest.approx(row[3] - row[5])
        assert row[4] != row[3], "another kernel has another code"
    leads = [comparison for comparison in outcome.comparisons if "not that of any other" in comparison.claim]
    assert len(leads) == 2
    assert "same direction" not in {comparison.verdict for comparison in leads}, "untrained"


@pytest.mark.parametrize("name", ["plain", "variational"])
def test_walk(weights, name):
    settings = WalkSettings(str(weights / f"{name}.safetensors"), photos=1, steps=3)
    outcome = walk.run(settings, silent)
    rows = outcome.tables[0].rows
    assert [row[0] for row in rows] == [0, 0.5, 1]
    assert rows[0][1] == rows[-1][2] == 100
    assert set(outcome.figures) == ({"walk", "sampled"} if name == "variational" else {"walk"})


def test_deblur(weights):
    settings = DeblurSettings(
        str(weights / "plain.safetensors"), crops=1, size=80, methods="dublid", preset="smoke", ablations=False
    )
    outcome = deblur.run(settings, silent)
    assert [row[0] for row in outcome.tables[0].rows] == ["blurry", "dublid", "kernel-space"]
    assert "deblur" in outcome.figures


def test_every_ablation_is_a_setting():
    names = {name for changes in deblur.ARMS.values() for name in changes}
    assert names == {"code", "image", "edges", "norm", "turns", "warm_steps", "teacher", "hold", "steps"}


@pytest.mark.parametrize(
    ("experiment", "settings_class", "names"),
    [
        (blur_swap, SwapSettings, ["B", "A under the blur of B", "A"]),
        (augmentation, AugmentationSettings, ["none", "imgaug", "comb"]),
    ],
)
def test_trainings_of_equal_length(weights, experiment, settings_class, names):
    settings = settings_class(str(weights / "plain.safetensors"), steps=1, batch=1, size=48, crops=2)
    said = []
    outcome = experiment.run(settings, said.append)
    assert [row[0] for row in outcome.tables[0].rows] == names
    assert len(said) == 3 * (1 + 1)


def test_settings_are_checked():
    for wrong in (lambda: RetrievalSettings(kernels=9), lambda: WalkSettings(steps=2), lambda: SwapSettings(batch=0)):
        with pytest.raises(SettingsError, match="takes a number"):
            wrong()
