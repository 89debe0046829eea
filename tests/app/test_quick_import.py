"""What is left out when Gradio is imported for the page."""

import sys

import pytest

pytest.importorskip("unblur.app.page")

from unblur.app import quick_import


def test_no_stubs_are_written():
    write = vars(sys.modules["gradio.component_meta"])["create_or_modify_pyi"]
    assert write.__module__ == quick_import.__name__


def test_it_is_set_up_once():
    before = list(sys.meta_path)
    quick_import.leave_out_stubs()
    assert sys.meta_path == before
