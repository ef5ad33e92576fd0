"""chipwise that dies at a chosen write: ``python e2e/dying.py before:template run ...``. For tests of what is left behind.

It kills itself with SIGKILL, so nothing is handed back: before its first write of the given sort leaves, or right after the answer.
The sorts are ``template``, ``replicas``, ``record`` (only what chipwise noted), ``release`` (its traces come off), and of a bridge
``bridge-create``, ``bridge-narrow`` and ``bridge-delete``.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from chipwise.cli.main import main
from chipwise.kube.client import Client
from chipwise.kube.resources import DEPLOYMENTS

#: The client's verbs that change a Deployment; all take the resource first.
_SENDERS = {"json_patch": Client.json_patch, "create": Client.create, "delete": Client.delete}


def sort_of(verb: str, what: Sequence[Any]) -> str:
    """What a write is for; empty for one on anything but a Deployment."""
    if what[0] != DEPLOYMENTS:
        return ""
    if verb != "json_patch":
        return f"bridge-{verb}"
    _, _, name, operations = what
    return "bridge-narrow" if "-bridge-" in name else patch_sort(operations)


def patch_sort(operations: Sequence[Mapping[str, Any]]) -> str:
    """What a JSON Patch on the author's Deployment is for."""
    changes = [(each["op"], str(each["path"])) for each in operations if each["op"] != "test"]
    paths = {path for _, path in changes}
    if "/spec/template" in paths:
        return "template"
    if "/spec/replicas" in paths:
        return "replicas"
    return "release" if any(op == "remove" for op, _ in changes) else "record"


def die_at(moment: str, sort: str) -> None:
    """Replace the client's verbs by ones that kill this process."""
    for verb in _SENDERS:
        _replace(verb, moment, sort)


def _replace(verb: str, moment: str, sort: str) -> None:
    send: Any = _SENDERS[verb]

    async def deadly(client: Client, *what: Any, **how: Any) -> Any:
        chosen = sort_of(verb, what) == sort
        if chosen and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = await send(client, *what, **how)
        if chosen:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    setattr(Client, verb, deadly)


if __name__ == "__main__":
    die_at(*sys.argv.pop(1).split(":"))
    main()
