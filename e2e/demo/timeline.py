"""A move as text: one line for each change, a mark for each Ready replica, old variant left, new one right."""

from __future__ import annotations

from collections.abc import Sequence

from e2e.demo.history import Step

#: Changes so close that a person would call them one, in seconds.
_TOGETHER = 0.03


def timeline(steps: Sequence[Step], old: str, new: str, demand: float) -> str:
    """Lines of text; times from the first step on. Of changes within 0.03 s only the last is drawn."""
    if not steps:
        return "nothing changed"
    start = steps[0].moment
    drawn = [
        step
        for step, later in zip(steps, [*steps[1:], None], strict=True)
        if later is None or step is steps[0] or later.moment - step.moment > _TOGETHER
    ]
    most = max(max(step.ready.get(name, 0) for step in drawn) for name in (old, new))
    left, right = max(most + 3, len(old) + 2), max(most + 3, len(new) + 2)
    lines = [f"{'':>8}  {old:<{left}}  {new:<{right}}  serves, of {demand:g}/s needed"]
    for step in drawn:
        at = f"{step.moment - start:.1f} s"
        marks = f"{_marks('o', step, old):<{left}}  {_marks('#', step, new):<{right}}"
        lines.append(f"{at:>8}  {marks}  {step.capacity:.1f}/s")
    return "\n".join(lines)


def _marks(mark: str, step: Step, name: str) -> str:
    count = step.ready.get(name, 0)
    return f"{mark * count} {count}" if count else "-"
