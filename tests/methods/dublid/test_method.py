"""The method `dublid` as a user meets it: any photo, its colours, regions, sizes, and weights of other networks."""

import numpy as np
import pytest
import torch

from planted import plant, psnr
from unblur.blur.kernels import linear_kernel
from unblur.blur.trajectories import sample_motion_kernel
from unblur.errors import KernelError, SettingsError
from unblur.methods.apply import restore
from unblur.methods.dublid.method import Dublid
from unblur.methods.dublid.settings import DublidSettings
from unblur.methods.options import RestoreOptions
from unblur.metrics.kernel import kernel_similarity_upto_shift
from unblur.weights.checkpoint import Checkpoint
from unblur.weights.shipped import read_weights

SHAKE = sample_motion_kernel(21, torch.Generator().manual_seed(2), length=(20, 25))


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return read_weights("dublid-linear")


def make(checkpoint: Checkpoint, **settings) -> Dublid:
    return Dublid(DublidSettings(**settings), checkpoint)


@pytest.fixture(scope="module")
def planted():
    return plant(linear_kernel(11, 30), size=(120, 130), noise=0.001)


@pytest.mark.parametrize("final", ["solver", "retrieval"])
def test_it_finds_the_kernel_and_sharpens(checkpoint, planted, final):
    answer = make(checkpoint, final=final).restore(planted.blurry, RestoreOptions(encoding="encoded"))
    assert answer.facts["final"] == final
    assert answer.facts["level"] == 0
    assert float(kernel_similarity_upto_shift(answer.kernel, planted.kernel)) > 0.6
    inner = slice(20, -20)
    restored, sharp = answer.image[..., inner, inner].clamp(0, 1), planted.sharp[..., inner, inner]
    assert psnr(restored, sharp) > psnr(planted.blurry[..., inner, inner], sharp)


@pytest.mark.parametrize(("kind", "network"), [(linear_kernel(13, 30), "linear"), (SHAKE, "motion")])
def test_the_photo_chooses_the_network(kind, network):
    """The weights that it has where nobody names others hold both: the answer is that of the fitting ones alone."""
    photo = plant(kind, size=(150, 160), noise=0.001)
    options = RestoreOptions(encoding="encoded")
    answer = make(read_weights("dublid"), polish=False).restore(photo.blurry, options)
    alone = make(read_weights(f"dublid-{network}"), polish=False).restore(photo.blurry, options)
    assert answer.facts["network"] == network
    assert "network" not in alone.facts
    assert torch.equal(answer.image, alone.image)


@pytest.mark.parametrize(("kind", "origin"), [(linear_kernel(13, 30), "line"), (SHAKE, "polished")])
def test_the_kernel_is_polished_on_the_photo(kind, origin):
    photo = plant(kind, size=(150, 160), noise=0.003)
    options = RestoreOptions(encoding="encoded")
    polished, own = (
        make(read_weights("dublid"), polish=polish).restore(photo.blurry, options) for polish in (True, False)
    )
    assert (polished.facts["kernel_from"], own.facts["kernel_from"]) == (origin, "network")
    inner = slice(20, -20)
    after, before = (
        psnr(one.image[..., inner, inner].clamp(0, 1), photo.sharp[..., inner, inner]) for one in (polished, own)
    )
    assert after > before + 1


def test_the_networks_own_image_comes_from_its_own_kernel(checkpoint):
    """It sees the whole of a photo that is larger than a polished kernel calls for."""
    photo = plant(linear_kernel(11, 30), size=(190, 200), noise=0.001)
    answer = make(checkpoint, final="retrieval").restore(photo.blurry, RestoreOptions(encoding="encoded"))
    assert (answer.facts["kernel_from"], answer.facts["final"]) == ("network", "retrieval")


def test_an_answer_that_explains_nothing_is_not_given(checkpoint):
    noise = torch.rand(1, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    answer = make(checkpoint).restore(noise, RestoreOptions())
    assert torch.equal(answer.image, noise)
    assert answer.unchanged
    assert "could not be distinguished from noise" in answer.warnings[-1]


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("final", ["solver", "retrieval"])
def test_any_number_of_channels(checkpoint, planted, channels, final):
    photo = planted.blurry.expand(-1, channels, -1, -1)
    answer = make(checkpoint, final=final).restore(photo, RestoreOptions(encoding="encoded"))
    assert answer.image.shape == photo.shape
    spread = answer.image.std(dim=1).max() if channels > 1 else torch.zeros(())
    assert float(spread) < 0.02  # a grey photo stays grey


def test_each_photo_of_a_batch_has_its_own_kernel(checkpoint, planted):
    batch = torch.cat([planted.blurry, planted.blurry.flip(-1)])
    answer = make(checkpoint).restore(batch, RestoreOptions(encoding="encoded"))
    assert answer.kernel.shape[0] == 2
    alone = make(checkpoint).restore(planted.blurry, RestoreOptions(encoding="encoded"))
    torch.testing.assert_close(answer.image[:1], alone.image)


def test_a_known_kernel_is_used_as_it_is(checkpoint, planted):
    answer = make(checkpoint).restore(planted.blurry, RestoreOptions(kernel=planted.kernel, encoding="encoded"))
    assert torch.allclose(answer.kernel, planted.kernel)
    assert psnr(answer.image.clamp(0, 1), planted.sharp) > planted.psnr + 3


def test_large_kernels_are_found_at_a_coarser_level_and_it_is_said(checkpoint):
    planted = plant(linear_kernel(9, 0), size=(200, 210))
    options = RestoreOptions(kernel_size=61, encoding="encoded")
    answer = make(checkpoint, polish=False).restore(planted.blurry, options)
    assert answer.facts["level"] == 1
    assert answer.kernel.shape[-1] == 91
    assert float(answer.kernel.sum()) == pytest.approx(1, abs=1e-4)
    assert any("1/2 of its size" in warning for warning in answer.warnings)


def test_kernels_beyond_all_levels_are_refused(checkpoint, planted):
    with pytest.raises(KernelError, match="up to 90 pixels"):
        make(checkpoint, levels=1).restore(planted.blurry, RestoreOptions(kernel_size=101))


def test_only_the_region_is_looked_at(checkpoint, planted):
    calm = torch.full((1, 1, 120, 300), 0.5)
    calm[..., :130] = planted.blurry
    in_region = make(checkpoint).restore(calm, RestoreOptions(region=(0, 0, 130, 120), encoding="encoded"))
    alone = make(checkpoint).restore(planted.blurry, RestoreOptions(encoding="encoded"))
    torch.testing.assert_close(in_region.kernel, alone.kernel)


def test_large_photos_are_cropped_for_the_search(checkpoint, planted):
    wide = planted.blurry.repeat(1, 1, 2, 3)
    answer = make(checkpoint, pixels=15_000).restore(wide, RestoreOptions(encoding="encoded"))
    assert answer.image.shape == wide.shape


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (7, 33), (47, 200)])
def test_photos_too_small_to_tell_come_back(checkpoint, size):
    photo = torch.rand(1, 1, *size)
    answer = make(checkpoint).restore(photo, RestoreOptions())
    assert torch.equal(answer.image, photo)
    assert len(answer.warnings) == 1


@pytest.mark.parametrize("tone", [0.0, 0.4, 1.0])
def test_a_photo_of_one_tone_stays(checkpoint, tone):
    photo = torch.full((1, 3, 64, 70), tone)
    answer = make(checkpoint).restore(photo, RestoreOptions())
    assert float((answer.image - photo).abs().max()) < 1 / 255


def test_an_image_through_the_one_door(checkpoint, planted):
    pixels = (planted.blurry[0, 0].numpy() * 255).astype(np.uint8)
    answer = restore(pixels, make(checkpoint), seed=3)
    assert answer.image.dtype == np.uint8
    assert answer.image.shape == pixels.shape


@pytest.mark.parametrize("values", [{"pixels": -1}, {"levels": -1}, {"smoothness": -1.0}])
def test_settings_out_of_range_are_refused(values):
    with pytest.raises(SettingsError):
        DublidSettings(**values)
