"""The variant must go together with what the author wrote: the rendering itself says whether it does."""

from __future__ import annotations

from chipwise.cluster.feasibility.case import Case
from chipwise.reasons import Refusal
from chipwise.rendering.record import too_large


def can_be_rendered(case: Case) -> Refusal | None:
    """A sidecar that wants chips, a shell one-liner whose flags cannot be patched, and the like. Staying needs no rendering."""
    if isinstance(case.template, Refusal):
        return case.template
    return None if case.at_home else too_large(case.subject.reading.base)
