"""What Cluster Autoscaler says of pods for which it adds no node: Events ``NotTriggerScaleUp``.

The message is a list of counts of node groups, in no order (measured with 1.35.2)::

    pod didn't trigger scale-up: 2 node(s) didn't match Pod's node affinity/selector, 1 max node group size reached
    pod didn't trigger scale-up: 1 in backoff after failed scale-up

A pod that is about to be bound gets one too, so only what is said again means something.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
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


def reason_of(found: Parts) -> Reason:
    """What a pod that fits only its own groups waits for. A group in back-off comes before one that is full: it is the news."""
    whys = {why for why, _ in found}
    if _BACKOFF in whys:
        return Reason.STOCKOUT
    return Reason.GROUP_AT_MAXIMUM if _MAXIMUM in whys else Reason.SCALE_UP_REFUSED


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


@dataclass(frozen=True, slots=True)
class Verdict:
    """That the autoscaler adds no node for a pod: why, in its own words."""

    reason: Reason
    words: str


def verdict(refusals: Iterable[ScaleUpRefusal], now: datetime) -> Verdict | None:
    """What all Events about one pod come to; None while it may be about to be bound, or if it is long ago."""
    found = sorted(refusals, key=lambda each: (each.last, each.found))
    if not found or _span(found) < REPEATED or now - datetime.fromisoformat(found[-1].last) > FRESH:
        return None
    latest = found[-1].found
    return Verdict(reason_of(latest), ", ".join(f"{count} {why}" for why, count in latest)[:_WORDS])


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
