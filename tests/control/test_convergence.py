"""Whatever the order in which operator, controllers and author take their turns: what serves stays, and all comes to rest."""

from __future__ import annotations

from collections.abc import Callable

from chipwise.kube.resources import ACCELERATOR_POOLS, DEPLOYMENTS, INFERENCE_WORKLOADS, MODEL_PROFILES
from chipwise.rendering import record as records
from chipwise.rendering.manifest import manifest_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cluster import documents as docs
from tests.cluster.documents import Document
from tests.cluster.world import World, delete_workload, serving
from tests.control.carrying import carry_out, until_quiet
from tests.control.test_restoring import ask

TURNS = ("operator", "operator", "roll", "roll", "schedule", "ready", "ready", "later")
CHANGES = ("cheaper", "profile", "freeze", "thaw", "delete", "off", "on", "retain", "restore")
AUTHOR = ("apply", "image", "replicas", "undo")


def maia_renders_at(world: World, tag: int) -> None:
    def change(document: Document) -> None:
        found = next(v for v in document["spec"]["variants"] if v["className"] == "maia")
        found["container"] = {"image": f"example.com/maia/engine:{tag}"}

    world.edit(MODEL_PROFILES, "llama", change)


def take_turn(world: World, turn: str) -> None:
    match turn:
        case "operator":
            carry_out(world)
        case "roll":
            world.roll()
        case "schedule":
            world.schedule()
        case "ready":
            world.become_ready(1)
        case "later":
            world.pass_time(minutes=7)


def change(world: World, what: str) -> None:
    gone = (docs.NAMESPACE, "chat") not in world.kube.keys(INFERENCE_WORKLOADS)
    match what:
        case "cheaper":
            world.edit(ACCELERATOR_POOLS, "mi300x", lambda d: d["spec"]["price"].update(amount="1.00"))
        case "profile":
            maia_renders_at(world, world.kube.version)
        case "freeze" | "thaw":
            world.put(docs.policy(freeze=what == "freeze"))
        case _ if gone:
            return
        case "delete":
            delete_workload(world)
        case "off" | "on":
            mode = "Off" if what == "off" else "Rollout"
            world.edit(INFERENCE_WORKLOADS, "chat", lambda d: d["spec"].update(mode=mode))
        case "restore":
            ask(world)
        case "retain":
            world.edit(INFERENCE_WORKLOADS, "chat", lambda d: d["spec"].update(deletionPolicy="Retain"))


def author(world: World, what: str, before: Document) -> None:
    def write(document: Document) -> None:
        spec = document["spec"]
        match what:
            case "apply":
                spec |= {"template": before["spec"]["template"], "strategy": before["spec"]["strategy"]}
            case "image":
                spec["template"]["spec"]["containers"][0]["image"] = (
                    f"example.com/engine:{world.kube.version}"
                )
            case "replicas":
                spec["replicas"] = before["spec"]["replicas"]
            case "undo":
                spec["template"] = before["spec"]["template"]
                document["metadata"]["annotations"] = {}

    world.edit(DEPLOYMENTS, "chat", write)


def start(replicas: int, maia_tpot: int) -> World:
    return World.standard(
        docs.deployment(replicas=replicas),
        docs.profile(
            docs.variant("h100", container=None), docs.variant("mi300x"), docs.variant("maia", tpot=maia_tpot)
        ),
    )


def capacity(world: World, maia_tpot: int) -> int:
    """In replicas of 20 ms per token."""
    worth = {"example.com/maia": 20 // maia_tpot}
    return sum(count * worth.get(resource, 1) for resource, count in serving(world).items())


def finally_at_rest(world: World) -> None:
    """Nothing is written any more, with time passing too."""
    world.put(docs.policy(freeze=False))
    until_quiet(world, most=40)
    world.pass_time(hours=1)
    until_quiet(world, most=40)
    world.pass_time(days=1)
    assert until_quiet(world) == []


QUICK = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


def step_by_step(world: World, serves: Callable[[], None]) -> None:
    """As ``until_quiet``, looking after every little thing that happens."""
    for _ in range(120):
        version, found = world.kube.version, carry_out(world)
        for turn in ("roll", "schedule", "ready"):
            take_turn(world, turn)
            serves()
        if not found and world.kube.version == version:
            return
    raise AssertionError("never quiet")


@QUICK
@given(
    replicas=st.integers(1, 4),
    maia_tpot=st.sampled_from([10, 20]),
    moved=st.booleans(),
    turns=st.lists(st.sampled_from([*TURNS, *TURNS, *CHANGES]), max_size=25),
    deleted=st.booleans(),
)
def test_what_serves_never_falls_below_what_served_or_is_needed(
    replicas: int, maia_tpot: int, moved: bool, turns: list[str], deleted: bool
):
    """Two replicas of the author's carry the traffic; no order of turns leaves fewer than the lesser of that and what ran."""
    world = start(replicas, maia_tpot)
    least = min(2, replicas)

    def serves() -> None:
        assert capacity(world, maia_tpot) >= least

    if moved:
        step_by_step(world, serves)
    for turn in turns:
        if turn in CHANGES:
            change(world, turn)
        else:
            take_turn(world, turn)
        serves()
    if deleted:
        change(world, "delete")
    world.put(docs.policy(freeze=False))
    step_by_step(world, serves)
    finally_at_rest(world)
    serves()


@QUICK
@given(turns=st.lists(st.sampled_from([*TURNS, *TURNS, *CHANGES, *AUTHOR]), max_size=25))
def test_whatever_the_author_writes_meanwhile_all_comes_to_rest(turns: list[str]):
    """In the end either nothing of ours is left, or the record is true and the base holds nothing of ours."""
    world = start(2, 20)
    before = world.deployment()
    for turn in turns:
        if turn in AUTHOR:
            author(world, turn, before)
        elif turn in CHANGES:
            change(world, turn)
        else:
            take_turn(world, turn)
    finally_at_rest(world)
    document = world.deployment()
    if records.standing(document) is not records.Standing.MANAGED:
        return
    found = records.read(document)
    assert found is not None
    container = found.base.template["spec"]["containers"][0]
    assert container["resources"]["limits"] == {"nvidia.com/gpu": "4"}
    assert container["image"].startswith("example.com/engine:")
    off = any(
        d["spec"]["mode"] == "Off" for d in world.all(INFERENCE_WORKLOADS) if d["metadata"]["name"] == "chat"
    )
    assert off or manifest_of(document) == found.rendered
