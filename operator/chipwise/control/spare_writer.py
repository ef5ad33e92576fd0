"""Writes the placeholders of pools that keep room warm: only the holder of the Lease, only Deployments of ours, only what differs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from chipwise.autoscaling.placeholders import LABEL, WRITTEN
from chipwise.cluster.decide import Decision
from chipwise.cluster.spare import Change
from chipwise.cluster.verbs import Verb
from chipwise.control.fence import Desk, NotLeading
from chipwise.control.guards import still_ours
from chipwise.control.recorder import Recorder
from chipwise.kube.errors import AlreadyExists, Conflict, KubeError, NotFound
from chipwise.kube.protocol import Operation
from chipwise.kube.resources import ACCELERATOR_POOLS, DEPLOYMENTS
from chipwise.reasons import Reason
from chipwise.rendering.write import pointer

log = logging.getLogger(__name__)

SET, REMOVED = "SpareSet", "SpareRemoved"


class SpareWriter:
    """``write`` follows a decision, of whoever ``may_write``. What the API server refuses is told once, until it is let in."""

    def __init__(self, desk: Desk, recorder: Recorder, *, may_write: Callable[[], bool]) -> None:
        self._desk = desk
        self._recorder = recorder
        self._may_write = may_write
        self._told: dict[str, str] = {}

    async def write(self, decision: Decision) -> bool:
        """False if a write failed and should be tried again from a new decision."""
        wanted = decision.spares
        if wanted is None or not self._may_write():
            return True
        whole = True
        for change in wanted.changes:
            try:
                await self._apply(wanted.namespace, change)
            except NotLeading:
                return True
            except (AlreadyExists, Conflict, NotFound) as error:
                log.info(
                    "%s/%s: %s", wanted.namespace, change.name, error
                )  # the watch is behind; the next decision knows
            except KubeError as error:
                whole = False
                await self._refused(change, error, decision)
            else:
                self._told.pop(change.name, None)
                await self._tell(change, _done(change), decision, SET if change.document else REMOVED)
        return whole

    async def _apply(self, namespace: str, change: Change) -> None:
        match change.verb, change.document:
            case Verb.CREATE, document if document is not None:
                await self._desk.create(DEPLOYMENTS, namespace, dict(document))
            case Verb.UPDATE, document if document is not None:
                await self._desk.json_patch(
                    DEPLOYMENTS, namespace, change.name, _operations(change, document)
                )
            case _:
                await self._desk.delete(DEPLOYMENTS, namespace, change.name, only={"uid": change.uid})

    async def _refused(self, change: Change, error: KubeError, decision: Decision) -> None:
        words = f"the placeholders could not be written: {error}"
        if self._told.get(change.name) != words:
            self._told[change.name] = words
            await self._tell(change, words, decision, Reason.WRITE_REFUSED.value, warning=True)

    async def _tell(
        self, change: Change, words: str, decision: Decision, reason: str, *, warning: bool = False
    ) -> None:
        """Of a pool that is gone only the log."""
        level = logging.WARNING if warning else logging.INFO
        log.log(
            level, "Deployment %s: %s", change.name, words, extra={"event": reason, "pool": change.pool or ""}
        )
        pool = decision.snapshot.pools.get(change.pool or "")
        if pool is not None:
            name, uid = pool.metadata.name, pool.metadata.uid or ""
            await self._recorder.post(ACCELERATOR_POOLS, "", name, uid, reason, words, warning=warning)


def _operations(change: Change, document: Mapping[str, Any]) -> list[Operation]:
    metadata = document["metadata"]
    return [
        *still_ours(change.uid, LABEL, metadata["labels"][LABEL]),
        {"op": "add", "path": "/metadata/ownerReferences", "value": metadata["ownerReferences"]},
        {
            "op": "add",
            "path": pointer("metadata", "annotations", WRITTEN),
            "value": metadata["annotations"][WRITTEN],
        },
        {"op": "replace", "path": "/spec", "value": document["spec"]},
    ]


def _done(change: Change) -> str:
    if change.document is None:
        return "no room is kept warm any more"
    spec = change.document["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    chips = next(f"{count} {name}" for name, count in container["resources"]["limits"].items() if "/" in name)
    return f"kept warm: {spec['replicas']} x {chips}"
