"""Character error rate of an optical reader on pages of text: sharp, blurred and restored."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from statistics import fmean

import torch
import torch.nn.functional as F  # noqa: N812 - the name that everyone gives it
from PIL import Image
from torch import Tensor

from unblur.datasets.photo_kinds.blurs import defocus, line, shake
from unblur.datasets.photo_kinds.kinds import PhotoKind, make_photo
from unblur.errors import UsageError
from unblur.experiments.figures import draw_images
from unblur.experiments.result import ExperimentResult, Say, Table
from unblur.experiments.scores import psnr_of
from unblur.experiments.text.settings import RecognitionSettings
from unblur.images.tensors import brightness, round_to_8_bits
from unblur.methods.apply import restore_tensor
from unblur.methods.loading import load_method
from unblur.methods.options import RestoreOptions

__all__ = ["character_error_rate", "read_text", "run"]

_READER = "tesseract"
_ENLARGED = 2
"""Pages are enlarged by this before they are read: the reader expects letters of 30 pixels and more."""
_SECONDS = 120
_KINDS = {
    "straight motion, 5 to 12 px": PhotoKind("", line(5, 12), scene="text"),
    "camera shake, 5 to 15 px": PhotoKind("", shake(5, 15), scene="text"),
    "out of focus, radius 2 to 4 px": PhotoKind("", defocus(2, 4), scene="text"),
}
_COLUMNS = ("blur", "pages", "blurry, dB", "restored, dB", "errors, blurry", "errors, restored", "pages not below half")


@dataclass(frozen=True)
class _Page:
    """One page; PSNR in dB, error rates against what is read on the sharp page."""

    before: float
    after: float
    errors_before: float
    errors_after: float


def run(settings: RecognitionSettings, say: Say) -> ExperimentResult:
    """Every page read three times.

    Raises:
        UsageError: There is no reader, or it fails.
    """
    method = load_method(settings.method)
    empty = torch.zeros(1, 3, settings.width * 2 // 3, settings.width)
    rows: list[list[str | float]] = []
    examples: list[tuple[str, Tensor]] = []
    for name, kind in _KINDS.items():
        pages: list[_Page] = []
        for number in range(settings.pages):
            made = make_photo(empty, kind, number)
            options = RestoreOptions(encoding="linear") if made.jpeg_quality else RestoreOptions()
            restored = round_to_8_bits(restore_tensor(made.pair.blurry, method, options).image)
            pages.append(_compare(made.pair.sharp, made.pair.blurry, restored))
            say(f"{name}, page {number}: {pages[-1].errors_before:.0%} > {pages[-1].errors_after:.0%} wrong")
            if not number:
                examples += [(f"{name}: blurry", made.pair.blurry), ("restored", restored)]
        rows.append([name, *_means(pages)])
    return ExperimentResult(
        title=f"Pages of text read before and after {settings.method}",
        figures={"pages": draw_images(examples, columns=2)},
        tables=(Table("pages", "PSNR and character error rates, means", _COLUMNS, rows),),
        comparisons=(),
        notes=(
            f"Random words of the suite photos' kind text, {settings.width} pixels wide, noise and JPEG as there; "
            "in the order of their seeds, from 0.",
            f"Read with {_reader_version()}, English, as one block, enlarged {_ENLARGED} times; what it reads on the "
            "sharp page is taken for the text. Rates count insertions, so they may exceed 1.",
        ),
    )


def _compare(sharp: Tensor, blurry: Tensor, restored: Tensor) -> _Page:
    text = read_text(sharp)
    before, after = (psnr_of(brightness(image), brightness(sharp), "wide-shift") for image in (blurry, restored))
    return _Page(before, after, *(character_error_rate(read_text(image), text) for image in (blurry, restored)))


def _means(pages: Sequence[_Page]) -> list[float]:
    missed = sum(2 * page.errors_after > page.errors_before for page in pages)
    columns = [[page.before, page.after, page.errors_before, page.errors_after] for page in pages]
    return [len(pages), *(fmean(column) for column in zip(*columns, strict=True)), missed]


def read_text(page: Tensor) -> str:
    """What the reader sees on a page `(1, 3, H, W)` in [0, 1], with single spaces between words.

    Raises:
        UsageError: There is no reader, or it fails.
    """
    grey = F.interpolate(brightness(page), scale_factor=_ENLARGED, mode="bicubic").clamp(0, 1)
    file = BytesIO()
    Image.fromarray((grey[0, 0] * 255).round().byte().numpy()).save(file, "PNG")
    return " ".join(_ask_reader(["stdin", "stdout", "--psm", "6", "-l", "eng"], file.getvalue()).split())


def _reader_version() -> str:
    return _ask_reader(["--version"], b"").splitlines()[0]


def _ask_reader(words: Sequence[str], given: bytes) -> str:
    program = shutil.which(_READER)
    if program is None:
        raise UsageError(f"{_READER} reads the pages and is not on the path; install it (Debian: tesseract-ocr)")
    try:
        answer = subprocess.run(  # noqa: S603 - the user's own reader, fixed words
            [program, *words], input=given, capture_output=True, timeout=_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise UsageError(f"{program} cannot read the pages: {error}") from error
    return answer.stdout.decode(errors="replace")


def character_error_rate(read: str, text: str) -> float:
    """Insertions, deletions and replacements that turn what was read into the text, over its length."""
    from torchmetrics.functional.text import char_error_rate  # noqa: PLC0415 - an extra

    return float(char_error_rate([read], [text]))
