"""The work of ``chipwise explain``: one workload of the joint decision, in sentences and with every candidate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chipwise.api import AcceleratorClass, InferenceWorkload, ModelProfile, Performance, Variant
from chipwise.cli.answers import show_answer
from chipwise.cli.errors import BadInput
from chipwise.cli.options import Source
from chipwise.cli.performance import known, leaning, stated
from chipwise.cli.reasoning import sentences
from chipwise.cli.report import move_document
from chipwise.cli.sheet import Block, Column, Sheet
from chipwise.cli.source import decided
from chipwise.cli.words import cents, latency, served, unit
from chipwise.cli.workload import candidates, standing
from chipwise.cluster.decide import Decision
from chipwise.cluster.knowledge import knowledge_of, shape_of
from chipwise.cluster.prices import currency_of
from chipwise.performance import Unmeasured

Document = dict[str, Any]


def answer(source: Source, workload: str, namespace: str | None, output: str) -> bool:
    """Print the explanation. Whether the workload is placed. Raises BadInput for one that is not there."""
    decision, _ = decided(source)
    document = explanation(decision, named(decision, workload, namespace))
    show_answer(document, output, blocks(document))
    placed: bool = document["placed"]
    return placed


def named(decision: Decision, workload: str, namespace: str | None) -> str:
    """The namespace/name that is meant. Raises BadInput with the known ones."""
    known = sorted(decision.snapshot.workloads)
    wanted = workload if "/" in workload or not namespace else f"{namespace}/{workload}"
    if namespace and "/" in workload and not workload.startswith(f"{namespace}/"):
        raise BadInput(f"{workload} is not in namespace {namespace}: give one of both")
    found = [key for key in known if key == wanted or key.partition("/")[2] == wanted]
    if len(found) == 1:
        return found[0]
    if found:
        raise BadInput(f"{workload} is in several namespaces: say which of {', '.join(found)}")
    broken = {f"{one.namespace}/{one.name}": one for one in decision.snapshot.unreadable}
    unread = [
        one for key, one in broken.items() if wanted in (key, one.name) and one.kind == "InferenceWorkload"
    ]
    if unread:
        raise BadInput(unread[0].message)
    there = f"the known ones are {', '.join(known)}" if known else "there is none at all"
    raise BadInput(f"there is no InferenceWorkload {wanted}: {there}")


def explanation(decision: Decision, key: str) -> Document:
    """As described in docs/cli.md."""
    workload = decision.snapshot.workloads[key]
    spec = workload.spec
    refused = key in decision.refused
    profile = decision.snapshot.profiles.get(spec.model_profile_name)
    ranked = candidates(decision, key, 10_000)
    classes = decision.snapshot.classes
    figures = (
        [_known(workload, profile, one, classes.get(one.class_name)) for one in profile.spec.variants]
        if profile
        else []
    )
    return {
        "currency": currency_of(decision.snapshot),
        **standing(decision, key),
        "deployment": spec.target_ref.name,
        "modelProfile": spec.model_profile_name,
        "policy": spec.policy_name or "default",
        "priority": None if refused else decision.subjects[key].priority,
        "traffic": spec.traffic.model_dump(by_alias=True, exclude_none=True, mode="json"),
        "objectives": [
            one.model_dump(by_alias=True, exclude_none=True, mode="json") for one in spec.objectives
        ],
        "sentences": [] if refused else sentences(decision, key, ranked, figures),
        "move": None if refused else move_document(decision.shown.by_workload[key]),
        "candidates": ranked,
        "performance": figures,
        "decisions": _decisions(workload),
    }


def _decisions(workload: InferenceWorkload) -> list[Document]:
    """What the operator decided lately, newest first; none without an operator, as in files."""
    fields = ("at", "decision", "reason", "message", "from", "to")
    found = workload.status.decisions if workload.status else ()
    dumped = (one.model_dump(by_alias=True, mode="json") for one in found)
    return [{field: one.get(field) for field in fields} for one in dumped]


def _known(
    workload: InferenceWorkload, profile: ModelProfile, variant: Variant, chip_class: AcceleratorClass | None
) -> Document:
    """Where the figures of one variant come from."""
    override = next(
        (o.performance for o in workload.spec.performance if o.variant_name == variant.name), None
    )
    used: Performance | None = override or variant.performance
    by = None if used is None else "InferenceWorkload" if override else "ModelProfile"
    found = {"variant": variant.name, "statedBy": by, **known(used, profile)}
    asked = knowledge_of(workload, profile, variant, chip_class) if chip_class else None
    if isinstance(asked, Unmeasured):
        leant_on = leaning(asked, shape_of(workload), variant.max_concurrency)
        found["source"] = leant_on or found["source"]
    return found


def blocks(document: Document) -> Iterator[Block]:
    """What a person reads, from the very document that a script gets."""
    yield "\n".join(_asked(document))
    yield "\n".join(_decided(document))
    feasible = tuple(_feasible(one) for one in document["candidates"] if one["feasible"])
    if feasible:
        yield Sheet("Feasible, by what each adds to the bill", _columns(unit(document["currency"])), feasible)
    refused = tuple(
        (one["variant"], one["pool"] or "-", one["reason"], one["message"])
        for one in document["candidates"]
        if not one["feasible"]
    )
    if refused:
        yield Sheet("Refused", (Column("VARIANT"), Column("POOL"), Column("REASON"), Column("WHY")), refused)
    if document["decisions"]:
        yield Sheet("Decided by the operator, newest first", _DECIDED, _rows(document["decisions"]))
    if document["performance"]:
        columns = (
            Column("VARIANT"),
            Column("KNOWN BY"),
            Column("STATISTIC"),
            Column("ENGINE"),
            Column("SOURCE"),
        )
        yield Sheet("Performance used", columns, tuple(_source(one) for one in document["performance"]))


_DECIDED = (Column("AT"), Column("DECISION"), Column("REASON"), Column("WHY"))


def _rows(decisions: list[Document]) -> tuple[tuple[str, ...], ...]:
    return tuple((one["at"], one["decision"], one["reason"], one["message"]) for one in decisions)


def _asked(document: Document) -> Iterator[str]:
    traffic = document["traffic"]
    yield f"{document['namespace']}/{document['name']}"
    priority = "" if document["priority"] is None else f", priority {document['priority']}"
    yield (
        f"  Deployment {document['deployment']}, profile {document['modelProfile']}, mode {document['mode']}, "
        f"policy {document['policy']}{priority}"
    )
    peak = traffic.get("peakRequestsPerSecond", traffic["meanRequestsPerSecond"])
    yield (
        f"  {traffic['meanRequestsPerSecond']} requests/s on average, {peak} at the peak, of {traffic['inputTokens']} tokens in "
        f"and {traffic['outputTokens']} out"
    )
    yield "  " + ", ".join(map(_objective, document["objectives"]))
    if document["current"]:
        yield f"  Runs now on {served(document['current'])}"


def _objective(of: Document) -> str:
    sure = f" with a confidence of {of['confidence']}" if "confidence" in of else ""
    return f"{of['metric']} {of['statistic']} <= {of['threshold']}{sure}"


def _decided(document: Document) -> Iterator[str]:
    if not document["sentences"]:
        yield f"Not decided about ({document['reason']}): {document['message']}"
    yield from document["sentences"]
    move = document["move"]
    if move:
        yield f"{move['decision']} ({move['reason']}): {move['message']}"


def _columns(money: str) -> tuple[Column, ...]:
    return (
        Column(""),
        Column("VARIANT"),
        Column("POOL"),
        Column("REPLICAS", right=True),
        Column("CHIPS", right=True, spare=3),
        Column(f"ADDS {money}/H", right=True),
        Column(f"ALONE {money}/H", right=True, spare=4),
        Column(f"FULL NODES {money}/H", right=True, spare=5),
        Column("TTFT", right=True, spare=2),
        Column("TPOT", right=True, spare=1),
        Column("FIGURES", spare=6),
        Column("WHY NOT"),
    )


def _feasible(one: Document) -> tuple[str, ...]:
    return (
        "*" if one["chosen"] else "",
        one["variant"],
        one["pool"],
        str(one["replicas"]),
        str(one["chips"]),
        cents(one["addedPerHour"]),
        cents(one["alonePerHour"]),
        cents(one["amortisedPerHour"]),
        latency(one["ttftMilliseconds"]),
        latency(one["tpotMilliseconds"]),
        one["provenance"] or "-",
        f"{one['reason']}: {one['message']}" if one["reason"] else "",
    )


def _source(one: Document) -> tuple[str, ...]:
    how, *others = stated(one)
    return (one["variant"], f"{how} of the {one['statedBy']}" if one["statedBy"] else how, *others)
