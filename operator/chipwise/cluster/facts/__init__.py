"""Raw documents become facts: the few fields that decisions read, frozen, comparable, small.

Two facts are equal exactly when no decision can tell the documents apart, so heart-beats and managed fields vanish here.
"""

from __future__ import annotations

from chipwise.cluster.facts.bounds import (
    AutoscalerFact,
    ClaimFact,
    NamespaceFact,
    PriorityFact,
    autoscaler_fact,
    claim_fact,
    namespace_fact,
    priority_fact,
)
from chipwise.cluster.facts.deployments import CreateFailure, DeploymentFact, deployment_fact
from chipwise.cluster.facts.groups import PriorityMap, group_states_fact, priority_map
from chipwise.cluster.facts.karpenter import (
    LaunchEventFact,
    NodeClaimFact,
    NodeOverlayFact,
    NodePoolFact,
    Requirement,
    Word,
    launch_event_fact,
    node_claim_fact,
    node_overlay_fact,
    node_pool_fact,
)
from chipwise.cluster.facts.nodes import NodeFact, Taint, node_fact
from chipwise.cluster.facts.pods import PodFact, Progress, pod_fact
from chipwise.cluster.facts.quotas import QuotaFact, quota_fact
from chipwise.cluster.facts.reading import Pairs, extended, pairs

__all__ = [
    "AutoscalerFact",
    "ClaimFact",
    "CreateFailure",
    "DeploymentFact",
    "LaunchEventFact",
    "NamespaceFact",
    "NodeClaimFact",
    "NodeFact",
    "NodeOverlayFact",
    "NodePoolFact",
    "Pairs",
    "PodFact",
    "PriorityFact",
    "PriorityMap",
    "Progress",
    "QuotaFact",
    "Requirement",
    "Taint",
    "Word",
    "autoscaler_fact",
    "claim_fact",
    "deployment_fact",
    "extended",
    "group_states_fact",
    "launch_event_fact",
    "namespace_fact",
    "node_claim_fact",
    "node_fact",
    "node_overlay_fact",
    "node_pool_fact",
    "pairs",
    "pod_fact",
    "priority_fact",
    "priority_map",
    "quota_fact",
]
