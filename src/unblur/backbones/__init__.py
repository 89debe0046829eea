"""Networks that turn a blurry image into a sharp one: nothing of data, files or losses."""
