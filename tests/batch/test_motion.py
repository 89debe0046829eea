import numpy as np
import pytest
import torch
from PIL import Image

from unblur.methods.neurmap.model import Neurmap
from unblur.weights.safe_file import write_checkpoint


@pytest.fixture
def weights(tmp_path):
    torch.manual_seed(0)
    path = tmp_path / "neurmap.safetensors"
    write_checkpoint(path, Neurmap().state_dict(), {})
    return path


@pytest.mark.parametrize("mode", ["L", "RGBA"])
def test_motion_is_saved_as_numbers_and_pictures(run, make_photo, weights, tmp_path, mode):
    photo = make_photo(size=(40, 24))
    with Image.open(photo) as image:
        image.convert(mode).save(photo)
    words = ["restore", photo, "--method", "neurmap", "--weights", weights, "--save-motion", tmp_path / "motion"]
    assert run(*words).code == 0
    field = np.load(tmp_path / "motion" / "photo.png.motion.npy", allow_pickle=False)
    assert field.shape == (2, 24, 40)
    assert np.abs(field).max() > 0
    for kind in ("motion", "arrows"):
        with Image.open(tmp_path / "motion" / f"photo.png.{kind}.png") as picture:
            assert (picture.mode, picture.size) == ("RGB", (40, 24))


def test_a_method_that_finds_none_says_so(run, make_photo, tmp_path):
    ran = run("restore", make_photo(), "--method", "input", "--save-motion", tmp_path / "motion")
    assert ran.code == 0
    assert "no motion was found" in ran.err
    assert not (tmp_path / "motion").exists()
