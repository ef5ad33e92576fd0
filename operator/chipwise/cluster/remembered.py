"""The cool-downs that statuses tell of, as they are read and kept.

Their moments are of the clock of whoever led then. One that was wrong must not close a pool for hours, so what is dated after the
present counts from the present.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from chipwise.api import CoolDownStatus, InferenceWorkload, PlacementPolicySpec
from chipwise.cluster.cooling import CoolDown, Culprit
from chipwise.cluster.snapshot import Snapshot
from chipwise.cluster.subject import policy_of
from chipwise.placement.problem import Footprint
from chipwise.rendering.quantity import canonical, milli, whole

#: By so much clocks may differ, and moments are kept in whole seconds.
_TOLERANCE = timedelta(seconds=5)


def remembered(snapshot: Snapshot, now: datetime) -> tuple[CoolDown, ...]:
    """All cool-downs in the statuses of workloads, those that are over included: they tell how often something failed."""
    return tuple(
        _read(key, workload, entry, snapshot, now)
        for key, workload in sorted(snapshot.workloads.items())
        for entry in (workload.status.cool_downs if workload.status else ())
    )


def _read(
    key: str, workload: InferenceWorkload, entry: CoolDownStatus, snapshot: Snapshot, now: datetime
) -> CoolDown:
    policy = policy_of(workload, snapshot) or PlacementPolicySpec()
    longest = timedelta(seconds=policy.cool_down.longest_seconds)
    at, until = datetime.fromisoformat(entry.at), datetime.fromisoformat(entry.until)
    span = min(until - at, longest)
    if at > now + _TOLERANCE:
        at = now
    attempt = timedelta(seconds=policy.failure_grace_seconds + _attempt(workload, entry, snapshot))
    return CoolDown(
        Culprit(key, entry.variant, entry.pool, entry.capacity_type, _size(entry)),
        entry.reason,
        entry.message,
        entry.failures,
        at,
        at + span,
        at + span + longest + attempt,
    )


def _attempt(workload: InferenceWorkload, entry: CoolDownStatus, snapshot: Snapshot) -> int:
    """Seconds that the next try has to come to serve, the policy's grace apart: before they are over it cannot fail again."""
    profile = snapshot.profiles.get(workload.spec.model_profile_name)
    variant = profile.spec.variant(entry.variant) if profile else None
    if variant is None:
        return 0
    boots = (
        pool.spec.boot_seconds
        for name, pool in snapshot.pools.items()
        if (name == entry.pool if entry.pool else pool.spec.class_name == variant.class_name)
    )
    return variant.pull_seconds + variant.startup_seconds + max(boots, default=0)


def _size(entry: CoolDownStatus) -> Footprint | None:
    """None in an entry without any."""
    found = Footprint(entry.chips, milli(entry.cpu or "0"), whole(entry.memory or "0"))
    return found if found != Footprint(0) else None


def size_fields(size: Footprint) -> dict[str, int | str]:
    """A size as status holds it, in the respects that it has."""
    found: dict[str, int | str] = {}
    if size.chips:
        found["chips"] = size.chips
    if size.cpu_milli:
        found["cpu"] = canonical(f"{size.cpu_milli}m")
    if size.memory_bytes:
        found["memory"] = canonical(f"{size.memory_bytes // 1024}Ki")
    return found
