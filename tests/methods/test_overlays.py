"""Things that are laid over a photo: found, left out, and returned bit for bit."""

import subprocess
import sys

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from PIL import Image, ImageDraw, ImageFont

from planted import plant, psnr, shake
from unblur.blur.kernels import disk_kernel, linear_kernel
from unblur.datasets.photo_kinds.scenes import text_page
from unblur.images.labels import label_parts
from unblur.images.tensors import linear_to_srgb
from unblur.methods.apply import restore_tensor
from unblur.methods.loading import load_method
from unblur.methods.options import Region, RestoreOptions
from unblur.methods.overlays import find_inner_frame, find_laid_over, find_overlay

SIZE = (150, 200)
KERNELS = {"shake": shake(15, 3, (18, 24)), "disk": disk_kernel(4.0), "diagonal": linear_kernel(11, 45)}


def blurred(kernel: torch.Tensor, seed: int = 0) -> torch.Tensor:
    return plant(kernel, SIZE, seed=seed).blurry.expand(-1, 3, -1, -1)


def lay(photo: torch.Tensor, kind: str) -> tuple[torch.Tensor, torch.Tensor]:
    """The photo with something over it, and where that lies."""
    height, width = photo.shape[-2:]
    layer = Image.new("RGBA", (width, height))
    draw = ImageDraw.Draw(layer)
    if kind == "bars":
        draw.rectangle((0, 0, width, 14), fill=(0, 0, 0, 255))
        draw.rectangle((0, height - 20, width, height), fill=(0, 0, 0, 255))
    elif kind == "frame":
        for box in ((0, 0, width, 5), (0, 0, 5, height), (0, height - 6, width, height), (width - 6, 0, width, height)):
            draw.rectangle(box, fill=(255, 255, 255, 255))
    elif kind == "window":
        draw.rectangle((0, 0, width, 19), fill=(245, 245, 247, 255))
        draw.text((10, 4), "Edit   12:45", fill=(0, 90, 200, 255), font=ImageFont.load_default(12))
    else:
        draw.text((40, 110), "12 08 '03", fill=(255, 160, 40, 255), font=ImageFont.load_default(26))
    drawn = torch.from_numpy(np.asarray(layer, dtype=np.float32).transpose(2, 0, 1).copy() / 255)[None]
    share = drawn[:, 3:]
    return ((photo * (1 - share) + drawn[:, :3] * share) * 255).round() / 255, share > 0


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("kind", ["bars", "frame", "window", "stamp"])
def test_what_is_laid_over_is_found(kind, kernel):
    photo, drawn = lay(blurred(KERNELS[kernel]), kind)
    overlay = find_overlay(photo, RestoreOptions())
    seen = torch.zeros_like(drawn)
    seen[..., overlay.part.rows, overlay.part.columns] = overlay.part.weight > 0
    assert not (seen & drawn).any()
    assert float((~seen & ~drawn).float().mean()) < 0.04


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kernel", KERNELS)
def test_plain_blurred_photos_have_nothing_over_them(kernel, seed):
    assert find_overlay(blurred(KERNELS[kernel], seed), RestoreOptions()) is None


def test_a_sharp_photo_is_not_taken_for_an_overlay():
    sharp = plant(KERNELS["shake"], SIZE).sharp.expand(-1, 3, -1, -1)
    assert not find_laid_over(sharp).any()


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_photo_of_one_tone_has_no_frame(value):
    assert find_inner_frame(torch.full((1, 3, 60, 80), value)) == (0, 0, 80, 60)


@pytest.mark.parametrize("size", [(1, 1), (3, 40), (17, 17), (40, 2)])
def test_small_photos(size):
    assert find_overlay(torch.rand(1, 1, *size), RestoreOptions()) is None


@pytest.mark.parametrize("kind", ["frame", "stamp"])
def test_it_comes_back_as_it_was_and_the_photo_is_restored(kind):
    planted = plant(KERNELS["shake"], SIZE)
    plain = planted.blurry.expand(-1, 3, -1, -1)
    photo, drawn = lay(plain, kind)
    options = RestoreOptions(kernel=KERNELS["shake"], encoding="encoded")
    answer = restore_tensor(photo, load_method("map"), options)
    everywhere = drawn.expand_as(photo)
    assert torch.equal(answer.image[everywhere], photo[everywhere])
    assert "laid_over" in answer.facts
    without = restore_tensor(plain, load_method("map"), options).image
    inner = ~torch.nn.functional.max_pool2d(drawn.float(), 15, 1, 7).bool()[0, 0]
    scores = [
        psnr(image[..., inner][..., None], planted.sharp[..., inner][..., None])
        for image in (photo, answer.image, without)
    ]
    assert scores[1] > scores[0] + 3
    assert scores[1] > scores[2] - 1.5


def test_the_region_for_the_blur_is_counted_from_the_inner_frame():
    photo, _ = lay(blurred(KERNELS["disk"]), "bars")
    overlay = find_overlay(photo, RestoreOptions(region=Region(10, 0, 50, 60)))
    assert overlay.options.region == (10, 0, 50, 45)


def test_labels_of_parts():
    mask = torch.zeros(1, 1, 6, 7, dtype=torch.bool)
    mask[..., 0, 0] = mask[..., 1, 1] = mask[..., 4:, 3:5] = True
    labels = label_parts(mask)[0, 0]
    assert labels[0, 0] == labels[1, 1] != labels[4, 3]
    assert len(labels.unique()) == 3
    assert (labels[~mask[0, 0]] == 0).all()


@pytest.mark.parametrize("seed", range(3))
def test_margins_of_a_page_of_text_are_no_borders(seed):
    page = text_page((200, 300), torch.Generator().manual_seed(seed))
    blurry = F.avg_pool2d(F.pad(page, (4, 4, 0, 0), mode="replicate"), (1, 9), 1)
    assert find_overlay(linear_to_srgb(blurry), RestoreOptions()) is None


def test_looking_loads_no_symbolic_algebra():
    code = (
        "import sys, torch; from unblur.methods.overlays import find_laid_over\n"
        "find_laid_over(torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)))\n"
        "sys.exit('sympy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
