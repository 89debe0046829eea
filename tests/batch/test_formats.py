"""`--format` and `--quality`: what outputs are called, what they are, and how large."""

import numpy as np
import pytest
from PIL import Image

from unblur.batch.plan import make_plan
from unblur.errors import UsageError
from unblur.images.signatures import Format, extension_of, format_of_bytes, format_of_name
from unblur.images.unsupported import can_read_heif

COPY = ("--method", "input")


@pytest.mark.parametrize("name", [name for name in Format.__args__ if name != "heif" or can_read_heif()])
def test_every_format_is_written_under_its_usual_name(run, make_photo, tmp_path, name):
    photo = make_photo("photo.webp" if name != "webp" else "photo.png")
    assert run("restore", photo, "--format", name, *COPY).code == 0
    output = tmp_path / f"photo.unblur{extension_of(name)}"
    assert format_of_bytes(output.read_bytes()) == name == format_of_name(output)
    with pytest.raises(UsageError, match="different formats"):
        make_plan([str(photo)], output="x.gif" if name != "gif" else "x.bmp", written_as=name)


def test_names_that_say_the_format_already_stay(make_photo):
    names = [str(make_photo(name)) for name in ("a.JPEG", "b.jpe", "c.png")]
    jobs = make_plan(names, output="out", written_as="jpeg").jobs
    assert [job.output.name for job in jobs] == ["a.JPEG", "b.jpe", "c.jpg"]
    with pytest.raises(UsageError, match="--in-place keeps"):
        make_plan(names, in_place=True, written_as="jpeg")


def test_a_pipe_has_the_format_that_is_asked_for(run, make_photo):
    ran = run("-", "--format", "jpeg", *COPY, stdin=make_photo().read_bytes())
    assert format_of_bytes(ran.out) == "jpeg"


@pytest.mark.parametrize("name", ["jpeg", "webp", "avif"])
def test_quality_decides_size_and_error(run, make_photo, tmp_path, name):
    photo = make_photo(size=(160, 120))
    original, sizes, errors = np.asarray(Image.open(photo).convert("RGB"), float), [], []
    for quality in (20, 95):
        output = tmp_path / f"{quality}{extension_of(name)}"
        assert run("restore", photo, "-o", output, "--quality", quality, *COPY).code == 0
        sizes.append(output.stat().st_size)
        errors.append(np.abs(np.asarray(Image.open(output).convert("RGB"), float) - original).mean())
    assert sizes[0] < sizes[1]
    assert errors[0] > errors[1] > 0


def test_a_quality_without_effect_is_said(run, make_photo):
    assert "PNG has no quality; the one given is not used" in run("restore", make_photo(), "--quality", 50, *COPY).err


def test_another_quality_is_another_output(run, make_photo):
    photo = make_photo("photo.jpg")
    words = ["restore", photo, "--resume", *COPY]
    assert "1 done" in run(*words).err
    assert "0 done, 1 skipped" in run(*words).err
    assert "1 done" in run(*words, "--quality", 60).err
    with Image.open(photo.with_name("photo.unblur.jpg")) as image:
        assert image.quantization[0][0] > 10
