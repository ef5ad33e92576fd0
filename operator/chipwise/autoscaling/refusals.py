"""What Cluster Autoscaler says of pods for which it adds no node: Events ``NotTriggerScaleUp``.

The message is a list of counts of node groups, in no order (measured with 1.35.2)::

    pod didn't trigger scale-up: 2 node(s) didn't match Pod's node affinity/selector, 1 max node group size reached
    pod didn't trigger scale-up: 1 in backoff after failed scale-up

A pod that is about to be bound gets one too, so only what is said again means something. Groups that are full or back off are counted
whichever pod is asked about (``core/scaleup/orchestrator`` skips them before it looks at the pod), so these words do not say of which
group: what is known of the pod's own groups does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from chipwise.reasons import Reason

EVENT = "NotTriggerScaleUp"

#: Said over so long it is meant: two loops of the autoscaler, which is asked every ten seconds.
REPEATED = timedelta(seconds=20)
#: Not said again for so long it is over.
FRESH = timedelta(seconds=90)
_WORDS = 300
_PART = re.compile(r"(?:^|(?<=, ))(\d+) (.+?)(?=, \d+ |$)", re.DOTALL)
_MAXIMUM = "max node group size reached"
_BACKOFF = "in backoff after failed scale-up"

Parts = tuple[tuple[str, int], ...]


def parts(message: str) -> Parts:
    """Why, and of how many node groups that is so, in order of the words; empty for a message of another form."""
    _, colon, rest = message.partition("scale-up")
    words = rest.partition(": ")[2] if colon else ""
    counts: dict[str, int] = {}
    for count, why in _PART.findall(words.strip()):
        counts[why.strip()] = counts.get(why.strip(), 0) + int(count)
    return tuple(sorted(counts.items()))


@dataclass(frozen=True, slots=True)
class OwnGroup:
    """A group that could take the pod. ``closed`` says why it is not grown; None for one that is open, or of which nothing is ``known``."""

    closed: Reason | None = None
    known: bool = True


def reason_of(groups: Sequence[OwnGroup]) -> Reason:
    """What a pod waits for that fits only these groups. A group in back-off comes before one that is full: it is the news."""
    whys = {group.closed for group in groups}
    if not groups or None in whys:
        return Reason.SCALE_UP_REFUSED
    return next(
        (why for why in (Reason.STOCKOUT, Reason.SCALE_UP_REFUSED) if why in whys), Reason.GROUP_AT_MAXIMUM
    )


def words_of(found: Parts, groups: Sequence[OwnGroup]) -> str:
    """The autoscaler's own words, less what is known to be said of other groups only."""
    closed = {group.closed for group in groups}
    others = {
        words
        for words, reason in ((_MAXIMUM, Reason.GROUP_AT_MAXIMUM), (_BACKOFF, Reason.STOCKOUT))
        if groups and all(group.known for group in groups) and reason not in closed
    }
    own = [(why, count) for why, count in found if why not in others] or found
    return ", ".join(f"{count} {why}" for why, count in own)[:_WORDS]


@dataclass(frozen=True, slots=True)
class ScaleUpRefusal:
    """One Event about one pod. Moments are RFC 3339."""

    pod_uid: str
    found: Parts
    first: str
    last: str

    @property
    def decisive(self) -> tuple[str, Parts, bool]:
        """What a decision may turn on: not each repetition, but that there was one that counts."""
        return (self.pod_uid, self.found, _span((self,)) >= REPEATED)


def verdict(refusals: Iterable[ScaleUpRefusal], now: datetime) -> Parts | None:
    """What all Events about one pod come to; None while it may be about to be bound, or if it is long ago."""
    found = sorted(refusals, key=lambda each: (each.last, each.found))
    if not found or _span(found) < REPEATED or now - datetime.fromisoformat(found[-1].last) > FRESH:
        return None
    return found[-1].found


def _span(refusals: Iterable[ScaleUpRefusal]) -> timedelta:
    found = list(refusals)
    first = min(datetime.fromisoformat(each.first) for each in found)
    return max(datetime.fromisoformat(each.last) for each in found) - first


def refusal_of(raw: Mapping[str, Any]) -> ScaleUpRefusal | None:
    """Read a core/v1 Event; None for one that is none of these, or says nothing that is understood."""
    about, series = raw.get("involvedObject") or {}, raw.get("series") or {}
    found = parts(raw.get("message") or "")
    if raw.get("reason") != EVENT or about.get("kind") != "Pod" or not about.get("uid") or not found:
        return None
    created = (raw.get("metadata") or {}).get("creationTimestamp")
    first = raw.get("firstTimestamp") or raw.get("eventTime") or created
    last = series.get("lastObservedTime") or raw.get("lastTimestamp") or first
    if not first or not last:
        return None
    return ScaleUpRefusal(str(about["uid"]), found, str(first), str(last))
