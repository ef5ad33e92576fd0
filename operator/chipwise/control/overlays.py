"""Writes our NodeOverlays: only the holder of the Lease, only those that bear our mark, only what differs, and none while moves are frozen.

A new price makes Karpenter replace nodes, so it is a move of every pod on them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from chipwise.cluster.decide import Decision
from chipwise.cluster.facts import NodeOverlayFact
from chipwise.cluster.facts.karpenter import OVERLAY_LABEL, node_overlay_fact
from chipwise.cluster.node_overlays import Output, output
from chipwise.cluster.overlay import PREFIX, Change
from chipwise.cluster.snapshot import Snapshot
from chipwise.cluster.verbs import Verb
from chipwise.control.fence import Desk, NotLeading
from chipwise.control.guards import still_ours
from chipwise.kube.errors import AlreadyExists, Conflict, KubeError, NotFound
from chipwise.kube.protocol import Operation
from chipwise.kube.resources import NODE_OVERLAYS

log = logging.getLogger(__name__)

#: Seconds for which an overlay outlives what may pass: longer than a person takes to mend a pool, and far less than the hours for which
#: Karpenter would run other nodes.
PATIENCE = 600.0


class OverlayWriter:
    """``write`` follows a decision, of whoever ``may_write``. What is not written, and why, is logged when it changes."""

    def __init__(
        self, desk: Desk, *, may_write: Callable[[], bool], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._desk = desk
        self._may_write = may_write
        self._clock = clock
        self._without: dict[str, str] = {}
        self._waits_since: dict[str, float] = {}

    async def write(self, decision: Decision) -> bool:
        """False if something is left to do of which no news may come: a write failed, or an overlay waits to be given up."""
        if not self._may_write() or decision.frozen:
            return True
        try:
            wanted = await self._wanted(decision)
            for change in wanted.changes:
                await self._try(change)
        except NotLeading:
            return True
        except KubeError as error:
            log.warning("a NodeOverlay was not written: %s", error)
            return False
        return not wanted.waiting

    async def _wanted(self, decision: Decision) -> Output:
        """By what the watch tells; where that would be a write, by the overlays as they are now: each write rests on those before it."""
        snapshot = decision.snapshot
        wanted = self._output(decision, snapshot)
        if wanted.changes:
            wanted = self._output(decision, await self._read_anew(decision))
        for pool, why in wanted.without.items():
            if self._without.get(pool) != why:
                log.info("pool %s: no NodeOverlay: %s", pool, why)
        self._without = dict(wanted.without)
        return wanted

    def _output(self, decision: Decision, snapshot: Snapshot) -> Output:
        now = self._clock()
        found = output(decision.views, snapshot)
        self._waits_since = {name: self._waits_since.get(name, now) for name in found.waiting}
        given_up = {name for name, since in self._waits_since.items() if now - since >= PATIENCE}
        return output(decision.views, snapshot, given_up) if given_up else found

    async def _read_anew(self, decision: Decision) -> Snapshot:
        """With every overlay that is or may be ours as the API server has it."""
        known = decision.snapshot.node_overlays
        names = {name for name, one in known.items() if one.owner}
        names |= {f"{PREFIX}{name}" for name, view in decision.views.items() if view.launches is not None}
        found: dict[str, NodeOverlayFact] = {name: one for name, one in known.items() if name not in names}
        for name in sorted(names):
            try:
                found[name] = node_overlay_fact(await self._desk.get(NODE_OVERLAYS, None, name))
            except NotFound:
                continue
        return replace(decision.snapshot, node_overlays=found)

    async def _try(self, change: Change) -> None:
        """Somebody else was faster: then the watch tells, and the next decision knows."""
        try:
            await self._apply(change)
        except (AlreadyExists, Conflict, NotFound) as error:
            log.info("NodeOverlay %s: %s", change.name, error)

    async def _apply(self, change: Change) -> None:
        facts: dict[str, Any] = {"act": f"{change.verb.value} NodeOverlay"}
        match change.verb, change.overlay:
            case Verb.DELETE, _:
                await self._desk.delete(NODE_OVERLAYS, None, change.name, only={"uid": change.uid})
                log.info("NodeOverlay %s: deleted", change.name, extra=facts)
            case Verb.CREATE, overlay if overlay is not None:
                await self._desk.create(NODE_OVERLAYS, None, overlay.document)
                log.info("NodeOverlay %s: a node costs %s", change.name, overlay.price, extra=facts)
            case _, overlay if overlay is not None:
                operations: list[Operation] = [
                    *still_ours(change.uid, OVERLAY_LABEL, overlay.pool),
                    {"op": "replace", "path": "/spec", "value": overlay.spec},
                ]
                await self._desk.json_patch(NODE_OVERLAYS, None, change.name, operations)
                log.info("NodeOverlay %s: a node costs %s", change.name, overlay.price, extra=facts)
