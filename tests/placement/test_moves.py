"""What moves, in which order, and why the rest does not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from chipwise.placement.billing import bill
from chipwise.placement.floor import Floor, Holding, held
from chipwise.placement.moves import Decision, Move, plan_moves
from chipwise.placement.problem import Candidate, Figures, Option, Problem
from chipwise.placement.rules import Mode, MoveRule, Running
from chipwise.placement.solve import solve
from chipwise.placement.worth import wanted
from chipwise.reasons import Reason, Refusal
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.placement.build import chip_pool, footprint, node_pool, option, problem, problems, workload

ROLLOUT = MoveRule(mode=Mode.ROLLOUT)
MANY = replace(ROLLOUT, max_concurrent_moves=100)


def at(key: str, option_: Option, **more) -> Running:
    """Running the way an option says."""
    return Running(f"prod/{key}", option_.pool, option_.variant, option_.replicas, option_.footprint, **more)


def decide(
    question: Problem, running: list[Running], rule: MoveRule = ROLLOUT, **rules: MoveRule
) -> dict[str, Move]:
    """Moves by name, all workloads under ``rule`` unless named."""
    by_key = {w.key: rules.get(w.key.split("/")[1], rule) for w in question.workloads}
    moves = plan_moves(question, solve(question), {r.workload: r for r in running}, by_key)
    return {move.workload.split("/")[1]: move for move in moves}


def cheaper(rule: MoveRule = ROLLOUT, switching: float = 0.5, **more) -> Move:
    """One workload on a node of 8 $/h for which one of 5 $/h is proposed."""
    one = workload("a", option("old", 4), option("new", 4, switching=switching))
    question = problem([one], [node_pool("old", 1, price=8.0), node_pool("new", 1, price=5.0)])
    return decide(question, [at("a", one.options[0], **more)], rule)["a"]


def test_a_move_that_saves_is_made():
    """The saving is the difference of the bills."""
    move = cheaper()
    assert (move.decision, move.reason, move.step) == (Decision.MOVE, Reason.MOVED, 1)
    assert move.savings_per_hour == 3.0
    assert "saves 3.00 $/h" in move.message


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (MoveRule(), Reason.MODE_OFF),
        (replace(ROLLOUT, mode=Mode.INITIAL, already_placed=True), Reason.ALREADY_PLACED),
        (replace(ROLLOUT, paused=True), Reason.PAUSED),
        (replace(ROLLOUT, contested=True), Reason.CONTESTED),
        (replace(ROLLOUT, frozen_by="policy calm"), Reason.FROZEN),
        (replace(ROLLOUT, suspended=Refusal(Reason.ROLLOUT_PAUSED, "paused")), Reason.ROLLOUT_PAUSED),
        (replace(ROLLOUT, max_concurrent_moves=0), Reason.CONCURRENCY_BUDGET),
    ],
)
def test_each_rule_holds_with_its_reason(rule, reason):
    """A held move still shows what it would save."""
    move = cheaper(rule)
    assert (move.decision, move.reason) == (Decision.HOLD, reason)
    assert move.savings_per_hour == 3.0


@pytest.mark.parametrize(("runs", "reason"), [(2, Reason.NEEDS_BRIDGE), (4, Reason.MOVED)])
def test_what_is_reserved_for_an_autoscaler_is_no_replica_that_runs(runs: int, reason: Reason):
    """Four are reserved on both pools; while two run that carry the peak, two of the slower ones would not."""
    figures = Figures(4.0, 50.0, 40.0, "Measured", 0.1, "TPOT")
    new = replace(option("new", 4), figures=figures)
    one = workload("a", option("old", 4), new)
    question = problem([one], [node_pool("old", 1, price=8.0), node_pool("new", 1, price=5.0)])
    running = at("a", one.options[0], runs=runs, carries=15.0)
    rule = replace(ROLLOUT, replicas_external=True)
    assert decide(question, [running], rule)["a"].reason is reason


def test_what_moved_lately_stays():
    """Until the minimum stay has passed; what never moved may."""
    rule = replace(ROLLOUT, minimum_stay_seconds=600)
    held_ = cheaper(rule, stayed_seconds=599.0, moved_at="2026-01-01T12:00:00+00:00")
    assert held_.reason is Reason.MINIMUM_STAY
    assert held_.message.endswith("moved at 2026-01-01T12:00:00+00:00 and stays 10 min")
    assert cheaper(rule, stayed_seconds=600.0).decision is Decision.MOVE
    assert cheaper(rule, stayed_seconds=None).decision is Decision.MOVE


def growing(nodes: int, rule: MoveRule = ROLLOUT, **more) -> Move:
    """Three replicas on a node of 90 $/h, four needed in a pool of ``nodes`` nodes of two replicas each."""
    one = workload("a", option("new", 4, 4))
    question = problem([one], [node_pool("old", 1, price=90.0), node_pool("new", nodes)])
    running = Running("prod/a", "old", "v", 3, footprint(2))
    return decide(question, [replace(running, **more)], rule)["a"]


def test_more_replicas_go_over_a_bridge():
    """One Deployment cannot roll to more replicas; one without replicas can."""
    move = growing(3)
    assert (move.decision, move.spare) == (Decision.MOVE, 1)
    assert "from v on old to new-x4 on new over a bridge of 1 replica" in move.message
    assert "bridge" not in growing(3, replicas=0).message


def test_a_bridge_needs_room_for_one_replica_more():
    """Four replicas fill two nodes to the last chip: nothing would be left to take the bridge in."""
    move = growing(2)
    assert (move.decision, move.reason) == (Decision.HOLD, Reason.NO_SURGE_CAPACITY)
    assert "5 x 4 chips do not fit" in move.message
    assert "of 1 over a bridge one at a time runs twice" in move.message
    assert "1 node missing" in move.message
    assert growing(2, replicas=4).decision is Decision.MOVE


def test_who_owns_replicas_must_raise_them_first():
    """A bridge is taken in by writing replicas."""
    move = growing(3, replace(ROLLOUT, replicas_external=True))
    assert (move.decision, move.reason) == (Decision.HOLD, Reason.NEEDS_BRIDGE)
    assert "raise it to 4" in move.message
    assert growing(3, replace(ROLLOUT, replicas_external=True), replicas=4).decision is Decision.MOVE


@pytest.mark.parametrize(("nodes", "spare"), [(2, 1), (3, 2), (4, 3), (9, 3)])
def test_a_bridge_that_stands_keeps_room_to_be_taken_in(nodes, spare):
    """For as many replicas at once as there is room, for one in any case; nobody else may count on it."""
    one, other = workload("a", option("new", 4, 4)), workload("b", option("new", 2, 4))
    question = problem([one, other], [node_pool("old", 2, price=90.0), node_pool("new", nodes)])
    running = [
        Running("prod/a", "old", "v", 1, footprint(2), moving_to=one.options[0], bridge=3),
        Running("prod/b", "old", "v", 2, footprint(2)),
    ]
    moves = decide(question, running, MANY)
    assert (moves["a"].reason, moves["a"].spare) == (Reason.MOVE_IN_PROGRESS, spare)
    assert "over a bridge of 3 replicas" in moves["a"].message
    assert (moves["b"].decision is Decision.MOVE) == (2 * nodes >= 4 + spare + 2)


def test_a_bridge_to_be_taken_in_is_no_saving_any_more():
    """Nothing old is left: what the move saves is saved."""
    one = workload("a", option("new", 4, 4))
    question = problem([one], [node_pool("old", 1, price=90.0), node_pool("new", 3)])
    move = decide(question, [Running("prod/a", moving_to=one.options[0], bridge=1)])["a"]
    assert (move.decision, move.savings_per_hour) == (Decision.MOVE, 0.0)
    assert move.message == "Moving to new-x4 on new: a bridge of 1 replica is taken in"


def test_the_authors_rollout_stops_a_move_that_has_only_its_bridge():
    """The author's template is not touched while the author's own is being rolled out."""
    one = workload("a", option("new", 4, 4))
    question = problem([one], [node_pool("old", 1, price=90.0), node_pool("new", 3)])
    running = Running("prod/a", "old", "v", 3, footprint(2), moving_to=one.options[0], bridge=1)
    move = decide(question, [running], replace(ROLLOUT, author_rolling_out=True))["a"]
    assert (move.decision, move.reason) == (Decision.HOLD, Reason.ROLLOUT_IN_PROGRESS)


def test_a_move_in_flight_keeps_its_target():
    """Also when the plan would by now choose another; and its room is not given away."""
    a = workload("a", option("x", 8), option("y", 8), option("z", 8))
    b = workload("b", option("x", 8), option("z", 8))
    pools = [node_pool("x", 2, price=9.0), node_pool("y", 1, price=5.0), node_pool("z", 1, price=7.0)]
    running = [at("a", a.options[0], moving_to=a.options[2]), at("b", b.options[0])]
    moves = decide(problem([a, b], pools), running, MANY)
    assert (moves["a"].decision, moves["a"].reason, moves["a"].step) == (
        Decision.MOVE,
        Reason.MOVE_IN_PROGRESS,
        0,
    )
    assert moves["a"].target == a.options[2]
    assert moves["b"].reason is Reason.NO_SURGE_CAPACITY


def test_a_freeze_stops_a_move_in_flight_with_both_copies_held():
    """Nothing is written; nothing is taken from it either."""
    one = workload("a", option("x", 8), option("y", 8))
    question = problem([one], [node_pool("x", 1), node_pool("y", 1, price=5.0)])
    move = decide(
        question,
        [at("a", one.options[0], moving_to=one.options[1])],
        replace(ROLLOUT, frozen_by="policy calm"),
    )["a"]
    assert (move.decision, move.reason, move.step) == (Decision.HOLD, Reason.FROZEN, 0)


def test_a_saving_counts_only_when_a_node_empties():
    """Two half nodes: neither move saves alone, both together do, and they are made."""
    pair = [workload(n, option("old", 4), option("new", 4)) for n in "ab"]
    question = problem(pair, [node_pool("old", 1, price=8.0), node_pool("new", 1, price=5.0)])
    running = [at(n, w.options[0]) for n, w in zip("ab", pair, strict=True)]
    moves = decide(question, running, MANY)
    assert [m.decision for m in moves.values()] == [Decision.MOVE, Decision.MOVE]
    assert sum(m.savings_per_hour for m in moves.values()) == 3.0
    alone = decide(question, running, MANY, a=replace(MANY, paused=True))
    assert alone["b"].reason is Reason.NO_SAVINGS
    assert "costs 5.00 $/h more" in alone["b"].message


@pytest.mark.parametrize(
    ("reason", "decision"),
    [(Reason.OBJECTIVE_MISSED, Decision.MOVE), (Reason.OVERLAPPING, Decision.HOLD)],
)
def test_what_cannot_stay_leaves_at_any_price(reason, decision):
    """A place that breaks the objectives is left though the next one costs more; a slip in a pool's declaration moves nobody."""
    old, new = option("old", 4), option("new", 4, switching=1.0)
    refused = Candidate(old.variant, "old", Refusal(reason, "it does not do"))
    one = replace(workload("a", new), refused=(refused,))
    question = problem([one], [node_pool("old", 1, price=5.0), node_pool("new", 1, price=8.0)])
    assert decide(question, [at("a", old)])["a"].decision is decision


def test_what_pays_back_too_late_is_held_and_says_when():
    """In the plan both go because the node empties; held alone, one cannot earn its cost."""
    a = workload("a", option("old", 8), option("new", 8, switching=2.0))
    b = workload("b", option("old", 8), option("new", 8, switching=2.0))
    pools = [node_pool("old", 2, price=8.0), node_pool("new", 2, price=5.0)]
    question = problem([a, b], pools)
    late = replace(question, workloads=tuple(replace(w, options=w.options[1:]) for w in question.workloads))
    dear = tuple(
        replace(w, options=(replace(w.options[0], switching_cost_per_hour=4.5),)) for w in late.workloads
    )
    moves = decide(replace(late, workloads=dear), [at("a", a.options[0]), at("b", b.options[0])], MANY)
    assert moves["a"].reason is Reason.PAYBACK_TOO_LONG
    assert "pays back after 36 h, the horizon is 24 h" in moves["a"].message


def test_who_stays_because_moving_costs_too_much_is_told_so():
    """Three days pay the move back: the plan leaves it where it is, with the figures. A cheaper place that does not fit is none."""
    move = cheaper(switching=9.0)
    assert (move.decision, move.reason) == (Decision.STAY, Reason.PAYBACK_TOO_LONG)
    assert (
        "is where the plan wants it: new-x1 on new saves 3.00 $/h but moving costs 216.00 $" in move.message
    )
    assert "pays back after 72 h, the horizon is 24 h" in move.message
    assert move.savings_per_hour == 0
    one = workload("a", option("old", 4), option("new", 4, switching=9.0))
    full = problem([one], [node_pool("old", 1, price=8.0), node_pool("new", 0, price=5.0)])
    assert decide(full, [at("a", one.options[0])])["a"].reason is Reason.STAYS


def test_who_may_not_move_anyway_is_not_told_what_moving_would_cost():
    assert cheaper(MoveRule(), switching=9.0).reason is Reason.STAYS


def test_the_budget_counts_moves_in_flight():
    """One at a time: the second waits, with its place in the order."""
    pair = [workload(n, option("old", 8), option("new", 8)) for n in "ab"]
    question = problem(pair, [node_pool("old", 2, price=8.0), node_pool("new", 2, price=5.0)])
    moves = decide(question, [at(n, w.options[0]) for n, w in zip("ab", pair, strict=True)])
    assert moves["a"].decision is Decision.MOVE
    assert (moves["b"].reason, moves["b"].step) == (Reason.CONCURRENCY_BUDGET, 2)
    flying = [at("a", pair[0].options[0], moving_to=pair[0].options[1]), at("b", pair[1].options[0])]
    assert decide(question, flying)["b"].reason is Reason.CONCURRENCY_BUDGET
    other = decide(question, flying, b=replace(ROLLOUT, policy="other"))
    assert other["b"].decision is Decision.MOVE


def test_a_swap_without_room_is_held():
    """Each would have to leave before the other can come: nothing moves, and it says what is missing."""
    a, b = workload("a", option("y", 4)), workload("b", option("x", 4))
    question = problem([a, b], [chip_pool("x", 8), chip_pool("y", 8)])
    running = [Running("prod/a", "x", "v", 8, footprint(1)), Running("prod/b", "y", "v", 8, footprint(1))]
    moves = decide(question, running, MANY)
    assert {(m.decision, m.reason, m.step) for m in moves.values()} == {
        (Decision.HOLD, Reason.NO_SURGE_CAPACITY, None)
    }
    assert "4 nodes missing" in moves["a"].message
    roomier = replace(question, pools=(chip_pool("x", 12), chip_pool("y", 8)))
    moves = decide(roomier, running, MANY)
    assert [(m.decision, m.step) for m in moves.values()] == [(Decision.MOVE, 1), (Decision.HOLD, 2)]


def test_a_chain_of_moves_goes_in_the_order_that_fits():
    """b can enter only when a has left: it waits, with its step."""
    a, b = workload("a", option("z", 8)), workload("b", option("y", 8))
    pools = [node_pool("x", 1, price=12.0), node_pool("y", 1, price=9.0), node_pool("z", 1, price=5.0)]
    running = [Running("prod/a", "y", "v", 8, footprint(1)), Running("prod/b", "x", "v", 8, footprint(1))]
    moves = decide(problem([a, b], pools), running, MANY)
    assert (moves["a"].decision, moves["a"].step) == (Decision.MOVE, 1)
    assert (moves["b"].decision, moves["b"].reason, moves["b"].step) == (
        Decision.HOLD,
        Reason.NO_SURGE_CAPACITY,
        2,
    )


def test_room_is_made_for_a_first_placement():
    """A move that costs more is made when a workload that runs nowhere needs the room."""
    a = workload("a", option("x", 8), option("y", 8))
    b = workload("b", option("x", 8), priority=10)
    question = problem([a, b], [node_pool("x", 1, price=5.0), node_pool("y", 1, price=9.0)])
    moves = decide(question, [at("a", a.options[0])], MANY)
    assert (moves["a"].decision, moves["a"].savings_per_hour) == (Decision.MOVE, -4.0)
    assert (moves["b"].reason, moves["b"].step) == (Reason.NO_SURGE_CAPACITY, 2)


def test_nobody_is_evicted():
    """A workload without a place stays where it runs; one that runs nowhere is unplaced."""
    a, b = workload("a", priority=1), workload("b")
    question = problem([a, b], [node_pool("x", 1)])
    moves = decide(question, [Running("prod/a", "gone", "v", 2, footprint(1))])
    assert (moves["a"].decision, moves["a"].reason) == (Decision.HOLD, Reason.NO_FEASIBLE_VARIANT)
    assert "Stays on v on gone" in moves["a"].message
    assert moves["b"].decision is Decision.UNPLACED


def test_what_runs_but_is_not_in_the_plan_keeps_its_room():
    """Its chips are taken, and it is not touched."""
    one = workload("a", option("x", 8))
    question = problem([one], [node_pool("x", 1)])
    other = Running("prod/other", "x", "v", 8, footprint(1))
    moves = decide(question, [other])
    assert moves["a"].reason is Reason.NO_SURGE_CAPACITY
    assert moves["other"].decision is Decision.HOLD


def test_the_same_place_with_other_replicas_stays():
    """chipwise never changes replicas on its own: it says what is needed."""
    one = workload("a", option("x", 4))
    move = decide(problem([one], [node_pool("x", 1)]), [replace(at("a", one.options[0]), replicas=6)])["a"]
    assert move.decision is Decision.STAY
    assert "6 replicas run, 4 are needed" in move.message


@st.composite
def situations(draw: st.DrawFn) -> tuple[Problem, dict[str, Running], dict[str, MoveRule]]:
    """A small problem, and each workload running one of its options where that fits, or nowhere; some in flight, some held."""
    question = draw(problems(most=6))
    floor_running = [Running(w.key) for w in question.workloads]
    floor = Floor(question, floor_running)
    running, rules = {}, {}
    for w in question.workloads:
        ways = [None, *w.options]
        now, then = draw(st.sampled_from(ways)), draw(st.sampled_from([None, None, *w.options]))
        one = Running(w.key)
        if now is not None and _add(floor, wanted(now)):
            one = Running(
                w.key, now.pool, now.variant, now.replicas, now.footprint, draw(st.sampled_from([None, 0.0]))
            )
            bridge = draw(st.integers(0, 2))
            if then is not None and then is not now and _add(floor, wanted(then, min(1, bridge))):
                one = replace(one, moving_to=then, bridge=bridge)
        running[w.key] = one
        rules[w.key] = MoveRule(
            mode=draw(st.sampled_from([Mode.ROLLOUT, Mode.ROLLOUT, Mode.OFF])),
            max_concurrent_moves=draw(st.integers(1, 3)),
            minimum_stay_seconds=draw(st.sampled_from([0.0, 60.0])),
            frozen_by=draw(st.sampled_from([None, None, None, "policy calm"])),
        )
    return question, running, rules


def _add(floor: Floor, holding) -> bool:
    floor.add(holding)
    if floor.fits(holding[0]):
        return True
    floor.add(holding, -1)
    return False


@settings(max_examples=250, deadline=None)
@given(situations())
def test_every_step_fits(situation):
    """Replayed with both copies held until a step is done, no pool that gains is ever over capacity; a bridge counts one more."""
    question, running, rules = situation
    moves = plan_moves(question, solve(question), running, rules)
    floor = Floor(question, running.values())
    for one in running.values():
        floor.add(held(one))
        floor.add(wanted(one.moving_to, min(1, one.bridge)) if one.moving_to else None)
    starting = [m for m in moves if m.step == 1]
    later = sorted((m for m in moves if m.step is not None and m.step > 1), key=lambda m: m.step or 0)
    for step in [starting, *([move] for move in later)]:
        targets = [(move.target, _bridged(move)) for move in step if move.target is not None]
        for target, more in targets:
            floor.add(wanted(target, more))
        assert all(floor.fits(target.pool) for target, _ in targets)
        flying = [m for m in moves if step is starting and m.step == 0 and m.decision is Decision.MOVE]
        for move in [*step, *flying]:
            assert move.target is not None
            floor.add(held(move.source), -1)
            floor.add(of_those(wanted(move.target), _bridged(move)), -1)


def _bridged(move: Move) -> int:
    """One replica more while a bridge carries some."""
    if move.source.moving_to is not None:
        return min(1, move.source.bridge)
    return 1 if move.target and 0 < move.source.replicas < move.target.replicas else 0


def of_those(holding: Holding, replicas: int) -> Holding:
    return (holding[0], holding[1], replicas)


@settings(max_examples=150, deadline=None)
@given(situations())
def test_budgets_hold(situation):
    """What is in flight and what starts together never exceed the loosest budget of those that start."""
    question, running, rules = situation
    moves = plan_moves(question, solve(question), running, rules)
    together = [m for m in moves if m.step in (0, 1)]
    budgets = [rules[m.workload].max_concurrent_moves for m in moves if m.step == 1]
    assert not budgets or len(together) <= max(budgets)


@settings(max_examples=150, deadline=None)
@given(situations())
def test_savings_add_up(situation):
    """What all moves together save is the bill before less the bill after."""
    question, running, rules = situation
    moves = plan_moves(question, solve(question), running, rules)
    before, after = (Floor(question, running.values()) for _ in range(2))
    for move in moves:
        before.add(held(move.source))
        target = None if move.decision is Decision.STAY else move.target
        after.add(held(move.source) if target is None else wanted(target))
    names = [pool.name for pool in question.pools]
    assert sum(m.savings_per_hour for m in moves) == pytest.approx(
        before.cost(names) - after.cost(names), abs=1e-6
    )


@settings(max_examples=60, deadline=None)
@given(situations())
def test_moves_are_the_same_for_shuffled_input(situation):
    """Order of mappings and workloads carries no meaning."""
    question, running, rules = situation
    plan = solve(question)
    backwards = replace(question, workloads=question.workloads[::-1], pools=question.pools[::-1])
    again = plan_moves(backwards, plan, dict(reversed(running.items())), dict(reversed(rules.items())))
    assert repr(again) == repr(plan_moves(question, plan, running, rules))


@settings(max_examples=60, deadline=None)
@given(problems(most=6))
def test_a_cluster_that_is_as_planned_moves_nothing(question):
    """An unchanged world writes nothing, and its bill is the plan's."""
    plan = solve(question)
    running = {
        c.workload: Running(
            c.workload, c.option.pool, c.option.variant, c.option.replicas, c.option.footprint
        )
        for c in plan.choices
        if c.option is not None
    }
    moves = plan_moves(question, plan, running, dict.fromkeys(running, MANY))
    assert {m.decision for m in moves} <= {Decision.STAY, Decision.UNPLACED}
    chosen = {c.workload: c.option for c in plan.choices if c.option is not None}
    assert bill(question, chosen).cost_per_hour == plan.cost_per_hour
