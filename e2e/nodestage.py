"""A stage for one story with the real Karpenter: what a person changes, and what is seen."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from e2e.admin import GROUP, Admin, Document, Refused
from e2e.cluster import Cluster
from e2e.cluster.fleet import apply
from e2e.cluster.karpenter import Karpenter
from e2e.nodebill import KARPENTER, NodeLog
from e2e.nodepools import NODE_POOL, Fleet
from e2e.operator_process import OperatorProcess
from e2e.waiting import Found, until

CLASSES = "/apis/karpenter.kwok.sh/v1alpha1/kwoknodeclasses"


class Stage:
    """One fleet on the shared control plane."""

    def __init__(
        self, fleet: Fleet, cluster: Cluster, admin: Admin, operator: OperatorProcess, karpenter: Karpenter
    ) -> None:
        self.fleet, self.cluster, self.admin = fleet, cluster, admin
        self.operator, self.karpenter = operator, karpenter
        self.nodes_seen = NodeLog(admin, fleet)

    def build(self) -> Stage:
        """The author's pods serve on H100, on nodes that Karpenter made for them."""
        apply(self.cluster, self.fleet.kinds())
        self.eventually(
            lambda: all(self.ready("NodePool", self.fleet.pool(place)) for place in self.fleet.places),
            "NodePools are ready",
        )
        apply(self.cluster, [self.fleet.deployment()])
        self.eventually(lambda: self.is_on("h100"), "the author's pods serve", 60)
        return self

    def begin(self) -> float:
        """Create the workload; the moment."""
        moment = time.monotonic()
        apply(self.cluster, [self.fleet.workload()])
        return moment

    # what people change

    def path(self, kind: str, chip: str) -> str:
        """Where an object of one chip is."""
        return f"{_PLACES[kind]}/{self.fleet.pool(chip)}"

    def set_price(self, chip: str, amount: str) -> None:
        """What a node of a pool costs from now on."""
        self.admin.merge(self.path("AcceleratorPool", chip), {"spec": {"price": {"amount": amount}}})

    def set_limit(self, chip: str, **limits: str) -> None:
        """Limits of a NodePool."""
        self.admin.merge(self.path("NodePool", chip), {"spec": {"limits": limits}})

    def set_class_ready(self, chip: str, *, ready: bool, reason: str = "", message: str = "") -> None:
        """What the provider says of a NodeClass."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        said = {
            "type": "Ready",
            "status": "True" if ready else "False",
            "reason": reason or "Ready",
            "message": message,
            "lastTransitionTime": moment,
            "observedGeneration": 1,
        }
        path = self.path("KWOKNodeClass", chip)
        self.admin.merge(f"{path}/status", {"status": {"conditions": [said]}})

    def lose_machine(self, chip: str) -> None:
        """One of its NodeClaims is deleted; Karpenter drains the node."""
        name = self.nodes(chip)[0]["metadata"]["ownerReferences"][0]["name"]
        self.admin.delete(f"{KARPENTER}/nodeclaims/{name}")
        self.eventually(lambda: not self.admin.find(f"{KARPENTER}/nodeclaims/{name}"), f"{name} is gone")

    def keep_node_pool_ready(self, chip: str) -> None:
        """No status of a NodePool may be written any more: Karpenter goes on believing that its NodeClass is there.

        So a NodeClass that is deleted is missed at each launch, and the provider answers with InsufficientCapacityError.
        """
        name = self.fleet.pool(chip)
        policy = self.fleet.admission_policy(
            f"{name}-status",
            {"apiGroups": ["karpenter.sh"], "apiVersions": ["*"], "resources": ["nodepools/status"]},
            f"object.metadata.name != '{name}'",
        )
        apply(self.cluster, policy)
        body = {"status": {"nodes": 0}}
        self.eventually(
            lambda: self._refused(f"{self.path('NodePool', chip)}/status", body), "it is in force"
        )

    def let_node_pool_be(self, chip: str) -> None:
        """Karpenter may write its status again."""
        name = f"{self.fleet.pool(chip)}-status"
        for kind in ("validatingadmissionpolicybindings", "validatingadmissionpolicies"):
            self.admin.delete(f"/apis/admissionregistration.k8s.io/v1/{kind}/{name}")

    def _refused(self, path: str, body: Document) -> bool:
        try:
            self.admin.merge(path, body)
        except Refused:
            return True
        return False

    # what is seen

    def ready(self, kind: str, name: str) -> bool:
        """Whether an object's condition Ready is True."""
        return self.condition(f"{_PLACES[kind]}/{name}").get("status") == "True"

    def condition(self, path: str, kind: str = "Ready") -> Document:
        """One condition, empty if it is not there."""
        status = (self.admin.find(path) or {}).get("status") or {}
        return next((each for each in status.get("conditions") or () if each["type"] == kind), {})

    def status(self) -> Document:
        """The workload's."""
        found = self.admin.find(f"{GROUP}/namespaces/{self.fleet.name}/inferenceworkloads/chat") or {}
        return found.get("status") or {}

    def pool_status(self, chip: str) -> Document:
        """The pool's."""
        return (self.admin.find(self.path("AcceleratorPool", chip)) or {}).get("status") or {}

    def cool_downs(self, chip: str) -> list[Document]:
        """What cools down in a pool."""
        found: list[Document] = self.pool_status(chip).get("coolDowns") or []
        return found

    def placed(self) -> str:
        """The chip on which the workload's status says that it is."""
        placements = self.status().get("placements") or [{}]
        return str(placements[0].get("pool", "")).removeprefix(f"{self.fleet.name}-")

    def placements(self) -> list[tuple[str, int, str]]:
        """Each of the status: the short name of its pool, replicas, reason."""
        return [
            (each["pool"].removeprefix(f"{self.fleet.name}-"), each["replicas"], each.get("reason", ""))
            for each in self.status().get("placements") or ()
        ]

    def terms(self) -> list[str]:
        """The NodePools of the required terms of the template, by their short names, in order."""
        found = self.admin.get(f"/apis/apps/v1/namespaces/{self.fleet.name}/deployments/chat")
        affinity: Document = found["spec"]["template"]["spec"].get("affinity", {}).get("nodeAffinity", {})
        required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution", {})
        names = [
            name
            for term in required.get("nodeSelectorTerms", ())
            for each in term["matchExpressions"]
            if each["key"] == NODE_POOL
            for name in each["values"]
        ]
        return [name.removeprefix(f"{self.fleet.name}-") for name in names]

    def pods(self) -> list[Document]:
        """Those that are not terminating."""
        items = self.admin.get(f"/api/v1/namespaces/{self.fleet.name}/pods")["items"]
        return [pod for pod in items if "deletionTimestamp" not in pod["metadata"]]

    def nodes(self, chip: str) -> list[Document]:
        """Nodes of one chip that are there."""
        selector = f"{NODE_POOL}%3D{self.fleet.pool(chip)}"
        found: list[Document] = self.admin.get(f"/api/v1/nodes?labelSelector={selector}")["items"]
        return found

    def is_on(self, chip: str) -> bool:
        """Every pod serves on a node of one chip, and the rollout is done."""
        pods, names = self.pods(), {node["metadata"]["name"] for node in self.nodes(chip)}
        ready = [pod for pod in pods if _is_ready(pod) and pod["spec"].get("nodeName") in names]
        return len(ready) == len(pods) == self.fleet.replicas

    def settled(self, chip: str, deadline: float = 90) -> float:
        """Wait until all serve on one chip and the workload's status says so; seconds that it took."""
        begun = time.monotonic()
        self.eventually(lambda: self.is_on(chip) and self.placed() == chip, f"settled on {chip}", deadline)
        return time.monotonic() - begun

    def costs(self, place: str, amount: str) -> None:
        """Wait until the status says that serving there costs so much an hour.

        While pods of any story are where the pools as known have no node, the bill is not known and says whole nodes, for as long as
        the stories that break machines take; and a figure that moves alone is written once a minute after that.
        """
        wanted = [(self.fleet.pool(place), amount)]
        self.eventually(
            lambda: (
                [(each["pool"], each.get("costPerHour")) for each in self.status()["placements"]] == wanted
            ),
            f"{amount} $/h on {place}",
            240,
        )

    def gone(self, chip: str, deadline: float = 150) -> float:
        """Wait until Karpenter has taken every node of one chip away; seconds that it took."""
        begun = time.monotonic()
        self.eventually(lambda: not self.nodes(chip), f"no node of {chip} is left", deadline)
        return time.monotonic() - begun

    def events(self, reason: str) -> list[Document]:
        """Events of the operator, of one reason."""
        return self.admin.events(self.fleet.name, reason)

    def eventually(self, check: Callable[[], Found], what: str, deadline: float = 60.0) -> Found:
        """The first true answer; AssertionError with everybody's last words if there is none in time."""
        return until(check, what, deadline, self._last_words, pause=0.2)

    def _last_words(self) -> str:
        pools = {place: self.pool_status(place) for place in self.fleet.places}
        where = self.cluster.run_kubectl("get", "pods,nodeclaims", "-o", "wide", "-n", self.fleet.name)
        return (
            f"--- status\n{json.dumps(self.status(), indent=1)}\n--- pools\n{json.dumps(pools, indent=1)}\n--- pods\n{where}\n"
            f"--- operator\n{self.operator.log_tail(30)}\n--- karpenter\n{self.karpenter.log_tail(30)}"
        )


_PLACES = {
    "AcceleratorPool": f"{GROUP}/acceleratorpools",
    "NodePool": f"{KARPENTER}/nodepools",
    "KWOKNodeClass": CLASSES,
}


def _is_ready(pod: Document) -> bool:
    conditions = pod.get("status", {}).get("conditions") or ()
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
