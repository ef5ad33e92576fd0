"""The public schema, one kind per file, rendered to crds/."""

from chipwise.api.accelerator_class import (
    AcceleratorClass,
    AcceleratorClassSpec,
    AcceleratorClassStatus,
    NodeArchitecture,
    UndeclaredNodes,
)
from chipwise.api.accelerator_pool import (
    AcceleratorPool,
    AcceleratorPoolSpec,
    KarpenterHandle,
    NodeRange,
    NodeShape,
    Price,
    Spare,
)
from chipwise.api.capacity import CapacityType, PriceUnit
from chipwise.api.conditions import MESSAGE_LIMIT, CommonStatus, Condition, ConditionStatus, shorten
from chipwise.api.container_patch import ArgsMode, ArgsPatch, ContainerPatch
from chipwise.api.custom_object import API_VERSION, GROUP, VERSION
from chipwise.api.decimals import to_decimal
from chipwise.api.durations import to_milliseconds, to_seconds
from chipwise.api.errors import InvalidObject, Problem
from chipwise.api.inference_workload import (
    DeletionPolicy,
    InferenceWorkload,
    InferenceWorkloadSpec,
    Metric,
    Mode,
    Objective,
    ReplicaManager,
    Replicas,
    TargetRef,
    Traffic,
)
from chipwise.api.label_selector import LabelExpression, LabelSelector
from chipwise.api.metadata import Metadata
from chipwise.api.model_profile import (
    Architecture,
    ModelProfile,
    ModelProfileSpec,
    ModelProfileStatus,
    Variant,
)
from chipwise.api.parsing import KINDS, Kind, parse
from chipwise.api.performance import Coefficients, Performance, Point, Statistic
from chipwise.api.placement_policy import (
    CoolDown,
    OutdatedVariant,
    PlacementPolicy,
    PlacementPolicySpec,
    PlacementPolicyStatus,
)
from chipwise.api.pool_status import (
    AcceleratorPoolStatus,
    ChipCounts,
    LimitInForce,
    NodeCounts,
    PoolCoolDown,
    PriceInForce,
    ShapeInForce,
    SpareInForce,
)
from chipwise.api.precision import Precision
from chipwise.api.quantities import to_integer, to_milli
from chipwise.api.toleration import Toleration
from chipwise.api.workload_status import (
    CandidateStatus,
    CoolDownStatus,
    DecisionStatus,
    InferenceWorkloadStatus,
    Placement,
    PlacementSummary,
)

__all__ = [
    "API_VERSION",
    "GROUP",
    "KINDS",
    "MESSAGE_LIMIT",
    "VERSION",
    "AcceleratorClass",
    "AcceleratorClassSpec",
    "AcceleratorClassStatus",
    "AcceleratorPool",
    "AcceleratorPoolSpec",
    "AcceleratorPoolStatus",
    "Architecture",
    "ArgsMode",
    "ArgsPatch",
    "CandidateStatus",
    "CapacityType",
    "ChipCounts",
    "Coefficients",
    "CommonStatus",
    "Condition",
    "ConditionStatus",
    "ContainerPatch",
    "CoolDown",
    "CoolDownStatus",
    "DecisionStatus",
    "DeletionPolicy",
    "InferenceWorkload",
    "InferenceWorkloadSpec",
    "InferenceWorkloadStatus",
    "InvalidObject",
    "KarpenterHandle",
    "Kind",
    "LabelExpression",
    "LabelSelector",
    "LimitInForce",
    "Metadata",
    "Metric",
    "Mode",
    "ModelProfile",
    "ModelProfileSpec",
    "ModelProfileStatus",
    "NodeArchitecture",
    "NodeCounts",
    "NodeRange",
    "NodeShape",
    "Objective",
    "OutdatedVariant",
    "Performance",
    "Placement",
    "PlacementPolicy",
    "PlacementPolicySpec",
    "PlacementPolicyStatus",
    "PlacementSummary",
    "Point",
    "PoolCoolDown",
    "Precision",
    "Price",
    "PriceInForce",
    "PriceUnit",
    "Problem",
    "ReplicaManager",
    "Replicas",
    "ShapeInForce",
    "Spare",
    "SpareInForce",
    "Statistic",
    "TargetRef",
    "Toleration",
    "Traffic",
    "UndeclaredNodes",
    "Variant",
    "parse",
    "shorten",
    "to_decimal",
    "to_integer",
    "to_milli",
    "to_milliseconds",
    "to_seconds",
]
