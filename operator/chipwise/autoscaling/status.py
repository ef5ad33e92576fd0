"""What Cluster Autoscaler says of its node groups: the ConfigMap ``cluster-autoscaler-status``, key ``status``.

Its form was measured with Cluster Autoscaler 1.35.2; the fields are those of ``kubernetes/autoscaler:cluster-autoscaler/clusterstate/api``.
A group in back-off says so. A group at its maximum says nothing: its maximum is compared with the nodes that there are, or are asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml

from chipwise.reasons import Reason, Refusal

CONFIG_MAP = "cluster-autoscaler-status"
KEY = "status"

#: It is written with each loop, every ten seconds unless told otherwise. One that has been silent for so long does not run.
SILENT = timedelta(minutes=10)
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WORDS = 300
#: A status has at least one of these, even that of an autoscaler that has only begun.
_KEYS = frozenset({"time", "autoscalerStatus", "clusterWide", "nodeGroups"})


@dataclass(frozen=True, slots=True)
class GroupState:
    """One node group. ``maximum`` is None where none is told, ``target`` the nodes that the provider is asked for, there or not.

    ``backoff`` is why nothing is asked of the provider for a while, ``unhealthy`` how many of its nodes fail, so that it is not scaled up
    until they are Ready or gone; empty if that is not so.
    """

    name: str
    maximum: int | None = None
    backoff: str = ""
    unhealthy: str = ""
    target: int = 0

    @property
    def refusal(self) -> Refusal | None:
        """Why the autoscaler adds no node to it at present."""
        if self.backoff:
            return Refusal(Reason.STOCKOUT, f"node group {self.name} backs off ({self.backoff})")
        if self.unhealthy:
            message = (
                f"node group {self.name} is unhealthy ({self.unhealthy}), and such a group is not scaled up"
            )
            return Refusal(Reason.SCALE_UP_REFUSED, message)
        return None

    def is_full(self, there: int) -> bool:
        """Whether the autoscaler asks for no more where ``there`` nodes are."""
        return self.maximum is not None and max(there, self.target) >= self.maximum

    def to_come(self, there: int) -> int | None:
        """How many nodes may yet come where ``there`` are; None where that is not known."""
        if self.refusal is not None:
            return 0
        return None if self.maximum is None else max(0, self.maximum - there)


@dataclass(frozen=True, slots=True)
class GroupStates:
    """All groups in order of name, and when this was said: None where that cannot be read."""

    groups: tuple[GroupState, ...] = ()
    at: datetime | None = None

    @property
    def decisive(self) -> GroupStates:
        """The same without what changes with every loop."""
        return replace(self, at=None)

    def of(self, name: str | None) -> GroupState | None:
        """One group by name."""
        return next((group for group in self.groups if group.name == name), None)

    def is_current(self, now: datetime) -> bool:
        """Whether the autoscaler that said this still runs."""
        return self.at is None or now - self.at <= SILENT


def group_states(text: str) -> GroupStates:
    """Read the status. Raises ValueError for text that is none: before Cluster Autoscaler 1.30 it was prose."""
    try:
        found: Any = yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe loader, the one in C where there is one
    except yaml.YAMLError:
        found = None
    if not isinstance(found, Mapping) or not _KEYS.intersection(found):
        raise ValueError(
            f"{CONFIG_MAP} is no YAML map: before 1.30 Cluster Autoscaler wrote prose, which is not read"
        )
    groups = [_group(each) for each in found.get("nodeGroups") or () if isinstance(each, Mapping)]
    named = sorted((group for group in groups if group.name), key=lambda group: group.name)
    return GroupStates(tuple(named), _moment(found.get("time")))


def _group(raw: Mapping[str, Any]) -> GroupState:
    health, scale_up = _map(raw.get("health")), _map(raw.get("scaleUp"))
    return GroupState(
        name=str(raw.get("name") or ""),
        maximum=_count(health.get("maxSize", raw.get("maxSize"))),
        backoff=_backoff(scale_up) if scale_up.get("status") == "Backoff" else "",
        unhealthy=_unhealthy(health) if health.get("status") == "Unhealthy" else "",
        target=_count(health.get("cloudProviderTarget")) or 0,
    )


def _backoff(scale_up: Mapping[str, Any]) -> str:
    info = _map(scale_up.get("backoffInfo"))
    words = [str(info[key]) for key in ("errorCode", "errorMessage") if info.get(key)]
    return (": ".join(words) or "no reason is given")[:_WORDS]


def _unhealthy(health: Mapping[str, Any]) -> str:
    counts = _map(_map(health.get("nodeCounts")).get("registered"))
    ready, target = _count(counts.get("ready")), _count(health.get("cloudProviderTarget"))
    return "its nodes are not told" if target is None else f"{ready or 0} of {target} nodes are ready"


def _map(found: Any) -> Mapping[str, Any]:
    return found if isinstance(found, Mapping) else {}


def _count(found: Any) -> int | None:
    return found if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else None


def _moment(found: Any) -> datetime | None:
    """Go prints ``2026-08-21 10:00:00.123456789 +0000 UTC``, which YAML takes for text, and sometimes for a date."""
    if isinstance(found, datetime):
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    day, _, rest = str(found or "").partition(" ")
    clock, _, zone = rest.partition(" ")
    try:
        return datetime.fromisoformat(f"{day}T{clock.partition('.')[0]}{zone.split(' ')[0]}")
    except ValueError:
        return None
