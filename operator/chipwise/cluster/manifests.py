"""Manifests in files become a snapshot, so that a plan without a cluster shares every line from there on.

Errors name file, object and field. A document of a kind that decisions do not read (a Service, say) is passed over; one that cannot be
read is an error, never a guess.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from chipwise.cluster.extract import BY_KIND, extract
from chipwise.cluster.facts import DeploymentFact, PodFact, deployment_fact, pod_fact
from chipwise.cluster.snapshot import Snapshot, Unreadable
from chipwise.cluster.state import FIELDS
from chipwise.kube.resources import DEPLOYMENTS, INFERENCE_WORKLOADS, NODES, PODS, Resource
from chipwise.rendering.location import container_digest

SUFFIXES = (".yaml", ".yml", ".json")
DEFAULT_NAMESPACE = "default"


class BadManifest(Exception):  # noqa: N818 - it reads as what it is
    """A file that cannot be used. The message names the file, the object and the field."""


def load(paths: Iterable[Path]) -> Snapshot:
    """Read files and folders (recursively). Raises BadManifest; two documents of one kind and name are an error too."""
    found: dict[Resource, dict[str, Any]] = {resource: {} for resource in FIELDS}
    origin: dict[tuple[Resource, str], Path] = {}
    for path, raw in documents(paths):
        resource = BY_KIND.get(str(raw.get("kind")))
        if resource is None or raw.get("apiVersion") != resource.api_version:
            continue
        name, fact = _read(path, resource, raw)
        if (resource, name) in origin:
            raise BadManifest(f"{path}: {resource.kind}/{name} is also in {origin[resource, name]}")
        origin[resource, name] = path
        if fact is not None:
            found[resource][name] = fact
    _complete(found)
    return Snapshot(
        assume_nodes=not found[NODES], **{FIELDS[resource]: facts for resource, facts in found.items()}
    )


def _complete(found: dict[Resource, dict[str, Any]]) -> None:
    """What a cluster would have: a Deployment for each workload (here one that runs nothing), and the pods of each Deployment."""
    for workload in found[INFERENCE_WORKLOADS].values():
        name, namespace = workload.spec.target_ref.name, workload.metadata.namespace
        container = {"name": workload.spec.container or "server", "image": "", "resources": {}}
        metadata = {"name": name, "namespace": namespace, "uid": f"none-{namespace}-{name}"}
        absent = {
            "metadata": metadata,
            "spec": {"replicas": 0, "template": {"spec": {"containers": [container]}}},
        }
        found[DEPLOYMENTS].setdefault(f"{namespace}/{name}", deployment_fact(absent))
    held = {(pod.namespace, pod.deployment) for pod in found[PODS].values()}
    for key, deployment in found[DEPLOYMENTS].items():
        if (deployment.namespace, deployment.name) not in held:
            for number in range(deployment.replicas):
                found[PODS][f"{key}-{number}"] = _pod(deployment, number)


def _pod(deployment: DeploymentFact, number: int) -> PodFact:
    """One of the pods that a Deployment would have; unbound, for nobody knows on which node."""
    template = deployment.document["spec"]["template"]
    name = f"{deployment.name}-{number}"
    raw = {
        "metadata": {"name": name, "namespace": deployment.namespace, "uid": f"{deployment.uid}-{number}"},
        "spec": template["spec"],
    }
    pod = pod_fact(raw, container_digest)
    assert pod is not None  # noqa: S101 - it has no phase
    digests = tuple((c["name"], container_digest(c)) for c in template["spec"]["containers"])
    return replace(pod, deployment=deployment.name, digests=digests)


def documents(paths: Iterable[Path]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every document of every file, in order of path; a ``List`` is opened."""
    for path in _files(paths):
        try:
            parsed = list(yaml.load_all(path.read_text(encoding="utf-8"), Loader=_LOADER))
        except yaml.YAMLError as error:
            raise BadManifest(f"{path}: is not YAML: {str(error).splitlines()[0]}") from error
        except OSError as error:
            raise BadManifest(f"{path}: {error.strerror}") from error
        for document in parsed:
            if document is None:
                continue
            if not isinstance(document, dict):
                raise BadManifest(f"{path}: holds a {type(document).__name__}, not a Kubernetes object")
            for item in document["items"] if str(document.get("kind", "")).endswith("List") else (document,):
                yield path, item


_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            inside = sorted(file for file in path.rglob("*") if file.suffix in SUFFIXES and file.is_file())
            if not inside:
                raise BadManifest(f"{path}: holds no {', '.join(SUFFIXES)} file")
            yield from inside
        elif path.exists():
            yield path
        else:
            raise BadManifest(f"{path}: no such file or folder")


def _read(path: Path, resource: Resource, raw: Mapping[str, Any]) -> tuple[str, Any]:
    metadata = raw.get("metadata")
    if not isinstance(metadata, dict) or not metadata.get("name"):
        raise BadManifest(f"{path}: {resource.kind}: metadata.name is missing")
    namespace = metadata.get("namespace") or DEFAULT_NAMESPACE
    whole = {**raw, "metadata": {**metadata, **({"namespace": namespace} if resource.namespaced else {})}}
    whole["metadata"].setdefault(
        "uid", hashlib.sha256(f"{resource}/{namespace}/{metadata['name']}".encode()).hexdigest()[:32]
    )
    name = f"{namespace}/{metadata['name']}" if resource.namespaced else metadata["name"]
    try:
        fact = extract(resource, whole)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadManifest(f"{path}: {resource.kind}/{metadata['name']}: cannot be read: {error!r}") from error
    if isinstance(fact, Unreadable):
        raise BadManifest(f"{path}: {fact.message}")
    return name, fact
