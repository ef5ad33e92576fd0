"""Carries acts out, one atomic write each, on the holder of the Lease only.

Before each write the Deployment is read anew, and if it no longer reads as it did when the act was decided, the act is void; the news
that changed it leads to the next decision. Leadership is asked before each act, and by the fence once more when the write leaves. What
the API server refuses reaches the person as an Event.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from chipwise.cluster.decide import Decision
from chipwise.cluster.facts import deployment_fact
from chipwise.control.acts import Act, acts_of
from chipwise.control.fence import Desk, NotLeading
from chipwise.control.recorder import Recorder
from chipwise.kube.errors import Conflict, KubeError, NotFound
from chipwise.kube.resources import DEPLOYMENTS
from chipwise.rendering.manifest import RenderingRefused

log = logging.getLogger(__name__)


class Actuator:
    """``failures`` holds what was last refused for a Deployment (namespace/name), until a write succeeds or is no longer wanted."""

    def __init__(
        self,
        kube: Desk,
        recorder: Recorder,
        *,
        may_write: Callable[[], bool],
    ) -> None:
        self.failures: dict[str, str] = {}
        self.writes = 0
        self._kube = kube
        self._recorder = recorder
        self._may_write = may_write

    async def act(self, decision: Decision) -> bool:
        """Carry out what follows from a decision, in order of step. False if a write failed and no news may ever lead to another try."""
        if not self._may_write():
            return True
        acts = acts_of(decision)
        for gone in set(self.failures) - {act.deployment.key for act in acts}:
            del self.failures[gone]
        return await self._carry_out(acts)

    async def _carry_out(self, acts: Iterable[Act]) -> bool:
        done = True
        for act in acts:
            try:
                await self._write(act)
            except NotLeading:
                log.warning("leadership is gone, the rest is left to the successor")
                return True
            except (Conflict, NotFound) as error:
                # What changed may be of no interest to decisions, and then nothing would wake the planner.
                log.info("%s: changed meanwhile, decided anew: %s", act.deployment.key, error)
                done = False
            except (KubeError, RenderingRefused) as error:
                await self._refused(act, error)
                done = False
        return done

    async def _write(self, act: Act) -> None:
        if not self._may_write():
            raise NotLeading("not leading: the Deployment was not even read")
        namespace, name = act.deployment.key.split("/")
        document = await self._kube.get(DEPLOYMENTS, namespace, name)
        fresh = deployment_fact(document)
        if fresh.uid != act.deployment.uid or fresh.text != act.deployment.text:
            log.info("%s: changed meanwhile, decided anew", act.deployment.key, extra={"act": act.kind.value})
            return
        operations = act.patch(document)
        if not operations:
            return
        await self._kube.json_patch(DEPLOYMENTS, namespace, name, operations)
        self.writes += 1
        self.failures.pop(act.deployment.key, None)
        log.info("%s: %s", act.deployment.key, act.message, extra={"act": act.kind.value})
        await self._recorder.post(
            DEPLOYMENTS, namespace, name, act.deployment.uid, act.kind.value, act.message
        )

    async def _refused(self, act: Act, error: KubeError | RenderingRefused) -> None:
        said = str(error)
        log.error("%s: the write was refused: %s", act.deployment.key, said, extra={"act": act.kind.value})
        if self.failures.get(act.deployment.key) != said:
            self.failures[act.deployment.key] = said
            namespace, name = act.deployment.key.split("/")
            await self._recorder.post(
                DEPLOYMENTS, namespace, name, act.deployment.uid, "WriteRefused", said, warning=True
            )
