import torch

from unblur.system.precision import choose_precision

CPU = torch.device("cpu")


def test_precision_that_is_wished():
    assert choose_precision("float32", CPU) == torch.float32
    assert choose_precision("bfloat16", CPU) == torch.bfloat16


def test_precision_that_suits_the_device(monkeypatch):
    for is_able, expected in ((True, torch.bfloat16), (False, torch.float32)):
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda is_able=is_able: is_able, raising=False)
        assert choose_precision("auto", CPU) == expected
