"""One small world for one test: its own namespace, nodes, pools and profile, an author who applies files, and what is seen of it all.

Worlds live side by side under one operator. Each is built in the background and handed to its test when its author's pods serve and,
where a move is expected, the move is done.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from chipwise.performance import (
    MeasuredPoints,
    Metric,
    Objective,
    Point,
    Shape,
    Statistic,
    Sustained,
    sustained_rate,
)

from e2e import authored, platform_team
from e2e.admin import GROUP, Admin, Document
from e2e.audit import AuditTail
from e2e.authored import Setup
from e2e.cluster import Cluster
from e2e.cluster.fleet import apply
from e2e.operator_process import OperatorProcess
from e2e.waiting import Found, until
from e2e.watchlog import Revision, WatchLog

TRACES = ("chipwise.dev/base", "chipwise.dev/placement", "chipwise.dev/managed", "chipwise.dev/record")


def rate(tpot: int) -> float:
    """Requests per second that one replica sustains at this TPOT (ms)."""
    points = tuple(Point(count, 512, 100, 50.0, float(tpot)) for count in (1, 8, 16))
    goal = Objective(Metric.TPOT, Statistic.MEAN, 60.0)
    found = sustained_rate(MeasuredPoints(points, Statistic.MEAN), Shape(512, 100, 0.0), (goal,), 16)
    assert isinstance(found, Sustained)
    return found.requests_per_second


class World:
    """``demand`` is what must be served at every instant; ``since`` the moment at which the author's pods served."""

    def __init__(self, setup: Setup, cluster: Cluster, admin: Admin, operator: OperatorProcess) -> None:
        assert cluster.audit_log is not None
        self.setup, self.cluster, self.admin, self.operator = setup, cluster, admin, operator
        self.namespace = setup.name
        self.demand = setup.requests_per_second
        self.since = 0.0
        self.author_hash = ""
        self.audit = AuditTail(cluster.audit_log)
        self._rates = {
            f"{setup.name}-gpu": rate(setup.tpot),
            f"{setup.name}-alt": rate(setup.alternative_tpot),
            f"{setup.name}-alt2": rate(setup.alternative_tpot),
        }
        self.log: WatchLog
        self._beside: list[tuple[WatchLog, float, float]] = []

    # building

    def build(self) -> World:
        """Everything up to the settled move."""
        self.build_author()
        self.kubectl_apply(authored.workload(self.setup))
        if self.setup.expects_move:
            self.settled("alt")
        else:
            self.eventually(lambda: self.conditions().get("Ready"), "a decision")
        return self

    def build_author(self) -> None:
        """Everything but the workload: the author's pods serve. Needs no operator."""
        setup = self.setup
        namespace = authored.labelled(
            setup, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": setup.name}}
        )
        apply(self.cluster, [namespace, *platform_team.nodes(setup), *platform_team.kinds(setup)])
        self.log = WatchLog(self.admin, self.namespace, self._rates, {"app": "chat"})
        self.author_applies()
        if setup.autoscaled:
            self.kubectl_apply(authored.autoscaler(setup))
        if not setup.stated_replicas and setup.replicas != 1:
            self.kubectl("scale", "deployment/chat", f"--replicas={setup.replicas}")
        self.eventually(
            lambda: self.log.ready_now() == setup.replicas and self.rolled_out(),
            "the author's pods serve",
            40,
        )
        self.since = time.monotonic()
        (self.author_hash,) = self.hashes()

    # the author and other people

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """As a person with full rights, in the world's namespace."""
        return self.cluster.run_kubectl("--namespace", self.namespace, *arguments, stdin=stdin)

    def kubectl_apply(self, document: Document, *flags: str) -> float:
        """Apply a file; the moment at which kubectl was started."""
        moment = time.monotonic()
        self.kubectl("apply", *flags, "-f", "-", stdin=json.dumps(document))
        return moment

    def author_applies(self, *flags: str, image: str = authored.IMAGE) -> float:
        """The author's file once more, by the author's own way of applying unless other flags are given."""
        usual = ("--server-side",) if self.setup.server_side else ()
        return self.kubectl_apply(authored.deployment(self.setup, image=image), *(flags or usual))

    def edit_workload(self, **spec: Any) -> None:
        """Change the workload's spec."""
        self.admin.merge(self._workload, {"spec": spec})

    def set_price(self, pool: str, amount: str) -> None:
        """Change what a node of a pool costs."""
        self.admin.merge(self.path_of_pool(pool), {"spec": {"price": {"amount": amount}}})

    def edit_policy(self, **spec: Any) -> None:
        """Change the spec of the world's own policy."""
        self.admin.merge(f"{GROUP}/placementpolicies/{self.namespace}", {"spec": spec})

    def joined_by(self, name: str, replicas: int, **spec: Any) -> None:
        """A second Deployment of the same author, and its workload once its pods serve. From then on its demand counts too."""
        setup = replace(self.setup, replicas=replicas)
        document = authored.deployment(setup, name=name)
        log = WatchLog(self.admin, self.namespace, self._rates, {"app": name})
        document["spec"]["replicas"] = replicas
        self.kubectl_apply(document)
        self.eventually(lambda: log.ready_now() == replicas, f"the pods of {name} serve", 40)
        self._beside.append((log, setup.requests_per_second, time.monotonic()))
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
        self.kubectl_apply(authored.workload(setup, name=name, targetRef=target, **spec))

    def delete_workload(self) -> None:
        """Take the workload away."""
        self.admin.delete(self._workload)

    # what is seen

    def path_of(self, workload: str) -> str:
        """Where the API server has a workload of this world."""
        return f"{GROUP}/namespaces/{self.namespace}/inferenceworkloads/{workload}"

    def path_of_pool(self, chip: str) -> str:
        """The same for one of its pools."""
        return f"{GROUP}/acceleratorpools/{self.namespace}-{chip}"

    @property
    def _workload(self) -> str:
        return self.path_of("chat")

    @property
    def _deployment(self) -> str:
        return f"/apis/apps/v1/namespaces/{self.namespace}/deployments/chat"

    def status(self) -> Document:
        """The workload's status; empty before there is one."""
        found = self.admin.find(self._workload) or {}
        status: Document = found.get("status") or {}
        return status

    def conditions(self, path: str | None = None) -> dict[str, Document]:
        """Conditions by type, of the workload or of another object."""
        status = self.status() if path is None else (self.admin.find(path) or {}).get("status") or {}
        return {each["type"]: each for each in status.get("conditions") or ()}

    def condition(self, kind: str) -> tuple[str, str]:
        """(status, reason) of one condition; empty strings where it is not there."""
        found = self.conditions().get(kind, {})
        return found.get("status", ""), found.get("reason", "")

    def told(self, kind: str, status: str, reason: str, path: str | None = None) -> str:
        """Wait for a condition, of the workload or of another object; its sentence."""

        def check() -> bool:
            found = self.conditions(path).get(kind, {})
            return (found.get("status"), found.get("reason")) == (status, reason)

        self.eventually(check, f"{kind}={status}, {reason} on {path or 'the workload'}")
        return str(self.conditions(path)[kind]["message"])

    def event(self, reason: str, about: str = "chat") -> Document:
        """Wait for an Event of this reason about a workload (or Deployment) of this name; the first one."""

        def posted() -> list[Document]:
            found = self.admin.events(self.namespace, reason)
            return [each for each in found if each["regarding"]["name"] == about]

        return self.eventually(posted, f"an Event {reason} about {about}")[0]

    def deployment(self) -> Document:
        """The Deployment as it is now."""
        return self.admin.get(self._deployment)

    def pods(self) -> list[Document]:
        """Pods that are not terminating."""
        items = self.admin.get(f"/api/v1/namespaces/{self.namespace}/pods")["items"]
        return [pod for pod in items if "deletionTimestamp" not in pod["metadata"]]

    def bridge(self) -> Document | None:
        """The bridge beside the Deployment, if one stands."""
        items = self.admin.get(f"/apis/apps/v1/namespaces/{self.namespace}/deployments")["items"]
        return next(
            (each for each in items if "chipwise.dev/bridge" in each["metadata"].get("labels", {})), None
        )

    def bridge_revisions(self) -> list[Revision]:
        """Every state of every bridge that was ever there."""
        names = [name for name in self.log.names() if "-bridge-" in name]
        return [revision for name in names for revision in self.log.revisions(name, self.since)]

    def hashes(self) -> set[str]:
        """The pod-template-hashes of the pods that run."""
        return {pod["metadata"]["labels"]["pod-template-hash"] for pod in self.pods()}

    def rolled_out(self) -> bool:
        """The Deployment controller has nothing left to do."""
        found = self.deployment()
        status, replicas = found.get("status", {}), found["spec"]["replicas"]
        counts = {status.get(key) for key in ("replicas", "updatedReplicas", "readyReplicas")}
        return status.get("observedGeneration") == found["metadata"]["generation"] and counts == {replicas}

    def is_on(self, pool: str) -> bool:
        """Every pod runs on a node of the pool, and the Deployment is rolled out."""
        found = self.pods()
        prefix = f"{self.namespace}-{pool}-"
        return (
            bool(found)
            and all(pod["spec"].get("nodeName", "").startswith(prefix) for pod in found)
            and self.rolled_out()
        )

    def settled(self, pool: str, replicas: int | None = None, deadline: float = 40) -> Document:
        """Wait until the workload is placed on the pool, nothing is left to do, and its status says so; the Deployment."""

        def check() -> bool:
            if not self.is_on(pool) or self.condition("Placed")[0] != "True":
                return False
            if replicas is not None and self.deployment()["spec"]["replicas"] != replicas:
                return False
            return bool(self.status()["placements"][0]["pool"] == f"{self.namespace}-{pool}")

        self.eventually(check, f"settled on {pool}", deadline)
        return self.deployment()

    def restored(self, deadline: float = 40) -> Document:
        """Wait until nothing of ours is left on the Deployment and its author's pods serve; the Deployment."""

        def check() -> bool:
            metadata = self.deployment()["metadata"]
            kept = {**metadata.get("labels", {}), **metadata.get("annotations", {})}
            return not any(trace in kept for trace in TRACES) and self.is_on("gpu")

        self.eventually(check, "restored to the author", deadline)
        return self.deployment()

    def revisions(self, since: float | None = None) -> list[Revision]:
        """Every state of the Deployment, from the start of the demand unless told otherwise."""
        return self.log.revisions("chat", self.since if since is None else since)

    def writes(self) -> list[Document]:
        """The operator's requests that change Deployments of this world, bridges included, but for those turned away as stale."""
        found = self.audit.writes("deployments", self.namespace)
        return [each for each in found if each["responseStatus"].get("code") != HTTPStatus.CONFLICT]

    def nothing_lost(self) -> None:
        """AssertionError if capacity ever fell below the demand since the author's pods served, of any of its Deployments."""
        for log, demand, since in [(self.log, self.demand, self.since), *self._beside]:
            log.capacity_never_below(demand, since)

    def eventually(self, check: Callable[[], Found], what: str, deadline: float = 20.0) -> Found:
        """The first true answer of ``check``; AssertionError with the operator's last words if there is none in time."""
        return until(check, what, deadline, self._last_words)

    def _last_words(self) -> str:
        return (
            f"--- status\n{json.dumps(self.status(), indent=1)}\n"
            f"--- pods\n{self._pods_in_words()}\n--- operator\n{self.operator.log_tail(40)}"
        )

    def _pods_in_words(self) -> str:
        return self.kubectl("get", "pods", "-o", "wide")


def server(template: Document) -> Document:
    """The serving container of a pod template."""
    return next(dict(each) for each in template["spec"]["containers"] if each["name"] == "server")
