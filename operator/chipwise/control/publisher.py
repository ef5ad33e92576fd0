"""What follows from a decision, in order: it is noted, carried out, and told."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from chipwise.cluster.decide import Decision
from chipwise.control.actuator import Actuator
from chipwise.control.herald import Herald
from chipwise.control.journeys import Journeys, Kind, Turn
from chipwise.control.ledger import Ledger
from chipwise.control.overlays import OverlayWriter
from chipwise.control.recorder import Recorder
from chipwise.kube.resources import INFERENCE_WORKLOADS
from chipwise.telemetry.telemetry import Telemetry

log = logging.getLogger(__name__)

ARRIVED = "Arrived"
ABANDONED = "MoveAbandoned"


class Publisher:
    """``publish`` is the planner's. Without ``overlays`` no NodeOverlay is written. Only who ``leads`` notes and tells; a standby shows its decisions as metrics."""

    def __init__(
        self,
        telemetry: Telemetry,
        actuator: Actuator,
        herald: Herald,
        recorder: Recorder,
        leads: Callable[[], bool],
        overlays: OverlayWriter | None = None,
    ) -> None:
        self._telemetry = telemetry
        self._actuator = actuator
        self._herald = herald
        self._recorder = recorder
        self._leads = leads
        self._overlays = overlays
        self._ledger = Ledger(self._count)
        self._journeys = Journeys()

    async def publish(self, decision: Decision) -> bool:
        """False if a write failed and should be decided on anew."""
        self._telemetry.board.decided(decision)
        if not self._leads():
            self._ledger.forget()
            self._journeys.forget()
        else:
            self._ledger.note(decision)
            for turn in self._journeys.advance(decision):
                await self._tell(turn, decision)
        acted = await self._actuator.act(decision)
        self._herald.offer(decision)
        if self._overlays is not None and self._leads():
            acted = await self._overlays.write(decision) and acted
        return acted

    def _count(self, verdict: str, reason: str) -> None:
        self._telemetry.counters.decisions.labels(verdict, reason).inc()

    async def _tell(self, turn: Turn, decision: Decision) -> None:
        """Beginnings are told by the write itself, and a restore by its last write."""
        found = self._telemetry.counters
        counter = {None: found.started, True: found.finished, False: found.failed}[turn.arrived]
        counter.labels(turn.journey.kind.value).inc()
        if turn.arrived is None or turn.workload is None:
            return
        if turn.arrived and turn.journey.kind is Kind.RESTORE:
            return
        reason, sentence = ARRIVED if turn.arrived else ABANDONED, turn.sentence(decision.now)
        facts: dict[str, Any] = {"workload": turn.workload, "to": turn.journey.place, "event": reason}
        log.info("%s: %s", turn.workload, sentence, extra=facts)
        namespace, name = turn.workload.split("/")
        uid = decision.snapshot.workloads[turn.workload].metadata.uid
        await self._recorder.post(
            INFERENCE_WORKLOADS, namespace, name, uid, reason, sentence, warning=not turn.arrived
        )
