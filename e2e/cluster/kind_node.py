"""The one real machine of a kind cluster: a container that holds a kubelet, a container runtime and the control plane as static pods."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from e2e.cluster.commands import run

_MANIFESTS = "/etc/kubernetes/manifests"
_ASIDE = "/etc/kubernetes/manifests-aside"


@dataclass(frozen=True, slots=True)
class KindNode:
    """The container by its name in the Docker engine; CommandError if that does not answer."""

    container: str

    def running(self) -> frozenset[str]:
        """The names of the containers that run in it."""
        listing = json.loads(self._run("crictl", "ps", "--output", "json"))
        return frozenset(str(each["metadata"]["name"]) for each in listing.get("containers") or ())

    def take_away(self, components: Iterable[str]) -> None:
        """Let the kubelet end static pods and keep them ended: their manifests are moved out of its sight.

        It watches the folder, and looks by itself every 20 s (pkg/kubelet/config/file_linux.go of Kubernetes).
        """
        self._run("mkdir", "-p", _ASIDE)
        self._run("mv", *(f"{_MANIFESTS}/{component}.yaml" for component in components), _ASIDE)

    def give_back(self, components: Iterable[str]) -> None:
        """Let it start them again."""
        self._run("mv", *(f"{_ASIDE}/{component}.yaml" for component in components), _MANIFESTS)

    def signal(self, name: str, programs: Iterable[str]) -> None:
        """Send a signal to every process of these programs; those of the pods are among the machine's."""
        self._run("pkill", "--signal", name, "--exact", "|".join(programs))

    def _run(self, *command: str) -> str:
        return run(["docker", "exec", self.container, *command])
