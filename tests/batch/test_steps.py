from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from PIL import Image

from unblur.batch.jobs import PhotoJob
from unblur.batch.steps import StepSaver
from unblur.batch.writing import PhotoWriter
from unblur.errors import WriteError
from unblur.images.files import read_image
from unblur.methods.apply import restore_picture
from unblur.methods.base import Restoration, Step, StepHook, Traits, ignore_step
from unblur.methods.options import RestoreOptions


class Fading:
    """Shows the photo twice, each time with half the light."""

    settings = None

    def __init__(self, traits: Traits) -> None:
        self.traits = traits

    def restore(self, blurry: torch.Tensor, options: RestoreOptions, on_step: StepHook = ignore_step) -> Restoration:
        on_step(Step(0.1, "looking"))
        for number in (1, 2):
            on_step(Step(number / 2, "fading", partial(torch.div, blurry, 2**number)))
        return Restoration(image=blurry)


@pytest.mark.parametrize(
    "traits",
    [Traits(), Traits(channels="rgb"), Traits(size_multiple=8)],
)
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_steps_look_like_the_photo(tmp_path, make_photo, traits, mode):
    path = make_photo(size=(21, 13))
    with Image.open(path) as photo:
        photo.convert(mode).save(path)
    picture = read_image(path)
    saver = saver_for(PhotoJob(path, None, steps=tmp_path / "steps" / path.name), picture)
    restore_picture(picture, Fading(traits), RestoreOptions(device="cpu"), saver)
    assert saver.count == 2
    with Image.open(path) as photo, Image.open(tmp_path / "steps/photo.png.step-00.png") as step:
        assert (step.mode, step.size) == (mode, (21, 13))
        half, whole = (np.asarray(image.convert("L")).astype(float) for image in (step, photo))
    assert np.abs(half - whole / 2).max() <= 1


def saver_for(job: PhotoJob, picture) -> StepSaver:
    return StepSaver(job, picture, PhotoWriter(job, None))


def test_names_that_are_taken(tmp_path, make_photo):
    path = make_photo()
    picture, step = read_image(path), Step(1.0, "done", lambda: torch.zeros(1, 3, 16, 24))
    job = PhotoJob(path, None, steps=tmp_path / "a.png")
    saver_for(job, picture)(step)
    with pytest.raises(WriteError, match="exists already"):
        saver_for(job, picture)(step)
    saver_for(replace(job, replaceable="anything"), picture)(step)


def test_a_method_that_shows_nothing(run, make_photo, tmp_path):
    ran = run("restore", make_photo(), "--method", "input", "--save-steps", tmp_path / "steps")
    assert ran.code == 0
    assert "shows no images on its way" in ran.err
    assert not (tmp_path / "steps").exists()
