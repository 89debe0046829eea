import onnx
import pytest

from unblur.cli.main import main


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["golf", "-o", "golf.pt"], "the name of the new file ends in .onnx, not '.pt'"),
        (["map", "-o", "map.onnx"], "map is not one network, or not one that can be exported; dublid, golf, dmphn can"),
        (["golf"], "missing option '-o' / '--output'; try unblur export --help"),
    ],
)
def test_wrong_use(words, sentence, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["export", *words]) == 2
    assert sentence in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_golf(tmp_path, capsys):
    path = tmp_path / "golf.onnx"
    assert main(["export", "golf", "-o", str(path), "--set", "iters=1"]) == 0
    assert "of PyTorch" in capsys.readouterr().err
    facts = {item.key: item.value for item in onnx.load(path).metadata_props}
    assert facts["weights"] == "golf"
    assert "iters=1" in facts["settings"]
