"""chipwise that dies at a chosen write: ``python e2e/dying.py before:template run ...``. For tests of what is left behind.

It kills itself with SIGKILL, so nothing is handed back: before its first write of the given sort leaves, or right after the answer.
The sorts are ``template``, ``replicas``, ``record`` (only what chipwise noted) and ``release`` (its traces come off).
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from chipwise.cli.main import main
from chipwise.kube.client import Client

_send = Client.json_patch


def sort_of(operations: Sequence[Mapping[str, Any]]) -> str:
    """What a JSON Patch on a Deployment is for."""
    changes = [(each["op"], str(each["path"])) for each in operations if each["op"] != "test"]
    paths = {path for _, path in changes}
    if "/spec/template" in paths:
        return "template"
    if "/spec/replicas" in paths:
        return "replicas"
    return "release" if any(op == "remove" for op, _ in changes) else "record"


def die_at(moment: str, sort: str) -> None:
    """Replace the client's verb by one that kills this process."""

    async def json_patch(client: Client, *what: Any) -> dict[str, Any]:
        chosen = sort_of(what[-1]) == sort
        if chosen and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = await _send(client, *what)
        if chosen:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    Client.json_patch = json_patch  # type: ignore[method-assign, assignment]


if __name__ == "__main__":
    die_at(*sys.argv.pop(1).split(":"))
    main()
