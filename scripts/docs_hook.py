"""For mkdocs: fences such as ``sh slow`` tell the tests when a block runs; readers need the language."""

from __future__ import annotations

import re
from typing import Any

_FENCE = re.compile(r"^```(\w+) (?:setup|elsewhere|slow)$", re.MULTILINE)


def on_page_markdown(markdown: str, **named: Any) -> str:
    """A page without the marks."""
    return _FENCE.sub(r"```\1", markdown)
