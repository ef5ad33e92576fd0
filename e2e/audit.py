"""Who asked the API server for what: the audit log from one moment on, for one user."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

OPERATOR = "system:serviceaccount:chipwise-system:chipwise"
READS = frozenset({"get", "list", "watch"})


class AuditTail:
    """Reads what was logged after it was made. The file is only appended to."""

    def __init__(self, path: Path, user: str = OPERATOR) -> None:
        self._path, self._user = path, user
        self._start = path.stat().st_size

    def requests(self) -> list[dict[str, Any]]:
        """Every request of the user, in the order in which they were answered."""
        with self._path.open("rb") as log:
            log.seek(self._start)
            lines = [line for line in log if line.endswith(b"\n") and self._user.encode() in line]
        events = [json.loads(line) for line in lines if line.startswith(b"{")]
        return [event for event in events if event["user"]["username"] == self._user]

    def writes(self, resource: str, namespace: str) -> list[dict[str, Any]]:
        """Requests that change objects of one resource in one namespace, subresources included."""
        return [
            event
            for event in self.requests()
            if event["verb"] not in READS
            and (event.get("objectRef") or {}).get("resource") == resource
            and event["objectRef"].get("namespace") == namespace
        ]
