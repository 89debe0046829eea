import pytest
import torch

from unblur.backbones.dmphn import dmphn_1_2_4
from unblur.datasets.making import make_kernel_synthesised
from unblur.experiments import neurmap_table1
from unblur.experiments.neurmap_settings import TableSettings
from unblur.methods.neurmap.model import Neurmap
from unblur.weights.safe_file import write_checkpoint


@pytest.fixture
def settings(make_photo, tmp_path) -> TableSettings:
    """Two test pairs; both methods have the same untrained deblurring network."""
    for number in range(12):
        make_photo(f"photos/{number:02d}.png", size=(72, 80), seed=number)
    list(make_kernel_synthesised([tmp_path / "photos"], tmp_path / "neurmap", variants=1))
    torch.manual_seed(0)
    network = Neurmap()
    deblurring = dmphn_1_2_4()
    deblurring.load_state_dict(network.deblurring.state_dict())
    write_checkpoint(tmp_path / "n.safetensors", network.state_dict(), {})
    write_checkpoint(tmp_path / "d.safetensors", deblurring.state_dict(), {})
    return TableSettings(str(tmp_path / "d.safetensors"), str(tmp_path / "n.safetensors"), str(tmp_path))


def test_table(settings):
    seen: list[str] = []
    outcome = neurmap_table1.run(settings, seen.append)
    table = outcome.tables[0]
    assert len(seen) == 2
    assert [row[0] for row in table.rows] == ["blurry", "DMPHN", "DMPHN + NeurMAP"]
    blurry, without, with_it = table.rows
    assert without[1] == pytest.approx(with_it[1], abs=0.1), "the same network"
    assert blurry[1] > without[1], "an untrained network is no help"
    gain, motion = outcome.comparisons
    assert gain.matches is False
    assert "square pixels" in motion.ours
