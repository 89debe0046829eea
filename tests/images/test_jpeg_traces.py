import io

import numpy as np
import pytest
import torch
from PIL import Image

from planted import draw_picture
from unblur.images.jpeg_traces import estimate_jpeg_coarseness


def compressed(quality: int, side: int = 240) -> torch.Tensor:
    pixels = (draw_picture(side, side, seed=3)[0, 0] * 255).round().byte().numpy()
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return torch.from_numpy(np.asarray(Image.open(file)).copy())[None, None].float() / 255


@pytest.mark.parametrize(("quality", "coarseness"), [(30, 50 / 30), (60, 0.8), (75, 0.5), (85, 0.3)])
def test_the_steps_of_a_jpeg_are_found_in_its_pixels(quality, coarseness):
    assert estimate_jpeg_coarseness(compressed(quality)) == pytest.approx(coarseness, rel=0.2)


def test_no_traces_without_a_jpeg_or_off_its_grid():
    assert estimate_jpeg_coarseness((draw_picture(240, 240, seed=3) * 255).round() / 255) == 0
    assert estimate_jpeg_coarseness(compressed(75)[..., 3:, 5:]) == 0
    assert estimate_jpeg_coarseness(torch.rand(1, 1, 5, 40)) == 0
