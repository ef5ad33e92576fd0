"""Tells Cluster Autoscaler in which order to try its node groups: writes the ConfigMap of its priority expander, when that changes.

Only what stands between our own two lines is ours (``autoscaling.priorities``). The write depends on the version that was read for it,
so that an edit that a person makes at the same moment is never lost; it goes through the fence, so that only the leader writes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from chipwise.autoscaling.priorities import CONFIG_MAP, KEY, Unusable, rendered
from chipwise.cluster.decide import Decision
from chipwise.cluster.expansion import Expansion
from chipwise.control.fence import Desk, NotLeading
from chipwise.control.recorder import Recorder
from chipwise.kube.errors import Conflict, KubeError, NotFound
from chipwise.kube.protocol import Document, Operation
from chipwise.kube.resources import CONFIG_MAPS
from chipwise.rendering.write import pointer

log = logging.getLogger(__name__)

WRITTEN = "PrioritiesWritten"
REFUSED = "PrioritiesRefused"
_SHOWN = 20


class PriorityWriter:
    """``write`` is told of each decision. False: try again."""

    def __init__(
        self, kube: Desk, recorder: Recorder, namespace: str, *, may_write: Callable[[], bool]
    ) -> None:
        self._kube = kube
        self._recorder = recorder
        self._namespace = namespace
        self._may_write = may_write
        self._told: str | None = None

    async def write(self, decision: Decision) -> bool:
        """Make the ConfigMap say what was decided."""
        wanted = decision.expansion
        if wanted is None or not self._may_write():
            self._told = None
            return True
        if wanted.problem is not None:
            await self._warn(wanted, wanted.problem.reason.value, wanted.problem.message)
            return True
        if wanted.is_written or (not wanted.order and wanted.known is None):
            self._told = None
            return True
        return await self._attempt(wanted)

    async def _attempt(self, wanted: Expansion) -> bool:
        """Write and tell. A text that somebody broke meanwhile comes by the watch, and so does who leads: nothing to try again."""
        try:
            written = await self._put(wanted)
        except (NotLeading, Unusable) as error:
            log.info("%s/%s: not written: %s", self._namespace, CONFIG_MAP, error)
            return True
        except (Conflict, NotFound):  # somebody was faster
            return False
        except KubeError as error:
            await self._warn(wanted, REFUSED, f"the order of node groups was not written: {error}")
            return False
        self._told = None
        if written is not None:
            await self._tell(wanted, written)
        return True

    async def _put(self, wanted: Expansion) -> Document | None:
        """The ConfigMap as written; None where it holds the order already. What the watch knows may be old, so it is read first."""
        try:
            found = await self._kube.get(CONFIG_MAPS, self._namespace, CONFIG_MAP)
        except NotFound:
            return await self._create(wanted)
        data = found.get("data") or {}
        text = rendered(data.get(KEY), wanted.order)
        if text == data.get(KEY):
            return None
        operations: list[Operation] = [
            {"op": "test", "path": "/metadata/uid", "value": found["metadata"]["uid"]},
            {
                "op": "test",
                "path": "/metadata/resourceVersion",
                "value": found["metadata"]["resourceVersion"],
            },
            {"op": "add", "path": pointer("data", KEY), "value": text}
            if found.get("data")
            else {"op": "add", "path": pointer("data"), "value": {KEY: text}},
        ]
        return await self._kube.json_patch(CONFIG_MAPS, self._namespace, CONFIG_MAP, operations)

    async def _create(self, wanted: Expansion) -> Document:
        """By an apply, for the role may make one of this name only. If somebody made one meanwhile, it takes nothing from them."""
        data = {KEY: rendered(None, wanted.order)}
        return await self._kube.apply(CONFIG_MAPS, self._namespace, CONFIG_MAP, {"data": data})

    async def _tell(self, wanted: Expansion, written: Document) -> None:
        words = sentence(wanted)
        log.info(
            "%s/%s: %s",
            self._namespace,
            CONFIG_MAP,
            words,
            extra={"event": WRITTEN, "order": list(wanted.order)},
        )
        uid = str(written["metadata"].get("uid", ""))
        await self._recorder.post(CONFIG_MAPS, self._namespace, CONFIG_MAP, uid, WRITTEN, words)

    async def _warn(self, wanted: Expansion, reason: str, words: str) -> None:
        """Once, until it is over or something else is wrong."""
        if words == self._told:
            return
        self._told = words
        log.error("%s/%s: %s", self._namespace, CONFIG_MAP, words, extra={"event": reason})
        uid = wanted.known.uid if wanted.known is not None else ""
        await self._recorder.post(CONFIG_MAPS, self._namespace, CONFIG_MAP, uid, reason, words, warning=True)


def sentence(wanted: Expansion) -> str:
    """The order in words."""
    if not wanted.order:
        return "no pool has a node group, so nothing of ours stands in it any more"
    groups = ", ".join(wanted.order[:_SHOWN]) + (", ..." if len(wanted.order) > _SHOWN else "")
    if wanted.regretful is None:
        return f"node groups are tried in this order: {groups}"
    return (
        f"node groups are tried in this order: {groups}; being the same for all it costs nobody more than {wanted.regret:.2f} $/h, "
        f"at worst {wanted.regretful}"
    )
