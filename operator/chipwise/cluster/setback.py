"""What the troubles of placements mean for the next decision: which are known, which are news, and which moves are to be taken back.

A trouble is acted on only when the workload's status, as it was read, tells of it. So the cool-down stands in the cluster before the
first write that follows from it, and a leader that dies between the two loses nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from chipwise.cluster import bridging
from chipwise.cluster.cooling import CoolDown, Cooling, Culprit, culprit_of
from chipwise.cluster.halting import Halts, halts
from chipwise.cluster.health import Health, Trouble, examine
from chipwise.cluster.hopeless import Autoscaling
from chipwise.cluster.pools import PoolView
from chipwise.cluster.remembered import remembered
from chipwise.cluster.situation import Pods, is_restore_requested, old_home, pods_of
from chipwise.cluster.snapshot import Snapshot
from chipwise.cluster.subject import Subject


@dataclass(frozen=True)
class Setbacks:
    """``troubles`` are all placements that fail, ``news`` the cool-downs of those whose status does not tell of it yet.

    ``fallen`` are moves that failed while what ran before still serves: their subjects in ``subjects`` are at home there again.
    ``halts`` are the policies whose moves for savings wait.
    """

    cooling: Cooling
    subjects: Mapping[str, Subject]
    troubles: Mapping[str, Trouble] = field(default_factory=dict)
    news: Mapping[str, CoolDown] = field(default_factory=dict)
    fallen: frozenset[str] = frozenset()
    halts: Halts = field(default_factory=lambda: Halts({}))
    due_seconds: float | None = None


def setbacks(
    subjects: Mapping[str, Subject],
    pods: Mapping[str, Pods],
    views: Mapping[str, PoolView],
    snapshot: Snapshot,
    now: datetime,
) -> Setbacks:
    """Examine every placement of ``subjects`` that chipwise may act on, and every bridge on the way to one."""
    look = _Examiner(views, snapshot, now)
    healths = {key: look(subject, pods[key]) for key, subject in subjects.items()}
    troubles = {key: health.trouble for key, health in healths.items() if health.trouble is not None}
    known = Cooling(now, remembered(snapshot, now))
    news, failing, fallen = {}, {}, {}
    for key, trouble in troubles.items():
        subject = subjects[key]
        if _is_authors_rollout(subject, pods[key], snapshot, views):
            continue
        culprit = _culprit(subject, views, trouble)
        noticed = known.noticed(culprit, trouble, subject.policy)
        if noticed is not None:
            news[key] = noticed
            continue
        failing[key] = trouble
        if pods[key].old:
            home = old_home(subject, pods[key], snapshot, views)
            fallen[key] = replace(subject, home=home, standing=subject.reading.base.template)
    for key, bridge in _bridges(subjects, views).items():
        healths[f"{key} bridge"] = health = look(bridge, pods_of(bridge, snapshot, views))
        if health.trouble is not None and key not in troubles:
            troubles[key] = health.trouble
            noticed = known.noticed(_culprit(bridge, views, health.trouble), health.trouble, bridge.policy)
            if noticed is not None:
                news[key] = noticed
    cooling = replace(known, failing=failing)
    halted = halts(subjects, cooling)
    waits = [health.due_seconds for health in healths.values()] + [cooling.due_seconds, halted.due_seconds]
    return Setbacks(
        cooling=cooling,
        subjects={**subjects, **fallen},
        troubles=troubles,
        news=news,
        fallen=frozenset(fallen),
        halts=halted,
        due_seconds=min((wait for wait in waits if wait is not None), default=None),
    )


def _bridges(subjects: Mapping[str, Subject], views: Mapping[str, PoolView]) -> dict[str, Subject]:
    """Bridges of moves that have not begun. One that fails cools down, and then its move is none and it goes: nothing is to be taken back."""
    found = {key: bridging.as_placed(subject, views) for key, subject in subjects.items()}
    return {key: bridge for key, bridge in found.items() if bridge is not None}


@dataclass(frozen=True, slots=True)
class _Examiner:
    views: Mapping[str, PoolView]
    snapshot: Snapshot
    now: datetime

    def __call__(self, subject: Subject, pods: Pods) -> Health:
        """Nothing is examined that chipwise leaves alone."""
        if str(subject.workload.spec.mode) == "Off" or is_restore_requested(subject.workload):
            return Health()
        if subject.record is not None and subject.record.restoring:
            return Health()
        home = subject.home
        further = tuple(self.views[name] for name in home.further if name in self.views) if home else ()
        said = Autoscaling(self.snapshot.refusals_by_pod, further)
        view = self.views.get(home.pool) if home else None
        return examine(subject, pods, view, self.now, self.snapshot.watched_since, said)


def _culprit(subject: Subject, views: Mapping[str, PoolView], trouble: Trouble) -> Culprit:
    home = subject.home
    assert home is not None  # noqa: S101 - what has no home is not examined
    return culprit_of(subject.key, home.variant or "", views[home.pool], home.chips, trouble)


def _is_authors_rollout(
    subject: Subject, pods: Pods, snapshot: Snapshot, views: Mapping[str, PoolView]
) -> bool:
    """New pods replace old ones of the same kind in the same place: a new image or profile, not a move. Taking that back is not ours."""
    if not pods.old or subject.home is None:
        return False
    if subject.record is None:
        return True
    before = old_home(subject, pods, snapshot, views)
    return before is not None and (before.pool, before.chips) == (subject.home.pool, subject.home.chips)
