"""Managed Deployments whose workload is gone: those to give back, and those held because too many are gone at once."""

from __future__ import annotations

from chipwise.cluster.facts import DeploymentFact
from chipwise.cluster.snapshot import Snapshot
from chipwise.rendering import record as records

#: So many managed Deployments without a workload, and more than half of all, are a mistake until a person says otherwise.
MASS_DELETION = 5
CONFIRM_RESTORE = "chipwise.dev/confirm-restore"


def orphans(snapshot: Snapshot) -> tuple[tuple[DeploymentFact, ...], tuple[DeploymentFact, ...]]:
    """Managed Deployments whose workload is gone: those to give back, and those held as too many are gone at once."""
    managed = [d for _, d in sorted(snapshot.deployments.items()) if d.managed and not d.deleting]
    unreadable = {f"{one.namespace}/{one.name}" for one in snapshot.unreadable}
    found = [
        d for d in managed if d.key not in snapshot.workloads_by_target and _workload_of(d) not in unreadable
    ]
    if len(found) >= MASS_DELETION and 2 * len(found) > len(managed):
        confirmed = [o for o in found if CONFIRM_RESTORE in (o.document["metadata"].get("annotations") or {})]
        return tuple(confirmed), tuple(o for o in found if o not in confirmed)
    return tuple(found), ()


def _workload_of(deployment: DeploymentFact) -> str | None:
    """The workload (namespace/name) for which a Deployment was moved, as its record says."""
    try:
        record = records.read(deployment.document)
    except records.RecordDamaged:
        return None
    return f"{deployment.namespace}/{record.workload}" if record else None
