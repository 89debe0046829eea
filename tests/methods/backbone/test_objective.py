import pytest
import torch

from unblur.methods.backbone.objective import DmphnObjective


def batch() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {name: torch.rand(2, 3, 16, 16, generator=generator) for name in ("blurry", "sharp")}


@pytest.mark.parametrize("content", ["mean-square", "mean-absolute", "log"])
def test_from_the_identity_there_is_no_gain_at_first(content):
    objective = DmphnObjective(content=content, start="identity")
    scores = objective.evaluate(batch())
    assert scores["gain"].abs().max() < 1e-3
    assert objective(batch())["content"].isfinite()


def test_random_weights_are_no_identity():
    torch.manual_seed(0)
    assert DmphnObjective().evaluate(batch())["gain"].abs().max() > 0.1
