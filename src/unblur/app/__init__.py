"""The web page: photos in, sharp ones out, with the kernel in hand; Gradio on the server's application, one process."""

from unblur.app.quick_import import leave_out_help

__all__ = ["leave_out_help"]

leave_out_help()  # before the first module that imports Gradio
