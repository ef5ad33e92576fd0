"""Writes status, seldom.

At once when a decision, a reason, a condition or its words change; else when a figure moved by five per cent, and then at most once a
minute for one object. A quiet cluster gets no write at all.

A write depends on the newest version that is known of the object, so that one which a network hands in late, after somebody else led
and wrote, is refused.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Protocol

from chipwise.cluster.decide import Decision
from chipwise.cluster.orphans import CONFIRM_RESTORE
from chipwise.control.conditions import Document, timed
from chipwise.control.fence import Desk
from chipwise.control.recorder import Recorder
from chipwise.control.sameness import same
from chipwise.control.status import DECISIONS_KEPT, decision_entry, workload_status
from chipwise.control.status_of_others import Report, observed_status, other_statuses
from chipwise.kube.errors import Conflict, KubeError, NotFound
from chipwise.kube.resources import DEPLOYMENTS, INFERENCE_WORKLOADS, Resource
from chipwise.telemetry.pulse import Pulse

log = logging.getLogger(__name__)

Key = tuple[Resource, str, str, str]

FIGURE_INTERVAL = timedelta(minutes=1)
FIGURE_CHANGE = 0.05


class Versions(Protocol):
    """The newest resourceVersion that is known of each object of ours."""

    def version(self, resource: Resource, key: tuple[str, str]) -> str:
        """Empty for an object that is not known."""
        ...

    def wrote(self, resource: Resource, document: Document) -> None:
        """Note what a write of ours made of an object."""
        ...


class Reporter:
    """``failures`` says what write was last refused for a Deployment (namespace/name)."""

    def __init__(
        self,
        kube: Desk,
        recorder: Recorder,
        *,
        may_write: Callable[[], bool],
        failures: Mapping[str, str],
        versions: Versions,
        pulse: Pulse | None = None,
    ) -> None:
        self.writes = 0
        self._kube = kube
        self._recorder = recorder
        self._may_write = may_write
        self._failures = failures
        self._pulse = pulse or Pulse()
        self._versions = versions
        self._written: dict[Key, tuple[Document, datetime]] = {}
        self._held: frozenset[tuple[str, str]] = frozenset()
        self._left = False

    async def report(self, decision: Decision) -> bool:
        """Bring every status up to date. False if something is left to be written, because it must wait or could not be written."""
        if not self._may_write():
            return True
        self._left = False
        await self._tell_of_held(decision)
        reports = [*self._workloads(decision), *other_statuses(decision)]
        self._written = {key: self._written[key] for key in map(_key, reports) if key in self._written}
        try:
            for report in reports:
                self._pulse.beat()
                await self._tell(report, decision)
        finally:
            self._pulse.rest()
        return not self._left

    def forget(self) -> None:
        """Believe nothing but what is observed: somebody else led meanwhile, and wrote what comes next."""
        self._written.clear()

    def _workloads(self, decision: Decision) -> Iterator[Report]:
        for key, workload in sorted(decision.snapshot.workloads.items()):
            metadata = workload.metadata
            target = f"{metadata.namespace}/{workload.spec.target_ref.name}"
            wanted = workload_status(key, decision, self._failures.get(target))
            yield Report(
                INFERENCE_WORKLOADS,
                metadata.namespace or "",
                metadata.name,
                metadata.uid,
                observed_status(workload),
                wanted,
            )

    async def _tell(self, report: Report, decision: Decision) -> None:
        at = _stamp(decision.now)
        # What was written a moment ago may not have come back by the watch.
        known, _ = self._written.get(_key(report), (report.observed, None))
        wanted = {**report.wanted, "conditions": timed(report.wanted["conditions"], known, at)}
        entry = None
        if report.resource == INFERENCE_WORKLOADS and "summary" in wanted:
            entry = decision_entry(f"{report.namespace}/{report.name}", decision, at)
            logged = list(known.get("decisions") or ())
            if logged and all(logged[0][field] == entry[field] for field in ("decision", "reason")):
                entry = None
            wanted["decisions"] = ([entry] if entry else []) + logged
            del wanted["decisions"][DECISIONS_KEPT:]
        if await self._write(report._replace(wanted=wanted), decision.now) and entry is not None:
            await self._recorder.post(
                INFERENCE_WORKLOADS,
                report.namespace,
                report.name,
                report.uid,
                entry["reason"],
                entry["message"],
                warning=entry["decision"] in ("Refused", "Unplaced"),
            )

    async def _tell_of_held(self, decision: Decision) -> None:
        """Deployments that are not given back yet: each is told once for each reason."""
        many = (
            f"{len(decision.orphans_held)} Deployments lost their workloads at once, so none is restored: "
            f"restore the workloads, or annotate this Deployment with {CONFIRM_RESTORE}=true"
        )
        held = [(one, "TooMany", many) for one in decision.orphans_held]
        for one, refusal in decision.orphans_waiting:
            note = f"its workload is gone and it waits to go back to its author: {refusal.message}"
            held.append((one, refusal.reason.value, note))
        for one, reason, note in held:
            if (one.uid, reason) not in self._held:
                log.warning("%s: %s", one.key, note)
                await self._recorder.post(
                    DEPLOYMENTS, one.namespace, one.name, one.uid, "RestoreHeld", note, warning=True
                )
        self._held = frozenset((one.uid, reason) for one, reason, _ in held)

    async def _write(self, report: Report, now: datetime) -> bool:
        """Whether something was written."""
        if not self._differs(report) or not self._may_write():
            return False
        if not self._is_due(report, now):
            self._left = True
            return False
        resource, namespace, name = report.resource, report.namespace, report.name
        document: Document = {"status": report.wanted}
        if version := self._versions.version(resource, (namespace, name)):
            document["metadata"] = {"resourceVersion": version}
        try:
            written = await self._kube.apply_status(resource, namespace or None, name, document)
        except NotFound:
            return False
        except Conflict:
            log.info("%s %s/%s: changed meanwhile, told anew", resource, namespace, name)
            self._left = True
            return False
        except KubeError as error:
            log.warning("%s %s/%s: status not written: %s", resource, namespace, name, error)
            self._left = True
            return False
        self.writes += 1
        self._versions.wrote(resource, written)
        self._written[_key(report)] = (report.wanted, now)
        return True

    def _differs(self, report: Report) -> bool:
        """Whether what is wanted differs enough from what was last written, or from what was last seen."""
        last, _ = self._written.get(_key(report), (report.observed, None))
        return not all(same(known, report.wanted, FIGURE_CHANGE) for known in (last, report.observed))

    def _is_due(self, report: Report, now: datetime) -> bool:
        """More than figures changed, or the last write was long ago."""
        last, at = self._written.get(_key(report), (report.wanted, None))
        return at is None or abs(now - at) >= FIGURE_INTERVAL or not same(last, report.wanted, None)


def _key(report: Report) -> Key:
    return report.resource, report.namespace, report.name, report.uid


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
