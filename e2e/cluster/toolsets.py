"""Which programs are needed and which version of each; the go.mod files are the only place that says a version.

One go.mod for each set, because the pins of one would force other libraries on the next.
"""

import hashlib
import platform
import re
from dataclasses import dataclass
from pathlib import Path

from e2e.cluster.folders import HERE

BUILD_FLAGS = ("-mod=readonly", "-buildvcs=false", "-trimpath")


@dataclass(frozen=True, slots=True)
class Platform:
    """The machine that the programs run on, in the words of Go."""

    system: str
    machine: str


@dataclass(frozen=True, slots=True)
class Tool:
    """One program: the package it is built from and the module whose version it bears."""

    name: str
    package: str
    module: str
    stamps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ToolSet:
    """Programs that are built from one go.mod."""

    name: str
    tools: tuple[Tool, ...]

    @property
    def folder(self) -> Path:
        """Where go.mod and go.sum are."""
        return HERE / "tools" / self.name

    def version(self, tool: Tool) -> str:
        """The version of a tool as go.mod requires it."""
        return required_version((self.folder / "go.mod").read_text(), tool.module)

    def linker_flags(self, tool: Tool) -> str:
        """What the linker writes into the program; without it a program calls itself v0.0.0 and others refuse it."""
        version = self.version(tool)
        major, minor, _ = version.lstrip("v").split(".", 2)
        stamps = [f"-X {stamp.format(version=version, major=major, minor=minor)}" for stamp in tool.stamps]
        return " ".join(["-s", "-w", *stamps])

    def digest(self, target: Platform) -> str:
        """Changes when anything that decides the content of the programs changes."""
        parts = [target.system, target.machine, *BUILD_FLAGS]
        parts += [f"{tool.name} {tool.package} {self.linker_flags(tool)}" for tool in self.tools]
        parts += [(self.folder / file).read_text() for file in ("go.mod", "go.sum")]
        parts += [file.read_text() for file in sorted(self.folder.glob("*.go"))]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def required_version(go_mod: str, module: str) -> str:
    """The version that a go.mod requires of a module."""
    found = re.search(rf"^\s*(?:require\s+)?{re.escape(module)}\s+(v\S+)", go_mod, re.MULTILINE)
    if found is None:
        raise LookupError(f"go.mod does not require {module}")
    return found.group(1)


def this_platform() -> Platform:
    """The platform that this Python runs on."""
    machine = platform.machine().lower()
    names = {"x86_64": "amd64", "aarch64": "arm64"}
    return Platform(platform.system().lower(), names.get(machine, machine))


_KUBERNETES = (
    "k8s.io/component-base/version.gitVersion={version}",
    "k8s.io/component-base/version.gitMajor={major}",
    "k8s.io/component-base/version.gitMinor={minor}",
    "k8s.io/client-go/pkg/version.gitVersion={version}",
)


def _kubernetes(name: str) -> Tool:
    return Tool(name, f"k8s.io/kubernetes/cmd/{name}", "k8s.io/kubernetes", _KUBERNETES)


def _kwok(name: str) -> Tool:
    stamps = ("sigs.k8s.io/kwok/pkg/consts.Version={version}",)
    return Tool(name, f"sigs.k8s.io/kwok/cmd/{name}", "sigs.k8s.io/kwok", stamps)


# In the order of building: kubectl first, because it is wanted by every kind of control plane.
KUBERNETES = ToolSet(
    "kubernetes",
    (
        _kubernetes("kubectl"),
        Tool("etcd", "go.etcd.io/etcd/server/v3", "go.etcd.io/etcd/server/v3"),
        _kubernetes("kube-apiserver"),
        _kubernetes("kube-controller-manager"),
        _kubernetes("kube-scheduler"),
    ),
)
KWOK = ToolSet("kwok", (_kwok("kwok"), _kwok("kwokctl")))
HELM = ToolSet(
    "helm",
    (
        Tool(
            "helm",
            "helm.sh/helm/v4/cmd/helm",
            "helm.sh/helm/v4",
            ("helm.sh/helm/v4/internal/version.version={version}",),
        ),
    ),
)
KIND = ToolSet("kind", (Tool("kind", "sigs.k8s.io/kind", "sigs.k8s.io/kind"),))
# The unmodified controller with the provider that makes fake Nodes.
KARPENTER = ToolSet("karpenter", (Tool("karpenter", "sigs.k8s.io/karpenter/kwok", "sigs.k8s.io/karpenter"),))
# Of our own: what Go makes of the priority expander's ConfigMap.
EXPANDER = ToolSet("expander", (Tool("go-says", ".", "go.yaml.in/yaml/v3"),))

TOOLSETS = (KUBERNETES, KWOK, HELM, KIND, KARPENTER, EXPANDER)
