"""Several NodePools in one template: the real Karpenter takes the terms in our order, and what spilled comes back.

Two NodePools make the same machine; Karpenter's own price of both is the same, so that nothing but the order of the terms decides.
"""

from __future__ import annotations

import json
import time

import pytest

from e2e.cluster.fleet import apply
from e2e.nodepools import Fleet
from e2e.nodestage import Stage
from e2e.watchlog import WatchLog, moment_of

pytestmark = pytest.mark.e2e

PRICES = {"h100": "50.00", "mi300": "30.00", "maia": "10.00", "far": "15.00", "farther": "20.00"}
#: Seconds: of the minimum stay, and of a machine that boots for longer than the fleet's grace of 5 s.
STAY, SLOW = 40, 12


def watched(stage: Stage) -> WatchLog:
    """The author's pods serve, and every change of the pods is seen from here on."""
    log = WatchLog(stage.admin, stage.fleet.name, {}, {"app": "chat"})
    stage.eventually(lambda: log.ready_now() == stage.fleet.replicas, "the watch has seen them")
    return log


def nothing_lost(log: WatchLog, since: float) -> None:
    """As many served at every instant as the author asked for."""
    assert min(each.ready for each in log.instants if each.moment >= since) >= 2


def written(log: WatchLog, stage: Stage) -> list[float]:
    """When each template with terms of ours came, for the first time."""
    moments: dict[str, float] = {}
    for each in log.revisions("chat"):
        affinity = json.dumps(each.template["spec"].get("affinity", {}), sort_keys=True)
        if stage.fleet.pool("maia") in affinity:
            moments.setdefault(affinity, each.moment)
    return sorted(moments.values())


def spilling(stage: Stage) -> None:
    """The limit is enough for two nodes as the pool declares them, and for one as the provider makes them."""
    log = watched(stage)
    slow = {"spec": {"nodeRegistrationDelay": f"{SLOW}s"}}
    stage.admin.merge(stage.path("KWOKNodeClass", "far"), slow)
    begun = stage.begin()
    stage.eventually(lambda: stage.terms() == ["maia", "far"], "the template names two of three")
    stage.eventually(lambda: stage.nodes_seen.counts(time.time()).get("far"), "Karpenter turned to the next")
    # From here on the first is known to be at its limit, for longer than a failure's grace.
    stage.set_limit("maia", nodes="1")
    spilled = [("maia", 1, ""), ("far", 1, "Spilled")]
    stage.eventually(lambda: stage.placements() == spilled, "one has spilled", 90)
    assert len(stage.nodes("maia")) == len(stage.nodes("far")) == 1
    assert stage.cool_downs("maia") == []
    assert not stage.nodes("farther")
    moved = moment_of(stage.status()["placements"][0]["since"])

    stage.set_limit("maia", cpu="2000", nodes="4")
    stage.settled("maia", 120)
    assert stage.placements() == [("maia", 2, "")]
    assert stage.terms() == ["maia"]
    _, last = written(log, stage)
    assert last >= moved + STAY
    stage.gone("far")
    stage.gone("h100")
    nothing_lost(log, begun)


SPILLING = Fleet(
    "spilling",
    prices=PRICES,
    limits={"maia": {"cpu": "380"}},  # a node has 192, and the pool says 190
    policy={"maxPools": 2, "minimumStay": f"{STAY}s"},
    more={"far": "maia", "farther": "maia"},
)


@pytest.mark.story(SPILLING, spilling)
def test_pods_spill_to_the_next_term_and_come_back(story: None) -> None:
    """The first NodePool at its limit: the next of the policy's two serves, and no other. Freed, all return, and the old node is gone."""


def unturned(stage: Stage) -> None:
    """No launch of the first NodePool succeeds, and this provider does not remember it: Karpenter never turns to the second."""
    stage.keep_node_pool_ready("maia")
    stage.admin.delete(stage.path("KWOKNodeClass", "maia"))
    log = watched(stage)
    begun = stage.begin()
    stage.eventually(lambda: stage.terms() == ["maia", "far"], "the template names both")
    (noted,) = stage.eventually(lambda: stage.cool_downs("maia"), "the pool cools down", 120)
    assert noted["reason"] == "LaunchFailed"
    assert "it turns to no further pool" in noted["message"]
    stage.settled("far", 120)
    stage.let_node_pool_be("maia")
    apply(stage.cluster, [stage.fleet.node_class("maia")])
    stage.settled("maia", 150)
    stage.gone("far")
    nothing_lost(log, begun)


UNTURNED = Fleet(
    "unturned",
    prices={chip: price for chip, price in PRICES.items() if chip != "farther"},
    policy={"coolDown": {"first": "45s", "longest": "90s"}},
    more={"far": "maia"},
)


@pytest.mark.story(UNTURNED, unturned)
def test_where_karpenter_does_not_turn_to_the_second_term_chipwise_does(story: None) -> None:
    """``LaunchFailed`` half a minute after the second failure; the second NodePool is a place of its own then; and back."""
