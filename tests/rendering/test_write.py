"""Each write is one JSON Patch on the very Deployment that was read, and gives exactly the computed document."""

from __future__ import annotations

from typing import Any

import jsonpatch
import pytest
from chipwise.rendering.defaults import normalise
from chipwise.rendering.manifest import Document, Manifest, manifest_of
from chipwise.rendering.record import Standing, read, standing
from chipwise.rendering.render import render
from chipwise.rendering.target import Target
from chipwise.rendering.write import Patch, move, pointer, rebase, release, restore, scale
from hypothesis import given
from hypothesis import strategies as st

from tests.rendering.authors import author_files, targets
from tests.rendering.builders import amd, deployment, llama, maia, record

_METADATA = st.sampled_from(
    [
        {},
        {"annotations": {"a/b~c": "1"}},
        {"labels": {"app": "llama"}, "annotations": {"deployment.kubernetes.io/revision": "1"}},
    ],
)


def _written(before: Document, patch: Patch) -> Document:
    after: Document = jsonpatch.apply_patch(before, patch)
    return after


@given(author_files(), targets(), _METADATA)
def test_move_writes_the_rendering_and_restore_gives_the_very_deployment_back(
    file: Manifest, target: Target, metadata: Any
):
    """Round trip through the annotations: the order of env and lists included, so that the author's own ReplicaSet serves again."""
    base = normalise(file)
    before = deployment(base, **metadata)
    rendered = render(base, target)
    moved = _written(before, move(before, rendered, record(base)))
    assert manifest_of(moved) == rendered
    assert moved["spec"]["replicas"] == before["spec"]["replicas"]
    kept = read(moved)
    assert kept == record(base)
    assert _written(moved, restore(moved, kept.base)) == before


@given(author_files(), st.lists(targets(), min_size=2, max_size=3))
def test_however_many_variants_came_between_the_author_gets_the_very_deployment_back(
    file: Manifest, ways: list[Target]
):
    """Each starts from the author's base, so a flag, a variable or a resource of one is never found under the next."""
    base = normalise(file)
    now = before = deployment(base)
    for target in ways:
        rendered = render(base, target)
        now = _written(now, move(now, rendered, record(base, rendered=rendered)))
        assert manifest_of(now) == rendered
    kept = read(now)
    assert kept is not None
    assert _written(now, restore(now, kept.base)) == before


@given(author_files(), targets(), _METADATA)
def test_release_takes_off_our_traces_and_leaves_what_runs(file: Manifest, target: Target, metadata: Any):
    base = normalise(file)
    before = deployment(base, **metadata)
    moved = _written(before, move(before, render(base, target), record(base)))
    released = _written(moved, release(moved))
    assert released["spec"] == moved["spec"]
    assert released["metadata"] == before["metadata"]


def test_every_write_fails_on_another_version_of_the_deployment():
    """What was computed holds only for what was read."""
    before = deployment(llama())
    manifest = render(llama(), amd())
    moved = _written(before, move(before, manifest, record(llama())))
    for read_at, patch in (
        (before, move(before, manifest, record(llama()))),
        (before, scale(before, 1)),
        (moved, move(moved, render(llama(), maia()), record(llama()))),
        (moved, rebase(moved, record(llama(), variant="other"))),
        (moved, restore(moved, llama())),
        (moved, release(moved)),
    ):
        assert patch[0] == {"op": "test", "path": "/metadata/resourceVersion", "value": "7"}
        assert patch[1] == {"op": "test", "path": "/metadata/uid", "value": "u-1"}
        read_at["metadata"]["resourceVersion"] = "8"
        with pytest.raises(jsonpatch.JsonPatchTestFailed):
            jsonpatch.apply_patch(read_at, patch)
        read_at["metadata"]["resourceVersion"] = "7"


def test_only_scale_touches_replicas():
    """Replicas in the write of the template would change the old pods first."""
    before = deployment(llama())
    after = _written(before, scale(before, 1))
    assert after["spec"].pop("replicas") == 1
    assert before["spec"].pop("replicas") == 3
    assert after == before


def test_rebase_writes_the_record_alone():
    before = deployment(llama())
    moved = _written(before, move(before, render(llama(), amd()), record(llama())))
    based = _written(moved, rebase(moved, record(llama(), variant="other")))
    assert based["spec"] == moved["spec"]
    assert standing(based) is Standing.MANAGED
    assert read(based) == record(llama(), variant="other")


def test_a_write_that_changes_nothing_is_empty():
    """A no-op write still costs the API server, and its watchers, a round."""
    before = deployment(llama())
    moved = _written(before, move(before, render(llama(), amd()), record(llama())))
    assert move(moved, render(llama(), amd()), record(llama())) == []
    assert rebase(moved, record(llama())) == []
    assert scale(moved, 3) == []
    assert release(before) == []
    assert restore(before, llama()) == []


def test_pointers_escape_what_json_pointer_reads():
    assert pointer("metadata", "annotations", "a/b~c") == "/metadata/annotations/a~1b~0c"
