"""The claims that chapters check, each from the cluster itself: pods from a watch, Deployments as the API server has them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from e2e.demo.stage import Stage
from e2e.flights import at_once

Document = dict[str, Any]

OURS = "chipwise.dev"


def never_short(stage: Stage, names: Iterable[str], since: float) -> None:
    """From a watch of pods: Ready replicas, each at its variant's rate, against the declared peak."""
    for name in names:
        demand, lowest = stage.serving[name].demand, stage.history.lowest(name, since)
        changes = len(stage.history.steps(name, since)) - 1
        stage.teller.check(
            f"{name} never below demand",
            holds=lowest >= demand,
            expected=f"{demand:g} requests/s at every instant",
            seen=f"at least {lowest:.1f} of {demand:g} requests/s at each of {changes} changes of its pods",
        )


def make_before_break(stage: Stage, name: str, old: str, new: str, since: float) -> None:
    """No old pod goes without a new one that is Ready, until the new ones are all there."""
    steps = stage.history.steps(name, since)
    had, wanted = steps[0].ready.get(old, 0), steps[-1].ready.get(new, 0)
    bad = [step for step in steps if had - step.ready.get(old, 0) > step.ready.get(new, 0) != wanted]
    first_new = next(step.moment for step in steps if step.ready.get(new))
    first_gone = next(step.moment for step in steps if step.ready.get(old, 0) < had)
    stage.teller.check(
        "new pods Ready before old ones go",
        holds=not bad and first_new < first_gone,
        expected="as many new pods Ready as old ones gone, or all new ones Ready, at every instant",
        seen=f"the first old one went {first_gone - first_new:.2f} s after the first new one was Ready"
        if not bad
        else f"{dict(bad[0].ready)} {bad[0].moment - since:.1f} s after the change",
    )


def one_at_a_time(stage: Stage, names: Iterable[str], since: float) -> None:
    """From a watch of pods: a move goes on while a workload runs pods of two templates, and the policy allows one."""
    flights = stage.history.flights.since(since)
    told = "; ".join(
        f"{each.name} from {each.start - since:.1f} to "
        + ("now" if each.end is None else f"{each.end - since:.1f} s")
        for each in flights
    )
    stage.teller.check(
        "one move at a time",
        holds=at_once(flights) == 1 and sorted(each.name for each in flights) == sorted(names),
        expected=f"one move each of {', '.join(sorted(names))}, and never two at once",
        seen=told,
    )


def untouched(stage: Stage, name: str) -> None:
    """Its Deployment is as its author wrote it."""
    now, before = stage.deployment(name), stage.before[name]
    same = authored(now) == authored(before) and not traces(now)
    stage.teller.check(
        f"{name} is untouched",
        holds=same and now["metadata"]["generation"] == before["metadata"]["generation"],
        expected=f"generation {before['metadata']['generation']}, no trace of chipwise",
        seen=f"generation {now['metadata']['generation']}, traces: {traces(now) or 'none'}",
    )


def authored(deployment: Document) -> Document:
    return {key: deployment["spec"][key] for key in ("template", "replicas", "strategy")}


def visible(deployment: Document) -> Document:
    """All but managedFields, which name who wrote what and are the API server's."""
    metadata = {key: value for key, value in deployment["metadata"].items() if key != "managedFields"}
    return {"metadata": metadata, "spec": deployment["spec"]}


def traces(deployment: Document) -> list[str]:
    template = deployment["spec"]["template"]["metadata"]
    return sorted(
        key
        for metadata in (deployment["metadata"], template)
        for kind in ("labels", "annotations")
        for key in metadata.get(kind, {})
        if OURS in key
    )
