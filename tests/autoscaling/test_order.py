"""One order for all workloads: the worst regret is as small as an order can make it, for one as for all."""

from __future__ import annotations

import random
import time
from itertools import permutations

from chipwise.autoscaling.order import order_groups, worst_regrets
from hypothesis import given, settings
from hypothesis import strategies as st

GROUPS = ("a", "b", "c", "d", "e")
costs = st.dictionaries(
    st.sampled_from(["w1", "w2", "w3", "w4", "w5", "w6"]),
    st.dictionaries(st.sampled_from(GROUPS), st.integers(0, 900).map(lambda cents: cents / 100), max_size=5),
    max_size=6,
)
prices = st.fixed_dictionaries({name: st.sampled_from([1.0, 2.0, 3.0]) for name in GROUPS})


@settings(max_examples=150, deadline=None)
@given(costs, prices)
def test_no_order_has_a_smaller_worst_regret(found, price):
    chosen = max(worst_regrets(order_groups(found, price), found).values(), default=0.0)
    least = min(max(worst_regrets(each, found).values(), default=0.0) for each in permutations(GROUPS))
    assert chosen == least


@settings(max_examples=150, deadline=None)
@given(costs, prices)
def test_nobodys_worst_regret_is_needlessly_high(found, price):
    """No other order is better for one workload and worse for none."""
    chosen = worst_regrets(order_groups(found, price), found)
    for other in permutations(GROUPS):
        regrets = worst_regrets(other, found)
        if all(regrets[key] <= chosen[key] for key in chosen):
            assert regrets == chosen


@given(costs, prices, st.randoms(use_true_random=False))
def test_the_order_of_the_input_does_not_matter(found, price, dice: random.Random):
    def shuffled(mapping):
        items = list(mapping.items())
        dice.shuffle(items)
        return dict(items)

    again = {key: shuffled(each) for key, each in shuffled(found).items()}
    assert order_groups(again, shuffled(price)) == order_groups(found, price)


@given(costs, prices)
def test_every_group_is_in_the_order_once(found, price):
    assert sorted(order_groups(found, price)) == sorted(GROUPS)


def test_one_workload_gets_its_own_order():
    found = order_groups(
        {"ns/chat": {"maia": 3.0, "h100": 9.0, "spot": 5.0}}, {"h100": 1, "maia": 2, "spot": 3}
    )
    assert found == ("maia", "spot", "h100")


def test_the_larger_stake_decides_where_two_disagree():
    """One would lose 6 $/h, the other 1."""
    found = order_groups({"a": {"x": 7.0, "y": 1.0}, "b": {"x": 1.0, "y": 2.0}}, {"x": 1, "y": 2})
    assert found == ("y", "x")
    assert worst_regrets(found, {"a": {"x": 7.0, "y": 1.0}, "b": {"x": 1.0, "y": 2.0}}) == {
        "a": 0.0,
        "b": 1.0,
    }


def test_what_nobody_may_use_comes_last_and_the_cheaper_first():
    assert order_groups({"a": {"dear": 3.0}}, {"dear": 9, "idle-b": 1, "idle-a": 1, "idle-0": 2}) == (
        "dear",
        "idle-a",
        "idle-b",
        "idle-0",
    )


def test_less_than_a_cent_is_no_difference():
    """Noise in the figures writes nothing anew."""
    assert order_groups({"a": {"x": 1.001, "y": 1.0}}, {"x": 1, "y": 2}) == ("x", "y")


def test_a_large_fleet_that_agrees_on_nothing_is_ordered_in_a_moment():
    """It is asked at each decision, of 2,000 workloads with costs of their own in 50 groups."""
    dice = random.Random(7)
    names = [f"g{n}" for n in range(50)]
    fleet = {f"w{n}": {name: dice.uniform(1, 500) for name in names} for n in range(2_000)}
    begin = time.process_time()
    found = order_groups(fleet, dict.fromkeys(names, 1.0))
    worst_regrets(found, fleet)
    assert time.process_time() - begin < 2
    assert sorted(found) == sorted(names)


def test_workloads_alike_count_once():
    """However many want the one order, they weigh no more than the one that wants the other: the largest stake goes first."""
    many = {f"w{n}": {"a": 1.0, "b": 2.0} for n in range(100)}
    assert order_groups({**many, "other": {"a": 5.0, "b": 1.0}}, {"a": 1.0, "b": 1.0}) == ("b", "a")
