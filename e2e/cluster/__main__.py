"""The command line: `python3 -m e2e.cluster up | down | status | kubeconfig | tools | env`."""

import argparse
import os
import shlex
import sys

from e2e.cluster import record
from e2e.cluster.choice import Backend, choose, docker_engine_answers
from e2e.cluster.cluster import Cluster
from e2e.cluster.errors import ClusterError
from e2e.cluster.existing import ExistingDriver
from e2e.cluster.kind import KindDriver
from e2e.cluster.kwok import KwokDriver
from e2e.cluster.start import DEFAULT_NAME, delete_cluster, driver_of, find_cluster, start_cluster
from e2e.cluster.tools import obtain


def main() -> int:
    """Run one verb; the exit code is 1 if it could not be done."""
    arguments = _parser().parse_args()
    try:
        _run(arguments)
    except ClusterError as failure:
        print(f"cluster: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m e2e.cluster", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    up = verbs.add_parser("up", help="start a control plane, or use the one that runs")
    up.add_argument("--name", default=DEFAULT_NAME)
    up.add_argument("--audit", action="store_true", help="let the API server write an audit log")
    down = verbs.add_parser("down", help="remove one control plane, or all of this clone")
    down.add_argument("--name")
    verbs.add_parser("status", help="list the control planes of this clone")
    for verb, text in (
        ("kubeconfig", "print the path of the kubeconfig"),
        ("env", "print export lines for a shell"),
    ):
        verbs.add_parser(verb, help=text).add_argument("--name", default=DEFAULT_NAME)
    verbs.add_parser("tools", help="only obtain the programs")
    return parser


def _run(arguments: argparse.Namespace) -> None:
    match arguments.verb:
        case "up":
            cluster = start_cluster(arguments.name, audit=arguments.audit)
            print(
                f"cluster: {cluster.server}\ncluster: export KUBECONFIG={shlex.quote(str(cluster.kubeconfig))}"
            )
        case "down":
            for name in [arguments.name] if arguments.name else record.names():
                delete_cluster(name)
                print(f"cluster: {name} removed")
        case "status":
            _status()
        case "kubeconfig":
            print(_running(arguments.name).kubeconfig)
        case "env":
            _environment(_running(arguments.name))
        case "tools":
            _tools()


def _status() -> None:
    known = [found for name in record.names() if (found := record.load(name))]
    for found in known:
        state = "running" if driver_of(found).healthy() else "not healthy"
        print(f"{found.name}\t{found.backend}\t{state}")
    if not known:
        print("no control plane")


def _running(name: str) -> Cluster:
    cluster = find_cluster(name)
    if cluster is None:
        raise ClusterError(f"{name} does not run; start it with: python3 -m e2e.cluster up --name {name}")
    return cluster


def _environment(cluster: Cluster) -> None:
    for variable in ("KUBECONFIG", "PATH"):
        print(f"export {variable}={shlex.quote(cluster.environment[variable])}")


def _tools() -> None:
    choice = choose(os.environ.get("CLUSTER", ""), docker_engine_answers)
    print(choice, flush=True)
    needs = {
        Backend.KWOK: KwokDriver(DEFAULT_NAME).tools,
        Backend.KIND: KindDriver(DEFAULT_NAME).tools,
        Backend.EXISTING: ExistingDriver(DEFAULT_NAME).tools,
    }
    for name, path in obtain([*needs[choice.backends[0]], "helm", "karpenter"]).items():
        print(f"{name}\t{path}")


if __name__ == "__main__":
    sys.exit(main())
