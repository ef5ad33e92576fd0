"""The resources chipwise reads and writes, and where the API server keeps them."""

from __future__ import annotations

from dataclasses import dataclass

GROUP = "chipwise.dev"
VERSION = "v1alpha1"


@dataclass(frozen=True, slots=True, order=True)
class Resource:
    """One served resource, or a ``part`` of it that is read by itself: the objects that the field selector ``select`` keeps.

    ``group`` is empty for the core group, ``home`` the one namespace in which it is read, empty for all.
    """

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool
    part: str = ""
    select: str = ""
    home: str = ""

    def __str__(self) -> str:
        whole = f"{self.plural}.{self.group}" if self.group else self.plural
        return f"{whole}/{self.part}" if self.part else whole

    @property
    def api_version(self) -> str:
        """What a document of this resource says in ``apiVersion``."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(
        self, namespace: str | None = None, name: str | None = None, subresource: str | None = None
    ) -> str:
        """Return the URL path of the collection, of one object, or of its subresource.

        No namespace means all namespaces for a collection. Raises ValueError for a namespaced object without one.
        """
        if name is not None and self.namespaced and not namespace:
            raise ValueError(f"{self} {name!r} needs a namespace")
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        inside = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return f"{root}{inside}/{self.plural}" + "".join(f"/{part}" for part in (name, subresource) if part)


NODES = Resource("", "v1", "nodes", "Node", namespaced=False)
#: Those that ended hold nothing; the server leaves them out.
PODS = Resource(
    "", "v1", "pods", "Pod", namespaced=True, select="status.phase!=Succeeded,status.phase!=Failed"
)
NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
RESOURCE_QUOTAS = Resource("", "v1", "resourcequotas", "ResourceQuota", namespaced=True)
PERSISTENT_VOLUME_CLAIMS = Resource(
    "", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", namespaced=True
)
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment", namespaced=True)
REPLICA_SETS = Resource("apps", "v1", "replicasets", "ReplicaSet", namespaced=True)
HORIZONTAL_POD_AUTOSCALERS = Resource(
    "autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", namespaced=True
)
PRIORITY_CLASSES = Resource("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", namespaced=False)
EVENTS = Resource("events.k8s.io", "v1", "events", "Event", namespaced=True)
#: What Cluster Autoscaler says beside a pod.
SCALE_UP_REFUSALS = Resource(
    "", "v1", "events", "Event", namespaced=True, part="scale-ups", select="reason=NotTriggerScaleUp"
)
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap", namespaced=True)
AUTOSCALER_STATUS = Resource(
    "",
    "v1",
    "configmaps",
    "ConfigMap",
    namespaced=True,
    part="cluster-autoscaler-status",
    select="metadata.name=cluster-autoscaler-status",
)
EXPANDER_PRIORITIES = Resource(
    "",
    "v1",
    "configmaps",
    "ConfigMap",
    namespaced=True,
    part="cluster-autoscaler-priority-expander",
    select="metadata.name=cluster-autoscaler-priority-expander",
)
POD_TEMPLATES = Resource("", "v1", "podtemplates", "PodTemplate", namespaced=True)
PROVISIONING_REQUESTS = Resource(
    "autoscaling.x-k8s.io", "v1", "provisioningrequests", "ProvisioningRequest", namespaced=True
)
LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease", namespaced=True)

#: Karpenter's own kinds; the third is alpha. An Event about a NodeClaim, which has no namespace, is kept in ``default``.
NODE_POOLS = Resource("karpenter.sh", "v1", "nodepools", "NodePool", namespaced=False)
NODE_CLAIMS = Resource("karpenter.sh", "v1", "nodeclaims", "NodeClaim", namespaced=False)
NODE_OVERLAYS = Resource("karpenter.sh", "v1alpha1", "nodeoverlays", "NodeOverlay", namespaced=False)
LAUNCH_EVENTS = Resource(
    "",
    "v1",
    "events",
    "Event",
    namespaced=True,
    part="launches",
    select="involvedObject.kind=NodeClaim",
    home="default",
)

ACCELERATOR_CLASSES = Resource(GROUP, VERSION, "acceleratorclasses", "AcceleratorClass", namespaced=False)
ACCELERATOR_POOLS = Resource(GROUP, VERSION, "acceleratorpools", "AcceleratorPool", namespaced=False)
MODEL_PROFILES = Resource(GROUP, VERSION, "modelprofiles", "ModelProfile", namespaced=False)
INFERENCE_WORKLOADS = Resource(GROUP, VERSION, "inferenceworkloads", "InferenceWorkload", namespaced=True)
PLACEMENT_POLICIES = Resource(GROUP, VERSION, "placementpolicies", "PlacementPolicy", namespaced=False)

OUR_KINDS: tuple[Resource, ...] = (
    ACCELERATOR_CLASSES,
    ACCELERATOR_POOLS,
    INFERENCE_WORKLOADS,
    MODEL_PROFILES,
    PLACEMENT_POLICIES,
)
