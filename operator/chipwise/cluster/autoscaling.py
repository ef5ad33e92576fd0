"""Deployments whose replicas an autoscaler owns, and those that stand at zero.

An autoscaler is believed to go wherever it must between its bounds. So what is planned for it, and billed, is what the declared peak
takes, with the policy's headroom on top as far as its maximum, and never less than what runs: that much it may take at any moment.

A Deployment at zero replicas is idle and not broken. Its author scaled it to zero, or KEDA did for lack of traffic, and either knows when
to scale it up again: chipwise writes nothing meanwhile. KEDA may do so at any moment, so the policy's headroom is kept for it where it
was; what has no headroom gives its chips back.
"""

from __future__ import annotations

from math import ceil

from chipwise.cluster.facts import AutoscalerFact, DeploymentFact
from chipwise.reasons import Reason, Refusal

_ROUNDING = 1e-9


def reserved(autoscaler: AutoscalerFact, needed: int, runs: int, headroom: float) -> int:
    """Replicas to plan with where ``needed`` serve the peak and ``runs`` are there now; of an idle Deployment the headroom alone."""
    least = max(needed, autoscaler.minimum)
    if not runs:
        return min(autoscaler.maximum, ceil(least * headroom - _ROUNDING))
    return max(runs, min(autoscaler.maximum, ceil(least * (1 + headroom) - _ROUNDING)))


def idle(deployment: DeploymentFact, autoscaler: AutoscalerFact | None) -> Refusal | None:
    """Why nothing is done for a Deployment at zero replicas; None for one that has some."""
    if deployment.replicas:
        return None
    if autoscaler is None:
        message = (
            "its author scaled it to 0: nothing is written and nothing is billed until it is scaled up again"
        )
    elif autoscaler.scales_to_zero:
        message = f"{autoscaler.title} has it at 0 replicas for lack of traffic: it keeps its place, and scales up by itself"
    else:
        message = f"somebody scaled it to 0, where {autoscaler.title} stands still: nothing is written until it is scaled up again"
    return Refusal(Reason.SCALED_TO_ZERO, message)
