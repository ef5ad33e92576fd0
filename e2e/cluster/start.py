"""Start, find and delete clusters: one that runs and is as wanted is used again, anything else is made anew."""

import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager

from e2e.cluster import record
from e2e.cluster.choice import Backend, choose, docker_engine_answers
from e2e.cluster.cluster import Cluster
from e2e.cluster.driver import Driver, connect
from e2e.cluster.errors import ClusterError, StartError
from e2e.cluster.existing import ExistingDriver
from e2e.cluster.folders import cluster_folder, clusters_folder, locked
from e2e.cluster.kind import KindDriver
from e2e.cluster.kwok import KwokDriver
from e2e.cluster.record import Record
from e2e.cluster.tools import obtain

DEFAULT_NAME = "chipwise"


def start_cluster(name: str = DEFAULT_NAME, *, audit: bool = False) -> Cluster:
    """A healthy cluster of this name; `CLUSTER` in the environment forces its kind."""
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?", name):
        raise StartError(f"{name!r} is no name for a cluster: small letters, digits and hyphens, at most 40")
    choice = choose(os.environ.get("CLUSTER", ""), docker_engine_answers)
    print(choice, flush=True)
    with _only_one(name):
        found = record.load(name)
        if found is not None:
            driver = driver_of(found)
            if found.backend in choice.backends and _usable(found, driver, audit=audit):
                print(f"cluster: {name} runs already", flush=True)
                return _open(found, driver)
            print(f"cluster: {name} is made anew", flush=True)
            _forget(found)
        return _start_first(name, choice.backends, audit=audit)


def find_cluster(name: str = DEFAULT_NAME) -> Cluster | None:
    """The cluster of this name if it runs; starts nothing."""
    found = record.load(name)
    if found is None:
        return None
    driver = driver_of(found)
    return _open(found, driver) if driver.healthy() else None


def delete_cluster(name: str) -> None:
    """Remove a cluster and what is kept of it; one that is not there is fine."""
    with _only_one(name):
        found = record.load(name)
        if found is not None:
            _forget(found)


def driver_of(known: Record) -> Driver:
    """The driver of a recorded cluster."""
    return _driver(known.name, known.backend, audit=known.audit)


def _driver(name: str, backend: Backend, *, audit: bool) -> Driver:
    match backend:
        case Backend.KWOK:
            return KwokDriver(name, audit)
        case Backend.KIND:
            return KindDriver(name, audit)
        case Backend.EXISTING:
            return ExistingDriver(name)


def _usable(known: Record, driver: Driver, *, audit: bool) -> bool:
    has_audit = known.audit or not audit
    return has_audit and known.fingerprint == driver.fingerprint and driver.healthy()


def _start_first(name: str, backends: tuple[Backend, ...], *, audit: bool) -> Cluster:
    failures: list[str] = []
    for backend in backends:
        driver = _driver(name, backend, audit=audit)
        obtain([*driver.tools, "helm"])
        made = Record(name, backend, audit, driver.fingerprint)
        made.save()
        started = time.monotonic()
        try:
            driver.create()
        except ClusterError as failure:
            print(f"cluster: {failure}", flush=True)
            failures.append(str(failure))
            _forget(made)
            continue
        print(f"cluster: {name} ready on {backend} in {time.monotonic() - started:.1f} s", flush=True)
        return _open(made, driver)
    raise StartError("no control plane came up:\n" + "\n".join(failures))


def _open(known: Record, driver: Driver) -> Cluster:
    tools = obtain(["kubectl", "helm"])
    reached = connect(tools["kubectl"], driver.kubeconfig)
    return Cluster(
        name=known.name,
        backend=known.backend,
        kubeconfig=reached.kubeconfig,
        server=reached.server,
        ca_file=reached.ca_file,
        audit_log=driver.audit_log,
        kubectl=tools["kubectl"],
        helm=tools["helm"],
        driver=driver,
    )


def _forget(known: Record) -> None:
    driver_of(known).delete()
    shutil.rmtree(cluster_folder(known.name), ignore_errors=True)


@contextmanager
def _only_one(name: str) -> Iterator[None]:
    with locked(clusters_folder() / "locks" / name, f"cluster: {name}"):
        yield
