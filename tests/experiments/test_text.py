"""Pages of text read before and after, with a method that changes nothing in the place of one that does."""

import shutil

import pytest
import torch

from unblur.errors import SettingsError, UsageError
from unblur.experiments.text import recognition
from unblur.experiments.text.recognition import character_error_rate, read_text, run
from unblur.experiments.text.settings import RecognitionSettings


def test_error_rates():
    assert character_error_rate("letter", "letter") == 0
    assert character_error_rate("lettr", "letter") == pytest.approx(1 / 6)
    assert character_error_rate("a letter", "letter") == pytest.approx(2 / 6)
    assert character_error_rate("", "letter") == 1


def test_without_a_reader_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UsageError, match="tesseract-ocr"):
        read_text(torch.ones(1, 3, 40, 60))


def test_too_few_pages():
    with pytest.raises(SettingsError, match="pages takes a number from 1 up"):
        RecognitionSettings(pages=0)


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")
def test_a_method_without_effect_leaves_the_errors_as_they_are(monkeypatch):
    kind = dict(list(recognition._KINDS.items())[:1])
    monkeypatch.setattr(recognition, "_KINDS", kind)
    said: list[str] = []
    result = run(RecognitionSettings(method="input", pages=1, width=384), said.append)
    [row] = result.tables[0].rows
    named = dict(zip(result.tables[0].columns, row, strict=True))
    assert named["errors, blurry"] == named["errors, restored"] > 0.2
    assert named["pages not below half"] == 1
    assert "tesseract" in result.notes[1]
    assert len(said) == 1
