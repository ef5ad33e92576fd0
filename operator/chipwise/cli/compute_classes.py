"""The work of ``chipwise computeclass``: a decision's order of pools as GKE ComputeClasses, one for each AcceleratorClass."""

from __future__ import annotations

from collections.abc import Iterator

import click
import yaml

from chipwise.autoscaling.compute_class import Document, Place, compute_class, rules_of
from chipwise.cli.errors import BadInput
from chipwise.cli.options import Source
from chipwise.cli.source import decided
from chipwise.cluster.decide import Decision
from chipwise.cluster.expansion import ordered


def write(source: Source, *, prefix: str, scored: bool) -> None:
    """Print the manifests; what is left out is said on standard error. Raises BadInput where there is nothing to print."""
    decision, _ = decided(source)
    documents = []
    for view in decision.views.values():
        if view.refusal is not None:
            _leave_out(view.name, f"{view.refusal.reason.value}: {view.refusal.message}")
    for class_name, places in _by_class(decision):
        name = f"{prefix}{class_name}"
        rules = rules_of(name, places)
        for pool, why in rules.left_out:
            _leave_out(pool, why)
        document = compute_class(name, rules, scored=scored)
        documents += [document] if document is not None else []
    if not documents:
        raise BadInput("no pool selects nodes by a label of GKE, such as cloud.google.com/gke-nodepool")
    click.echo(_text(documents), nl=False)


def _leave_out(pool: str, why: str) -> None:
    click.echo(f"pool {pool} is left out: {why}", err=True)


def _by_class(decision: Decision) -> Iterator[tuple[str, list[Place]]]:
    views = {name: view for name, view in decision.views.items() if view.refusal is None}
    explainer = decision.shown.explainer
    order, _ = ordered(dict.fromkeys(decision.subjects, explainer), views, {name: name for name in views})
    found: dict[str, list[Place]] = {}
    for name in order:
        view = views[name]
        terms = view.capacity_type
        place = Place(
            name,
            dict(view.selector),
            view.room.chips,
            spot=terms == "Spot",
            zones=view.zones,
            reserved=terms == "Reserved",
        )
        found.setdefault(view.class_name, []).append(place)
    yield from sorted(found.items())


def _text(documents: list[Document]) -> str:
    return yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True, explicit_start=True)
