"""Makes the ProvisioningRequests that moves wait for, and deletes those that have had their day. Through the fence: the leader only."""

from __future__ import annotations

import logging
from collections.abc import Callable

from chipwise.autoscaling.provisioning import Probe, request_of, template_of
from chipwise.cluster.decide import Decision
from chipwise.cluster.probing import Wish
from chipwise.control.fence import Desk, NotLeading
from chipwise.control.recorder import Recorder
from chipwise.kube.errors import AlreadyExists, KubeError, NotFound
from chipwise.kube.resources import INFERENCE_WORKLOADS, POD_TEMPLATES, PROVISIONING_REQUESTS, Resource

log = logging.getLogger(__name__)

ASKED = "Probing"


class Prober:
    """``probe`` is told of each decision. False: try again."""

    def __init__(self, kube: Desk, recorder: Recorder, *, may_write: Callable[[], bool]) -> None:
        self._kube = kube
        self._recorder = recorder
        self._may_write = may_write

    async def probe(self, decision: Decision) -> bool:
        """Ask what is not asked yet, and clear away what nobody waits for."""
        probing = decision.probing
        if probing is None or not self._may_write():
            return True
        known = decision.snapshot.probes
        wished = {wish.probe.key: wish for wish in probing.wishes}
        try:
            for key in sorted(wished.keys() - known.keys()):
                await self._ask(wished[key])
            gone = (known.keys() - wished.keys() - probing.kept) | (probing.spent & known.keys())
            for key in sorted(gone):
                await self._clear(known[key].probe, known[key].uid)
        except NotLeading:
            return True
        except KubeError as error:
            log.warning("a ProvisioningRequest was not written: %s", error)
            return False
        return True

    async def _ask(self, wish: Wish) -> None:
        """The template first: a request that names none fails."""
        probe = wish.probe
        documents = (
            (POD_TEMPLATES, template_of(probe, wish.template, wish.owner)),
            (PROVISIONING_REQUESTS, request_of(probe, wish.owner)),
        )
        for resource, document in documents:
            try:
                await self._kube.create(resource, probe.namespace, document)
            except AlreadyExists:
                continue
        words = (
            f"asked Cluster Autoscaler for {probe.replicas} replicas of {probe.variant} on pool {probe.pool}"
        )
        log.info("%s: %s", probe.workload, words, extra={"workload": probe.workload, "event": ASKED})
        name, uid = str(wish.owner["name"]), str(wish.owner["uid"])
        await self._recorder.post(INFERENCE_WORKLOADS, probe.namespace, name, uid, ASKED, words)

    async def _clear(self, probe: Probe, uid: str) -> None:
        """The request by its uid, then its template."""
        found: tuple[tuple[Resource, dict[str, str]], ...] = (
            (PROVISIONING_REQUESTS, {"uid": uid}),
            (POD_TEMPLATES, {}),
        )
        for resource, which in found:
            try:
                await self._kube.delete(resource, probe.namespace, probe.name, only=which or None)
            except NotFound:
                continue
