"""What is left out when Gradio is imported for the page."""

import sys

import pytest

pytest.importorskip("unblur.app.page")

from unblur.app import quick_import


def test_nothing_is_written_for_editors():
    module = sys.modules["gradio.component_meta"]
    write, fill_in = vars(module)["create_or_modify_pyi"], vars(module)["EventListener"].set_doc
    assert {write.__module__, fill_in.__module__} == {quick_import.__name__}


def test_it_is_set_up_once():
    before = list(sys.meta_path)
    quick_import.leave_out_help()
    assert sys.meta_path == before
