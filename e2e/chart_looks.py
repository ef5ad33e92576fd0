"""Where in the rendered chart a value is seen: functions from its documents to what stands there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from e2e.rendered import Document, container, grants, of_kind, pod, the

Look = Callable[[list[Document]], Any]

OPERATOR, EXPANDER = "chipwise", "chipwise-expander"


def argument(flag: str, name: str = OPERATOR) -> Look:
    """Whether a container is started with this flag."""
    return lambda documents: flag in container(documents, name)["args"]


def of_container(*path: str, name: str = OPERATOR) -> Look:
    """A field of a container; None where there is none."""
    return lambda documents: dig(container(documents, name), *path)


def of_pods(key: str, select: Callable[[Any], Any] = lambda found: found) -> Look:
    """A field of the pods of operator and expander, which must agree."""

    def look(documents: list[Document]) -> Any:
        one, other = (select(pod(documents, name).get(key)) for name in (OPERATOR, EXPANDER))
        return one if one == other else (one, other)

    return look


def of_pod_metadata(kind: str, key: str) -> Look:
    """A label or annotation of the pods of both."""

    def look(documents: list[Document]) -> Any:
        found = [the(documents, "Deployment", name) for name in (OPERATOR, EXPANDER)]
        return {dig(each, "spec", "template", "metadata", kind, key) for each in found}

    return look


def of_the(kind: str, *path: str, name: str = OPERATOR) -> Look:
    """A field of one document."""
    return lambda documents: dig(the(documents, kind, name), *path)


def count(kind: str) -> Look:
    """How many documents of a kind there are."""
    return lambda documents: len(of_kind(documents, kind))


def may(group: str, resource: str, verb: str) -> Look:
    """Whether the operator may."""
    return lambda documents: (group, resource, verb) in grants(documents)


def dig(found: Any, *path: str) -> Any:
    """The value at a path; None where it ends early."""
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def both(*looks: Look) -> Look:
    """What each of them sees."""
    return lambda documents: tuple(look(documents) for look in looks)


def dns_names(documents: list[Document]) -> bool:
    names = the(documents, "Secret", f"{EXPANDER}-tls")["metadata"]["annotations"]["chipwise.dev/dns-names"]
    return "expander.example.com" in names.split(",")


def mounted(documents: list[Document]) -> Any:
    volumes = {each["name"]: each for each in pod(documents, EXPANDER)["volumes"]}
    return volumes["tls"]["secret"]["secretName"], len(of_kind(documents, "Secret"))


def ports(documents: list[Document]) -> Any:
    served = {each["name"]: each for each in container(documents, EXPANDER)["ports"]}["grpc"]
    reached = {each["name"]: each for each in the(documents, "Service", EXPANDER)["spec"]["ports"]}["grpc"]
    listens = f"--listen=0.0.0.0:{served['containerPort']}" in container(documents, EXPANDER)["args"]
    return served["containerPort"], reached["port"], listens


def aggregated(documents: list[Document]) -> int:
    prefix = "rbac.authorization.k8s.io/aggregate-to-"
    labels = [key for each in of_kind(documents, "ClusterRole") for key in each["metadata"]["labels"]]
    return sum(key.startswith(prefix) for key in labels)


def network_rule(direction: str, number: int, key: str, name: str = OPERATOR) -> Look:
    """A field of one rule of a NetworkPolicy; None where there is none."""

    def look(documents: list[Document]) -> Any:
        rules = the(documents, "NetworkPolicy", name)["spec"][direction]
        return rules[number].get(key) if number < len(rules) else None

    return look


def alert_labels(documents: list[Document]) -> set[Any]:
    (group,) = the(documents, "PrometheusRule")["spec"]["groups"]
    return {rule["labels"].get("team") for rule in group["rules"]}


def scraped_every(documents: list[Document]) -> Any:
    """Of operator and expander."""
    monitors = [the(documents, "ServiceMonitor", name) for name in (OPERATOR, EXPANDER)]
    return {endpoint["interval"] for each in monitors for endpoint in each["spec"]["endpoints"]}


def pod_account(documents: list[Document]) -> Any:
    """The ServiceAccount of the operator's pods."""
    return pod(documents)["serviceAccountName"]


def roles(documents: list[Document]) -> int:
    """How many roles and bindings there are."""
    return sum(each["apiVersion"].startswith("rbac.authorization.k8s.io/") for each in documents)


def spread_over(documents: list[Document]) -> list[Any]:
    """The topology keys of the pods of both."""
    found = [pod(documents, name)["topologySpreadConstraints"] for name in (OPERATOR, EXPANDER)]
    return [each["topologyKey"] for constraints in found for each in constraints]
