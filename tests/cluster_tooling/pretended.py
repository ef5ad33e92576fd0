"""The programs that a pretended engine consists of: docker, and kind and kubectl for where the real ones are not under test.

``python pretended.py STATE PROGRAM ARGUMENT...``: every call is written down in the folder STATE, and answered as kind and the driver
need it. The machine in the engine's container is a folder too.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

MANIFESTS = "etc/kubernetes/manifests"
COMPONENTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
_INFO = {
    "CgroupDriver": "systemd",
    "CgroupVersion": "2",
    "MemoryLimit": True,
    "PidsLimit": True,
    "CPUShares": True,
}
ALWAYS = {
    "-v": "Docker version 28.0.0, build pretended",
    "info": json.dumps({**_INFO, "SecurityOptions": []}),
    "logs": "Reached target Multi-User System.",
    "network": "a0b1",
}


class State:
    """What the pretended engine knows; words that a test left as files change what happens."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.machine = folder, folder / "machine"

    def has(self, word: str) -> bool:
        return (self.folder / word).exists()

    def note(self, *call: str) -> None:
        with (self.folder / "calls").open("a") as calls:
            calls.write(json.dumps(call) + "\n")

    def inside(self, path: str) -> Path:
        return self.machine / path.lstrip("/")

    def start(self) -> None:
        """Static pods run, with nobody having looked yet."""
        for component in COMPONENTS:
            (self.machine / MANIFESTS / f"{component}.yaml").touch()
        (self.folder / "running").write_text(json.dumps(COMPONENTS))

    def running(self) -> list[str]:
        """What runs. The kubelet follows the manifests a moment late: at the next question."""
        seen = self.folder / "running"
        known: list[str] = json.loads(seen.read_text()) if seen.exists() else []
        if not self.has("stubborn"):
            seen.write_text(json.dumps(sorted(path.stem for path in (self.machine / MANIFESTS).iterdir())))
        return known


def docker(state: State, *told: str) -> None:
    if state.has("gone"):
        sys.exit("Cannot connect to the Docker daemon")
    container = state.folder / "container"
    match told:
        case (verb, *_) if verb in ALWAYS:
            print(ALWAYS[verb])
        case ("ps", *_):
            print(container.read_text() if container.exists() else "", end="")
        case ("run", "--name", name, *_):
            container.write_text(name)
        case ("rm", *_):
            container.unlink(missing_ok=True)
        case ("inspect", *what):
            _inspect(" ".join(what))
        case ("exec", *rest):
            _, program, *arguments = (word for word in rest if word not in ("--privileged", "-i"))
            _execute(state, program, arguments)
        case _:
            sys.exit(f"the engine only pretends, and does not know {told}")


def _inspect(what: str) -> None:
    if "io.x-k8s.kind.role" in what:
        print("control-plane")
    elif "IPAddress" in what:
        print("172.18.0.2,")


def _execute(state: State, program: str, arguments: list[str]) -> None:
    match program:
        case "cat" if arguments == ["/kind/version"]:
            print((state.folder / "version").read_text())
        case "cp" if arguments[0] == "/dev/stdin":
            state.inside(arguments[1]).write_text(sys.stdin.read())
        case "mkdir":
            state.inside(arguments[-1]).mkdir(parents=True, exist_ok=True)
        case "mv":
            for path in arguments[:-1]:
                shutil.move(state.inside(path), state.inside(arguments[-1]))
        case "crictl":
            print(json.dumps({"containers": [{"metadata": {"name": name}} for name in state.running()]}))
        case "pkill":
            pass
        case _:
            sys.exit(f"the machine only pretends, and has no {program}")


def kind(state: State, *told: str) -> None:
    if told[:2] != ("create", "cluster"):
        return
    text = sys.stdin.read()
    (state.folder / "configuration").write_text(text)
    if state.has("unable"):
        sys.exit("ERROR: failed to create cluster")
    state.start()
    mounts = json.loads(text)["nodes"][0].get("extraMounts", ())
    for mount in () if state.has("elsewhere") else mounts:
        with (Path(mount["hostPath"]) / "audit.log").open("a") as log:
            log.write("{}\n")


def kubectl(state: State, *told: str) -> None:
    if "--raw=/readyz" in told:
        if "kube-apiserver" not in state.running():
            sys.exit("connection refused")
        print("ok", end="")


if __name__ == "__main__":
    found = State(Path(sys.argv[1]))
    found.note(*sys.argv[2:])
    {"docker": docker, "kind": kind, "kubectl": kubectl}[sys.argv[2]](found, *sys.argv[3:])
