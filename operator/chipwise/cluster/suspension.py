"""A paused Deployment: its controller scales what runs, and rolls no new template out.

So a move or a restore that is written to it would not come to its end, and would hold room and a place in the budget meanwhile. Only a
rollout whose new pods are all there and available is still ended (pkg/controller/deployment/sync.go, ``scale``).
"""

from __future__ import annotations

from chipwise.cluster.facts import DeploymentFact
from chipwise.reasons import Reason, Refusal


def suspended(deployment: DeploymentFact) -> Refusal | None:
    """Why nothing that is written to the pod template takes effect, and what ends that; None for a Deployment that is not paused."""
    if not deployment.paused:
        return None
    resume = f"kubectl rollout resume deployment/{deployment.name} -n {deployment.namespace}"
    return Refusal(
        Reason.ROLLOUT_PAUSED,
        f"its Deployment is paused (spec.paused), so that no new template is rolled out: resume it with {resume}",
    )
