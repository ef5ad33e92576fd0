"""Whether what was placed comes to serve: a placement that failed is told from one that only takes its time.

Every stage on a pod's way has its deadline: no node for longer than a node of the pool takes to boot, no Ready for longer than the
image takes to pull and the model to load, each with the policy's grace on top. What the kubelet, the API server or an autoscaler says
outright (a crash loop, a refused pod, a provider without nodes) need not wait that long. Nothing is remembered: all moments are read from
the objects themselves. But no deadline begins before the cluster was in sight: in an outage nobody could have reported what did not come.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from math import inf

from chipwise.api import Variant
from chipwise.cluster.facts import PodFact, Progress
from chipwise.cluster.hopeless import Autoscaling, Told, by_cluster_autoscaler, by_karpenter
from chipwise.cluster.pools import PoolView
from chipwise.cluster.situation import Pods, in_flight
from chipwise.cluster.subject import Subject
from chipwise.placement.problem import Footprint
from chipwise.placement.rules import duration
from chipwise.reasons import Reason

#: So often a container has to end, and for so many seconds it must not serve, before a crash loop is believed without waiting for the
#: grace. The count is of the pod's whole life; a third crash in a row comes 10 + 20 s after the first (kubelet's back-off).
_CRASHES, _IN_A_ROW = 3, 30.0
#: Waiting reasons of the kubelet (kubernetes pkg/kubelet/images/types.go).
_IMAGE = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "ErrImageNeverPull",
        "InvalidImageName",
        "ImageInspectError",
        "RegistryUnavailable",
        "SignatureValidationFailed",
    }
)
_CRASH = "CrashLoopBackOff"


class Blame(Enum):
    """What is at fault, and so what is not tried again for a while."""

    ROOM = auto()  # the pool, for replicas of this size
    PLACE = auto()  # the pool, for this workload
    VARIANT = auto()  # the variant, for this workload


@dataclass(frozen=True, slots=True)
class Trouble:
    """A placement has failed. ``message`` is a sentence with the figures of the case.

    ``wanting`` is what there was no room for, without what there was enough of; None where a whole node is what did not come.
    """

    reason: Reason
    blame: Blame
    message: str
    wanting: Footprint | None = None

    @property
    def starves(self) -> bool:
        """Its pods have no node."""
        return self.blame is not Blame.VARIANT or self.reason is Reason.UNSCHEDULABLE


@dataclass(frozen=True, slots=True)
class Health:
    """``trouble`` is what has failed, None while there is hope; ``due_seconds`` until the next deadline, None if none is running."""

    trouble: Trouble | None = None
    due_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class _Deadline:
    """One pod, or the Deployment itself, and how long it may still take; negative once it is overdue."""

    left: float
    trouble: Trouble


def examine(
    subject: Subject,
    pods: Pods,
    view: PoolView | None,
    now: datetime,
    watched_since: datetime | None = None,
    said: Autoscaling | None = None,
) -> Health:
    """Look at what runs, or should run, where the workload is placed. ``view`` is its pool, None where that is unknown.

    ``watched_since`` is when the last gap in what is seen was over, None if it does not matter.
    """
    if view is None or not subject.deployment.replicas:
        return Health()
    variant = subject.profile.spec.variant(subject.home.variant) if subject.home else None
    look = _Look(subject, pods, view, variant, now, watched_since, said or Autoscaling())
    deadlines = sorted(look.deadlines(), key=lambda deadline: (deadline.left, deadline.trouble.message))
    overdue = [deadline.trouble for deadline in deadlines if deadline.left <= 0]
    ahead = [deadline.left for deadline in deadlines if 0 < deadline.left < inf]
    return Health(look.verdict(overdue), min(ahead, default=None))


@dataclass(frozen=True, slots=True)
class _Look:
    subject: Subject
    pods: Pods
    view: PoolView
    variant: Variant | None
    now: datetime
    watched_since: datetime | None
    said: Autoscaling

    @property
    def ours(self) -> bool:
        """What runs is as chipwise wrote it."""
        return self.subject.record is not None or self.subject.deployment.bridge is not None

    @property
    def grace(self) -> float:
        return float(self.subject.policy.failure_grace_seconds)

    def verdict(self, overdue: Sequence[Trouble]) -> Trouble | None:
        """What has failed, given what is overdue.

        A move fails with its first pod, and so does its bridge. What served before fails for want of room once fewer serve than are needed, and by a variant
        once half of it does: one pod that crashes on a bad node is Kubernetes' own business.
        """
        moving = in_flight(self.subject, self.pods) or self.subject.deployment.bridge is not None
        if not overdue or moving or self.pods.new_ready == 0:
            return next(iter(overdue), None)
        record, replicas = self.subject.record, self.subject.deployment.replicas
        starved = [trouble for trouble in overdue if trouble.starves]
        if starved and self.pods.serving < (record.replicas if record else replicas):
            return starved[0]
        failed = [trouble for trouble in overdue if trouble.blame is Blame.VARIANT]
        return failed[0] if 2 * len(failed) >= replicas else None

    def deadlines(self) -> Iterator[_Deadline]:
        refused = self._refused()
        if refused is not None:
            yield refused
        for pod in self.pods.lost:
            yield from self._lost(pod)
        for pod in self.pods.new:
            if not pod.ready and pod.progress is not None:
                yield self._unready(pod, pod.progress)

    def _refused(self) -> _Deadline | None:
        """The API server takes no pod: quota, admission."""
        failure = self.subject.deployment.create_failure
        if failure is None or not self.ours:
            return None
        reason = Reason.QUOTA_EXCEEDED if "exceeded quota" in failure.message else Reason.ADMISSION_REFUSED
        message = f"the API server refuses its pods: {failure.message}"
        return _Deadline(self._left(failure.since, self.grace), Trouble(reason, Blame.VARIANT, message))

    def _lost(self, pod: PodFact) -> Iterator[_Deadline]:
        """Its node is gone. Where no other can take its place there is nothing to wait for; else a new pod has its own deadline."""
        view = self.view
        if view.usable_nodes or view.minimum < view.maximum:
            return
        # A pod that was bound a moment ago may be known before its node is.
        since = pod.progress.bound if pod.progress else ""
        message = f"the nodes of pool {view.name} are gone, and nothing adds any"
        yield _Deadline(
            self._left(since, min(self.grace, 30.0)), Trouble(Reason.NODES_LOST, Blame.ROOM, message)
        )

    def _unready(self, pod: PodFact, progress: Progress) -> _Deadline:
        if pod.node is None:
            return self._unbound(pod, progress)
        if not self.ours:  # the author's own pods on the author's own chip: the author's business
            return _Deadline(inf, Trouble(Reason.NEVER_READY, Blame.VARIANT, ""))
        name, pull, start = pod.name, self._seconds("pull"), self._seconds("startup")
        if progress.waiting == _CRASH:
            allowed = min(_IN_A_ROW, self.grace) if progress.restarts >= _CRASHES else self.grace
            message = f"pod {name} crashed {progress.restarts} times: {progress.message or 'see its log'}"
            since = max(progress.bound, progress.ready_changed)
            return self._deadline(since, allowed, Reason.CRASH_LOOP, message)
        if progress.waiting in _IMAGE:
            message = f"pod {name} cannot get its image ({progress.waiting}): {progress.message}"
            return self._deadline(progress.bound, pull + self.grace, Reason.IMAGE_PULL_FAILED, message)
        if progress.waiting:
            message = f"pod {name} does not start ({progress.waiting}): {progress.message}"
            return self._deadline(progress.bound, self.grace, Reason.CONTAINER_NOT_STARTED, message)
        allowed = pull + start + self.grace
        message = f"pod {name} is not Ready after the {duration(allowed)} that image and model are given"
        return self._deadline(
            max(progress.bound, progress.ready_changed), allowed, Reason.NEVER_READY, message
        )

    def _unbound(self, pod: PodFact, progress: Progress) -> _Deadline:
        """Room may yet come: a node that boots, or the pods that this rollout is about to take away once others are Ready.

        A pool is to blame only where the scheduler says that room is what is missing; for everybody only where chipwise chose it, for
        an author may ask for one node of it. What else keeps a pod (a volume, an affinity) is of this workload alone, and the author's
        own business where the author placed it. A gate is somebody else's, who takes it away.
        """
        starved = bool(progress.verdict.lacking) or (progress.verdict.unmet and not self.view.usable_nodes)
        if pod.needs.gated or not (starved or self.ours):
            return _Deadline(inf, Trouble(Reason.UNSCHEDULABLE, Blame.VARIANT, ""))
        allowed = max(map(_boot_seconds, (self.view, *self.said.further))) + self.grace
        latest = max((p.progress.ready_changed for p in self.pods.new if p.ready and p.progress), default="")
        words = f": {progress.message or 'no scheduler says why'}"
        message = f"pod {pod.name} found no node of pool {self.view.name} within {duration(allowed)}{words}"
        since = max(progress.created, latest)
        blame = (Blame.ROOM if self.ours else Blame.PLACE) if starved else Blame.VARIANT
        wanting = _wanting(pod, progress.verdict.lacking) if starved else None
        told = self._told(pod, since, allowed, blame) if starved else None
        if told is not None:
            return told
        return _Deadline(self._left(since, allowed), Trouble(Reason.UNSCHEDULABLE, blame, message, wanting))

    def _told(self, pod: PodFact, since: str, allowed: float, blame: Blame) -> _Deadline | None:
        """What an autoscaler says: there will be no node for this pod, so there is less to wait for."""
        found = by_karpenter(self.view, self.said, since, self.grace)
        if found is not None and self._left(found.since, found.patience) <= self._left(since, allowed):
            return self._doomed(pod, found, blame)
        told = by_cluster_autoscaler(self.view, self.said, pod.uid, since, self.now, self.grace)
        return self._doomed(pod, told, blame) if told is not None else None

    def _doomed(self, pod: PodFact, told: Told, blame: Blame) -> _Deadline:
        message = f"pod {pod.name} gets no node of pool {self.view.name}: {told.message}"
        return _Deadline(self._left(told.since, told.patience), Trouble(told.reason, blame, message))

    def _deadline(self, since: str, allowed: float, reason: Reason, message: str) -> _Deadline:
        return _Deadline(self._left(since, allowed), Trouble(reason, Blame.VARIANT, message))

    def _left(self, since: str, allowed: float) -> float:
        """Seconds until the deadline. Without a moment to count from there is none yet: news will bring it."""
        if not since:
            return inf
        begin = datetime.fromisoformat(since)
        if self.watched_since is not None:
            begin = max(begin, self.watched_since)
        return allowed - (self.now - begin).total_seconds()

    def _seconds(self, what: str) -> float:
        if self.variant is None:
            return 0.0
        return float(self.variant.pull_seconds if what == "pull" else self.variant.startup_seconds)


def _boot_seconds(view: PoolView) -> float:
    """How long a node takes to come; 0 where none can."""
    return float(view.boot_seconds if view.minimum < view.maximum else 0)


def _wanting(pod: PodFact, lacking: Sequence[str]) -> Footprint | None:
    """What of a pod there was no room for; all of it where that is a resource that pods are not compared by."""
    asked = {"cpu": pod.cpu_milli, "memory": pod.memory_bytes, **dict(pod.chips)}
    if not lacking:
        return None
    named = asked if set(lacking) - asked.keys() else {name: asked[name] for name in lacking}
    chips = sum(count for name, count in named.items() if name not in ("cpu", "memory"))
    return Footprint(chips, named.get("cpu", 0), named.get("memory", 0))
