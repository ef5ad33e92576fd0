"""Operators that compete for one Lease: each a process with a token of its own, so that the audit log tells them apart."""

from __future__ import annotations

import re
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from chipwise.control.lease import LeaseTiming

from e2e import leases
from e2e.cable import Cable
from e2e.faults import Lab
from e2e.leases import Request
from e2e.operator_process import OperatorProcess, service_account_kubeconfig

_HERE = Path(__file__).parent
DEFAULT = LeaseTiming()
SHORT = LeaseTiming(8.0, 6.0, 1.0)


class Replica(OperatorProcess):
    """One of them. ``launcher`` is a module that runs chipwise and does something to it, with its arguments.

    ``cable`` is its way to the API server, if it has one of its own.
    """

    def __init__(
        self, lab: Lab, name: str, timing: LeaseTiming, *launcher: str, cable: Cable | None = None
    ) -> None:
        kubeconfig = service_account_kubeconfig(lab.cluster, lab.folder / f"{name}.kubeconfig")
        if cable is not None:
            kubeconfig.write_text(kubeconfig.read_text().replace(lab.cluster.server, cable.server))
        super().__init__(kubeconfig, lab.folder / f"{name}.log", *flags(timing))
        self.launcher = launcher
        self.credential = leases.credential_of(kubeconfig)

    def command(self) -> list[str]:
        """As usual, under the launcher if there is one."""
        usual = super().command()
        if not self.launcher:
            return usual
        module, *arguments = self.launcher
        return [sys.executable, str(_HERE / module), *arguments, *usual[1:]]

    @property
    def leads(self) -> bool:
        """By its own word."""
        said = re.findall("leading as|no longer leading", self.log)
        return bool(said) and said[-1] == "leading as"

    @property
    def is_warm(self) -> bool:
        """It has decided, or will with the next change."""
        return "every list is complete" in self.log


def flags(timing: LeaseTiming) -> Sequence[str]:
    """None for the default, so that the default is what is tested."""
    if timing == DEFAULT:
        return ()
    return (
        f"--lease-duration={timing.duration:g}s",
        f"--renew-deadline={timing.deadline:g}s",
        f"--retry-period={timing.retry:g}s",
    )


@dataclass(frozen=True, slots=True)
class Team:
    """The leader that it began with, and its standbys."""

    lab: Lab
    leader: Replica
    standbys: tuple[Replica, ...]
    timing: LeaseTiming

    def requests(self) -> list[Request]:
        """Of all of them, since the test began."""
        return leases.requests(self.lab.audit)

    def kill(self) -> float:
        """SIGKILL for the leader; the moment."""
        assert self.leader.leads
        moment = time.time()
        assert self.leader.kill() == -signal.SIGKILL
        return moment

    def gone(self, seconds: float) -> float:
        """Wait until the leader has killed itself; the moment."""
        self.lab.within(seconds, lambda: not self.leader.is_alive, "the leader dies", pause=0.01)
        assert self.leader.kill() == -signal.SIGKILL
        return time.time()

    def successor(self, within: float) -> Replica:
        """The one standby that leads by now."""
        found: list[Replica] = self.lab.within(
            within, lambda: [each for each in self.standbys if each.leads], "a standby leads"
        )
        (only,) = found
        return only

    def fair(self) -> None:
        """Every write was the leader's, and nobody led at another's time."""
        assert leases.foul_play(self.requests(), self.timing.duration) == []


@dataclass(frozen=True, slots=True)
class Succession:
    """Seconds from the end of a leader: until its successor held the Lease, and until it did something with it."""

    lease: float
    act: float
    what: str

    def __str__(self) -> str:
        return f"the Lease after {self.lease:.2f} s, {self.what} after {self.act:.2f} s"


def succession(
    team: Team, successor: Replica, since: float, what: str = "", *, warm: bool = True
) -> Succession:
    """How the successor began: its first request about the Lease that changed it, and the first write (``what``, or any) after that.

    It was ``warm``, so it listed nothing in between, unless its watches were broken too.
    """

    def first() -> tuple[Request, Request] | None:
        found = list(leases.by(successor.credential, team.requests(), since))
        taken = next((each for each in found if each.is_of_the_lease), None)
        act = next((each for each in found if each.is_act and what in each.what), None)
        return (taken, act) if taken and act else None

    taken, act = team.lab.within(60, first, f"the successor writes {what}")
    between = leases.by(successor.credential, team.requests(), since)
    assert not warm or not [
        each.what for each in between if each.what.startswith("list") and each.answered < act.answered
    ]
    return Succession(taken.answered - since, act.answered - since, act.what)


Launcher = Callable[[int], Sequence[str]]


def ordinary(_: int) -> Sequence[str]:
    """Every operator is run as it is."""
    return ()


def first(*launcher: str) -> Launcher:
    """Something is done to the leader only."""
    return lambda number: () if number else launcher


@contextmanager
def team(
    lab: Lab,
    count: int,
    timing: LeaseTiming,
    launcher: Launcher = ordinary,
    *,
    cable: Cable | None = None,
) -> Iterator[Team]:
    """So many operators, of which number 0 leads, over the cable if there is one; all are warm."""
    with ExitStack() as stack:
        leader, *standbys = (
            lab.adopt(
                Replica(lab, f"replica-{number}", timing, *launcher(number), cable=None if number else cable)
            )
            for number in range(count)
        )
        stack.enter_context(leader)
        lab.within(40, lambda: leader.leads, "the first leads")
        for standby in standbys:
            stack.enter_context(standby)
        lab.within(60, lambda: all(each.is_warm for each in (leader, *standbys)), "all are warm")
        yield Team(lab, leader, tuple(standbys), timing)
