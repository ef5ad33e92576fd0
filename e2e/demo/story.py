"""The story, chapter by chapter: each moves something, waits until it has happened, and checks what it claims."""

from __future__ import annotations

import json
import shlex
import time
from datetime import datetime
from typing import Any

from chipwise.cli.words import per_hour

from e2e.demo.authored import NAMESPACE
from e2e.demo.claims import (
    OURS,
    authored,
    make_before_break,
    never_short,
    one_at_a_time,
    traces,
    untouched,
    visible,
)
from e2e.demo.fleet import FLEET
from e2e.demo.savings import savings
from e2e.demo.stage import Stage, bring_machines, remove_machines, start_operator
from e2e.demo.timeline import timeline

Document = dict[str, Any]

#: Where each goes that may move: pool, variant, replicas. `examples/README.md` says why.
DESTINATIONS = {
    "summaries": ("maia", "maia-x1", 6),
    "chat": ("mi300x", "mi300x-x2-fp8", 4),
    "moderation": ("maia", "maia-x1", 4),
}
STAYING = ("code-assist", "reports", "impossible")
NEW_PRICE = "30.00"
USUAL_STAY = "10m"
#: So long after the last change every status has been written, in seconds.
QUIET = 2.0
AFTER_NEW_PRICE = ("mi300x", "mi300x-x2", 4)
#: Where moderation goes when Maia's nodes are gone, and for how many seconds Maia is then left alone.
FALLBACK = ("mi300x", "mi300x-x1", 5)
COOL_DOWN = 15.0


def first_moves(stage: Stage) -> Document:
    """Ask what chipwise would do, start it, and see it done. The plan that it was asked for first."""
    teller = stage.teller
    teller.chapter("1. Where each goes, and what that saves")
    asked = stage.plan()
    summary = asked["summary"]
    idle = [each["name"] for each in asked["workloads"] if each["mode"] == "Off"]
    teller.say(
        f"Asked before it runs, `chipwise plan` says: what it can place costs {_money(summary['currentCostPerHour'])} now and would "
        f"cost {_money(summary['costPerHour'])}, were {', '.join(idle)} (mode Off) to move too."
    )
    since = time.monotonic()
    start_operator(stage)
    teller.say(
        f"The operator runs with its ServiceAccount's token (pid {stage.operator.pid}); its policy lets one move at a time."
    )
    teller.wait("three workloads move", lambda: _all_arrived(stage, DESTINATIONS), 90)
    reached = stage.plan()
    savings(stage, asked, reached)
    for name, place in DESTINATIONS.items():
        said = stage.status(name)["summary"]
        told = _words(said["pool"], said["variant"], said["replicas"])
        teller.same(f"{name} is and says that it is", told, _words(*place))
    for name in STAYING:
        untouched(stage, name)
    never_short(stage, DESTINATIONS, since)
    one_at_a_time(stage, DESTINATIONS, since)
    return asked


def price_change(stage: Stage) -> None:
    """Raise Maia's price; one workload leaves, make before break."""
    teller, name = stage.teller, "summaries"
    teller.chapter("2. A price changes, one workload moves")
    others = {other: _template(stage, other) for other in stage.before if other != name}
    old = DESTINATIONS[name][1]
    command = _patch("apool", "maia", {"price": {"amount": NEW_PRICE}})
    teller.say("Maia's price for a node rises from 17 to 30 $/h (both made up: nobody has published one).")
    teller.show(f"kubectl {shlex.join(command)}", "    ")
    since = time.monotonic()
    stage.cluster.run_kubectl(*command)
    teller.wait(f"{name} moves", lambda: _all_arrived(stage, {**DESTINATIONS, name: AFTER_NEW_PRICE}), 60)
    decisions = stage.status(name)["decisions"]
    moved = next(each for each in decisions if each["decision"] == "Move")
    teller.say(f"{name}: {moved['message']}")
    new = AFTER_NEW_PRICE[1]
    steps = stage.history.steps(name, since)
    start = next((step.moment for step in steps if step.ready.get(new)), since)
    drawn = [step for step in steps[1:] if step.moment >= start]
    teller.say(f"The first new pod was Ready {start - since:.1f} s after the price changed. From then on:")
    teller.show(timeline([steps[0], *drawn], old, new, stage.serving[name].demand), "    ")
    make_before_break(stage, name, old, new, since)
    never_short(stage, (name,), since)
    moved_too = [other for other, template in others.items() if _template(stage, other) != template]
    teller.same("other workloads that moved", moved_too or "none", "none")


def nodes_vanish(stage: Stage) -> None:
    """Take every Maia node away: its workload falls back to the next best pool. Give them back: it returns when the cool-down is over."""
    teller, name = stage.teller, "moderation"
    teller.chapter("3. A pool's nodes vanish; its workload falls back, and later returns")
    others = {other: _template(stage, other) for other in stage.before if other != name}
    teller.show("kubectl delete nodes -l kubernetes.azure.com/agentpool=maiapool", "    ")
    teller.say(
        "The pods on them are deleted too, which the pod garbage collector of Kubernetes takes a minute for. The pool could grow to six "
        "nodes again; that no node comes within 5 s (here: 3 s to boot, 2 s of grace) is what counts as starved."
    )
    gone = time.monotonic()
    remove_machines(stage, "maia")
    teller.wait(f"{name} falls back", lambda: _all_arrived(stage, {name: FALLBACK}), 60)
    served = _served_again(stage, name, gone)
    status = stage.status(name)
    (cool_down,) = status["coolDowns"]
    rescued = next(each for each in status["decisions"] if each["reason"] == "Rescued")
    teller.say(f"{name}: {rescued['message']}")
    teller.same("what its status tells of the pool", _told(cool_down), "Unschedulable, maia, 1 failure")
    teller.say(f"Nobody could serve it for {served - gone:.1f} s; from then on its demand is met.")
    back = time.monotonic()
    teller.say("The nodes come back:")
    bring_machines(stage, "maia")
    teller.wait(f"{name} returns", lambda: _all_arrived(stage, {name: DESTINATIONS[name]}), 60)
    returned = next(
        step.moment for step in stage.history.steps(name, back) if step.ready.get(DESTINATIONS[name][1])
    )
    teller.check(
        "not tried again before its cool-down was over",
        holds=returned - gone > COOL_DOWN == _seconds(cool_down),
        expected=f"a cool-down of {COOL_DOWN:g} s",
        seen=f"the first pod served on Maia again {returned - gone:.1f} s after the loss, cool-down {_seconds(cool_down):g} s",
    )
    make_before_break(stage, name, FALLBACK[1], DESTINATIONS[name][1], back)
    never_short(stage, (name,), served)
    moved_too = [other for other, template in others.items() if _template(stage, other) != template]
    teller.same("other workloads that moved", moved_too or "none", "none")


def _served_again(stage: Stage, name: str, gone: float) -> float:
    """The moment from which on the demand is met again."""
    demand = stage.serving[name].demand
    short = [step.moment for step in stage.history.steps(name, gone) if step.capacity < demand]
    return next(step.moment for step in stage.history.steps(name, gone) if step.moment > short[-1])


def _told(cool_down: Document) -> str:
    failures = cool_down["failures"]
    return f"{cool_down['reason']}, {cool_down['pool']}, {failures} failure{'s' if failures > 1 else ''}"


def _seconds(cool_down: Document) -> float:
    until, at = (datetime.fromisoformat(cool_down[key]) for key in ("until", "at"))
    return (until - at).total_seconds()


def infeasible(stage: Stage) -> None:
    """What nobody can serve is told why, and left alone."""
    teller, name = stage.teller, "impossible"
    teller.chapter("4. A workload that nobody can serve within its objective says why")

    def told() -> tuple[Document | None, str]:
        status = stage.status(name)
        conditions = {each["type"]: each for each in status.get("conditions", ())}
        found = conditions.get("Feasible")
        return (status if found and found["status"] == "False" else None), f"conditions {sorted(conditions)}"

    status = teller.wait(f"{name} is told", told, 20)
    condition = next(each for each in status["conditions"] if each["type"] == "Feasible")
    teller.show(f"Feasible={condition['status']}, {condition['reason']}:")
    teller.say(condition["message"], "    ")
    for candidate in status["candidates"]:
        teller.say(f"{candidate['reason']}: {candidate['message']}", "    ")
    teller.same("reason of the condition", condition["reason"], "NoFeasibleVariant")
    refused = {(each["pool"], each.get("reason")) for each in status["candidates"]}
    wanted = {(machines.pool, "ObjectiveMissed") for machines in FLEET}
    teller.check(
        "each pool has its own reason",
        holds=refused == wanted and all("above 3 ms" in each["message"] for each in status["candidates"]),
        expected=f"{sorted(wanted)}, each with its figure against 3 ms",
        seen="ObjectiveMissed for each, with the figure that it would reach"
        if refused == wanted
        else str(sorted(map(str, refused))),
    )
    untouched(stage, name)


def restore(stage: Stage) -> None:
    """Deleting a workload gives the Deployment back to its author, to the very ReplicaSet."""
    teller, name = stage.teller, "moderation"
    teller.chapter("5. Deleting a workload restores its Deployment")
    before = stage.before[name]
    template, replicas = stage.templates[name], before["spec"]["replicas"]
    teller.say(
        "From here on a workload stays 10 minutes where it was put, as the policy of examples/ has it."
    )
    stage.cluster.run_kubectl(*_patch("ppolicy", "default", {"minimumStay": USUAL_STAY}))
    since = time.monotonic()
    teller.show(f"kubectl delete iw {name} -n {NAMESPACE}", "    ")
    stage.cluster.run_kubectl("delete", "iw", name, "-n", NAMESPACE)

    def restored() -> tuple[bool | None, str]:
        pods = stage.history.pods(name)
        back = sum(pod.template == template for pod in pods)
        clean = OURS not in json.dumps(visible(stage.deployment(name)))
        done = clean and back == len(pods) == stage.history.existing(name) == replicas
        return (True if done else None), f"{back} of {replicas} pods of the author's ReplicaSet {template}"

    teller.wait(f"{name} is restored", restored, 60)
    after = stage.deployment(name)
    hashes = sorted({pod.template for pod in stage.history.pods(name)})
    teller.same("pod-template-hash of its pods, as before the first move", ", ".join(hashes), template)
    teller.check(
        "template, replicas and strategy",
        holds=authored(after) == authored(before),
        expected=json.dumps(authored(before)),
        seen=f"the author's, {replicas} replicas, {json.dumps(after['spec']['strategy']['rollingUpdate'])}"
        if authored(after) == authored(before)
        else json.dumps(authored(after)),
    )
    teller.same("labels and annotations of chipwise left", traces(after) or "none", "none")
    never_short(stage, (name,), since)


def epilogue(stage: Stage) -> None:
    """The table as kubectl prints it, once every status says what is so now."""
    teller = stage.teller
    teller.chapter("How it ends: kubectl get iw -n serving")
    told = time.monotonic()

    def quiet() -> tuple[bool | None, str]:
        return (True if time.monotonic() - told > QUIET else None), "the last decisions are written"

    teller.wait("status settles", quiet, 10)
    teller.show(stage.cluster.run_kubectl("get", "iw", "-n", NAMESPACE))
    teller.say(
        "moderation is no longer chipwise's: its six pods keep H100 nodes in use whatever chipwise does, so what is left on those nodes "
        "costs nothing more. That is why others now cost less there or would go back (MinimumStay holds them)."
    )


def _all_arrived(stage: Stage, places: dict[str, tuple[str, str, int]]) -> tuple[bool | None, str]:
    """Every workload is served by its new variant alone, and its status says so."""
    missing = []
    for name, (pool, variant, replicas) in places.items():
        pods = stage.history.pods(name)
        there = [pod for pod in pods if pod.variant == variant and pod.node.startswith(f"{pool}-")]
        said = stage.status(name).get("summary", {})
        settled = (said.get("pool"), said.get("replicas"), said.get("reason")) == (pool, replicas, "Stays")
        if not (len(there) == len(pods) == stage.history.existing(name) == replicas and settled):
            gone = f", {len(pods) - len(there)} old" if len(pods) > len(there) else ""
            missing.append(f"{name} {len(there)} of {replicas} on {pool}{gone}")
    return (None if missing else True), "; ".join(missing)


def _patch(kind: str, name: str, spec: Document) -> list[str]:
    """The words of a kubectl that changes a spec."""
    return ["patch", kind, name, "--type", "merge", "-p", json.dumps({"spec": spec}, separators=(",", ":"))]


def _words(pool: str, variant: str, replicas: int) -> str:
    return f"{replicas} x {variant} on {pool}"


def _money(amount: str) -> str:
    return per_hour(amount, "USD")


def _template(stage: Stage, name: str) -> Document:
    found: Document = stage.deployment(name)["spec"]["template"]
    return found
