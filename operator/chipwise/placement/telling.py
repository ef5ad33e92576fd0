"""A move in words: from where to where, how, and what becomes of the bill."""

from __future__ import annotations

from chipwise.placement.problem import Option
from chipwise.placement.rules import Running, money
from chipwise.reasons import Reason


def starting(running: Running, target: Option) -> tuple[Reason, str]:
    """Why it starts now."""
    failing = running.failing
    if failing is None:
        return Reason.MOVED, f"Moves {way(running, target)}"
    there = f"to {target.variant} on {target.pool}"
    why = f"where it failed ({failing.reason}: {failing.message})"
    now, then = running.numbers(target)
    dips = (
        f"; until it is scaled up there, {now} of the {then} replicas serve that are needed"
        if now < then
        else ""
    )
    return Reason.RESCUED, f"Moves from {running.place}, {why}, {there}{dips}"


def way(running: Running, target: Option) -> str:
    """From where to where, and how."""
    goal, carried = f"{target.variant} on {target.pool}", running.over_a_bridge(target)
    if carried and running.moving_to is not None and not running.replicas:
        return f"to {goal}: a bridge of {_replicas(carried)} is taken in"
    over = f" over a bridge of {_replicas(carried)}" if carried else ""
    return f"from {running.place} to {goal}{over}"


def _replicas(count: int) -> str:
    return f"{count} {'replica' if count == 1 else 'replicas'}"


def saying(savings: float) -> str:
    """What becomes of the bill."""
    if savings > 0:
        return f"saves {money(savings)}"
    return f"adds {money(-savings)}" if savings < 0 else "the bill stays the same"
