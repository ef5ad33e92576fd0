"""One write that is to be made, and on what it was decided: on the author's Deployment, or of the bridge beside it.

An act holds the Deployments as they were decided on. If one of them reads otherwise by now the act is void, and ``write`` says what is
to be sent for those that were just read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from chipwise.cluster.facts import DeploymentFact, deployment_fact
from chipwise.rendering import bridge as bridges
from chipwise.rendering import write
from chipwise.rendering.bridge import Bridge
from chipwise.rendering.manifest import Manifest
from chipwise.rendering.record import Record

#: Deployments as they read now, by namespace/name.
Fresh = Mapping[str, dict[str, Any]]


class Kind(StrEnum):
    """What a write is for; also the reason of its Event."""

    MOVE = "Moving"
    HEAL = "Healed"
    ADOPT = "AuthorChanged"
    SCALE = "Scaled"
    RESTORE = "Restoring"
    RESTORED = "Restored"
    RELEASE = "Released"
    RENEW = "Renewed"
    ROLL_BACK = "RolledBack"
    BRIDGE = "Bridged"
    BRIDGE_SCALE = "BridgeScaled"
    UNBRIDGE = "BridgeRemoved"


@dataclass(frozen=True, slots=True)
class Patch:
    """Change a Deployment. The operations fail unless it is the very one that was read."""

    namespace: str
    name: str
    operations: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Create:
    """Make a Deployment, unless there is one of that name."""

    namespace: str
    document: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Delete:
    """Take a Deployment away, if it is still the very one that was read: ``only`` has its uid and resourceVersion."""

    namespace: str
    name: str
    only: Mapping[str, str]


Write = Patch | Create | Delete


@dataclass(frozen=True, slots=True)
class Act:
    """One write on the author's Deployment."""

    kind: Kind
    deployment: DeploymentFact
    message: str
    manifest: Manifest | None = None
    record: Record | None = None
    replicas: int | None = None

    @property
    def decided_on(self) -> tuple[DeploymentFact, ...]:
        """What must read as it did."""
        return (self.deployment,)

    def write(self, fresh: Fresh) -> Write | None:
        """What to send; None if it would change nothing."""
        about = self.deployment
        operations = self.patch(fresh[about.key])
        return Patch(about.namespace, about.name, operations) if operations else None

    def patch(self, document: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The JSON Patch on the Deployment as it stands, guarded by its resourceVersion; empty if it would change nothing."""
        if self.replicas is not None:
            return write.scale(document, self.replicas)
        if self.record is None:
            return (
                write.release(document) if self.manifest is None else write.restore(document, self.manifest)
            )
        if self.manifest is None:
            return write.rebase(document, self.record)
        return write.move(document, self.manifest, self.record)


@dataclass(frozen=True, slots=True)
class BridgeAct:
    """One write of the bridge beside the author's ``deployment``: ``replicas`` asked of it, 0 takes it away.

    ``bridge`` is the one that stands. Without it ``made_as`` says what to make. ``deployment`` is the bridge itself where its owner is
    gone.
    """

    kind: Kind
    deployment: DeploymentFact
    message: str
    replicas: int
    bridge: DeploymentFact | None = None
    made_as: tuple[Manifest, Bridge] | None = None

    @property
    def decided_on(self) -> tuple[DeploymentFact, ...]:
        """What must read as it did: what the author's Deployment says decides about the bridge."""
        return (self.deployment, self.bridge) if self.bridge is not None else (self.deployment,)

    def write(self, fresh: Fresh) -> Write | None:
        """What to send; None if something is to be taken away and by now it serves."""
        about, bridge = self.deployment, self.bridge
        if bridge is None:
            if self.made_as is None:
                return None
            document = bridges.document_of(fresh[about.key], *self.made_as, self.replicas)
            return Create(about.namespace, document)
        if self.replicas < bridge.replicas and self._serves_otherwise(bridge, fresh):
            return None
        if not self.replicas:
            metadata = fresh[bridge.key]["metadata"]
            only = {name: metadata[name] for name in ("uid", "resourceVersion")}
            return Delete(bridge.namespace, bridge.name, only)
        operations = write.scale(fresh[bridge.key], self.replicas)
        return Patch(bridge.namespace, bridge.name, operations) if operations else None

    def _serves_otherwise(self, bridge: DeploymentFact, fresh: Fresh) -> bool:
        """Fewer are Ready beside the bridge, or more in it. Counts are in the status, which is not compared with what was said."""
        now, there = deployment_fact(fresh[self.deployment.key]), deployment_fact(fresh[bridge.key])
        return (
            now.ready_replicas < self.deployment.ready_replicas
            or there.ready_replicas > bridge.ready_replicas
        )


AnyAct = Act | BridgeAct
