"""A page of the documentation of which one part, between two markers, is written by a script."""

from pathlib import Path

from fewmask.files import write_text

END = "<!-- to here -->"


def begin_marker(script: str) -> str:
    """Returns the line after which a script writes."""
    return f"<!-- Written by benchmarks/{script}, from here -->"


def write_between(page: Path, script: str, text: str) -> None:
    """Puts a text between the markers of a page; the rest stays as it is."""
    before, after = around_markers(page, script)
    write_text(page, f"{before}{begin_marker(script)}\n\n{text}\n{END}{after}")


def around_markers(page: Path, script: str) -> tuple[str, str]:
    """Returns what stands before and behind the markers; ends where they are missing."""
    text = page.read_text("utf-8") if page.exists() else ""
    before, begin, rest = text.partition(begin_marker(script))
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise SystemExit(
            f"{page}: expected a page with the lines '{begin_marker(script)}' and '{END}'."
        )
    return before, after
