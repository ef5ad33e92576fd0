"""The work of ``chipwise restore --dry-run``: the operator's own decision on the cluster as it is, as if the wish were there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import click

from chipwise.api import InferenceWorkload
from chipwise.cli.errors import BadInput
from chipwise.cli.options import Source
from chipwise.cli.source import snapshot
from chipwise.cluster.decide import Decision, decide
from chipwise.cluster.situation import RESTORE
from chipwise.cluster.snapshot import Snapshot
from chipwise.placement.moves import Decision as Verdict
from chipwise.reasons import Reason


def foretell(source: Source, names: Sequence[tuple[str, str]]) -> bool:
    """Print what would happen. Whether each could go back now, or after another of them. Raises BadInput."""
    keys = ["/".join(name) for name in names]
    decision = decide(wished(snapshot(source), keys), now=source.moment)
    for key in keys:
        click.echo(f"{key}: {foretold(decision, key)}")
    return all(_may_go(decision, key) for key in keys)


def wished(found: Snapshot, keys: Sequence[str]) -> Snapshot:
    """The cluster as if the restores had been asked for. Raises BadInput for a workload that is not there."""
    workloads = dict(found.workloads)
    for key in keys:
        if key not in workloads:
            raise BadInput(f"there is no InferenceWorkload {key}: {_known(found)}")
        workloads[key] = _wishing(workloads[key])
    return replace(found, workloads=workloads)


def _known(found: Snapshot) -> str:
    names = ", ".join(sorted(found.workloads))
    return f"the known ones are {names}" if names else "there is none at all"


def _wishing(workload: InferenceWorkload) -> InferenceWorkload:
    metadata = workload.metadata
    annotations = {**metadata.annotations, RESTORE: str(metadata.generation)}
    return workload.model_copy(update={"metadata": metadata.model_copy(update={"annotations": annotations})})


def foretold(decision: Decision, key: str) -> str:
    """What would become of one workload, as a sentence."""
    if key in decision.refused:
        refusal = decision.refused[key]
        return f"would wait ({refusal.reason.value}): {refusal.message}"
    move = decision.move(key)
    if move.reason is Reason.RESTORED:
        return "runs as its author wrote it; it would be left there until its spec is edited"
    if move.decision is Verdict.HOLD:
        return f"would wait ({move.reason.value}): {move.message}"
    return f"{move.message}; there is room for both copies"


def _may_go(decision: Decision, key: str) -> bool:
    if key in decision.refused:
        return False
    move = decision.move(key)
    return move.decision is Verdict.MOVE or move.reason in (Reason.RESTORED, Reason.CONCURRENCY_BUDGET)
