import math

import numpy as np
import pytest
import torch
from scipy import io, ndimage, special

from unblur.errors import ReadError, ShapeError
from unblur.images.files import read_image
from unblur.images.working import to_working
from unblur.metrics.niqe import load_niqe_model, niqe, niqe_patches
from unblur.metrics.niqe_fit import fit_niqe_model, main


def texture(seed: int, height: int = 200, width: int = 300) -> torch.Tensor:
    noise = np.random.default_rng(seed).random((1, 3, height, width))
    image = sum(ndimage.gaussian_filter(noise, (0, 0, s, s)) * s for s in (0.7, 2, 6))
    return torch.from_numpy((image - image.min()) / np.ptp(image)).float()


def features_by_numpy(block: np.ndarray) -> list[float]:
    """The 18 numbers of one block of normalised values, as the authors' script computes them."""

    def fit(values):
        shapes = np.arange(0.2, 10.0005, 0.001)
        table = special.gamma(2 / shapes) ** 2 / (special.gamma(1 / shapes) * special.gamma(3 / shapes))
        left = np.sqrt((values[values < 0] ** 2).mean())
        right = np.sqrt((values[values > 0] ** 2).mean())
        skew = left / right
        ratio = np.abs(values).mean() ** 2 / (values**2).mean()
        ratio *= (skew**3 + 1) * (skew + 1) / (skew**2 + 1) ** 2
        shape = shapes[np.argmin((table - ratio) ** 2)]
        width = np.sqrt(special.gamma(1 / shape) / special.gamma(3 / shape))
        return shape, left * width, right * width

    shape, left, right = fit(block.ravel())
    numbers = [shape, (left + right) / 2]
    for shift in ((0, 1), (1, 0), (1, 1), (1, -1)):
        shape, left, right = fit((block * np.roll(block, shift, (0, 1))).ravel())
        numbers += [shape, (right - left) * special.gamma(2 / shape) / special.gamma(1 / shape), left, right]
    return numbers


def test_features_equal_the_authors_script_written_again():
    image = texture(0, 96 * 2 + 5, 96 + 40)
    red, green, blue = 255 * image[0].double().numpy()[:, : 96 * 2, :96]
    grey = 0.299 * red + 0.587 * green + 0.114 * blue
    y, x = np.mgrid[-3:4, -3:4]
    window = np.exp(-(x**2 + y**2) / (2 * (7 / 6) ** 2))
    window /= window.sum()
    mean = ndimage.correlate(grey, window, mode="nearest")
    deviation = np.sqrt(np.abs(ndimage.correlate(grey**2, window, mode="nearest") - mean**2))
    normalised = (grey - mean) / (deviation + 1)
    patches = niqe_patches(image)
    assert patches.features.shape == (2, 36)
    for row, block in enumerate((normalised[:96], normalised[96:])):
        np.testing.assert_allclose(patches.features[row, :18], features_by_numpy(block), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(patches.sharpness, [deviation[:96].mean(), deviation[96:].mean()], rtol=1e-9)


def test_blur_and_noise_make_it_worse():
    model = fit_niqe_model([texture(seed) for seed in range(6)])
    image = texture(20)
    blurred = [torch.from_numpy(ndimage.gaussian_filter(image.numpy(), (0, 0, s, s))) for s in (1, 2, 4)]
    noise = torch.randn(image.shape, generator=torch.Generator().manual_seed(0))
    noisy = [(image + noise * level / 255).clamp(0, 1) for level in (5, 10, 25)]
    for worse in (blurred, noisy):
        values = [niqe(one, model).item() for one in (image, *worse)]
        assert values == sorted(values)
        assert len(set(values)) == 4


def test_convention_one_number_an_image_grey_or_colour():
    images = torch.cat([texture(1), texture(2)])
    assert niqe(images).shape == (2,)
    torch.testing.assert_close(niqe(images)[1:], niqe(images[1:]))
    grey = images[:, :1]
    torch.testing.assert_close(niqe(grey), niqe(grey.expand(-1, 3, -1, -1)))


def test_images_without_an_answer():
    with pytest.raises(ShapeError, match="96 pixels on each side, not 300x95"):
        niqe(torch.zeros(1, 3, 95, 300))
    assert math.isnan(niqe(torch.full((1, 1, 96, 96), 0.5)).item())
    assert math.isfinite(niqe(texture(3)[..., :96, :96]).item())


def test_a_model_in_the_authors_form_is_read(tmp_path):
    model = fit_niqe_model([texture(0), texture(1)])
    names = {"mu_prisparam": model.mean.numpy()[None], "cov_prisparam": model.covariance.numpy()}
    io.savemat(tmp_path / "modelparameters.mat", names)
    read = load_niqe_model(tmp_path / "modelparameters.mat")
    torch.testing.assert_close(read, model)
    assert niqe(texture(5), read).item() == pytest.approx(niqe(texture(5), model).item())


@pytest.mark.parametrize("name", ["model.npz", "model.mat", "none.npz"])
def test_a_file_that_is_no_model_is_refused(tmp_path, name):
    if name != "none.npz":
        (tmp_path / name).write_bytes(b"not a model")
    with pytest.raises(ReadError, match="no NIQE model"):
        load_niqe_model(tmp_path / name)


def test_the_command_fits_the_photos_of_a_folder(tmp_path, make_photo):
    for seed in range(3):
        make_photo(f"photos/{seed}.png", size=(200, 120), seed=seed)
    main([str(tmp_path / "photos"), str(tmp_path / "model.npz")])
    assert load_niqe_model(tmp_path / "model.npz").mean.shape == (36,)


@pytest.mark.slow
def test_blur_and_noise_make_kodak_photos_worse(data_folder):
    right = {"blur": 0, "noise": 0}
    photos = sorted((data_folder / "train" / "kodak").glob("*.png"))
    for path in photos:
        image = torch.from_numpy(to_working(read_image(path)).transpose(2, 0, 1).copy())[None]
        noise = torch.randn(image.shape, generator=torch.Generator().manual_seed(0))
        blurred = [torch.from_numpy(ndimage.gaussian_filter(image.numpy(), (0, 0, s, s))) for s in (1, 2, 4)]
        noisy = [(image + noise * level / 255).clamp(0, 1) for level in (5, 10, 25)]
        for kind, worse in (("blur", blurred), ("noise", noisy)):
            right[kind] += bool((torch.cat([niqe(one) for one in (image, *worse)]).diff() > 0).all())
    assert len(photos) == 24
    assert min(right.values()) >= 0.95 * 24
