"""The defaults that the API server fills in, so that what we write is what it stores and what a file says compares with both.

Only what a Deployment's pod template gets at rest (``SetObjectDefaults_Deployment`` of Kubernetes 1.35); what pods get on top of that,
such as requests from limits, is not stored in the template. Storage drivers that are in-tree no longer are left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from chipwise.rendering.manifest import Document, Manifest
from chipwise.rendering.quantity import canonical

_PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
_KEPT_EMPTY_LISTS = frozenset({"nodeSelectorTerms", "containers"})
_DROPPED_EMPTY_MAPS = frozenset(
    {"nodeSelector", "labels", "annotations", "limits", "requests", "matchLabels", "overhead"},
)


def normalise(manifest: Manifest) -> Manifest:
    """Complete a manifest as the API server would store it. What is stored already comes back equal."""
    template: Document = _without_nothing(manifest.template)
    template.setdefault("metadata", {})
    spec = template.setdefault("spec", {})
    for key, value in _pod_defaults().items():
        spec.setdefault(key, value)
    if "serviceAccountName" in spec:
        spec["serviceAccount"] = spec["serviceAccountName"]
    for key in ("containers", "initContainers"):
        if key in spec:
            spec[key] = [complete_container(container) for container in spec[key]]
    if "volumes" in spec:
        spec["volumes"] = [complete_volume(volume) for volume in spec["volumes"]]
    if "overhead" in spec:
        spec["overhead"] = _complete_list(spec["overhead"])
    return Manifest(template, _complete_strategy(_without_nothing(manifest.strategy)))


def same(left: Manifest, right: Manifest) -> bool:
    """Tell whether two manifests are one and the same to the API server."""
    return left == right or normalise(left) == normalise(right)


def complete_container(container: Mapping[str, Any]) -> Document:
    """Copy a container and fill in its defaults."""
    done: Document = _without_nothing(container)
    done.setdefault("imagePullPolicy", _pull_policy(done.get("image", "")))
    done.setdefault("terminationMessagePath", "/dev/termination-log")
    done.setdefault("terminationMessagePolicy", "File")
    resources = done.setdefault("resources", {})
    for kind in ("limits", "requests"):
        if kind in resources:
            resources[kind] = _complete_list(resources[kind])
    for port in done.get("ports", ()):
        port.setdefault("protocol", "TCP")
    for variable in done.get("env", ()):
        _complete_variable(variable)
    for key in _PROBES:
        if key in done:
            done[key] = complete_probe(done[key])
    for hook in done.get("lifecycle", {}).values():
        _complete_handler(hook)
    return done


def complete_probe(probe: Mapping[str, Any]) -> Document:
    """Copy a probe and fill in its defaults."""
    done: Document = _without_nothing(probe)
    if done.get("initialDelaySeconds") == 0:
        del done["initialDelaySeconds"]
    for key, value in (
        ("timeoutSeconds", 1),
        ("periodSeconds", 10),
        ("successThreshold", 1),
        ("failureThreshold", 3),
    ):
        done[key] = done.get(key) or value
    _complete_handler(done)
    return done


def complete_volume(volume: Mapping[str, Any]) -> Document:
    """Copy a volume and fill in its defaults."""
    done: Document = _without_nothing(volume)
    if set(done) <= {"name"}:
        done["emptyDir"] = {}
    for kind in ("configMap", "secret", "downwardAPI", "projected"):
        if kind in done:
            done[kind].setdefault("defaultMode", 420)
    if "hostPath" in done:
        done["hostPath"].setdefault("type", "")
    if "sizeLimit" in done.get("emptyDir", {}):
        done["emptyDir"]["sizeLimit"] = canonical(done["emptyDir"]["sizeLimit"])
    if "ephemeral" in done:
        claim = done["ephemeral"].get("volumeClaimTemplate", {}).setdefault("spec", {})
        claim.setdefault("volumeMode", "Filesystem")
    _complete_sources(done)
    return done


def _pod_defaults() -> Document:
    return {
        "dnsPolicy": "ClusterFirst",
        "restartPolicy": "Always",
        "securityContext": {},
        "terminationGracePeriodSeconds": 30,
        "schedulerName": "default-scheduler",
    }


def _complete_strategy(strategy: Document) -> Document:
    strategy.setdefault("type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", "25%")
        rolling.setdefault("maxSurge", "25%")
    return strategy


def _complete_variable(variable: Document) -> None:
    if variable.get("value") == "":
        del variable["value"]
    source = variable.get("valueFrom", {})
    if "fieldRef" in source:
        source["fieldRef"].setdefault("apiVersion", "v1")
    if "fileKeyRef" in source:
        source["fileKeyRef"].setdefault("optional", False)
    if "divisor" in source.get("resourceFieldRef", {}):
        source["resourceFieldRef"]["divisor"] = canonical(source["resourceFieldRef"]["divisor"])
    elif "resourceFieldRef" in source:
        source["resourceFieldRef"]["divisor"] = "0"


def _complete_handler(handler: Document) -> None:
    if "httpGet" in handler:
        handler["httpGet"]["path"] = handler["httpGet"].get("path") or "/"
        handler["httpGet"].setdefault("scheme", "HTTP")
    if "grpc" in handler:
        handler["grpc"].setdefault("service", "")


def _complete_sources(volume: Document) -> None:
    for item in _downward_items(volume):
        if "fieldRef" in item:
            item["fieldRef"].setdefault("apiVersion", "v1")
    for source in volume.get("projected", {}).get("sources", ()):
        if "serviceAccountToken" in source:
            source["serviceAccountToken"].setdefault("expirationSeconds", 3600)


def _complete_list(resources: Mapping[str, Any]) -> Document:
    return {name: canonical(quantity, resource=True) for name, quantity in resources.items()}


def _downward_items(volume: Document) -> Iterator[Document]:
    yield from volume.get("downwardAPI", {}).get("items", ())
    for source in volume.get("projected", {}).get("sources", ()):
        yield from source.get("downwardAPI", {}).get("items", ())


def _pull_policy(image: str) -> str:
    """Choose Always for the tag ``latest``, stated or implied by neither tag nor digest; IfNotPresent otherwise."""
    name, _, digest = image.partition("@")
    _, colon, tag = name.rpartition("/")[2].partition(":")
    implied = not colon and not digest
    return "Always" if implied or tag == "latest" else "IfNotPresent"


def _without_nothing(value: Any, key: str = "") -> Any:
    """Copy deeply, without nulls and without the empty lists and maps that are not stored."""
    if isinstance(value, Mapping):
        kept = {name: _without_nothing(item, name) for name, item in value.items() if item is not None}
        return {name: item for name, item in kept.items() if not _vanishes(name, item)}
    if isinstance(value, list | tuple):
        return [_without_nothing(item, key) for item in value]
    return deepcopy(value)


def _vanishes(name: str, item: Any) -> bool:
    if isinstance(item, list):
        return not item and name not in _KEPT_EMPTY_LISTS
    return item == {} and isinstance(item, dict) and name in _DROPPED_EMPTY_MAPS
