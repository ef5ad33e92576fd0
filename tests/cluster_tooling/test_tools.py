import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from e2e.cluster import tools
from e2e.cluster.errors import ToolError
from e2e.cluster.folders import tool_cache
from e2e.cluster.gobuild import is_network_trouble
from e2e.cluster.toolsets import KWOK


@pytest.fixture
def built(monkeypatch, tmp_path) -> list[str]:
    """A cache of its own, no network, and a builder that takes its time; the list says what was built."""
    names: list[str] = []

    def build(toolset, tool, target, left):
        target.write_text("half")
        time.sleep(0.05)
        names.append(tool.name)
        target.write_text(f"{toolset.name} {tool.name} {left}")
        target.chmod(0o755)

    def unreachable(release, made):
        raise ToolError("closed")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(tools, "build", build)
    monkeypatch.setattr(tools, "download", unreachable)
    return names


def test_what_is_in_the_cache_is_not_made_again(built):
    """The second time costs nothing."""
    assert tools.obtain(["kwok"]) == tools.obtain(["kwok"])
    assert built == ["kwok"]


def test_only_what_is_wanted_is_made(built):
    """Whoever needs kubectl does not build an API server."""
    tools.obtain(["kubectl", "helm"])
    assert sorted(built) == ["helm", "kubectl"]


def test_two_at_once_make_each_program_once(built):
    """The second waits for the first and then finds everything there, whole."""
    names = [tool.name for tool in KWOK.tools]
    with ThreadPoolExecutor() as threads:
        first, second = threads.map(tools.obtain, [names, names])
    assert first == second
    assert sorted(built) == sorted(names)
    assert all(path.read_text().startswith("kwok ") for path in first.values())


def test_a_failed_build_leaves_nothing_to_run(built, monkeypatch):
    """Half a program is never in its place."""

    def fail(toolset, tool, target, left):
        target.write_text("half")
        raise ToolError("no")

    monkeypatch.setattr(tools, "build", fail)
    with pytest.raises(ToolError):
        tools.obtain(["kwok"])
    assert not [path for path in tool_cache().rglob("*") if path.is_file() and path.suffix != ".lock"]


def test_a_program_nobody_knows_is_refused(built):
    """A slip of the pen is an error of its own, not a missing file later."""
    with pytest.raises(ToolError, match="kubectil"):
        tools.obtain(["kubectil"])


@pytest.mark.parametrize(
    ("output", "again"),
    [
        ('Get "https://proxy.example.com/x": dial tcp: i/o timeout', True),
        ("read tcp 10.0.0.1: connection reset by peer", True),
        ("verifying module: checksum mismatch", False),
        ("./main.go:3:1: syntax error", False),
    ],
)
def test_only_network_trouble_is_tried_again(output, again):
    """A wrong checksum or a compiler error will not go away."""
    assert is_network_trouble(output) is again
