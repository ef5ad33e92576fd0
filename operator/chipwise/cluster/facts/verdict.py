"""What the scheduler says of a pod that it cannot bind, read from its sentence.

The sentence is that of kubernetes pkg/scheduler/framework/types.go (FitError): ``0/6 nodes are available: 2 Insufficient cpu, 4 node(s)
didn't match Pod's node affinity/selector. preemption: ...``. A plugin that refuses all nodes at once (a volume claim that is missing)
says so in their place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_SHORT = re.compile(r"(?:^|\s)Insufficient (\S+?)[.,]?(?=\s|$)")
_NO_SLOT = "Too many pods"
#: What is said of nodes that were never meant for the pod, or take nobody now.
_NOT_MEANT = (
    "didn't match Pod's node affinity/selector",
    "untolerated taint",
    "were unschedulable",
)
_NO_NODES = "no nodes available to schedule pods"


@dataclass(frozen=True, slots=True)
class Verdict:
    """``lacking`` are resources of which some node has too little. ``unmet``: no node was one that the pod is meant for."""

    lacking: tuple[str, ...] = ()
    unmet: bool = False


NO_VERDICT = Verdict()


def verdict(message: str) -> Verdict:
    """Read the message of a pod's condition PodScheduled. Nothing where nobody, or another scheduler, has spoken."""
    words = message.split(" preemption:", maxsplit=1)[0].strip()
    if words.startswith(_NO_NODES):
        return Verdict(unmet=True)
    _, found, listed = words.partition("nodes are available: ")
    if not found:
        return NO_VERDICT
    lacking = set(_SHORT.findall(listed)) | ({"pods"} if _NO_SLOT in listed else set())
    parts = re.split(r", (?=\d+ )", listed)
    unmet = all(any(each in part for each in _NOT_MEANT) for part in parts)
    return Verdict(tuple(sorted(lacking)), unmet)
