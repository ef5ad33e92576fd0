"""A placement that does not come to serve is recognised in time, told, taken back or left, and tried again later."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from chipwise.cluster.cooling import stamp
from chipwise.cluster.decide import Decision
from chipwise.cluster.remembered import remembered
from chipwise.control.act import Kind
from chipwise.control.conditions import timed
from chipwise.control.status import workload_status
from chipwise.control.status_of_others import other_statuses
from chipwise.kube.resources import ACCELERATOR_POOLS, DEPLOYMENTS, INFERENCE_WORKLOADS, MODEL_PROFILES, PODS
from chipwise.placement.moves import Decision as Verdict
from chipwise.reasons import Reason
from chipwise.rendering import record as records
from chipwise.rendering.manifest import manifest_of
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cluster import documents as docs
from tests.cluster.documents import Document
from tests.cluster.world import World, serving
from tests.control.carrying import carry_out, until_quiet

KEY = "prod/chat"
MAIA = {"example.com/maia": 2}
AMD = {"amd.com/gpu": 2}
H100 = {"nvidia.com/gpu": 2}
MAIA_IMAGE = "example.com/maia/engine:1"
NO_CHIPS = "0/6 nodes are available: 2 Insufficient example.com/maia, 4 node(s) didn't match Pod's node affinity/selector."


def tell(world: World) -> Decision:
    """What the reporter does: the status is written as decided."""
    decision = world.decide()
    for key in decision.snapshot.workloads:
        name = key.split("/")[1]
        known = world.kube.peek(INFERENCE_WORKLOADS, docs.NAMESPACE, name)
        status = workload_status(key, decision)
        status["conditions"] = timed(status["conditions"], known.get("status"), world.stamp)
        if status != known.get("status"):
            world.kube.put(INFERENCE_WORKLOADS, {**known, "status": status})
    return decision


def failing(world: World) -> tuple[str, str] | None:
    """Reason and message of the condition Failing."""
    for one in workload_status(KEY, world.decide())["conditions"]:
        if one["type"] == "Failing":
            return one["reason"], one["message"]
    return None


def cool_downs(world: World) -> list[Document]:
    status = world.kube.peek(INFERENCE_WORKLOADS, docs.NAMESPACE, "chat").get("status", {})
    found: list[Document] = status.get("coolDowns", [])
    return found


def rests(world: World, most: int = 30) -> list[str]:
    """Operator, reporter and cluster take turns until none does anything; the kinds of act in order."""
    said: list[str] = []
    for _ in range(most):
        version, found = world.kube.version, carry_out(world)
        said += [act.kind.value for act in found]
        tell(world)
        world.settle()
        well = world.kube.version
        world.fall_ill()
        if world.kube.version != well:
            world.pass_time(seconds=30)  # a third crash takes as long
        if not found and world.kube.version == version:
            return said
    raise AssertionError(f"never at rest: {said}")


def waiting(reason: str, restarts: int = 0) -> Document:
    state = {"waiting": {"reason": reason, "message": f"{reason} it says"}}
    return {"name": "server", "restartCount": restarts, "state": state}


def ailing(status: Document, *more: Document) -> World:
    """The author's two replicas serve on H100, and what is placed on Maia ails."""
    world = World.standard(*more)
    world.ailing[MAIA_IMAGE] = status
    return world


NOT_READY: Document = {"name": "server", "restartCount": 0, "state": {"running": {}}}

AILMENTS = [
    # kubelet's word, restarts, reason, seconds it is given: 300 to pull, 60 to start, 60 of grace
    pytest.param(NOT_READY, Reason.NEVER_READY, 420, id="never ready"),
    pytest.param(waiting("CrashLoopBackOff", 1), Reason.CRASH_LOOP, 60, id="crashes once"),
    pytest.param(waiting("CrashLoopBackOff", 3), Reason.CRASH_LOOP, 30, id="crashes again and again"),
    pytest.param(waiting("ImagePullBackOff"), Reason.IMAGE_PULL_FAILED, 360, id="image"),
    pytest.param(
        waiting("CreateContainerConfigError"), Reason.CONTAINER_NOT_STARTED, 60, id="secret missing"
    ),
]


@pytest.mark.parametrize(("status", "reason", "allowed"), AILMENTS)
def test_a_move_that_does_not_come_to_serve_is_taken_back(status: Document, reason: Reason, allowed: int):
    """Not before its deadline; then the cool-down is told first, and the author's own ReplicaSet serves on."""
    world = ailing(status)
    author = manifest_of(world.deployment()).template
    assert carry_out(world)[0].kind is Kind.MOVE
    world.settle()
    world.fall_ill()
    if allowed:
        world.pass_time(seconds=allowed - 1)
        assert failing(world) is None
        assert rests(world) == []
        world.pass_time(seconds=1)
    said = failing(world)
    assert said is not None
    assert said[0] == reason
    assert carry_out(world) == []
    tell(world)
    (noted,) = cool_downs(world)
    assert (noted["reason"], noted["variant"], noted["failures"]) == (reason, "maia-x4", 1)
    assert "pool" not in noted
    assert [act.kind for act in carry_out(world)] == [Kind.RESTORE]
    world.settle()
    assert manifest_of(world.deployment()).template == author
    assert serving(world) == H100
    # The variant that failed cools down, and the next best is taken.
    assert rests(world) == ["Restored", "Moving"]
    assert serving(world) == AMD


def test_on_its_way_back_it_is_told_to_go_to_where_its_author_has_it():
    """The record names the place that is being given up until the author's pods are all back."""
    world = ailing(NOT_READY)
    carry_out(world)
    world.settle()
    world.fall_ill()
    world.pass_time(seconds=420)
    tell(world)
    assert [act.kind for act in carry_out(world)] == [Kind.RESTORE]
    world.edit(
        DEPLOYMENTS, "chat", lambda d: d["metadata"].update(generation=d["metadata"]["generation"] + 1)
    )
    decision = world.decide()
    status = workload_status(KEY, decision)
    home = decision.subjects[KEY].home
    assert home is not None
    assert (home.pool, home.chips) == ("h100", 4)
    assert status["summary"]["pool"] == "h100"
    assert {(each["pool"], each["chips"]) for each in status["placements"]} == {("h100", 8)}
    assert "from maia-x4 on maia to maia-x4 on maia" not in str(status)
    assert " x 0 chips" not in str(status)


@pytest.mark.parametrize(("status", "reason", "allowed"), AILMENTS)
def test_an_outage_counts_against_nobody(status: Document, reason: Reason, allowed: int):
    """Whatever was under way when the cluster went out of sight has its whole time again, and fails only then."""
    world = ailing(status)
    carry_out(world)
    world.settle()
    world.fall_ill()
    world.pass_time(hours=1)
    world.watched_since = world.now
    world.pass_time(seconds=max(allowed - 1, 0))
    if allowed:
        assert failing(world) is None
        assert world.decide().due_seconds == pytest.approx(1.1)
        world.pass_time(seconds=1)
    said = failing(world)
    assert said is not None
    assert said[0] == reason


def test_an_outage_lets_a_pod_that_waits_for_a_node_go_on_waiting():
    """Nobody scheduled and nothing scaled up meanwhile; the pool is not to blame."""
    world = starving()
    carry_out(world)
    world.settle()
    world.pass_time(hours=1)
    world.watched_since = world.now
    world.pass_time(seconds=359)
    assert failing(world) is None
    world.pass_time(seconds=1)
    assert failing(world) is not None


def test_after_the_cool_down_the_cheapest_is_tried_again_and_longer_left_alone():
    """5, 10, 20 minutes, and 30 however often it fails."""
    world = ailing(waiting("CrashLoopBackOff", 3), docs.policy(minimumStay="0s"))
    spans = []
    for _ in range(5):
        rests(world)
        assert serving(world) == AMD
        noted = cool_downs(world)[0]
        at, until = (datetime.fromisoformat(noted[key]) for key in ("at", "until"))
        spans.append((until - at).total_seconds() / 60)
        world.now = until
        world.pass_time(seconds=1)
    assert spans == [5, 10, 20, 30, 30]
    world.ailing.clear()
    rests(world)
    assert serving(world) == MAIA


def test_what_was_long_ago_is_forgotten():
    """A failure that follows long after counts as the first."""
    world = ailing(waiting("CrashLoopBackOff", 3), docs.policy(minimumStay="24h"))
    rests(world)
    assert [one["failures"] for one in cool_downs(world)] == [1]
    world.pass_time(hours=2)
    rests(world)
    assert cool_downs(world) == []


def test_a_pod_that_served_for_long_is_given_the_grace_when_it_crashes_again():
    """Restarts are counted for a pod's whole life: those of last week say nothing, nor does it matter when it was bound."""
    world = settled_on_maia()
    world.pass_time(hours=100)
    for pod in world.pods():
        conditions = [*pod["status"]["conditions"][:1], world.condition("Ready", "False")]
        shown = {"conditions": conditions, "containerStatuses": [waiting("CrashLoopBackOff", 7)]}
        world.kube.put(PODS, {**pod, "status": {"phase": "Running", **shown}})
    world.pass_time(seconds=29)
    assert failing(world) is None
    world.pass_time(seconds=1)
    said = failing(world)
    assert said is not None
    assert said[0] == Reason.CRASH_LOOP


@pytest.mark.parametrize("what", ["profile", "policy"])
def test_a_cool_down_outlives_a_moment_in_which_its_workload_is_refused(what: str):
    """A name that somebody mistypes, or a profile that is written anew, lets nothing be tried again, and forgets no failure."""
    world = ailing(waiting("CrashLoopBackOff", 3), docs.policy(minimumStay="0s"))
    rests(world)
    (noted,) = cool_downs(world)
    if what == "profile":
        world.kube.drop(MODEL_PROFILES, None, "llama")
    else:
        world.edit(INFERENCE_WORKLOADS, "chat", lambda d: d["spec"].update(policyName="typo"))
    tell(world)
    assert KEY in world.decide().refused
    assert cool_downs(world) == [noted]
    world.put(docs.profile())
    world.edit(INFERENCE_WORKLOADS, "chat", lambda d: d["spec"].pop("policyName", None))
    tell(world)
    assert cool_downs(world) == [noted]
    assert rests(world) == []


def test_a_pool_stays_closed_to_neighbours_while_the_workload_that_starved_is_refused():
    world = starving(
        docs.policy(minimumStay="0s"), docs.workload("other", mode="Off"), docs.deployment("other")
    )
    carry_out(world)
    world.settle()
    world.pass_time(minutes=7)
    tell(world)
    assert Reason.COOLING_DOWN in refused_to(world, "prod/other")
    world.edit(INFERENCE_WORKLOADS, "chat", lambda d: d["spec"].update(policyName="typo"))
    for _ in range(2):
        tell(world)
        assert Reason.COOLING_DOWN in refused_to(world, "prod/other")


def test_it_is_left_alone_longer_each_time_however_long_one_try_takes():
    """Forty minutes to start, and the longest cool-down is half an hour: the failures are in a row all the same."""
    slow = docs.variant("maia", startupSeconds=2400)
    profile = docs.profile(docs.variant("h100", container=None), docs.variant("mi300x"), slow)
    world = ailing(NOT_READY, docs.policy(minimumStay="0s"), profile)
    counted: list[int] = []
    for _ in range(6 * 60 // 5):
        world.pass_time(minutes=5)
        rests(world)
        counted += [one["failures"] for one in cool_downs(world) if one["failures"] not in counted]
    assert counted == [1, 2, 3, 4, 5]


def test_a_cool_down_that_a_wrong_clock_wrote_counts_from_now():
    """A leader three hours ahead closed the variant; whoever comes next does not obey it for three hours."""
    world = ailing(waiting("CrashLoopBackOff", 3), docs.policy(minimumStay="0s"))
    rests(world)
    world.ailing.clear()
    world.pass_time(hours=-3)
    tell(world)
    (noted,) = cool_downs(world)
    assert noted["at"] == world.stamp
    world.pass_time(minutes=4)
    assert rests(world) == []
    assert cool_downs(world) == [noted]
    world.pass_time(minutes=2)
    assert rests(world) == ["Moving"]
    assert serving(world) == MAIA


@given(
    ahead=st.integers(-(10**6), 10**6),
    span=st.integers(0, 10**7),
    longest=st.integers(60, 86400),
)
def test_no_cool_down_lasts_longer_than_the_policy_allows(ahead: int, span: int, longest: int):
    """Whatever stands in a status, and whoever's clock it was."""
    world = World(docs.policy(coolDown={"first": f"{min(60, longest)}s", "longest": f"{longest}s"}))
    at = world.now + timedelta(seconds=ahead)
    entry = {"reason": "CrashLoop", "message": "", "variant": "maia-x4", "failures": 1}
    entry |= {"at": stamp(at), "until": stamp(at + timedelta(seconds=span))}
    world.put({**docs.workload(), "status": {"coolDowns": [entry]}})
    (found,) = remembered(world.snapshot(), world.now)
    assert found.until <= world.now + timedelta(seconds=longest + 5)
    assert found.at <= world.now + timedelta(seconds=5)


def test_too_many_failures_stop_moves_for_savings_until_they_are_old():
    """Two different variants failed, and the policy allows one: the third is not tried before the first failure is 30 minutes old."""
    policy = docs.policy(minimumStay="0s", maxFailures=2)
    world = ailing(waiting("CrashLoopBackOff", 3), policy)
    world.ailing["example.com/mi300x/engine:1"] = waiting("CrashLoopBackOff", 3)
    begun = world.now + timedelta(seconds=30)
    rests(world)
    assert [one["variant"] for one in cool_downs(world)] == ["mi300x-x4", "maia-x4"]
    world.ailing.clear()
    world.pass_time(minutes=29)
    assert rests(world) == []
    move = world.decide().move(KEY)
    assert move.reason is Reason.TOO_MANY_FAILURES
    assert "allows fewer than 2" in move.message
    assert stamp(begun + timedelta(minutes=30)) in move.message
    world.pass_time(minutes=2)
    assert rests(world) == ["Moving"]
    assert serving(world) == MAIA


def test_too_many_failures_stop_no_rescue():
    """What does not come to serve where it is leaves, whatever failed before."""
    world = settled_on_maia(fixed("maia"), docs.policy(maxFailures=1))
    world.pass_time(seconds=40)
    world.lose_nodes("maia")
    assert "Moving" in rests(world)
    assert serving(world) == AMD


def test_an_earlier_placement_comes_back_as_it_was():
    """Not the author's template but the rendering that served, in its own ReplicaSet, and replicas are not written."""
    world = World.standard(docs.policy(minimumStay="0s"))
    world.edit(INFERENCE_WORKLOADS, "chat", lambda d: d["spec"].update(allowedPools=["mi300x"]))
    rests(world)
    before = manifest_of(world.deployment()).template
    world.ailing[MAIA_IMAGE] = waiting("ImagePullBackOff")
    world.edit(INFERENCE_WORKLOADS, "chat", lambda d: d["spec"].update(allowedPools=["mi300x", "maia"]))
    assert rests(world) == ["Moving"]
    world.pass_time(seconds=361)
    assert rests(world) == ["RolledBack"]
    assert manifest_of(world.deployment()).template == before
    assert serving(world) == AMD
    found = records.read(world.deployment())
    assert found is not None
    assert (found.pools, found.variant) == (("mi300x",), "mi300x-x4")


def starving(*more: Document) -> World:
    """Maia may grow by an autoscaler that never comes: its nodes are cordoned, and two more are allowed."""
    world = World.standard(*more)
    world.lose_nodes("maia")
    return world


def test_pods_without_a_node_are_given_the_time_that_a_node_takes_to_boot():
    """Then the pool cools down for replicas of this size, for every workload, and on these terms only."""
    world = starving(docs.workload("other"), docs.deployment("other"))
    carry_out(world)
    world.settle()
    world.pass_time(seconds=359)
    assert failing(world) is None
    world.pass_time(seconds=1)
    said = failing(world)
    assert said is not None
    assert said[0] == Reason.UNSCHEDULABLE
    assert "found no node of pool maia within 6 min" in said[1]
    tell(world)
    (noted,) = cool_downs(world)
    assert (noted["pool"], noted["capacityType"], noted["chips"]) == ("maia", "OnDemand", 4)
    decision = world.decide()
    for key in (KEY, "prod/other"):
        refused = {(c.variant, c.pool): c.refusal for c in _workload(decision, key).refused}
        assert refused["maia-x4", "maia"].reason is Reason.COOLING_DOWN
    rests(world)
    assert serving(world) == AMD


def _workload(decision: Decision, key: str) -> Any:
    return next(w for w in decision.acting.problem.workloads if w.key == key)


def test_smaller_replicas_may_still_find_room_where_larger_ones_did_not():
    """A node with four chips free refuses eight and takes two."""
    small = docs.profile(docs.variant("h100", container=None), docs.variant("maia", chips=2), name="small")
    world = starving(small, docs.workload("other", modelProfileName="small"), docs.deployment("other"))
    world.edit(INFERENCE_WORKLOADS, "other", lambda d: d["spec"].update(mode="Off"))
    carry_out(world)
    world.settle()
    world.pass_time(minutes=7)
    tell(world)
    refused = {c.refusal.reason for c in _workload_shown(world.decide(), "prod/other").refused}
    assert Reason.COOLING_DOWN not in refused


def _workload_shown(decision: Decision, key: str) -> Any:
    return next(w for w in decision.shown.problem.workloads if w.key == key)


AFFINITY = "node(s) didn't match Pod's node affinity/selector"
NOT_FOR_WANT_OF_ROOM = [
    '0/6 nodes are available: persistentvolumeclaim "weights" not found.',
    f"0/6 nodes are available: 2 node(s) didn't match pod anti-affinity rules, 4 {AFFINITY}.",
    f"0/6 nodes are available: 2 node(s) had volume node affinity conflict, 4 {AFFINITY}.",
    f"0/6 nodes are available: 6 {AFFINITY}.",  # and the pool has nodes
    "",  # another scheduler, or none
]


def pend(world: World, name: str, message: str) -> None:
    """No pod of a Deployment has a node, for the reason that the scheduler gives."""
    for pod in world.pods(name):
        world.refuse_to_schedule(pod, message)


def authored_on_maia(name: str, **spec: Any) -> list[Document]:
    """A workload whose author put it on Maia, and which may go nowhere else."""
    template = docs.template("maia")
    template["metadata"]["labels"] = {"app": name}
    return [docs.workload(name, allowedPools=["maia"], **spec), docs.deployment(name, content=template)]


def refused_to(world: World, key: str = KEY, pool: str = "maia") -> set[Reason]:
    found = _workload_shown(world.decide(), key).refused
    return {candidate.refusal.reason for candidate in found if candidate.pool == pool}


@pytest.mark.parametrize("message", [NO_CHIPS, *NOT_FOR_WANT_OF_ROOM])
def test_what_an_author_placed_closes_a_pool_for_nobody_else(message: str):
    """Its pods may ask for one node of it. For want of room it leaves; anything else is the author's to mend."""
    world = World.standard(docs.policy(minimumStay="0s"), *authored_on_maia("other"))
    pend(world, "other", message)
    for _ in range(20):
        world.pass_time(minutes=7)
        tell(world)
        assert Reason.COOLING_DOWN not in refused_to(world)
    closed = Reason.COOLING_DOWN in refused_to(world, "prod/other")
    assert closed == (message == NO_CHIPS)


@pytest.mark.parametrize("message", NOT_FOR_WANT_OF_ROOM)
def test_a_pod_that_pends_for_another_reason_than_room_closes_the_variant_for_its_workload(message: str):
    """The move is taken back as any other that fails; the pool stays open for the neighbours."""
    world = World.standard(
        docs.policy(minimumStay="0s"), docs.workload("other", mode="Off"), docs.deployment("other")
    )
    carry_out(world)
    world.roll()
    for pod in world.pods():
        if not pod["spec"].get("nodeName"):
            world.refuse_to_schedule(pod, message)
    world.pass_time(minutes=7)
    tell(world)
    (noted,) = cool_downs(world)
    assert noted["reason"] == Reason.UNSCHEDULABLE
    assert noted["variant"] == "maia-x4"
    assert "pool" not in noted
    assert Reason.COOLING_DOWN in refused_to(world)
    assert Reason.COOLING_DOWN not in refused_to(world, "prod/other")
    rests(world)
    assert serving(world) == AMD


def test_a_gate_is_somebody_elses_to_take_away():
    """Nothing fails while no scheduler looks at the pod."""
    world = World.standard()
    carry_out(world)
    world.roll()
    for pod in world.pods():
        if not pod["spec"].get("nodeName"):
            world.kube.put(PODS, {**pod, "spec": {**pod["spec"], "schedulingGates": [{"name": "queue"}]}})
    world.pass_time(hours=3)
    assert failing(world) is None


@pytest.mark.parametrize(
    ("message", "memory", "closed"),
    [
        ("0/6 nodes are available: 6 Insufficient memory.", "100Gi", False),
        ("0/6 nodes are available: 6 Insufficient memory.", "450Gi", True),
        ("0/6 nodes are available: 6 Insufficient memory, 2 Insufficient example.com/maia.", "100Gi", False),
        (NO_CHIPS, "100Gi", True),
        ("0/6 nodes are available: 6 Insufficient ephemeral-storage.", "100Gi", False),
    ],
)
def test_a_pool_cools_down_in_the_respect_in_which_it_had_no_room(message: str, memory: str, closed: bool):
    """What asks for less of what was missing may still find room; chips that there were enough of say nothing."""
    thin, fat = docs.template(), docs.template()
    thin["metadata"]["labels"] = {"app": "thin"}
    thin["spec"]["containers"][0]["resources"]["requests"]["memory"] = memory
    fat["spec"]["containers"][0]["resources"]["requests"]["memory"] = "400Gi"
    world = World.standard(
        docs.policy(minimumStay="0s"),
        docs.workload("thin", mode="Off"),
        docs.deployment("thin", content=thin),
        docs.deployment(content=fat),
    )
    carry_out(world)
    world.roll()
    for pod in world.pods():
        if not pod["spec"].get("nodeName"):
            world.refuse_to_schedule(pod, message)
    world.pass_time(minutes=7)
    tell(world)
    (noted,) = cool_downs(world)
    assert noted["pool"] == "maia"
    found = {
        c.refusal.reason for c in _workload_shown(world.decide(), "prod/thin").refused if c.pool == "maia"
    }
    assert (Reason.COOLING_DOWN in found) == closed


def test_a_pool_tells_in_which_respect_it_had_no_room():
    world = starving()
    carry_out(world)
    world.roll()
    pend(world, "chat", "0/6 nodes are available: 6 Insufficient cpu.")
    world.pass_time(minutes=7)
    tell(world)
    (noted,) = cool_downs(world)
    assert noted["pool"] == "maia"
    assert "chips" not in noted
    asked = next(iter(world.pods()))["spec"]["containers"][0]["resources"]["requests"]["cpu"]
    assert noted["cpu"] == asked
    (shown,) = pool_cool_downs(world)
    assert (shown["chips"], shown["cpu"]) == (0, asked)


def pool_cool_downs(world: World) -> list[Document]:
    (found,) = (
        report.wanted.get("coolDowns", [])
        for report in other_statuses(world.decide())
        if report.resource == ACCELERATOR_POOLS and report.name == "maia"
    )
    return list(found)


def settled_on_maia(*more: Document) -> World:
    world = World.standard(*more)
    rests(world)
    assert serving(world) == MAIA
    return world


def fixed(name: str) -> Document:
    """A pool that nothing scales."""
    return docs.pool(name, nodes={"min": 2, "max": 2})


def test_a_workload_whose_nodes_vanish_is_rescued_and_returns():
    """At once in a pool that nothing scales, though it moved a moment ago and though it costs more; back when the cool-down is over."""
    world = settled_on_maia(fixed("maia"))
    world.pass_time(seconds=40)
    world.lose_nodes("maia")
    assert failing(world) is not None
    assert rests(world) == ["Moving"]
    move = world.decide().move(KEY)
    assert move.decision is not Verdict.UNPLACED
    world.collect()
    rests(world)
    assert serving(world) == AMD
    for number in range(2):
        world.put(docs.node("maia", number))
    world.pass_time(minutes=4)
    assert rests(world) == []
    world.pass_time(minutes=7)
    assert rests(world) == ["Moving"]
    assert serving(world) == MAIA


def test_a_rescue_says_that_it_is_one():
    world = settled_on_maia(fixed("maia"))
    world.pass_time(seconds=40)
    world.lose_nodes("maia")
    tell(world)
    move = world.decide().move(KEY)
    assert (move.decision, move.reason) == (Verdict.MOVE, Reason.RESCUED)
    assert "where it failed (NodesLost: the nodes of pool maia are gone" in move.message


def test_a_rescue_to_more_replicas_says_what_dips():
    """One replica serves on Maia, two are needed on MI300X: it goes at once with one, says so, and is scaled up there."""
    fast = docs.variant("maia", tpot=10)
    world = World.standard(fixed("maia"), docs.profile(fast, docs.variant("mi300x")))
    rests(world)
    assert serving(world) == {"example.com/maia": 1}
    world.pass_time(seconds=40)
    world.lose_nodes("maia")
    tell(world)
    move = world.decide().move(KEY)
    assert move.reason is Reason.RESCUED
    assert "until it is scaled up there, 1 of the 2 replicas serve that are needed" in move.message
    assert rests(world) == ["Moving", "Scaled"]
    assert serving(world) == AMD


def test_a_pod_whose_node_is_not_known_yet_is_not_lost():
    """The news of a new node may come after that of the first pod on it."""
    world = settled_on_maia(fixed("maia"))
    for pod in world.pods():
        conditions = [world.condition("PodScheduled", "True"), world.condition("Ready", "True")]
        world.kube.put(PODS, {**pod, "status": {"phase": "Running", "conditions": conditions}})
    world.lose_nodes("maia")
    world.pass_time(seconds=29)
    assert failing(world) is None
    world.pass_time(seconds=1)
    assert failing(world) is not None


def test_one_crashing_pod_of_four_is_left_to_kubernetes():
    """What served is given up when half of it fails."""
    world = World.standard(docs.workload(rate="26.0"), docs.deployment(replicas=4))
    rests(world)
    pods = world.pods()
    for count, expected in ((1, None), (2, Reason.CRASH_LOOP)):
        for pod in pods[:count]:
            conditions = [*pod["status"]["conditions"][:1], world.condition("Ready", "False")]
            shown = {"conditions": conditions, "containerStatuses": [waiting("CrashLoopBackOff", 5)]}
            world.kube.put(PODS, {**pod, "status": {"phase": "Running", **shown}})
        world.pass_time(seconds=30)
        said = failing(world)
        assert (said and said[0]) == expected


def test_one_that_starves_fewer_than_needed_is_rescued():
    """Three of four serve and the fourth finds no node: the traffic is not carried."""
    world = World.standard(docs.workload(rate="26.0"), docs.deployment(replicas=4), fixed("maia"))
    rests(world)
    assert serving(world) == {"example.com/maia": 4}
    pod = world.pods()[0]
    pending = {
        "phase": "Pending",
        "conditions": [world.condition("PodScheduled", "False", message=NO_CHIPS)],
    }
    spec = {key: value for key, value in pod["spec"].items() if key != "nodeName"}
    world.kube.put(PODS, {**pod, "spec": spec, "status": pending})
    world.pass_time(seconds=61)
    said = failing(world)
    assert said is not None
    assert said == (Reason.UNSCHEDULABLE, said[1])
    assert said[1].endswith(NO_CHIPS)


def test_refused_pods_are_told_by_quota_and_admission():
    """The Deployment says that its pods cannot be created; the grace is all that is given."""
    for words, reason in (
        ('pods "chat-1" is forbidden: exceeded quota: team, requested: x', Reason.QUOTA_EXCEEDED),
        ('admission webhook "policy" denied the request: no', Reason.ADMISSION_REFUSED),
    ):
        world = World.standard()
        carry_out(world)
        refuse_pods(world, words)
        world.pass_time(seconds=59)
        assert failing(world) is None
        world.pass_time(seconds=1)
        said = failing(world)
        assert said is not None
        assert said[0] == reason
        assert words in said[1]


def refuse_pods(world: World, words: str) -> None:
    """As the Deployment controller tells it, with the old pods still serving."""

    def change(document: Document) -> None:
        document["status"]["conditions"] = [world.condition("ReplicaFailure", "True", message=words)]

    world.edit(DEPLOYMENTS, "chat", change)


def test_the_authors_new_image_that_fails_is_the_authors_to_mend():
    """It is told, and nothing is taken back: the old pods serve, and the author's word stands."""
    world = settled_on_maia(
        docs.profile(docs.variant("maia", container=None), docs.variant("h100", container=None))
    )
    world.ailing["example.com/broken:2"] = waiting("ImagePullBackOff")

    def set_image(document: Document) -> None:
        document["spec"]["template"]["spec"]["containers"][0]["image"] = "example.com/broken:2"

    world.edit(DEPLOYMENTS, "chat", set_image)
    rests(world)
    world.pass_time(minutes=10)
    said = failing(world)
    assert said is not None
    assert said[0] == Reason.IMAGE_PULL_FAILED
    assert rests(world) == []
    assert cool_downs(world) == []
    assert serving(world) == MAIA


def test_a_neighbours_cool_down_moves_nobody_who_serves():
    """Only what is to come is kept away."""
    world = settled_on_maia()
    entry = {
        "reason": "Unschedulable",
        "message": "no node",
        "variant": "maia-x4",
        "pool": "maia",
        "capacityType": "OnDemand",
        "chips": 1,
        "failures": 1,
        "at": world.stamp,
        "until": "2026-01-01T13:00:00Z",
    }
    neighbour = docs.workload("neighbour", mode="Off")
    world.put({**neighbour, "status": {"coolDowns": [entry]}})
    world.put(docs.deployment("neighbour"))
    world.settle()
    assert until_quiet(world) == []
    assert serving(world) == MAIA


@pytest.mark.parametrize("frozen", [True, False])
def test_a_freeze_leaves_a_failed_move_as_it_is(frozen: bool):
    world = ailing(waiting("CrashLoopBackOff", 3))
    carry_out(world)
    world.settle()
    world.fall_ill()
    world.pass_time(seconds=30)
    tell(world)
    world.put(docs.policy(freeze=frozen))
    assert [act.kind for act in carry_out(world)] == ([] if frozen else [Kind.RESTORE])


def test_nothing_is_examined_that_is_off():
    world = ailing(waiting("CrashLoopBackOff", 3))
    carry_out(world)
    world.settle()
    world.fall_ill()
    world.edit(INFERENCE_WORKLOADS, "chat", lambda d: d["spec"].update(mode="Off"))
    assert failing(world) is None
    assert rests(world) == []


def test_the_planner_wakes_when_a_deadline_or_a_cool_down_ends():
    world = ailing(NOT_READY, docs.policy(minimumStay="0s"))
    carry_out(world)
    world.settle()
    world.fall_ill()
    world.pass_time(seconds=400)
    due = world.decide().due_seconds
    assert due is not None
    assert 20 <= due <= 21
    world.pass_time(seconds=20)
    tell(world)
    due = world.decide().due_seconds
    assert due is not None
    assert due == pytest.approx(300.1)


TURNS: dict[str, Callable[[World], object]] = {
    "operator": carry_out,
    "operator again": carry_out,
    "tell": tell,
    "tell again": tell,
    "roll": lambda world: world.roll(),
    "schedule": lambda world: world.schedule(),
    "ready": lambda world: world.become_ready(1),
    "ill": lambda world: world.fall_ill(),
    "minute": lambda world: world.pass_time(minutes=1),
    "later": lambda world: world.pass_time(minutes=8),
}


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    turns=st.lists(st.sampled_from(sorted(TURNS)), max_size=40),
    ailment=st.sampled_from([NOT_READY, waiting("CrashLoopBackOff", 3), waiting("ImagePullBackOff")]),
    earlier=st.booleans(),
)
def test_whatever_the_order_of_turns_what_serves_stays_and_all_comes_to_rest(
    turns: list[str], ailment: Document, earlier: bool
):
    """Two replicas carry the traffic; never fewer serve, and in the end they serve where nothing ails."""
    world = World.standard(docs.policy(minimumStay="0s"))
    if earlier:
        world.edit(INFERENCE_WORKLOADS, "chat", lambda d: d["spec"].update(allowedPools=["mi300x"]))
        rests(world)
        world.edit(INFERENCE_WORKLOADS, "chat", lambda d: d["spec"].update(allowedPools=[]))
    world.ailing[MAIA_IMAGE] = ailment
    for turn in turns:
        TURNS[turn](world)
        assert sum(serving(world).values()) >= 2
    world.put(docs.policy(minimumStay="0s", coolDown={"first": "48h", "longest": "48h"}))
    for _ in range(4):
        rests(world)
        world.pass_time(minutes=8)
    assert rests(world) == []
    assert serving(world) == AMD
