import pytest
import torch
from scipy import ndimage

from planted import draw_picture, shake
from unblur.blur.convolve import convolve
from unblur.datasets.photo_kinds.scenes import text_page
from unblur.images.tensors import brightness
from unblur.methods.classical_map.settings import MapSettings
from unblur.methods.settings import describe_settings
from unblur.solvers.differences import differences
from unblur.solvers.priors import PRIORS, DarkChannel, ExtremeChannels, TwoTones

STRENGTH = torch.tensor([8e-3, 4e-3]).view(2, 1, 1, 1)


def two_pictures() -> torch.Tensor:
    return torch.cat([draw_picture(40, 52, seed) for seed in range(2)])


def test_settings_name_every_prior():
    prior = next(item for item in describe_settings(MapSettings) if item.name == "prior")
    assert set(prior.type.__args__) == set(PRIORS)


@pytest.mark.parametrize("name", PRIORS)
def test_gradients_keep_their_direction_and_never_grow(name):
    right, down = differences(two_pictures())
    wanted_right, wanted_down = PRIORS[name].sparsify(right, down, STRENGTH, 4 * STRENGTH)
    assert torch.hypot(wanted_right, wanted_down).le(torch.hypot(right, down) + 1e-6).all()
    torch.testing.assert_close(wanted_right * down, wanted_down * right, atol=1e-6, rtol=1e-4)
    assert (wanted_right != 0).sum() < (right != 0).sum()


@pytest.mark.parametrize("name", PRIORS)
def test_a_rising_penalty_leaves_the_gradients_alone(name):
    right, down = differences(two_pictures())
    wanted_right, wanted_down = PRIORS[name].sparsify(right, down, STRENGTH, torch.full_like(STRENGTH, 1e8))
    torch.testing.assert_close(wanted_right, right, atol=1e-4, rtol=0)
    torch.testing.assert_close(wanted_down, down, atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", PRIORS)
def test_each_photo_has_its_own_strength(name):
    right, down = differences(two_pictures())
    together = PRIORS[name].sparsify(right, down, STRENGTH, 4 * STRENGTH)[0]
    for i in range(2):
        one = slice(i, i + 1)
        alone = PRIORS[name].sparsify(right[one], down[one], STRENGTH[one], 4 * STRENGTH[one])[0]
        torch.testing.assert_close(together[one], alone)


@pytest.mark.parametrize("patch", [1, 3, 5, 9, 15])
def test_dark_pixels_are_those_of_a_search_patch_by_patch(patch):
    latent = torch.rand(2, 1, 23, 31, generator=torch.Generator().manual_seed(1)) * 0.3
    expected = latent.clone()
    reach = patch // 2
    for image, strength, answer in zip(latent[:, 0], STRENGTH.flatten(), expected[:, 0], strict=True):
        for row in range(23):
            for column in range(31):
                top, left = max(0, row - reach), max(0, column - reach)
                part = image[top : row + reach + 1, left : column + reach + 1]
                y, x = divmod(int(part.argmin()), part.shape[1])
                if part[y, x] ** 2 < strength:
                    answer[top + y, left + x] = 0
    favoured = DarkChannel(patch).favour(latent, STRENGTH, 4 * STRENGTH)
    assert torch.equal(favoured.image, expected)
    assert torch.equal(favoured.weight, STRENGTH)


def test_extreme_channels_treat_light_as_dark():
    latent = two_pictures()
    of_photo, of_negative = (
        ExtremeChannels(5).favour(one, STRENGTH, 4 * STRENGTH).image for one in (latent, 1 - latent)
    )
    torch.testing.assert_close(of_negative, 1 - of_photo, atol=1e-6, rtol=0)


def test_under_two_tones_a_page_stays_as_it_is_and_a_blurred_one_does_not():
    page = brightness(text_page((120, 160), torch.Generator().manual_seed(0)))
    prior, penalty = TwoTones(), torch.tensor(0.5).view(1, 1, 1, 1)
    blurred = convolve(page, shake(9), "replicate")
    far = [float((prior.favour(one, STRENGTH[:1], penalty).image - one).abs().mean()) for one in (page, blurred)]
    assert far[1] > 1.5 * far[0]


def test_paper_may_be_lit_from_one_side():
    light = torch.linspace(0.3, 0.9, 160)
    ink = torch.rand(1, 1, 120, 160, generator=torch.Generator().manual_seed(0)) < 0.2
    page = torch.where(ink, 0.02, light.expand(1, 1, 120, -1))
    favoured = TwoTones().favour(page, STRENGTH[:1], torch.tensor(100.0).view(1, 1, 1, 1))
    assert float((favoured.image - page)[..., 16:-16].abs().amax()) < 0.12
    assert float(favoured.weight) == TwoTones().heaviest


def test_each_image_has_an_ink_of_its_own():
    pages = torch.rand(2, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    pages[0] /= 2
    dark, bright = TwoTones().tones(pages)
    for one in range(2):
        alone = TwoTones().tones(pages[one : one + 1])
        assert torch.equal(dark[one : one + 1], alone[0])
        assert torch.equal(bright[one : one + 1], alone[1])


def test_blur_brightens_the_dark_channel():
    """The observation that the dark-channel prior rests on: Pan et al. (CVPR 2016), section 3."""
    sharp = draw_picture(96, 96)
    blurry = convolve(sharp, shake(15), "replicate")
    dark, blurred_dark = (ndimage.minimum_filter(image[0, 0].numpy(), 9).mean() for image in (sharp, blurry))
    assert blurred_dark > 1.1 * dark


def test_gradient_priors_say_nothing_of_intensities():
    for name in ("l0", "tv", "l1l2"):
        assert PRIORS[name].favour(two_pictures(), STRENGTH, 4 * STRENGTH) is None
