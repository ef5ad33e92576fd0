"""``python -m chipwise.cli`` is ``chipwise``."""

from __future__ import annotations

from chipwise.cli.main import main

main(prog_name="chipwise")
