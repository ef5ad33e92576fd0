"""Flags change over the author's, in the author's order and spelling."""

from __future__ import annotations

import pytest
from chipwise.rendering.arguments import is_one_liner, patched
from chipwise.rendering.manifest import RenderingRefused
from chipwise.rendering.target import ArgsPatch


@pytest.mark.parametrize(
    ("words", "patch", "expected"),
    [
        ("--tp 4 --port 8000", ArgsPatch(set=(("--tp", "2"),)), "--tp 2 --port 8000"),
        ("--tp=4 --port 8000", ArgsPatch(set=(("--tp", "2"),)), "--tp=2 --port 8000"),
        ("--max_model_len 9", ArgsPatch(set=(("--max-model-len", "7"),)), "--max_model_len 7"),
        ("--tp 4 --x --tp=8", ArgsPatch(set=(("--tp", "2"),)), "--tp 2 --x"),
        ("--port 8000", ArgsPatch(set=(("--tp", "2"), ("--eager", None))), "--port 8000 --tp 2 --eager"),
        ("--eager model", ArgsPatch(set=(("--eager", None),)), "--eager model"),
        ("--chunked True x", ArgsPatch(set=(("--chunked", None),)), "--chunked x"),
        ("--seed -1 x", ArgsPatch(set=(("--seed", "-2"),)), "--seed -2 x"),
        ("--x", ArgsPatch(set=(("--opt", "-O3"),)), "--x --opt=-O3"),
        ("--no-enable-caching x", ArgsPatch(set=(("--enable-caching", None),)), "x --enable-caching"),
        ("--enable-caching", ArgsPatch(set=(("--no-enable-caching", None),)), "--no-enable-caching"),
        ("--enable-x m", ArgsPatch(set=(("--enable-x", "false"),)), "--enable-x false m"),
        ("--eager m", ArgsPatch(set=(("--no-eager", None),)), "m --no-eager"),
        ("--eager --eager m", ArgsPatch(set=(("--eager", None),)), "--eager m"),
        ("--tp 4 --port 8000 -tp 3", ArgsPatch(remove=("--tp", "-tp")), "--port 8000"),
        ("--tp=4 --tpx 3", ArgsPatch(remove=("--tp",)), "--tpx 3"),
        ("--enforce-eager meta/llama", ArgsPatch(remove=("--enforce-eager",)), "meta/llama"),
        ("--trust-remote-code true m", ArgsPatch(remove=("--trust-remote-code",)), "m"),
        ("--a 1", ArgsPatch(append=("--b", "2")), "--a 1 --b 2"),
        ("--a 1", ArgsPatch(replace=("--b",), append=("--c",)), "--b"),
    ],
)
def test_flags_are_set_removed_and_appended(words: str, patch: ArgsPatch, expected: str):
    assert patched([], words.split(), patch) == ([], expected.split())


def test_a_flag_in_the_command_is_changed_where_it_stands():
    """Many authors put everything into command."""
    patch = ArgsPatch(set=(("--tp", "2"), ("--new", "1")))
    command, args = patched(["vllm", "serve", "m", "--tp", "4"], ["--tp", "8"], patch)
    assert (command, args) == (["vllm", "serve", "m", "--tp", "2"], ["--new", "1"])


@pytest.mark.parametrize(
    ("command", "args"),
    [
        (["sh", "-c", "vllm serve m"], []),
        (["/bin/bash"], ["-lc", "vllm serve m"]),
        (["bash", "-euo", "pipefail", "-c"], ["vllm serve m"]),
        (["/usr/bin/tini", "--", "/bin/sh", "-c"], ["vllm serve m"]),
        ([], ["-c", "vllm serve m"]),
    ],
)
def test_flags_in_a_shell_one_liner_are_not_guessed(command: list[str], args: list[str]):
    """A patch of flags is refused; a new command with a new list is not."""
    assert is_one_liner(command, args)
    with pytest.raises(RenderingRefused, match="ArgsNotPatchable"):
        patched(command, args, ArgsPatch(remove=("--tp",)))
    with pytest.raises(RenderingRefused, match="ArgsNotPatchable"):
        patched(command, args, ArgsPatch(), ["vllm"])
    assert patched(command, args, ArgsPatch()) == (command, args)
    assert patched(command, args, ArgsPatch(replace=("serve",)), ["vllm"]) == (["vllm"], ["serve"])


@pytest.mark.parametrize(
    "words",
    [
        ["bash", "run.sh", "-c", "x"],
        ["vllm", "serve", "m"],
        ["python3", "-m", "vllm"],
        ["sh", "-x", "run.sh"],
    ],
)
def test_a_script_and_a_plain_command_are_no_one_liners(words: list[str]):
    assert not is_one_liner(words, [])
