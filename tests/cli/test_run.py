"""``chipwise run`` hands its flags on and ends with the operator's exit code."""

from __future__ import annotations

import logging

import pytest
from chipwise.control import runtime
from chipwise.control.runtime import RunOptions
from chipwise.telemetry.server import Address

from tests.cli.fleet import invoke


@pytest.fixture
def started(monkeypatch):
    """The options of every operator that was started; none runs."""
    found: list[RunOptions] = []

    def started(options: RunOptions) -> int:
        found.append(options)
        return 3

    monkeypatch.setattr(runtime, "run", started)
    monkeypatch.delenv("POD_NAMESPACE", raising=False)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield found
    root.handlers[:], root.level = handlers, level


def test_flags_become_options(started):
    flags = "--kubeconfig k --context c --lease-namespace n --lease-name l --no-writes --freeze --log-format json --log-level debug --listen [::1]:0"
    assert invoke("run", *flags.split()).exit_code == 3
    assert [RunOptions("k", "c", "n", "l", writes=False, freeze=True, listen=Address("::1", 0))] == started


def test_without_flags_it_writes_and_moves(started):
    invoke("run")
    assert [RunOptions()] == started


def test_in_a_pod_the_lease_is_in_its_own_namespace(started, monkeypatch):
    monkeypatch.setenv("POD_NAMESPACE", "platform")
    invoke("run", "--log-format=json")
    assert [RunOptions(lease_namespace="platform")] == started


def test_what_is_no_address_ends_with_2_and_an_example(started):
    result = invoke("run", "--listen", "8080")
    assert (result.exit_code, started) == (2, [])
    assert "--listen: '8080' is not HOST:PORT, such as 127.0.0.1:8080" in result.stderr
