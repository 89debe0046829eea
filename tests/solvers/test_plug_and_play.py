import torch

from unblur.blur.convolve import convolve
from unblur.solvers.frame import Frame
from unblur.solvers.plug_and_play import PlugAndPlay

KERNEL = torch.tensor([[0.1, 0.3, 0.05], [0.0, 0.4, 0.15]]).double().view(1, 1, 2, 3)
KERNEL = torch.nn.functional.pad(KERNEL, (0, 0, 0, 1))


def test_one_step_equals_dense_least_squares():
    generator = torch.Generator().manual_seed(0)
    blurry, improved = (torch.rand(1, 1, 9, 12, generator=generator, dtype=torch.float64) for _ in range(2))
    frame = Frame.around((9, 12), (3, 3))
    impulses = torch.eye(frame.size[0] * frame.size[1], dtype=torch.float64).view(-1, 1, *frame.size)
    blur = convolve(impulses, KERNEL, "circular").flatten(1).T
    stacked = torch.cat([blur, 0.3 * torch.eye(blur.shape[0], dtype=torch.float64)])
    wanted = torch.cat([frame.extend(blurry).flatten(), 0.3 * frame.extend(improved).flatten()])
    expected = frame.crop(torch.linalg.lstsq(stacked, wanted).solution.view(1, 1, *frame.size))
    found = PlugAndPlay(blurry, KERNEL, blurry, lambda _: improved, steps=1, pull=0.09).run()
    torch.testing.assert_close(found, expected)


def test_the_improver_sees_the_image_of_the_step_before():
    blurry = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    seen = []

    def improve(image):
        seen.append(image)
        return image.clamp(0.2, 0.8)

    last = PlugAndPlay(blurry, KERNEL.float(), blurry, improve, steps=3, pull=0.1).run()
    assert len(seen) == 3
    assert torch.equal(seen[0], blurry)
    again = PlugAndPlay(blurry, KERNEL.float(), seen[2], improve, steps=1, pull=0.1).run()
    assert torch.equal(last, again)


def test_no_step_no_change():
    blurry = torch.rand(1, 1, 8, 8)
    assert PlugAndPlay(blurry, KERNEL.float(), blurry, torch.zeros_like, steps=0, pull=1.0).run() is blurry
