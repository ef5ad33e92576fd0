"""The work of ``chipwise restore``: write the wish on each workload, then read its status until the operator has answered it.

Only the workloads are touched, so that who owns them needs no other right.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click

from chipwise.cli.errors import BadInput
from chipwise.cli.options import Source
from chipwise.cluster.situation import RESTORE
from chipwise.kube.client import Client
from chipwise.kube.connection import connect
from chipwise.kube.errors import Conflict, Forbidden, KubeError, NotFound, Unavailable
from chipwise.kube.protocol import Document, Kube
from chipwise.kube.resources import INFERENCE_WORKLOADS
from chipwise.reasons import Reason
from chipwise.rendering.write import pointer

Key = tuple[str, str]
"""Namespace and name."""

_POLL = 1.0  # seconds
_SILENCE = 20.0  # seconds; the operator answers within two as a rule
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Wish:
    """One workload, and the generation of its spec for which the restore is asked."""

    namespace: str
    name: str
    generation: int

    @property
    def key(self) -> str:
        """namespace/name."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a workload's status says of a wish. ``done`` is None while that is open; ``heard``: the operator has seen it."""

    said: str
    done: bool | None = None
    heard: bool = True


def named(workload: str, namespace: str | None) -> Key:
    """The one that is meant. Raises BadInput without a namespace, or with two."""
    given, slash, name = workload.rpartition("/")
    if slash and namespace and given != namespace:
        raise BadInput(f"{workload} is not in namespace {namespace}: give one of both")
    if not (given or namespace) or not name:
        raise BadInput(f"{workload}: say the namespace, as NAMESPACE/NAME or with -n")
    return given or namespace or "", name


def ask(source: Source, keys: Sequence[Key], seconds: float | None) -> bool:
    """Ask, and wait at most ``seconds``; None does not wait. Whether all is done, or asked. Raises BadInput."""
    try:
        return asyncio.run(_ask(source, keys, seconds))
    except KubeError as error:
        raise BadInput(f"cannot ask the cluster: {error}") from error


async def _ask(source: Source, keys: Sequence[Key], seconds: float | None) -> bool:
    async with Client(connect(kubeconfig=source.kubeconfig, context=source.context)) as kube:
        for key in keys:
            await _read(kube, *key)  # one that is not there is said before anything is asked
        wishes = [await wish_for(kube, *key) for key in keys]
        for wish in wishes:
            click.echo(f"{wish.key}: asked to be given back to its author")
        return seconds is None or await waited(kube, wishes, seconds)


async def _read(kube: Kube, namespace: str, name: str) -> Document:
    try:
        return await kube.get(INFERENCE_WORKLOADS, namespace, name)
    except NotFound as error:
        raise BadInput(f"there is no InferenceWorkload {namespace}/{name}: {error}") from error
    except Forbidden as error:
        raise BadInput(f"{error}; ask for the rights to get and patch inferenceworkloads") from error


async def wish_for(kube: Kube, namespace: str, name: str) -> Wish:
    """Write the wish for the spec as it is. Raises BadInput and KubeError."""
    for _ in range(_TRIES):
        document = await _read(kube, namespace, name)
        metadata = document["metadata"]
        wish = Wish(namespace, name, int(metadata["generation"]))
        operations = _operations(metadata, str(wish.generation))
        try:
            if operations:
                await kube.json_patch(INFERENCE_WORKLOADS, namespace, name, operations)
        except Conflict:
            continue
        except Forbidden as error:
            raise BadInput(f"{error}; ask for the right to patch inferenceworkloads") from error
        return wish
    raise BadInput(f"{namespace}/{name}: it keeps changing; try again")


def _operations(metadata: Document, value: str) -> list[dict[str, Any]]:
    """Nothing for a wish that is there already. The resourceVersion is tested, so that the generation is that of the spec."""
    present = metadata.get("annotations")
    if (present or {}).get(RESTORE) == value:
        return []
    guard = {
        "op": "test",
        "path": "/metadata/resourceVersion",
        "value": metadata["resourceVersion"],
    }
    if present:
        return [guard, {"op": "add", "path": pointer("metadata", "annotations", RESTORE), "value": value}]
    return [guard, {"op": "add", "path": "/metadata/annotations", "value": {RESTORE: value}}]


async def waited(kube: Kube, wishes: Sequence[Wish], seconds: float) -> bool:
    """Until each is answered or the time is over; what changes is printed. Whether all are restored."""
    end, silent_at = time.monotonic() + seconds, time.monotonic() + _SILENCE
    said: dict[str, Answer] = {}
    while True:
        for wish in wishes:
            before = said.get(wish.key)
            if before is not None and before.done is not None:
                continue
            found = await _answer(kube, wish)
            if found is None and before is None and time.monotonic() >= silent_at:
                found = Answer("no answer yet; is the operator running?", heard=False)
            if found is not None and found != before:
                click.echo(f"{wish.key}: {found.said}")
                said[wish.key] = found
        open_ = [wish for wish in wishes if wish.key not in said or said[wish.key].done is None]
        if not open_ or time.monotonic() >= end:
            break
        await asyncio.sleep(min(_POLL, max(0.0, end - time.monotonic())))
    for wish in open_:
        took = f"kubectl annotate iw -n {wish.namespace} {wish.name} {RESTORE}-"
        click.echo(f"{wish.key}: not done within {seconds:.0f} s. The wish stands; to take it back: {took}")
    return not open_ and all(answer.done for answer in said.values())


async def _answer(kube: Kube, wish: Wish) -> Answer | None:
    """None while the operator has not answered, or cannot be heard."""
    try:
        document = await kube.get(INFERENCE_WORKLOADS, wish.namespace, wish.name)
    except NotFound:
        return Answer(
            "was deleted meanwhile, which gives the Deployment back too unless it says Retain", done=False
        )
    except Unavailable:
        return None
    return answer_of(document, wish)


def answer_of(document: Document, wish: Wish) -> Answer | None:
    """What the status says; None if it does not speak of this wish yet."""
    ended = _ended(document["metadata"], wish)
    if ended is not None:
        return Answer(ended, done=False)
    status = document.get("status") or {}
    conditions = {each["type"]: each for each in status.get("conditions") or ()}
    restored, accepted = conditions.get("Restored"), conditions.get("Accepted", {})
    if accepted.get("status") == "False":
        return Answer(f"waits ({accepted['reason']}): {accepted['message']}")
    if restored is None or restored.get("observedGeneration") != wish.generation:
        return None
    if restored["status"] == "True":
        return Answer(f"restored: {restored['message']}", done=True)
    way = "" if restored["reason"] == Reason.RESTORING.value else f"waits ({restored['reason']}): "
    return Answer(f"{way}{restored['message']}")


def _ended(metadata: Document, wish: Wish) -> str | None:
    """Why the wish does not hold any more."""
    if int(metadata["generation"]) != wish.generation:
        return "its spec was edited meanwhile, which ends the wish: chipwise may place it again"
    if (metadata.get("annotations") or {}).get(RESTORE) != str(wish.generation):
        return "the wish was taken back"
    return None
