"""Says on every page of the site in which language it is, for those who have it read aloud."""

from __future__ import annotations

from typing import Any

LANGUAGES = {"vi/": "vi"}
"""Beginning of a page's address → its language; all others are in that of the theme."""


def on_post_page(output: str, *, page: Any, **_: Any) -> str:
    """Names the language of a page in its first tag; mkdocs calls this for each page."""
    for start, language in LANGUAGES.items():
        if page.url.startswith(start):
            return output.replace('<html lang="en"', f'<html lang="{language}"', 1)
    return output
