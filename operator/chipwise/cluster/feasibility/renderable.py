"""The variant must go together with what the author wrote: the rendering itself says whether it does."""

from __future__ import annotations

from chipwise.cluster.feasibility.case import Case
from chipwise.cluster.targets import target
from chipwise.reasons import Refusal
from chipwise.rendering.record import too_large
from chipwise.rendering.render import obstacle


def can_be_rendered(case: Case) -> Refusal | None:
    """A sidecar that wants chips, a shell one-liner whose flags cannot be patched, and the like. Staying needs no rendering."""
    if case.at_home:
        return None
    subject = case.subject
    base = subject.reading.base
    wanted = target(case.variant, (case.pool,), subject.container, subject.words, surge=1)
    return obstacle(base, wanted) or too_large(base)
