"""What warm room costs: nothing on nodes that are kept anyway, a node else, and nothing where there is no room for it."""

from __future__ import annotations

from dataclasses import replace

from chipwise.placement.billing import bill
from chipwise.placement.floor import Floor
from chipwise.placement.plan import SpareUse
from chipwise.placement.problem import Footprint, Pool, Spare
from chipwise.placement.rules import Running
from chipwise.placement.solve import solve
from chipwise.placement.spare import Beside, spare_uses
from hypothesis import given
from hypothesis import strategies as st

from tests.placement.build import chip_pool, footprint, node_pool, option, problem, workload

PRICE = 8.0
SIZES = st.sampled_from([1, 2, 4, 8])


def warm(pool: Pool, replicas: int = 1, chips: int = 8, claims: int = 0) -> Pool:
    return replace(pool, spare=Spare(footprint(chips, cpu=0, memory=0), replicas, claims))


def used(pool: Pool, *options) -> SpareUse:
    """Beside workloads with these options, one each."""
    question = problem([workload(str(n), each) for n, each in enumerate(options)], [pool])
    assignment = {f"prod/{n}": each for n, each in enumerate(options)}
    (found,) = spare_uses(question, assignment, bill(question, assignment))
    return found


def test_a_whole_node_that_is_kept_warm_is_paid_for():
    assert used(warm(node_pool("gpu", 4))) == SpareUse("gpu", 1, 1, 8, PRICE)
    assert used(warm(node_pool("gpu", 4), replicas=2), option("gpu", 8)).cost_per_hour == 2 * PRICE


def test_on_nodes_that_are_paid_for_anyway_it_costs_nothing():
    assert used(warm(node_pool("gpu", 0, free=2))).cost_per_hour == 0.0


def test_a_smaller_placeholder_shares_a_workloads_node():
    found = used(warm(node_pool("gpu", 4), chips=4), option("gpu", 1, 4))
    assert (found.kept, found.cost_per_hour) == (1, 0.0)


def test_what_finds_no_room_beside_the_workloads_costs_nothing():
    found = used(warm(node_pool("gpu", 2), replicas=3), option("gpu", 8))
    assert (found.replicas, found.kept, found.cost_per_hour) == (3, 1, PRICE)


def test_chips_are_billed_where_chips_are():
    assert used(warm(chip_pool("tpu", 8, price=1.5), replicas=2, chips=1)).cost_per_hour == 3.0
    free = warm(chip_pool("tpu", 8, price=1.5, committed=2), replicas=2, chips=1)
    assert used(free).cost_per_hour == 0.0
    assert used(free, option("tpu", 2)).cost_per_hour == 3.0


def test_the_plan_bills_it_beside_its_workloads_and_keeps_no_room_for_it():
    """A placeholder gives way: who needs the last node has it."""
    plan = solve(problem([workload("a", option("gpu", 8))], [warm(node_pool("gpu", 2))]))
    assert (plan.cost_per_hour, plan.spare_per_hour) == (PRICE, PRICE)
    plan = solve(problem([workload("a", option("gpu", 16))], [warm(node_pool("gpu", 2))]))
    assert (plan.cost_per_hour, plan.spare) == (2 * PRICE, (SpareUse("gpu", 1, 0, 8, 0.0),))


@given(
    total=st.integers(1, 6),
    committed=st.integers(0, 6),
    replicas=st.integers(1, 4),
    taken=st.integers(0, 6),
)
def test_workloads_and_warm_nodes_together_are_what_is_billed(total, committed, replicas, taken):
    """Whoever has the committed nodes: those in use beyond them cost, and no more than there are."""
    committed, taken = min(committed, total), min(taken, total)
    claims = min(replicas, committed, total - committed)
    pool = warm(
        node_pool("gpu", total - committed + claims, free=committed - claims), replicas, claims=claims
    )
    assert pool.spare is not None
    held = {footprint(8): taken}
    kept, whole = Beside(pool, pool.spare, held).beside(held)
    assert kept == min(replicas, total - taken)
    assert whole == PRICE * max(0, min(taken + replicas, total) - committed)


@given(
    nodes=st.integers(1, 5),
    size=SIZES,
    replicas=st.integers(1, 12),
    others=st.dictionaries(SIZES, st.integers(0, 4), max_size=4),
)
def test_placeholders_fill_up_before_they_keep_a_node(nodes, size, replicas, others):
    """Sizes that divide one another leave no gap: so many chips, so many nodes."""
    chips = sum(chips * count for chips, count in others.items())
    nodes = max(nodes, -(-chips // 8))
    pool = warm(node_pool("gpu", nodes), replicas, size)
    assert pool.spare is not None
    held: dict[Footprint, int] = {footprint(each): count for each, count in others.items()}
    kept, whole = Beside(pool, pool.spare, held).beside(held)
    assert whole is not None
    slots = sum(count for each, count in others.items() if each >= size)
    bigger = sum(each * count for each, count in others.items() if each >= size)
    room = nodes * (8 // size) - bigger // size - -(-(chips - bigger) // size)
    assert kept == min(replicas, room), slots
    assert whole == PRICE * -(-(chips + kept * size) // 8) or chips % size


def moving_away(pool: Pool, chips: int = 8) -> float:
    """By how much the bill falls when a replica of so many chips leaves a pool."""
    running = Running("prod/a", pool="gpu", footprint=footprint(chips), replicas=1)
    floor = Floor(problem([workload("a", option("gpu", 1, chips))], [pool]), [running])
    floor.add(("gpu", footprint(chips), 1))
    before = floor.cost(["gpu"])
    floor.add(("gpu", footprint(chips), 1), -1)
    return before - floor.cost(["gpu"])


def test_a_node_that_a_placeholder_takes_over_is_not_saved():
    """The pool has no other node for it; or it stands on the same one."""
    assert moving_away(warm(node_pool("gpu", 1))) == 0.0
    assert moving_away(warm(node_pool("gpu", 3), chips=4), chips=4) == 0.0
    assert moving_away(warm(node_pool("gpu", 3))) == PRICE
    assert moving_away(node_pool("gpu", 1)) == PRICE
