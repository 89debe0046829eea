"""The web page: photos in, sharp ones out, with the kernel in hand; Gradio on the server's application, one process."""
