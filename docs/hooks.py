"""What differs between the pages read in the repository and on the site: links to files that the site does not have."""

from __future__ import annotations

import re
from typing import Any

_LINK_OUT = re.compile(r"\[([^\]]*)\]\(\.\./([^)\s]+)\)")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """A link that leads out of `docs/` as the name of the file, which a clone of the repository has."""
    return _LINK_OUT.sub(r"\1 (`\2` in the repository)", markdown)
