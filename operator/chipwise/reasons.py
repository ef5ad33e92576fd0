"""Every reason why chipwise refuses, holds or fails something, as one closed list.

A reason travels unchanged from the line of code that found it to a condition, an Event, the command line and a metric label.
It is CamelCase because Kubernetes conditions demand it. Nothing here explains a particular case: that is the refusal's message.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """What stands in the way. The comment behind each is what a person can do about it."""

    # what the operator itself waits for
    KIND_MISSING = "KindMissing"  # install the CRD, or start without the flag that needs it
    NOT_LISTED = "NotListed"  # a role may be missing: the log says why
    OUT_OF_SIGHT = "OutOfSight"  # a watch is away: the log says why
    # the workload and what it names
    TARGET_MISSING = "TargetMissing"  # create the Deployment, or correct targetRef
    TARGET_OWNED = "TargetOwned"  # name the owner's own knob, or release the Deployment from its controller
    TARGET_CLAIMED = "TargetClaimed"  # two workloads name one Deployment: delete one
    CONTAINER_MISSING = "ContainerMissing"  # correct spec.container
    CONTAINER_AMBIGUOUS = "ContainerAmbiguous"  # set spec.container
    PROFILE_MISSING = "ProfileMissing"  # create the ModelProfile
    POLICY_MISSING = "PolicyMissing"  # create the PlacementPolicy, or drop policyName
    PRIORITY_CLASS_MISSING = "PriorityClassMissing"  # create the PriorityClass
    INVALID = "Invalid"  # the object does not pass its own schema: the message names the field
    # classes and pools
    CLASS_MISSING = "ClassMissing"  # create the AcceleratorClass
    RESOURCE_NAME_MISSING = "ResourceNameMissing"  # fill in spec.resourceName of the class
    UNPRICED = "Unpriced"  # give the pool a price
    CURRENCY_MISMATCH = "CurrencyMismatch"  # price all pools in one currency
    OVERLAPPING = "Overlapping"  # make the node selectors disjoint
    SELECTOR_UNSTABLE = (
        "SelectorUnstable"  # select by the provider's own label: this one is not there at zero nodes
    )
    CAPACITY_TYPE_MISMATCH = "CapacityTypeMismatch"  # correct capacityType, or the node selector
    # what an autoscaler is told
    PRIORITIES_UNUSABLE = "PrioritiesUnusable"  # mend the ConfigMap of the priority expander
    # room that is kept warm
    SPARE_NOT_ENABLED = "SpareNotEnabled"  # start chipwise with --spare
    SPARE_NOT_YIELDING = "SpareNotYielding"  # the PriorityClass of placeholders must be below 0
    SPARE_WAITING = "SpareWaiting"  # placeholders have no node yet: the message has the scheduler's words
    NAME_TAKEN = "NameTaken"  # somebody else has a Deployment of this name: rename it
    # pools that Karpenter fills
    KARPENTER_NOT_READ = "KarpenterNotRead"  # start chipwise with --karpenter
    NODE_POOL_MISSING = "NodePoolMissing"  # create the NodePool, or correct spec.karpenter.nodePool
    NODE_POOL_MISMATCH = "NodePoolMismatch"  # the NodePool makes no node that the pool would select
    NODE_POOL_NOT_READY = "NodePoolNotReady"  # Karpenter launches nothing: the message has its words
    SHAPE_UNKNOWN = "ShapeUnknown"  # no node was seen yet: declare spec.shape
    # the catalogue, and price lists held against it
    CHIP_UNKNOWN = "ChipUnknown"  # the message has near names: chipwise catalog chips
    MODEL_UNKNOWN = "ModelUnknown"  # the message has near names: chipwise catalog models
    INSTANCE_UNKNOWN = "InstanceUnknown"  # the message has near names: chipwise catalog instances
    PRICE_UNKNOWN = "PriceUnknown"  # give the price: none is taken from another region
    NO_PRECISION = "NoPrecision"  # the chip publishes no TFLOPS, neither at the precision of the model's weights nor at 16 bits
    PRICE_ABSENT = "PriceAbsent"  # 0 or blank means that none is published
    PRICE_PLACEHOLDER = "PricePlaceholder"  # an amount that stands for "not for sale"
    PRICE_MALFORMED = "PriceMalformed"  # not an amount of money for an hour of a machine
    SPOT_ABOVE_ON_DEMAND = "SpotAboveOnDemand"  # one of the two is wrong
    CHIP_COUNT_WRONG = "ChipCountWrong"  # the machine has another number of chips
    HOST_EXCLUDED = "HostExcluded"  # the price of the chips alone: add the machine's
    CORES_COUNTED = "CoresCounted"  # the name counts cores: halve it
    # one variant on one pool
    NO_VARIANT = "NoVariant"  # the profile has no variant for any pool's class
    VARIANT_NOT_ALLOWED = "VariantNotAllowed"
    VARIANT_OUTDATED = (
        "VariantOutdated"  # the variant was not made for this image: extend baseImages or the image
    )
    POOL_NOT_ALLOWED = "PoolNotAllowed"
    NAMESPACE_NOT_ALLOWED = "NamespaceNotAllowed"  # the pool's namespaceSelector does not match
    CAPACITY_TYPE_NOT_ALLOWED = "CapacityTypeNotAllowed"  # the policy's capacityTypes
    PRECISION_TOO_LOW = "PrecisionTooLow"
    MEMORY_EXCEEDED = "MemoryExceeded"  # weights and KV cache do not fit the chips of one replica
    CONTEXT_EXCEEDED = "ContextExceeded"  # the mean request is longer than the model's context
    NO_PERFORMANCE = "NoPerformance"  # measure it, or give the architecture so that it can be estimated
    OBJECTIVE_MISSED = "ObjectiveMissed"  # even one request alone misses the objective
    OVERLOADED = "Overloaded"  # more requests than one replica finishes, at any latency: add replicas
    STATISTIC_MISMATCH = "StatisticMismatch"  # measured in a statistic that cannot answer the objective's
    PERCENTILE_UNSUPPORTED = "PercentileUnsupported"  # an estimate is of means: measure the percentile
    IMPLAUSIBLE = (
        "Implausible"  # measured faster than the chips can read the weights: correct chip, chips or precision
    )
    REPLICAS_EXCEEDED = "ReplicasExceeded"  # needs more than spec.replicas.max or the HPA's maximum
    NODE_TOO_SMALL = "NodeTooSmall"  # one replica does not fit one node
    ARCHITECTURE_MISMATCH = "ArchitectureMismatch"
    VOLUME_NOT_MOVABLE = "VolumeNotMovable"  # hostPath or a claim that cannot attach twice
    SELECTOR_UNSATISFIED = "SelectorUnsatisfied"  # the author's own selector or affinity excludes the pool
    TAINT_NOT_TOLERATED = "TaintNotTolerated"
    QUOTA_EXCEEDED = "QuotaExceeded"
    CONSTRAINT_UNCLEAR = "ConstraintUnclear"  # the author's own constraint on pods cannot be counted
    # laying a variant over the author's Deployment
    ARGS_NOT_PATCHABLE = "ArgsNotPatchable"  # the engine starts from a shell one-liner: give the flags as a list, or mode Replace
    SIDECAR_WANTS_CHIPS = "SidecarWantsChips"  # a second container asks for chips: drop its request
    DEVICE_CLAIMED = "DeviceClaimed"  # devices through ResourceClaims cannot be moved yet
    NODE_PINNED = "NodePinned"  # spec.nodeName names a node: drop it
    VOLUME_CONFLICT = "VolumeConflict"  # rename the variant's volume
    BASE_TOO_LARGE = "BaseTooLarge"  # the author's template does not fit an annotation
    # the joint choice
    NO_FEASIBLE_VARIANT = "NoFeasibleVariant"  # summary: every (variant, pool) was refused
    CAPACITY_EXHAUSTED = (
        "CapacityExhausted"  # feasible alone, but others of equal or higher priority hold the room
    )
    FRAGMENTED = "Fragmented"  # there is room, but not together on nodes that may take a replica
    # whether and when to move
    MODE_OFF = "ModeOff"
    ALREADY_PLACED = "AlreadyPlaced"  # mode Initial has placed once
    MINIMUM_STAY = "MinimumStay"
    PAYBACK_TOO_LONG = "PaybackTooLong"
    NO_SAVINGS = "NoSavings"
    CONCURRENCY_BUDGET = "ConcurrencyBudget"
    FROZEN = "Frozen"
    NEEDS_BRIDGE = (
        "NeedsBridge"  # more replicas on the new chip, and their number is not ours to write: raise it
    )
    NO_SURGE_CAPACITY = "NoSurgeCapacity"  # both copies do not fit at once, or over a bridge one replica more
    PROBING = "Probing"  # the autoscaler is asked whether there is room: wait
    MOVE_IN_PROGRESS = "MoveInProgress"
    ROLLOUT_IN_PROGRESS = "RolloutInProgress"  # the author's own rollout has not finished
    ROLLOUT_PAUSED = "RolloutPaused"  # the Deployment is paused (spec.paused): resume it
    PAUSED = "Paused"  # the author undid our move
    RECORD_DAMAGED = (
        "RecordDamaged"  # the record was edited by hand: put it back, or undo to a revision from before that
    )
    CONTESTED = "Contested"  # another manager keeps reverting it
    RESTORED = "Restored"  # given back to its author on request: edit the workload's spec
    WRITES_DISABLED = "WritesDisabled"  # installed with writes.enabled=false
    WRITE_REFUSED = "WriteRefused"  # the API server refused the write: the message says why
    # a placement that does not serve
    UNSCHEDULABLE = "Unschedulable"  # pods found no node in time: add nodes, or wait for the next try
    STOCKOUT = "Stockout"  # the autoscaler was refused nodes by the provider: it tries again by itself, or raise the quota
    GROUP_AT_MAXIMUM = (
        "GroupAtMaximum"  # the autoscaler's node group has as many nodes as it may: raise its maximum
    )
    SCALE_UP_REFUSED = (
        "ScaleUpRefused"  # the autoscaler adds no node for the pods: its words say what does not fit
    )
    LAUNCH_FAILED = "LaunchFailed"  # Karpenter's provider had no machine: the message has its words
    LIMIT_REACHED = "LimitReached"  # the NodePool's limits let no further node come: raise them
    CAPACITY_REFUSED = (
        "CapacityRefused"  # the autoscaler was asked for room before the move and has none: its words say why
    )
    NODES_LOST = "NodesLost"  # the pool has no node left and gets no new one by itself
    NEVER_READY = "NeverReady"  # pods run and do not get Ready in time: look at their log and readiness probe
    CRASH_LOOP = "CrashLoop"  # the container ends again and again: look at its log
    IMAGE_PULL_FAILED = "ImagePullFailed"  # the image is not there, or may not be pulled
    CONTAINER_NOT_STARTED = (
        "ContainerNotStarted"  # a Secret, ConfigMap or command that the container needs is missing
    )
    ADMISSION_REFUSED = (
        "AdmissionRefused"  # an admission policy or webhook refuses the pods: the message has its words
    )
    TOO_MANY_FAILURES = "TooManyFailures"  # placements keep failing: mend what they name before more is moved
    COOLING_DOWN = "CoolingDown"  # it failed a moment ago and is tried again later
    # good ends
    SCALED_TO_ZERO = (
        "ScaledToZero"  # by its author or for lack of traffic: nothing is written until it is scaled up
    )
    RESCUED = "Rescued"
    STAYS = "Stays"
    MOVED = "Moved"
    RESTORING = "Restoring"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something cannot be: a typed reason, and a sentence with the figures of this case and what would let it in."""

    reason: Reason
    message: str
