"""The next atomic write of one Deployment's move, derived only from what is observed.

No step depends on having made the one before: a leader that dies between two writes is followed by one that reads the same Deployment
and goes on. Two rules keep what serves: replicas never change in the same write as the template, and never fall before enough new
replicas are Ready (facts of the Deployment controller: it would scale the old ones first).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Step(StrEnum):
    """What to write, or what to wait for."""

    WRITE_TEMPLATE = "WriteTemplate"
    WAIT_READY = "WaitReady"
    SCALE_DOWN = "ScaleDown"
    DONE = "Done"


@dataclass(frozen=True, slots=True)
class Action:
    """One step. ``replicas`` is set for the steps that scale."""

    step: Step
    sentence: str
    replicas: int | None = None


@dataclass(frozen=True, slots=True)
class Observed:
    """A Deployment on its way to a target.

    ``recorded``: it carries our record of this target. ``template_is_ours``: its template is what we would render for it. ``new_ready``
    are Ready pods of that rendering on target pools, ``old_running`` all other pods. ``replicas_external``: an autoscaler or the author
    owns replicas. ``rollout_complete``: the Deployment says that its rollout is.
    """

    recorded: bool
    template_is_ours: bool
    spec_replicas: int
    new_ready: int
    old_running: int
    target_replicas: int
    replicas_external: bool
    rollout_complete: bool


def next_step(seen: Observed) -> Action:
    """The next step towards the target."""
    if not (seen.recorded and seen.template_is_ours):
        return Action(
            Step.WRITE_TEMPLATE, f"Write the template; {seen.spec_replicas} replicas keep serving meanwhile"
        )
    surplus = not seen.replicas_external and seen.spec_replicas > seen.target_replicas
    if surplus and seen.new_ready >= seen.target_replicas:
        return Action(
            Step.SCALE_DOWN,
            f"{seen.new_ready} new replicas are Ready: scale from {seen.spec_replicas} to {seen.target_replicas}",
            seen.target_replicas,
        )
    needed = seen.target_replicas if surplus else seen.spec_replicas
    if surplus or seen.new_ready < needed or seen.old_running or not seen.rollout_complete:
        return Action(
            Step.WAIT_READY,
            f"{seen.new_ready} of {needed} new replicas are Ready, {seen.old_running} old ones still run",
        )
    return Action(Step.DONE, f"{seen.new_ready} replicas serve on the target and no old one runs")
