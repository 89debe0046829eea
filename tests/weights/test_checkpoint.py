"""Good files in every form, the official ones among them, and files of ours."""

import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
import torch

import hostile_checkpoints as hostile
from unblur.errors import CheckpointError, OutputError, WriteError
from unblur.methods.architectures import describe_checkpoint
from unblur.weights.checkpoint import read_checkpoint
from unblur.weights.safe_file import write_checkpoint

GOOD = hostile.good_files()


@pytest.fixture(scope="module")
def official(data_folder) -> Path:
    folder = data_folder.parent / "weights"
    if not folder.is_dir():
        pytest.skip("no official weights beside the shared data")
    return folder


@pytest.mark.parametrize("name", GOOD)
def test_every_form_is_read(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(GOOD[name])
    checkpoint = read_checkpoint(path)
    expected = {"conv.weight": torch.ones(2)} if name == "optimiser.pt" else hostile.weights()
    assert set(checkpoint.tensors) == set(expected)
    for key, tensor in expected.items():
        assert torch.equal(checkpoint.tensors[key], tensor)
    assert checkpoint.name == name
    assert checkpoint.sha256 == sha256(GOOD[name]).hexdigest()
    assert checkpoint.metadata == ({"arch": "tiny", "method": "none"} if name == "metadata.safetensors" else {})


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize(
    "dtype", ["float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool"]
)
def test_every_type_of_number(tmp_path, dtype, legacy):
    tensor = torch.arange(6).reshape(2, 3).to(getattr(torch, dtype))
    tensors = {"a": tensor, "turned": tensor.T, "part": tensor[:, 1:], "one": tensor[0, 0], "none": tensor[:0]}
    (tmp_path / "w.pth").write_bytes(hostile.saved(tensors, legacy=legacy))
    read = read_checkpoint(tmp_path / "w.pth").tensors
    for name, expected in tensors.items():
        assert read[name].dtype == expected.dtype
        assert torch.equal(read[name], expected)


def test_the_name_of_a_file_does_not_matter(tmp_path):
    for number, data in enumerate(GOOD.values()):
        (tmp_path / str(number)).write_bytes(data)
        assert read_checkpoint(tmp_path / str(number)).tensors


def test_official_dublid(official):
    """The sanity values of the file, as its authors' code shows them."""
    checkpoint = read_checkpoint(official / "dublid" / "16channel_10layer.ckpt")
    tensors = checkpoint.tensors
    assert len(tensors) == 53
    assert sum(tensor.numel() for tensor in tensors.values()) == 21268
    assert describe_checkpoint(checkpoint) == "DUBLID (10 layers, 16 channels, grey)"
    steps = torch.cat([tensors[f"kernel_prox_list.{layer}"] for layer in range(10)])
    biases = torch.cat([tensors[f"kernel_bias_list.{layer}"] for layer in range(10)])
    torch.testing.assert_close(
        steps, torch.tensor([0.7779, 0.8057, 0.8712, 0.6037, 0.8072, 1.316, 0.3458, 1.156, 1.465, 0.7241]),
        atol=5e-4, rtol=0,
    )  # fmt: skip
    torch.testing.assert_close(
        biases, torch.tensor([0.01464, 6.7e-8, 0, 0.03513, 0.6715, 0.8086, 1.780, 2.161, 2.605, 2.359]),
        atol=5e-4, rtol=0,
    )  # fmt: skip
    assert float(tensors["prox_list.9"].max()) == pytest.approx(5.902, abs=5e-4)
    assert float(tensors["bias_list.8"].max()) == pytest.approx(1.725, abs=5e-4)
    assert float(tensors["prox_list.10"].mean()) == pytest.approx(0.3956, abs=5e-5)
    assert [float(edge) for edge in tensors["weight_list.0"].aminmax()] == pytest.approx([-0.5037, 0.4410], abs=5e-5)


@pytest.mark.parametrize("part", [f"{kind}_lv{level}" for kind in ("encoder", "decoder") for level in (1, 2, 3)])
def test_official_dmphn(official, part):
    """Our reader of the old format against torch's own."""
    path = official / "dmphn" / f"{part}.pkl"
    checkpoint = read_checkpoint(path)
    theirs = torch.load(path, map_location="cpu", weights_only=True)
    assert describe_checkpoint(checkpoint) == f"one {part[:7]} of DMPHN"
    assert len(checkpoint.tensors) == 30
    for name, tensor in theirs.items():
        assert torch.equal(checkpoint.tensors[name], tensor)


def test_written_and_read_again(tmp_path):
    path = tmp_path / "w.safetensors"
    metadata = {"format_version": "1", "arch": "tiny", "trained_on": "nothing: ünïcode\nand lines"}
    tensors = hostile.weights() | {"turned": torch.rand(3, 5).T, "tied": hostile.weights()["conv.bias"]}
    write_checkpoint(path, tensors, metadata)
    checkpoint = read_checkpoint(path)
    assert checkpoint.metadata == metadata
    for name, tensor in tensors.items():
        assert torch.equal(checkpoint.tensors[name], tensor)
    assert list(tmp_path.iterdir()) == [path]


def test_the_same_weights_are_the_same_bytes(tmp_path):
    """Also from another process, where dictionaries of the library come in another order."""
    tensors = {f"t{n}": torch.full((n,), n / 7) for n in range(1, 9)}
    metadata = {f"key {n}": "x" * n for n in range(9)}
    write_checkpoint(tmp_path / "here.safetensors", tensors, metadata)
    write_checkpoint(tmp_path / "again.safetensors", tensors, metadata)
    code = (
        "import sys; from unblur.weights.checkpoint import read_checkpoint;"
        "from unblur.weights.safe_file import write_checkpoint; read = read_checkpoint(sys.argv[1]);"
        "write_checkpoint(sys.argv[2], read.tensors, read.metadata)"
    )
    places = [tmp_path / "here.safetensors", tmp_path / "there.safetensors"]
    subprocess.run([sys.executable, "-c", code, *places], check=True)
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1


def test_nothing_unfit_is_written(tmp_path):
    with pytest.raises(CheckpointError, match="not finite"):
        write_checkpoint(tmp_path / "w.safetensors", {"a": torch.tensor([torch.nan])}, {})
    with pytest.raises(CheckpointError, match="no tensors"):
        write_checkpoint(tmp_path / "w.safetensors", {}, {})
    with pytest.raises(OutputError):
        write_checkpoint(tmp_path / "nowhere" / "w.safetensors", hostile.weights(), {})
    (tmp_path / "w.safetensors").write_bytes(b"mine")
    with pytest.raises(WriteError, match="exists"):
        write_checkpoint(tmp_path / "w.safetensors", hostile.weights(), {})
    assert (tmp_path / "w.safetensors").read_bytes() == b"mine"
    write_checkpoint(tmp_path / "w.safetensors", hostile.weights(), {}, overwrite=True)
    assert read_checkpoint(tmp_path / "w.safetensors").tensors
