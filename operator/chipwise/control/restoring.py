"""The next write on the way back to the author's Deployment: its template, its replicas, its strategy, and no trace of ours."""

from __future__ import annotations

from dataclasses import replace

from chipwise.cluster.authorship import read_deployment
from chipwise.cluster.copies import authors_replicas
from chipwise.cluster.decide import Decision
from chipwise.cluster.facts import DeploymentFact
from chipwise.cluster.restoring import record_of
from chipwise.cluster.snapshot import Snapshot
from chipwise.control import bridges
from chipwise.control.act import Act, AnyAct, Kind
from chipwise.rendering.manifest import Manifest, manifest_of
from chipwise.rendering.record import Record


def of_an_orphan(deployment: DeploymentFact, decision: Decision) -> AnyAct | None:
    """The next write for a managed Deployment whose workload was deleted: take our traces off, or give it back to its author."""
    record = record_of(deployment)
    if record is not None and record.deletion_policy != "Restore":
        retained = Act(Kind.RELEASE, deployment, "the workload is gone; what runs is retained")
        return bridges.last(retained, record, decision)
    return given_back(deployment, decision, "the workload is gone; the author's template comes back")


def given_back(deployment: DeploymentFact, decision: Decision, why: str) -> AnyAct | None:
    """The next write on the way back for whoever wants it, a bridge that stands included.

    An undo to an earlier rendering of ours brought that one's record back, which is enough to give the author's back; one to the
    author's ReplicaSet brought none, and there is nothing to give back.
    """
    record = record_of(deployment)
    if record is None:
        undone = Act(Kind.RELEASE, deployment, "its move was undone, and nothing of chipwise is left on it")
        return bridges.last(undone, None, decision)
    return bridges.last(restored(deployment, record, decision.snapshot, why), record, decision)


def restored(deployment: DeploymentFact, record: Record, snapshot: Snapshot, why: str) -> Act | None:
    """The next write on the author's Deployment itself.

    Replicas up first, so that the author's chip never serves with fewer than the author asked for, then the template under a strategy
    that loses nothing, and last the author's own strategy, with our traces off. What the author wrote meanwhile is kept.
    """
    document = deployment.document
    base = read_deployment(document).base
    author = authors_replicas(deployment, record, snapshot)
    if not record.restoring:
        if author > deployment.replicas:
            return Act(Kind.SCALE, deployment, "the author's replicas, before the template", replicas=author)
        manifest, noted = _returning(base, record, max(1, author))
        return Act(Kind.RESTORE, deployment, why, manifest=manifest, record=noted)
    if not deployment.rolled_out:
        return None
    if author != deployment.replicas:
        return Act(Kind.SCALE, deployment, "the author's replicas", replicas=author)
    own = Manifest(template=manifest_of(document).template, strategy=base.strategy)
    return Act(Kind.RESTORED, deployment, "the author's Deployment is restored", manifest=own)


def _returning(base: Manifest, record: Record, surge: int) -> tuple[Manifest, Record]:
    """The author's template under a strategy that loses nothing; the author's own strategy comes back at the end."""
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": surge}}
    manifest = Manifest(template=base.template, strategy=strategy)
    return manifest, replace(record, base=base, rendered=manifest, restoring=True)
