from dataclasses import replace

import pytest

from e2e.cluster import toolsets
from e2e.cluster.toolsets import KUBERNETES, KWOK, TOOLSETS, Platform, required_version

LINUX = Platform("linux", "amd64")


def test_versions_come_from_go_mod():
    """Indirect requirements, single lines and blocks are all requirements."""
    text = "module m\n\nrequire a.b/c v1.2.3\n\nrequire (\n\td.e/f v0.1.0 // indirect\n)\n"
    assert (required_version(text, "a.b/c"), required_version(text, "d.e/f")) == ("v1.2.3", "v0.1.0")


def test_a_version_is_not_taken_from_a_longer_name():
    """Neither a replace nor a module below counts."""
    with pytest.raises(LookupError):
        required_version("require a.b/c/v2 v2.0.0\nreplace a.b/c => a.b/c v1.0.0\n", "a.b/c")


@pytest.mark.parametrize("toolset", TOOLSETS, ids=lambda toolset: toolset.name)
def test_every_tool_has_a_version_and_is_declared(toolset):
    """go.mod names each program's package, so that `go mod tidy` keeps what it needs."""
    go_mod = (toolset.folder / "go.mod").read_text()
    for tool in toolset.tools:
        assert toolset.version(tool).startswith("v")
        assert tool.package in go_mod


def test_the_digest_is_the_same_for_the_same_content():
    """Two clones of one commit share their tools."""
    assert KUBERNETES.digest(LINUX) == KUBERNETES.digest(Platform("linux", "amd64"))


def test_the_digest_knows_platform_flags_and_content(monkeypatch):
    """Anything that decides what is built gives a folder of its own."""
    tool = replace(KWOK.tools[0], stamps=())
    digests = [KWOK.digest(LINUX), KWOK.digest(Platform("linux", "arm64")), KUBERNETES.digest(LINUX)]
    digests.append(replace(KWOK, tools=(tool, *KWOK.tools[1:])).digest(LINUX))
    monkeypatch.setattr(toolsets, "BUILD_FLAGS", ())
    digests.append(KWOK.digest(LINUX))
    assert len(set(digests)) == len(digests)


def test_programs_are_stamped_with_their_version():
    """An API server that calls itself v0.0.0 is refused by Helm."""
    flags = KUBERNETES.linker_flags(KUBERNETES.tools[0])
    version = KUBERNETES.version(KUBERNETES.tools[0])
    assert f"gitVersion={version}" in flags
    assert "gitMajor=1 " in flags
