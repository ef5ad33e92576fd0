"""``chipwise run`` hands its flags on and ends with the operator's exit code."""

from __future__ import annotations

import logging
import os

import pytest
from chipwise.autoscaling.placeholders import Settings
from chipwise.control import runtime
from chipwise.control.lease import LeaseTiming
from chipwise.control.options import RunOptions
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


def test_room_is_kept_warm_where_the_lease_is(started):
    invoke("run", "--lease-namespace", "n", "--spare")
    invoke(
        "run", *["--spare", "--spare-image", "i", "--spare-priority-class", "c", "--spare-pull-secret", "s"]
    )
    assert started == [
        RunOptions(lease_namespace="n", spare=Settings("n")),
        RunOptions(spare=Settings("chipwise-system", "i", "c", ("s",))),
    ]


def test_what_is_no_address_ends_with_2_and_an_example(started):
    result = invoke("run", "--listen", "8080")
    assert (result.exit_code, started) == (2, [])
    assert "--listen: '8080' is not HOST:PORT, such as 127.0.0.1:8080" in result.stderr


def test_the_times_of_the_lease_are_durations(started):
    invoke("run", "--lease-duration", "1m30s", "--renew-deadline", "60s", "--retry-period", "500ms")
    assert [RunOptions(lease_timing=LeaseTiming(90.0, 60.0, 0.5))] == started


@pytest.mark.parametrize("wrong", ["15", "s", "", "-5s", "15s!", "1.5.s", "five"])
def test_a_time_that_is_no_duration_is_refused(started, wrong):
    result = invoke("run", "--lease-duration", wrong)
    assert result.exit_code == 2
    assert f"{wrong!r} is not a duration such as 15s, 1m30s or 500ms" in result.stderr
    assert not started


def test_times_that_leave_no_room_are_refused(started):
    """A leader that trusts itself for as long as others wait would write beside its successor."""
    result = invoke("run", "--lease-duration=10s", "--renew-deadline=10s")
    assert result.exit_code == 2
    assert "renew deadline < lease duration, not 2 s, 10 s and 10 s" in result.stderr
    assert not started


@pytest.mark.parametrize(("given", "threads"), [(None, "1"), ("4", "4")])
def test_one_thread_multiplies_matrices_unless_the_environment_says_otherwise(
    started, monkeypatch, given, threads
):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", given or "")
    if given is None:
        monkeypatch.delenv("OPENBLAS_NUM_THREADS")
    invoke("run")
    assert os.environ["OPENBLAS_NUM_THREADS"] == threads
