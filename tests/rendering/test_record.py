"""What stays on the Deployment tells whose it is, and an undo from our own write."""

from __future__ import annotations

from typing import Any

import jsonpatch
import pytest
from chipwise.reasons import Reason
from chipwise.rendering.manifest import Document, Manifest, RenderingRefused
from chipwise.rendering.record import (
    ANNOTATIONS,
    BASE_LIMIT_BYTES,
    MANAGED_LABEL,
    RECORD_LABEL,
    RecordDamaged,
    Standing,
    read,
    standing,
    to_annotations,
)
from chipwise.rendering.render import render
from chipwise.rendering.write import move

from tests.rendering.builders import amd, deployment, llama, maia, record


def _moved() -> Document:
    before = deployment(llama())
    after: Document = jsonpatch.apply_patch(before, move(before, render(llama(), amd()), record(llama())))
    return after


def test_a_deployment_without_the_label_is_the_authors():
    """kubectl replace takes labels away too: what is there then is the author's own."""
    left = deployment(llama(), annotations=to_annotations(record(llama())))
    assert read(left) is None
    assert standing(left) is Standing.UNMANAGED


def test_our_own_write_is_managed():
    assert standing(_moved()) is Standing.MANAGED


def test_an_undo_to_the_authors_replica_set_is_told_by_its_missing_record():
    """kubectl rollout undo puts the ReplicaSet's annotations in place of the Deployment's, and leaves labels."""
    undone = _moved()
    undone["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": "3"}
    assert standing(undone) is Standing.UNDONE
    with pytest.raises(RecordDamaged, match=r"chipwise.dev/base"):
        read(undone)


def test_an_undo_to_an_earlier_rendering_is_told_by_its_older_record():
    """The ReplicaSet of the first move carries the first record; the label vouches for the second."""
    first = _moved()
    patch = move(first, render(llama(), maia()), record(llama(), variant="maia-x4", pools=("maia-west",)))
    second = jsonpatch.apply_patch(first, patch)
    second["metadata"]["annotations"] = first["metadata"]["annotations"]
    assert standing(second) is Standing.UNDONE
    assert read(second) == record(llama())


def test_a_record_without_the_label_that_vouches_for_it_is_ours():
    moved = _moved()
    del moved["metadata"]["labels"][RECORD_LABEL]
    assert moved["metadata"]["labels"] == {MANAGED_LABEL: "true"}
    assert standing(moved) is Standing.MANAGED


@pytest.mark.parametrize("key", ANNOTATIONS)
@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", "7", '{"template": 1, "strategy": {}, "replicas": null}']
)
def test_a_record_that_cannot_be_read_is_damaged(key: str, text: str):
    moved = _moved()
    moved["metadata"]["annotations"][key] = text
    with pytest.raises(RecordDamaged):
        read(moved)
    assert standing(moved) is Standing.DAMAGED


def test_a_base_that_does_not_fit_an_annotation_is_refused():
    """Annotations share 256 KiB with the copy of the author's file that kubectl keeps."""
    base: Any = Manifest({"spec": {"containers": [{"name": "c", "args": ["x" * BASE_LIMIT_BYTES]}]}}, {})
    with pytest.raises(RenderingRefused) as refused:
        to_annotations(record(base))
    assert refused.value.refusal.reason is Reason.BASE_TOO_LARGE


def test_the_digest_is_a_label_value():
    assert len(_moved()["metadata"]["labels"][RECORD_LABEL]) == 33
