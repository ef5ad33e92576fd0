"""Obtain programs: from the cache, else as a verified release, else built from Go modules.

A program in the cache is always whole: it is made beside its place and moved there at the end, under a lock.
"""

import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from e2e.cluster.errors import ToolError
from e2e.cluster.folders import locked, tool_cache
from e2e.cluster.gobuild import build
from e2e.cluster.releases import download, release_of
from e2e.cluster.toolsets import TOOLSETS, Platform, Tool, ToolSet, this_platform


def obtain(names: Iterable[str]) -> dict[str, Path]:
    """The paths of the programs of these names; those that are missing are fetched or built."""
    wanted = frozenset(names)
    target = this_platform()
    paths: dict[str, Path] = {}
    for toolset in TOOLSETS:
        tools = [tool for tool in toolset.tools if tool.name in wanted]
        if tools:
            folder = _complete(toolset, tools, target)
            paths.update({tool.name: folder / tool.name for tool in tools})
    if unknown := wanted - paths.keys():
        raise ToolError(f"no tool set holds {', '.join(sorted(unknown))}")
    return paths


def toolset_folder(toolset: ToolSet, target: Platform) -> Path:
    """Where the programs of a set are kept; another go.mod, flag or platform means another folder."""
    return tool_cache() / f"{toolset.name}-{toolset.digest(target)}"


def _complete(toolset: ToolSet, tools: list[Tool], target: Platform) -> Path:
    folder = toolset_folder(toolset, target)
    if not _missing(folder, tools):
        return folder
    with locked(folder.with_suffix(".lock"), f"tools: {toolset.name}"):
        folder.mkdir(parents=True, exist_ok=True)
        for left_behind in folder.glob(".making-*"):
            shutil.rmtree(left_behind, ignore_errors=True)
        missing = _missing(folder, tools)
        offline = False
        for index, tool in enumerate(missing):
            left = len(missing) - index - 1
            offline = _make(toolset, tool, target, left, offline=offline)
    return folder


def _make(toolset: ToolSet, tool: Tool, target: Platform, left: int, *, offline: bool) -> bool:
    """Make one program; returns whether the release site turned out to be out of reach."""
    folder = toolset_folder(toolset, target)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".making-") as making:
        made = Path(making) / tool.name
        downloaded = not offline and _download(toolset, tool, target, made)
        if not downloaded:
            build(toolset, tool, made, left)
        os.replace(made, folder / tool.name)  # noqa: PTH105 - the atomic one, by its usual name
    return not downloaded


def _download(toolset: ToolSet, tool: Tool, target: Platform, made: Path) -> bool:
    version = toolset.version(tool)
    release = release_of(tool, version, target)
    if release is None:
        return False
    try:
        download(release, made)
    except ToolError as reason:
        print(f"tools: {tool.name} {version} is not downloaded ({reason}); building it", flush=True)
        return False
    print(f"tools: {tool.name} {version} downloaded and verified", flush=True)
    return True


def _missing(folder: Path, tools: list[Tool]) -> list[Tool]:
    return [tool for tool in tools if not os.access(folder / tool.name, os.X_OK)]
