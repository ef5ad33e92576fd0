"""What is written anew in a page between two marks, so that page and results cannot differ."""

from __future__ import annotations

from pathlib import Path


def rewrite(path: Path, begin: str, end: str, between: str) -> None:
    """Put the text between the marks, the first of each. ValueError if they are not there."""
    before, begun, rest = path.read_text(encoding="utf-8").partition(begin)
    _, ended, after = rest.partition(end)
    if not begun or not ended:
        raise ValueError(f"{path.name} has no {begin.strip()} and {end.strip()}")
    path.write_text(f"{before}{begin}{between}{end}{after}", encoding="utf-8")
