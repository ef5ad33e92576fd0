"""The work of ``chipwise computeclass``: a decision's order of pools as GKE ComputeClasses, one for each AcceleratorClass."""

from __future__ import annotations

from collections.abc import Iterator

import click
import yaml

from chipwise.autoscaling.compute_class import MOST, Document, Place, compute_class, rule_of
from chipwise.cli.errors import BadInput
from chipwise.cli.options import Source
from chipwise.cli.source import decided
from chipwise.cluster.decide import Decision
from chipwise.cluster.expansion import ordered


def write(source: Source, *, prefix: str, scored: bool) -> None:
    """Print the manifests; what is left out is said on standard error. Raises BadInput where there is nothing to print."""
    decision, _ = decided(source)
    documents = []
    for name, places in _by_class(decision):
        usable = [place for place in places if rule_of(place) is not None]
        for place in places:
            if place not in usable:
                click.echo(f"pool {place.pool} is left out: its nodeSelector has no label of GKE", err=True)
        for place in usable[MOST:]:
            click.echo(
                f"pool {place.pool} is left out: GKE never sees more than {MOST} rules to their end", err=True
            )
        document = compute_class(f"{prefix}{name}", usable, scored=scored)
        documents += [document] if document is not None else []
    if not documents:
        raise BadInput("no pool selects nodes by a label of GKE, such as cloud.google.com/gke-nodepool")
    click.echo(_text(documents), nl=False)


def _by_class(decision: Decision) -> Iterator[tuple[str, list[Place]]]:
    views = {name: view for name, view in decision.views.items() if view.refusal is None}
    explainer = decision.shown.explainer
    order, _ = ordered(dict.fromkeys(decision.subjects, explainer), views, {name: name for name in views})
    found: dict[str, list[Place]] = {}
    for name in order:
        view = views[name]
        place = Place(name, dict(view.selector), view.room.chips, view.capacity_type == "Spot")
        found.setdefault(view.class_name, []).append(place)
    yield from sorted(found.items())


def _text(documents: list[Document]) -> str:
    return yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True, explicit_start=True)
