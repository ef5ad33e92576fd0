"""During a move both copies run at once, on different nodes: every volume must be able to follow."""

from __future__ import annotations

from chipwise.cluster.feasibility.case import Case
from chipwise.reasons import Reason, Refusal


def volumes_can_move(case: Case) -> Refusal | None:
    """HostPath belongs to a node; a claim must be shared (ReadWriteMany or ReadOnlyMany) to attach twice. Staying is always allowed."""
    if case.at_home:
        return None
    namespace = case.subject.workload.metadata.namespace or "default"
    if case.subject.host_paths:
        return Refusal(
            Reason.VOLUME_NOT_MOVABLE,
            f"volume {case.subject.host_paths[0]} is a hostPath and stays on its node",
        )
    for name in case.subject.claims:
        claim = case.snapshot.claims.get(f"{namespace}/{name}")
        if claim is None:
            return Refusal(
                Reason.VOLUME_NOT_MOVABLE,
                f"claim {name} is not known, so nobody can say that it attaches twice",
            )
        if not claim.shared:
            return Refusal(
                Reason.VOLUME_NOT_MOVABLE,
                f"claim {name} is ReadWriteOnce and cannot attach to both copies during a move",
            )
    return None
