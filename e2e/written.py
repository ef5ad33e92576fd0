"""What the operator wrote on the Deployment of a world, write by write."""

from __future__ import annotations

import itertools

from e2e.watchlog import Revision
from e2e.world import TRACES, World


def sorts(world: World) -> list[str]:
    """What each successful write of the operator changed, as the watch log tells it. One write is one change."""
    found = []
    revisions = world.revisions()
    for before, after in itertools.pairwise(revisions):
        if before.template != after.template:
            found.append("template")
        elif before.replicas != after.replicas:
            found.append("replicas")
        elif traces(before) != traces(after):
            found.append("traces")
    answered = [each["responseStatus"]["code"] for each in world.writes()]
    assert answered.count(200) == len(found), (found, answered)
    return found


def traces(revision: Revision) -> dict[str, str]:
    """What chipwise keeps on a Deployment."""
    metadata = revision.document["metadata"]
    kept = {**metadata.get("labels", {}), **metadata.get("annotations", {})}
    return {name: kept[name] for name in TRACES if name in kept}
