"""The web page: photos in, sharp ones out, with the kernel in hand; Gradio on the server's application, one process."""

from unblur.app.quick_import import leave_out_stubs

__all__ = ["leave_out_stubs"]

leave_out_stubs()  # before the first module that imports Gradio
