"""Who led when, and whether every write was the leader's, as the audit log tells it. Each operator is known by its token."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from e2e.audit import READS, AuditTail

_CREDENTIAL = "authentication.kubernetes.io/credential-id"


@dataclass(frozen=True, slots=True)
class Request:
    """One request of an operator. Moments are seconds since 1970 by the API server's clock; ``what`` is verb and resource."""

    received: float
    answered: float
    credential: str
    what: str
    code: int

    @property
    def is_of_the_lease(self) -> bool:
        """It acquired, renewed or released the Lease."""
        return self.what in ("create leases", "update leases") and self.code < 300

    @property
    def is_act(self) -> bool:
        """It wrote anything else."""
        verb, _, resource = self.what.partition(" ")
        return verb not in READS and resource != "leases" and self.code < 300


def credential_of(kubeconfig: Path) -> str:
    """By which name the audit log knows the token in this file: every token has its own."""
    token = json.loads(kubeconfig.read_text())["users"][0]["user"]["token"]
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return f"JTI={claims['jti']}"


def requests(audit: AuditTail) -> list[Request]:
    """Every request of every operator, in the order of their answers."""
    found = [_request(event) for event in audit.requests() if "objectRef" in event]
    return sorted(found, key=lambda each: each.answered)


def foul_play(found: Iterable[Request], duration: float) -> list[str]:
    """Writes of one who did not hold the Lease, or held it no longer. Empty, as it should be.

    A write must lie between two of the Lease: after one of the same operator that is not older than the lease, before any of another.
    """
    ordered = list(found)
    leases = [each for each in ordered if each.is_of_the_lease]
    fouls = []
    for act in (each for each in ordered if each.is_act):
        before = [each for each in leases if each.answered <= act.received][-1:]
        during = [each for each in leases if act.received < each.answered <= act.answered]
        if {each.credential for each in [*before, *during]} != {act.credential}:
            fouls.append(f"{act} by another than {before} {during}")
        elif before and act.answered > before[0].received + duration and not during:
            fouls.append(f"{act} outlived {before}")
    return fouls


def terms(found: Iterable[Request]) -> list[str]:
    """The credentials of those who led, one for each term."""
    return [who for who, _ in itertools.groupby(each.credential for each in found if each.is_of_the_lease)]


def by(credential: str, found: Iterable[Request], since: float) -> Iterator[Request]:
    """What one operator asked for from a moment on."""
    return (each for each in found if each.credential == credential and each.received >= since)


def _request(event: dict[str, Any]) -> Request:
    where = event["objectRef"]
    resource = "/".join(filter(None, (where["resource"], where.get("subresource"))))
    (credential,) = event["user"].get("extra", {}).get(_CREDENTIAL) or [""]
    return Request(
        received=_moment(event["requestReceivedTimestamp"]),
        answered=_moment(event["stageTimestamp"]),
        credential=credential,
        what=f"{event['verb']} {resource}",
        code=int(event.get("responseStatus", {}).get("code") or 0),
    )


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
