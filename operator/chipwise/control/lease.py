"""The Lease as a document, and the times that make it safe.

Everything is counted from the moment at which the holder *sent* the last renewal that succeeded, on its own monotonic clock::

    0         retry          deadline                      over      duration
    |-----------|---------------|---------------------------|-----------|
    renewed     renews again    begins no write any more    its last    others may take the Lease: they count
                                                            write has   from when they *saw* the renewal,
                                                            ended       which is later

What the Lease says of times is for people: wall clocks are written and never compared.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

from chipwise.kube.protocol import Document

JITTER = 0.2
"""Of a retry period, on top of it, so that standbys do not knock together."""

_SETTLING = 0.2  # of the time between deadline and duration: clocks that run at other rates, a commit that a server cannot call back


@dataclass(frozen=True, slots=True)
class LeaseTiming:
    """In seconds: how long others wait for a silent holder, how long it trusts itself, and how often it renews."""

    duration: float = 15.0
    deadline: float = 10.0
    retry: float = 2.0

    def __post_init__(self) -> None:
        """Raises ValueError for times that leave no room for one another."""
        if not 0 < (1 + JITTER) * self.retry < self.deadline < self.duration:
            said = f"{self.retry:g} s, {self.deadline:g} s and {self.duration:g} s"
            raise ValueError(
                f"a lease needs {1 + JITTER:g} x retry period < renew deadline < lease duration, not {said}"
            )

    @property
    def over(self) -> float:
        """When the last write has ended."""
        return self.duration - _SETTLING * (self.duration - self.deadline)

    @property
    def request(self) -> float:
        """The limit of one request about the Lease. A connection that hangs is given up while there is time for three others."""
        return self.deadline / 4


def holder(lease: Document) -> str:
    """Who holds it; empty if nobody does."""
    return str((lease.get("spec") or {}).get("holderIdentity") or "")


def patience(lease: Document, timing: LeaseTiming) -> float:
    """How many seconds a silent holder is left alone: what it asked for itself."""
    return float((lease.get("spec") or {}).get("leaseDurationSeconds") or timing.duration)


def claimed(lease: Document, identity: str, timing: LeaseTiming, now: datetime) -> Document:
    """The Lease as acquired or renewed by ``identity``, on condition of its resourceVersion. Foreign fields are kept."""
    before: Document = lease.get("spec") or {}
    spec = {
        **before,
        "holderIdentity": identity,
        "leaseDurationSeconds": math.ceil(timing.duration),
        "renewTime": _micro_time(now),
    }
    if before.get("holderIdentity") != identity:
        spec["acquireTime"] = spec["renewTime"]
        spec["leaseTransitions"] = int(before.get("leaseTransitions") or 0) + (1 if before else 0)
    return {**lease, "spec": spec}


def released(lease: Document, now: datetime) -> Document:
    """The Lease without a holder: whoever sees it may take it at once."""
    freed = {"holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": _micro_time(now)}
    return {**lease, "spec": {**(lease.get("spec") or {}), **freed}}


def _micro_time(moment: datetime) -> str:
    """What Kubernetes calls MicroTime: RFC 3339 in UTC with six digits."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
