"""Posts Events: one for each write and each change of mind, none for repetition. A lost Event is logged, never fatal."""

from __future__ import annotations

import hashlib
import logging
import socket
from collections.abc import Callable
from datetime import datetime

from chipwise.control.fence import Desk
from chipwise.kube.errors import KubeError
from chipwise.kube.resources import EVENTS, Resource

log = logging.getLogger(__name__)

CONTROLLER = "chipwise.dev/operator"
_NOTE_LIMIT = 1024  # events.k8s.io/v1 refuses longer notes


class Recorder:
    """``post`` says what happened to one object. Events of cluster-scoped objects go to the namespace ``default``."""

    def __init__(self, kube: Desk, now: Callable[[], datetime]) -> None:
        self._kube = kube
        self._now = now
        self._instance = socket.gethostname()[:128]

    async def post(
        self,
        about: Resource,
        namespace: str,
        name: str,
        uid: str,
        reason: str,
        note: str,
        *,
        warning: bool = False,
    ) -> None:
        """``reason`` is one CamelCase word, ``note`` the sentence with the figures."""
        moment = self._now()
        stamp = moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        digest = hashlib.sha256(f"{uid}{reason}{note}{stamp}".encode()).hexdigest()[:16]
        document = {
            "apiVersion": EVENTS.api_version,
            "kind": EVENTS.kind,
            "metadata": {"name": f"{name[:200]}.{digest}", "namespace": namespace or "default"},
            "eventTime": stamp,
            "reportingController": CONTROLLER,
            "reportingInstance": self._instance,
            "action": "Place",
            "reason": reason,
            "type": "Warning" if warning else "Normal",
            "note": note if len(note) <= _NOTE_LIMIT else note[: _NOTE_LIMIT - 1] + "…",
            "regarding": {
                "apiVersion": about.api_version,
                "kind": about.kind,
                "namespace": namespace,
                "name": name,
                "uid": uid,
            },
        }
        try:
            await self._kube.create(EVENTS, namespace or "default", document)
        except KubeError as error:
            log.warning(
                "an Event was lost: %s", error, extra={"about": f"{about.kind}/{name}", "reason": reason}
            )
