"""The papers' figures and tables made again, with the printed values beside ours."""
