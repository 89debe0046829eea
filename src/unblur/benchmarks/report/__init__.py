"""Reports of benchmark runs: read, compared, drawn, and written as Markdown and as one page of HTML."""
