"""What documents of foreign kinds must look like, so that a file that is not so is told where."""

from __future__ import annotations

from chipwise.cluster.shapes.kinds import flaw_of, without_nulls

__all__ = ["flaw_of", "without_nulls"]
