"""A record that somebody edited: what the author wrote cannot be known, so nothing is written until a person has mended it."""

from __future__ import annotations

from chipwise.cluster.facts import DeploymentFact
from chipwise.reasons import Reason, Refusal
from chipwise.rendering import record as records


def damaged(deployment: DeploymentFact) -> Refusal | None:
    """What is wrong with the record, and the two ways to mend it; None for one that chipwise wrote, or that an undo brought back."""
    flaw = records.damage(deployment.document)
    if flaw is None:
        return None
    undo = f"kubectl rollout undo deployment/{deployment.name} -n {deployment.namespace} --to-revision=N"
    return Refusal(
        Reason.RECORD_DAMAGED,
        f"the record of what its author wrote ({', '.join(records.ANNOTATIONS)}) was edited or removed by hand: {flaw}. Nothing is moved, "
        f"healed or given back. Put the annotations back as they were, or go back to a revision from before that: {undo}",
    )
