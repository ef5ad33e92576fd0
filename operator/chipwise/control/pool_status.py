"""The status of a pool: what there is, what it is used for, and what decisions go by."""

from __future__ import annotations

from chipwise.api import shorten
from chipwise.cluster.census import Census, census
from chipwise.cluster.cooling import stamp
from chipwise.cluster.decide import Decision
from chipwise.cluster.node_shapes import Shape
from chipwise.cluster.pools import PoolView
from chipwise.cluster.prices import Price
from chipwise.cluster.remembered import size_fields
from chipwise.control.conditions import Document, ready_unless
from chipwise.control.pool_conditions import beside_ready

_COOL_DOWNS_SHOWN = 16


def pool_status(view: PoolView, decision: Decision) -> Document:
    """All of it; what there is nothing to say of is left out."""
    generation = decision.snapshot.pools[view.name].metadata.generation
    counted = census(view, decision.snapshot, decision.serving)
    ready = ready_unless(view.hindrance, "can be used", generation)
    beside = {
        "coolDowns": _cool_downs(view, decision),
        "shapeInForce": _shape(view),
        "spare": _spare(view, decision),
        "priceInForce": _price(view.price),
    }
    return {
        "observedGeneration": generation,
        "nodes": {"total": counted.nodes, "ready": counted.ready_nodes},
        "limitInForce": {"nodes": view.maximum, "source": view.limit},
        "chips": _chips(counted),
        "conditions": [ready, *beside_ready(view, decision)],
        **{name: found for name, found in beside.items() if found},
    }


def _chips(counted: Census) -> Document:
    return {
        "allocatable": counted.allocatable,
        "usedByOthers": counted.used_by_others,
        "used": counted.used,
        "reserved": counted.reserved,
        "free": counted.free,
    }


def _cool_downs(view: PoolView, decision: Decision) -> list[Document]:
    return [
        {
            "capacityType": one.culprit.capacity_type,
            "chips": 0,
            **(size_fields(one.culprit.size) if one.culprit.size else {}),
            "reason": one.reason,
            "until": stamp(one.until),
            "message": shorten(one.message),
        }
        for one in decision.setbacks.cooling.of_pool(view.name)[:_COOL_DOWNS_SHOWN]
    ]


def _shape(view: PoolView) -> Document | None:
    if not view.shape_source:
        return None
    return {
        "chips": view.room.chips,
        "cpu": f"{view.room.cpu_milli}m",
        "memory": str(view.room.memory_bytes),
        "pods": view.room.pods,
        "source": view.shape_source,
        **seen_under(view.shape),
    }


def seen_under(shape: Shape | None) -> Document:
    """By which a shape that is remembered is told from one of other nodes, and what counts against limits."""
    if shape is None:
        return {}
    machine = dict(shape.machine)
    return {
        "madeBy": shape.made_by,
        **({"machineCpu": f"{machine['cpu']}m"} if "cpu" in machine else {}),
        **({"machineMemory": str(machine["memory"])} if "memory" in machine else {}),
    }


def _spare(view: PoolView, decision: Decision) -> Document | None:
    keeping = decision.spares.pools.get(view.name) if decision.spares is not None else None
    if keeping is None:
        return None
    cost = next((use.cost_per_hour for use in decision.spare_now if use.pool == view.name), None)
    return {
        "replicas": keeping.replicas,
        "chips": keeping.chips,
        "warm": keeping.warm,
        **({"costPerHour": f"{cost:.4f}"} if cost is not None else {}),
    }


def _price(price: Price | None) -> Document | None:
    if price is None:
        return None
    return {
        "amount": price.amount,
        "currency": price.currency,
        "unit": price.unit,
        "source": price.source,
    }
