"""Shows the examples of docstrings as code; Markdown takes their `>>>` for quotations."""

from __future__ import annotations

import re
from typing import Any

import griffe

_SESSION = re.compile(r"^>>> .*\n?(?:^(?!\s*$).*\n?)*", re.MULTILINE)


class FenceDoctests(griffe.Extension):
    """Puts a fence around every Python session in a docstring."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrites the docstring of one object before it is parsed."""
        if obj.docstring is not None:
            obj.docstring.value = _SESSION.sub(
                lambda match: f"```pycon\n{match[0].rstrip()}\n```\n", obj.docstring.value
            )
