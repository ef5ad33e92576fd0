"""Where the API server keeps things."""

from __future__ import annotations

import pytest
from chipwise.kube.resources import DEPLOYMENTS, NODES, OUR_KINDS, PODS


def test_paths_of_core_and_groups_and_subresources():
    """The core group lives under /api, all others under /apis."""
    assert NODES.path() == "/api/v1/nodes"
    assert NODES.path(None, "n1", "status") == "/api/v1/nodes/n1/status"
    assert PODS.path() == "/api/v1/pods"
    assert PODS.path("prod") == "/api/v1/namespaces/prod/pods"
    assert DEPLOYMENTS.path("prod", "chat") == "/apis/apps/v1/namespaces/prod/deployments/chat"


def test_a_cluster_scoped_path_ignores_the_namespace():
    """A namespace cannot hide a cluster-scoped object."""
    assert NODES.path("prod", "n1") == "/api/v1/nodes/n1"


def test_one_namespaced_object_needs_its_namespace():
    """Without one the path would name something else."""
    with pytest.raises(ValueError, match="needs a namespace"):
        PODS.path(None, "p1")


def test_our_kinds_share_one_group_and_version():
    """The group is the API that users see."""
    assert {kind.api_version for kind in OUR_KINDS} == {"chipwise.dev/v1alpha1"}
    assert len(OUR_KINDS) == 5
