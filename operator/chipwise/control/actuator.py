"""Carries acts out, one atomic write each, on the holder of the Lease only.

Before each write the Deployment (and its bridge) is read anew, and if it no longer reads as it did when the act was decided, the act is
void; the news that changed it leads to the next decision. Leadership is asked before each act, and by the fence once more when the write
leaves. What the API server refuses reaches the person as an Event.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

from chipwise.cluster.decide import Decision
from chipwise.cluster.facts import deployment_fact
from chipwise.control.act import AnyAct, Create, Delete, Patch, Write
from chipwise.control.acts import acts_of
from chipwise.control.fence import Desk, NotLeading
from chipwise.control.recorder import Recorder
from chipwise.kube.errors import Conflict, KubeError, NotFound
from chipwise.kube.resources import DEPLOYMENTS
from chipwise.rendering.manifest import RenderingRefused
from chipwise.telemetry.pulse import Pulse

log = logging.getLogger(__name__)


def _nobody(_kind: str, _result: str) -> None:
    """Nobody counts."""


class Actuator:
    """``failures`` holds what was last refused for a Deployment (namespace/name), until a write succeeds or is no longer wanted.

    ``count`` is called with the kind of each write and what came of it: done, conflict or refused.
    """

    def __init__(
        self,
        kube: Desk,
        recorder: Recorder,
        *,
        may_write: Callable[[], bool],
        pulse: Pulse | None = None,
        count: Callable[[str, str], object] = _nobody,
    ) -> None:
        self.failures: dict[str, str] = {}
        self.writes = 0
        self._kube = kube
        self._recorder = recorder
        self._may_write = may_write
        self._pulse = pulse or Pulse()
        self._count = count

    async def act(self, decision: Decision) -> bool:
        """Carry out what follows from a decision, in order of step. False if a write failed and no news may ever lead to another try."""
        if not self._may_write():
            return True
        acts = acts_of(decision)
        for gone in set(self.failures) - {act.deployment.key for act in acts}:
            del self.failures[gone]
        try:
            return await self._carry_out(acts)
        finally:
            self._pulse.rest()

    async def _carry_out(self, acts: Iterable[AnyAct]) -> bool:
        done = True
        for act in acts:
            self._pulse.beat()
            try:
                await self._write(act)
            except NotLeading:
                log.warning("leadership is gone, the rest is left to the successor")
                return True
            except (Conflict, NotFound) as error:
                # What changed may be of no interest to decisions, and then nothing would wake the planner.
                self._count(act.kind.value, "conflict")
                log.info("%s: changed meanwhile, decided anew: %s", act.deployment.key, error)
                done = False
            except (KubeError, RenderingRefused) as error:
                await self._refused(act, error)
                done = False
        return done

    async def _write(self, act: AnyAct) -> None:
        if not self._may_write():
            raise NotLeading("not leading: the Deployment was not even read")
        fresh: dict[str, dict[str, Any]] = {}
        for known in act.decided_on:
            document = await self._kube.get(DEPLOYMENTS, known.namespace, known.name)
            now = deployment_fact(document)
            if now.uid != known.uid or now.text != known.text:
                log.info("%s: changed meanwhile, decided anew", known.key, extra={"act": act.kind.value})
                return
            fresh[known.key] = document
        write = act.write(fresh)
        if write is None:
            return
        await self._send(write)
        about = act.deployment
        self.writes += 1
        self._count(act.kind.value, "done")
        self.failures.pop(about.key, None)
        log.info("%s: %s", about.key, act.message, extra={"act": act.kind.value})
        await self._recorder.post(
            DEPLOYMENTS, about.namespace, about.name, about.uid, act.kind.value, act.message
        )

    async def _send(self, write: Write) -> None:
        match write:
            case Patch(namespace, name, operations):
                await self._kube.json_patch(DEPLOYMENTS, namespace, name, operations)
            case Create(namespace, document):
                await self._kube.create(DEPLOYMENTS, namespace, document)
            case Delete(namespace, name, only):
                await self._kube.delete(DEPLOYMENTS, namespace, name, only=only)

    async def _refused(self, act: AnyAct, error: KubeError | RenderingRefused) -> None:
        said = str(error)
        self._count(act.kind.value, "refused")
        log.error("%s: the write was refused: %s", act.deployment.key, said, extra={"act": act.kind.value})
        if self.failures.get(act.deployment.key) != said:
            self.failures[act.deployment.key] = said
            namespace, name = act.deployment.key.split("/")
            await self._recorder.post(
                DEPLOYMENTS, namespace, name, act.deployment.uid, "WriteRefused", said, warning=True
            )
