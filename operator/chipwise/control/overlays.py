"""Writes our NodeOverlays: only the holder of the Lease, only those that bear our mark, and only what differs."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from chipwise.cluster.decide import Decision
from chipwise.cluster.facts.karpenter import OVERLAY_LABEL
from chipwise.cluster.node_overlays import Change, Verb, output
from chipwise.control.fence import Desk, NotLeading
from chipwise.kube.errors import AlreadyExists, Conflict, KubeError, NotFound
from chipwise.kube.protocol import Operation
from chipwise.kube.resources import NODE_OVERLAYS
from chipwise.rendering.write import pointer

log = logging.getLogger(__name__)


class OverlayWriter:
    """``write`` follows a decision, of whoever ``may_write``. What is not written, and why, is logged when it changes."""

    def __init__(self, desk: Desk, *, may_write: Callable[[], bool]) -> None:
        self._desk = desk
        self._may_write = may_write
        self._without: dict[str, str] = {}

    async def write(self, decision: Decision) -> bool:
        """False if a write failed and should be tried again from a new decision."""
        if not self._may_write():
            return True
        wanted = output(decision.views, decision.snapshot)
        for pool, why in wanted.without.items():
            if self._without.get(pool) != why:
                log.info("pool %s: no NodeOverlay: %s", pool, why)
        self._without = dict(wanted.without)
        for change in wanted.changes:
            try:
                await self._apply(change)
            except NotLeading:
                return True
            except (AlreadyExists, Conflict, NotFound) as error:
                log.info(
                    "NodeOverlay %s: %s", change.name, error
                )  # the watch is behind; the next decision knows
            except KubeError as error:
                log.warning("NodeOverlay %s: %s", change.name, error)
                return False
        return True

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
                mark = pointer("metadata", "labels", OVERLAY_LABEL)
                operations: list[Operation] = [
                    {"op": "test", "path": "/metadata/uid", "value": change.uid},
                    {"op": "test", "path": mark, "value": overlay.pool},
                    {"op": "replace", "path": "/spec", "value": overlay.spec},
                ]
                await self._desk.json_patch(NODE_OVERLAYS, None, change.name, operations)
                log.info("NodeOverlay %s: a node costs %s", change.name, overlay.price, extra=facts)
