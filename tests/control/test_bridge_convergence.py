"""Moves over a bridge in any order of turns: leaders that die or act late, controllers, people. What serves stays, and no bridge does."""

from __future__ import annotations

from collections.abc import Callable

from chipwise.cluster.facts import deployment_fact
from chipwise.control.act import AnyAct, Create
from chipwise.kube.resources import DEPLOYMENTS, INFERENCE_WORKLOADS
from chipwise.rendering import record as records
from chipwise.rendering.manifest import manifest_of
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from tests.cluster import documents as docs
from tests.cluster.world import World
from tests.control.carrying import acts, carry, until_quiet
from tests.control.crossing import bridge_of, capacity
from tests.control.test_convergence import AUTHOR, CHANGES, author, change, take_turn

TURNS = ("think", "think", "act", "act", "roll", "roll", "schedule", "ready", "ready", "later")
QUICK = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


def start(replicas: int, tpot: int, nodes: int) -> World:
    """Maia at ``tpot`` ms needs 3 replicas (40) or 7 (100), two on each node; of ``nodes`` the rest comes when somebody adds them."""
    others = [docs.variant("h100", container=None), *([docs.variant("mi300x")] if tpot == 40 else [])]
    return World.standard(
        docs.profile(*others, docs.variant("maia", tpot=tpot)),
        *(docs.node("maia", number) for number in range(2, nodes)),
        docs.deployment(replicas=replicas),
    )


#: The write after which things get out of order; the first is before any.
PHASES = ("", "Bridged", "Moving", "Scaled", "BridgeRemoved")
USUAL = ("think", "act", "roll", "schedule", "ready")


class Leaders:
    """Whoever leads: what one has thought of may be done later, by one that does not know what happened in between."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.thought: list[AnyAct] = []
        self.written: set[str] = set()

    def turn(self, what: str) -> None:
        if what == "think":
            self.thought = acts(self.world)
        elif what == "act":
            for act in self.thought:
                if self.stands(act) and carry_if_still_right(self.world, act):
                    self.written.add(act.kind.value)
        else:
            take_turn(self.world, what)

    def stands(self, act: AnyAct) -> bool:
        """As the actuator looks before it writes."""
        for known in act.decided_on:
            if (known.namespace, known.name) not in self.world.kube.keys(DEPLOYMENTS):
                return False
            now = deployment_fact(self.world.deployment(known.name))
            if (now.uid, now.text) != (known.uid, known.text):
                return False
        return True


def carry_if_still_right(world: World, act: AnyAct) -> bool:
    """Whether it was written."""
    fresh = {each.key: world.deployment(each.name) for each in act.decided_on}
    write = act.write(fresh)
    if write is None or (isinstance(write, Create) and bridge_of(world) is not None):
        return False
    carry(world, act)
    return True


def play(leaders: Leaders, phase: str, within: int, serves: Callable[[], None]) -> None:
    """Turns as usual until the write of this phase, and ``within`` more; a move that needs no bridge or has no room ends before."""
    more = within
    for number in range(150):
        if not phase or phase in leaders.written:
            more -= 1
        if more < 0:
            break
        leaders.turn(USUAL[number % len(USUAL)])
        serves()
    event(f"after {phase or 'nothing'} a bridge stands: {bridge_of(leaders.world) is not None}")


def finally_at_rest(world: World) -> None:
    """Let everything go on, in mode Rollout and with all nodes: nothing is written any more in the end, and there is no bridge."""
    for number in range(4):
        world.put(docs.node("maia", number))
    world.put(docs.policy(freeze=False, minimumStay="0s"))
    if (docs.NAMESPACE, "chat") in world.kube.keys(INFERENCE_WORKLOADS):
        world.edit(INFERENCE_WORKLOADS, "chat", lambda d: d["spec"].update(mode="Rollout"))
    for _ in range(3):
        until_quiet(world, most=80)
        world.pass_time(hours=1)
    assert until_quiet(world) == []
    assert bridge_of(world) is None


@QUICK
@given(
    replicas=st.integers(1, 4),
    tpot=st.sampled_from([40, 100]),
    nodes=st.integers(2, 4),
    phase=st.sampled_from(PHASES),
    within=st.integers(0, 6),
    turns=st.lists(st.sampled_from([*TURNS, *TURNS, *CHANGES]), max_size=40),
)
def test_what_serves_never_falls_below_what_served_or_is_needed(
    replicas: int, tpot: int, nodes: int, phase: str, within: int, turns: list[str]
):
    """Every phase of the move is met by whatever may come."""
    world = start(replicas, tpot, nodes)
    leaders = Leaders(world)
    rates = {"example.com/maia": 20 / tpot, "nvidia.com/gpu": 1.0, "amd.com/gpu": 1.0}
    least = min(replicas, 1.25)  # ten requests a second take this much of 20 ms per token

    def serves() -> None:
        assert capacity(world, rates) >= least

    play(leaders, phase, within, serves)
    for turn in turns:
        if turn in CHANGES:
            change(world, turn)
        else:
            leaders.turn(turn)
        serves()
    finally_at_rest(world)
    serves()


@QUICK
@given(
    replicas=st.integers(1, 3),
    tpot=st.sampled_from([40, 100]),
    phase=st.sampled_from(PHASES),
    within=st.integers(0, 6),
    turns=st.lists(st.sampled_from([*TURNS, *TURNS, *CHANGES, *AUTHOR]), max_size=30),
)
def test_whatever_the_author_writes_meanwhile_no_bridge_is_left(
    replicas: int, tpot: int, phase: str, within: int, turns: list[str]
):
    """And either nothing of ours is left at all, or the record is true."""
    world = start(replicas, tpot, 4)
    before, leaders = world.deployment(), Leaders(world)
    play(leaders, phase, within, lambda: None)
    for turn in turns:
        if turn in AUTHOR:
            author(world, turn, before)
        elif turn in CHANGES:
            change(world, turn)
        else:
            leaders.turn(turn)
    finally_at_rest(world)
    document = world.deployment()
    if records.standing(document) is records.Standing.MANAGED:
        found = records.read(document)
        assert found is not None
        assert found.base.template["spec"]["containers"][0]["image"].startswith("example.com/engine:")
        assert manifest_of(document) == found.rendered
