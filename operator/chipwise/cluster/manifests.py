"""Manifests in files become a snapshot, so that a plan without a cluster shares every line from there on.

Errors name file, object and field. A document of a foreign kind that decisions do not read (a Service, say) is passed over; one of our
group that cannot be read is an error, never a guess. What the API server would have filled in or run is filled in here.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from chipwise.cluster.extract import BY_KIND, OURS, extract
from chipwise.cluster.facts import DeploymentFact, PodFact, deployment_fact, pod_fact
from chipwise.cluster.shapes import flaw_of, without_nulls
from chipwise.cluster.snapshot import Snapshot, Unreadable
from chipwise.cluster.state import FIELDS
from chipwise.kube.resources import DEPLOYMENTS, GROUP, INFERENCE_WORKLOADS, NODES, PODS, Resource
from chipwise.rendering.defaults import normalise
from chipwise.rendering.location import container_digest
from chipwise.rendering.manifest import manifest_of

SUFFIXES = (".yaml", ".yml", ".json")
DEFAULT_NAMESPACE = "default"
#: This path is standard input.
STDIN = Path("-")


class BadManifest(Exception):  # noqa: N818 - it reads as what it is
    """A file that cannot be used. The message names the file, the object and the field."""


def load(paths: Iterable[Path]) -> Snapshot:
    """Read files and folders (recursively); ``-`` is standard input. A file named twice is read once.

    Raises BadManifest; two documents of one kind and name are an error too. The order of files and documents carries no meaning.
    """
    found: dict[Resource, dict[str, Any]] = {resource: {} for resource in FIELDS}
    origin: dict[tuple[Resource, str], Path] = {}
    for path, raw in documents(paths):
        resource = _resource(path, raw)
        if resource is None:
            continue
        try:
            name, fact = _read(path, resource, raw)
        except RecursionError as error:
            raise BadManifest(f"{path}: {_title(raw)}: is nested too deeply") from error
        if (resource, name) in origin:
            also = origin[resource, name]
            where = "twice in this file" if also == path else f"also in {also}"
            raise BadManifest(f"{path}: {resource.kind}/{name}: metadata.name: is {where}; keep one")
        origin[resource, name] = path
        if fact is not None:
            found[resource][name] = fact
    assumed = _complete(found)
    facts: dict[str, Any] = {
        FIELDS[resource]: dict(sorted(named.items())) for resource, named in found.items()
    }
    return Snapshot(assume_nodes=not found[NODES], assumed=assumed, karpenter=True, **facts)


def _resource(path: Path, raw: Mapping[str, Any]) -> Resource | None:
    """What a document is; None for a foreign kind that decisions do not read."""
    version, kind = raw.get("apiVersion"), raw.get("kind")
    if not isinstance(version, str) or not isinstance(kind, str):
        missing = "apiVersion" if not isinstance(version, str) else "kind"
        raise BadManifest(f"{path}: {_title(raw)}: {missing}: is required: this is not a Kubernetes object")
    resource = BY_KIND.get(kind)
    if resource is not None and version == resource.api_version:
        return resource
    group = version.rpartition("/")[0]
    if resource is not None and group in (resource.group, GROUP):
        raise BadManifest(
            f"{path}: {_title(raw)}: apiVersion: must be {resource.api_version}, not {version}; convert it"
        )
    if group == GROUP:
        kinds = ", ".join(sorted(ours.kind for ours in OURS))
        raise BadManifest(f"{path}: {_title(raw)}: kind: must be one of {kinds}, not {kind}")
    return None


def _title(raw: Mapping[str, Any]) -> str:
    metadata = raw.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    kind = raw.get("kind")
    shown = (each if isinstance(each, str) and each else "?" for each in (kind, name))
    return "/".join(shown)


def _complete(found: dict[Resource, dict[str, Any]]) -> frozenset[str]:
    """What a cluster would have: a Deployment for each workload (here one that runs nothing), and the pods of each Deployment.

    Returns the Deployments (namespace/name) that were made up.
    """
    given = frozenset(found[DEPLOYMENTS])
    for workload in found[INFERENCE_WORKLOADS].values():
        name, namespace = workload.spec.target_ref.name, workload.metadata.namespace
        container: dict[str, Any] = {
            "name": workload.spec.container or "server",
            "image": "",
            "resources": {},
        }
        metadata = {"name": name, "namespace": namespace, "uid": f"none-{namespace}-{name}"}
        absent = {
            "metadata": metadata,
            "spec": {"replicas": 0, "template": {"spec": {"containers": [container]}}},
        }
        found[DEPLOYMENTS].setdefault(f"{namespace}/{name}", deployment_fact(absent))
    held = {(pod.namespace, pod.deployment) for pod in found[PODS].values()}
    for deployment in found[DEPLOYMENTS].values():
        if (deployment.namespace, deployment.name) not in held:
            for pod in _pods(deployment):
                found[PODS][f"{deployment.namespace}/{pod.name}"] = pod
    return frozenset(found[DEPLOYMENTS]) - given


def _pods(deployment: DeploymentFact) -> Iterator[PodFact]:
    """The pods that a Deployment would have; unbound, for nobody knows on which node."""
    template = deployment.document["spec"]["template"]
    labels = (template.get("metadata") or {}).get("labels") or {}
    identity = {"name": deployment.name, "namespace": deployment.namespace}
    pod = pod_fact({"metadata": {**identity, "labels": labels}, "spec": template["spec"]}, container_digest)
    assert pod is not None  # noqa: S101 - it has no phase
    digests = tuple((c["name"], container_digest(c)) for c in template["spec"]["containers"])
    for number in range(deployment.replicas):
        name, uid = f"{deployment.name}-{number}", f"{deployment.uid}-{number}"
        yield replace(pod, name=name, uid=uid, deployment=deployment.name, digests=digests)


def documents(paths: Iterable[Path]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every document of every file, in order of path; a ``List`` is opened."""
    seen = set()
    for path in _files(paths):
        identity = path if path == STDIN else path.resolve()
        if identity in seen:
            continue
        seen.add(identity)
        for document in _parsed(path):
            if document is None:
                continue
            if not isinstance(document, dict):
                raise BadManifest(f"{path}: holds a {type(document).__name__}, not a Kubernetes object")
            yield from ((path, item) for item in _opened(path, document))


def _opened(path: Path, document: dict[str, Any]) -> list[dict[str, Any]]:
    if not str(document.get("kind", "")).endswith("List"):
        return [document]
    items = document.get("items")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise BadManifest(f"{path}: {document['kind']}: items: must be a list of objects")
    return items


def _parsed(path: Path) -> list[Any]:
    try:
        text = sys.stdin.read() if path == STDIN else path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            return [json.loads(text)]
        return list(yaml.load_all(text, Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise BadManifest(f"{path}: is not YAML{where}: {error.problem}") from error
    except yaml.YAMLError as error:
        raise BadManifest(f"{path}: is not YAML: {str(error).splitlines()[0]}") from error
    except UnicodeDecodeError as error:
        raise BadManifest(f"{path}: is not UTF-8: {error}") from error
    except RecursionError as error:
        raise BadManifest(f"{path}: is nested too deeply") from error
    except json.JSONDecodeError as error:
        raise BadManifest(
            f"{path}: is not JSON in line {error.lineno}, column {error.colno}: {error.msg}"
        ) from error
    except OSError as error:
        raise BadManifest(f"{path}: {error.strerror}") from error


_BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_BASE):  # type: ignore[misc]
    """A key written twice is an error, as for the API server's strict field validation, and not the last one wins.

    A moment is a text, as for kubectl.
    """

    yaml_implicit_resolvers: Mapping[str, Any] = {
        first: [(tag, form) for tag, form in forms if tag != "tag:yaml.org,2002:timestamp"]
        for first, forms in _BASE.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        """See yaml."""
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if key.value in seen:
                    said = f"the key {key.value} is there twice; keep one"
                    raise yaml.constructor.ConstructorError(None, None, said, key.start_mark)
                seen.add(key.value)
        return super().construct_mapping(node, deep)


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            inside = sorted(file for file in path.rglob("*") if file.suffix in SUFFIXES and file.is_file())
            if not inside:
                raise BadManifest(f"{path}: holds no {', '.join(SUFFIXES)} file")
            yield from inside
        elif path == STDIN or path.exists():
            yield path
        else:
            raise BadManifest(f"{path}: no such file or folder")


def _read(path: Path, resource: Resource, raw: Mapping[str, Any]) -> tuple[str, Any]:
    metadata = raw.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str) or not metadata["name"]:
        raise BadManifest(f"{path}: {resource.kind}/?: metadata.name: is required")
    raw = _checked(path, resource, raw)
    metadata = raw["metadata"]
    namespace = metadata.get("namespace") or DEFAULT_NAMESPACE
    whole = {**raw, "metadata": {**metadata, **({"namespace": namespace} if resource.namespaced else {})}}
    whole["metadata"].setdefault(
        "uid", hashlib.sha256(f"{resource}/{namespace}/{metadata['name']}".encode()).hexdigest()[:32]
    )
    name = f"{namespace}/{metadata['name']}" if resource.namespaced else metadata["name"]
    fact = extract(resource, _stored(whole) if resource == DEPLOYMENTS else whole)
    if isinstance(fact, Unreadable):
        raise BadManifest(f"{path}: {fact.message}")
    return name, fact


def _checked(path: Path, resource: Resource, raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """The document, if it has the types that the API server would insist on."""
    flaw = flaw_of(resource, raw)
    if flaw is not None:
        raise BadManifest(f"{path}: {_title(raw)}: {flaw.path}: {flaw.message}")
    return without_nulls(resource, raw)


def _stored(deployment: dict[str, Any]) -> dict[str, Any]:
    """A Deployment as the API server would store it, for what comes from it is compared with what is written."""
    complete = normalise(manifest_of(deployment))
    spec = {**deployment["spec"], "template": complete.template, "strategy": complete.strategy}
    return {**deployment, "spec": spec}
