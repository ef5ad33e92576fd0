"""The operator, put together: watches feed the state, the planner decides, the actuator writes, the reporter tells.

All loops are siblings in one task group, so that the death of one ends the process: crash-only. A restart loses nothing, since
everything that matters is in the cluster.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from chipwise.cluster.extract import extract
from chipwise.cluster.state import ClusterState
from chipwise.control.actuator import Actuator
from chipwise.control.fence import Fence
from chipwise.control.heap import share_one_heap
from chipwise.control.herald import Herald
from chipwise.control.leader import Elector
from chipwise.control.options import RunOptions
from chipwise.control.overlays import OverlayWriter
from chipwise.control.planner import Planner
from chipwise.control.priority_writer import PriorityWriter
from chipwise.control.prober import Prober
from chipwise.control.publisher import Publisher
from chipwise.control.recorder import Recorder
from chipwise.control.reporter import Reporter, Versions
from chipwise.control.spare_writer import SpareWriter
from chipwise.control.watches import reflectors
from chipwise.kube.client import Client
from chipwise.kube.clock import ServerClock, utc
from chipwise.kube.connection import Connection, connect
from chipwise.kube.counted import Counted
from chipwise.kube.errors import Misconfigured
from chipwise.kube.protocol import Kube
from chipwise.kube.resources import INFERENCE_WORKLOADS
from chipwise.kube.sight import Sight
from chipwise.telemetry.server import serving
from chipwise.telemetry.telemetry import Telemetry
from chipwise.watch.audit import Absence, Audit
from chipwise.watch.feed import feed
from chipwise.watch.roster import Roster

log = logging.getLogger(__name__)

#: So many workloads that vanish unseen, and more than half of all, are a mistake until a person says otherwise.
_MASS_ABSENCE = 5


def run(options: RunOptions) -> int:
    """Run until SIGTERM or SIGINT, or until a loop fails. The exit code: 0, 1 for a failure, 2 without configuration."""
    share_one_heap()
    connection = connect(kubeconfig=options.kubeconfig, context=options.context)
    try:
        asyncio.run(connection.read())
    except Misconfigured as error:
        log.error("no API server to talk to: %s; give --kubeconfig, or run in a pod", error)  # noqa: TRY400 - a sentence, not a trace
        return 2
    return asyncio.run(operate(connection, options))


@dataclass(frozen=True, slots=True)
class _Server:
    """What is known of the API server itself: its time, and since when it answers."""

    clock: ServerClock
    sight: Sight


async def operate(connection: Connection, options: RunOptions) -> int:
    """The operator on one event loop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    telemetry = Telemetry()
    server = _Server(ServerClock(utc), Sight(hiccup=options.lease_timing.deadline))
    async with Client(connection, clock=server.clock) as client, AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(serving(telemetry.application(), options.listen))
        except OSError as error:
            log.error("cannot listen on %s: %s; choose another address with --listen", options.listen, error)  # noqa: TRY400 - a sentence, not a trace
            return 2
        kube = Counted(Counted(client, server.sight.asked), telemetry.asked)
        elector = Elector(kube, options.lease_namespace, options.lease_name, timing=options.lease_timing)
        warm = asyncio.Event()
        leading = asyncio.create_task(elector.run(warm), name="elector")
        loops = asyncio.create_task(
            _loops(kube, connection, elector, options, telemetry, warm, server), name="loops"
        )
        stopping = asyncio.create_task(stop.wait(), name="stop")
        siblings: set[asyncio.Task[Any]] = {leading, loops, stopping}
        done, _ = await asyncio.wait(siblings, return_when=asyncio.FIRST_COMPLETED)
        # The writers end first and the elector last: it hands the Lease back as its final act.
        ending: tuple[asyncio.Task[Any], ...] = (loops, leading, stopping)
        for task in ending:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        for task in done - {stopping}:
            failure = task.exception() if not task.cancelled() else None
            if failure is not None:
                log.error("%s ended: %r", task.get_name(), failure, exc_info=failure)
                return 1
    return 0


async def _loops(
    kube: Kube,
    connection: Connection,
    elector: Elector,
    options: RunOptions,
    telemetry: Telemetry,
    warm: asyncio.Event,
    server: _Server,
) -> None:
    """``warm`` is set once every list is complete."""
    state, board = ClusterState(karpenter=options.karpenter), telemetry.board
    roster: Roster[Any] = Roster(state, extract)
    watches = list(reflectors(kube, state, options))
    audit = Audit(kube, roster, may_forget=_may_forget)
    server.sight.watches, server.sight.catch_up = watches, audit.caught_up
    telemetry.gates, telemetry.sight = (audit, *watches), server.sight
    synced = tuple(gate.synced for gate in telemetry.gates)
    board.reflectors, board.leads = watches, elector.is_leader
    reporter, publisher, heralds = _tellers(kube, state, elector, roster, telemetry, options, server.clock)
    planner = Planner(
        state,
        synced,
        publisher.publish,
        standing=options.standing,
        deciding=telemetry.deciding,
        term=elector.term,
        sight=server.sight,
        now=server.clock.now,
    )
    async with asyncio.TaskGroup() as tasks:
        for reflector in watches:
            tasks.create_task(reflector.run(), name=f"reflector {reflector.resource}")
        tasks.create_task(feed(roster, connection, kube, vital=telemetry.pulses["kopf"]), name="feed")
        tasks.create_task(audit.run(), name="audit")
        tasks.create_task(planner.run(), name="planner")
        for herald in heralds:
            tasks.create_task(herald.run(), name="herald")
        tasks.create_task(_begin_terms(elector, state, reporter), name="terms")
        for event in synced:
            await event.wait()
        warm.set()


def _tellers(
    kube: Kube,
    state: ClusterState,
    elector: Elector,
    versions: Versions,
    telemetry: Telemetry,
    options: RunOptions,
    clock: ServerClock,
) -> tuple[Reporter, Publisher, tuple[Herald, ...]]:
    """Who writes and who tells, all of them through the fence."""
    desk, pulses, leads = Fence(kube, elector.time_left), telemetry.pulses, elector.is_leader
    recorder = Recorder(desk, clock.now)
    actuator = Actuator(desk, recorder, may_write=leads, pulse=pulses["actuator"], count=telemetry.wrote)
    reporter = Reporter(
        desk,
        recorder,
        may_write=leads,
        failures=actuator.failures,
        versions=versions,
        pulse=pulses["reporter"],
    )
    herald = Herald(reporter.report, state.dirty.set)
    beside: list[Herald] = []
    if options.priority_expander and options.cluster_autoscaler is not None:
        writer = PriorityWriter(desk, recorder, options.cluster_autoscaler, may_write=leads)
        beside.append(Herald(writer.write, state.dirty.set))
    if options.provisioning_requests:
        prober = Prober(desk, recorder, may_write=leads)
        beside.append(Herald(prober.probe, state.dirty.set))
    if options.node_overlays:
        beside.append(Herald(OverlayWriter(desk, may_write=leads).write, state.dirty.set))
    if options.spare is not None:
        beside.append(Herald(SpareWriter(desk, recorder, may_write=leads).write, state.dirty.set))
    publisher = Publisher(telemetry, actuator, herald, recorder, leads, beside)
    return reporter, publisher, (herald, *beside)


async def _begin_terms(elector: Elector, state: ClusterState, reporter: Reporter) -> None:
    """A standby watches and decides, and nothing of it is acted on: decide again when leadership is gained, on what is known by then."""
    while True:
        await elector.leading.wait()
        reporter.forget()
        state.dirty.set()
        await elector.lost.wait()


def _may_forget(absence: Absence) -> bool:
    """Many workloads that vanished together without a deletion being seen are kept as known, and said so loudly."""
    if absence.resource != INFERENCE_WORKLOADS:
        return True
    return len(absence.keys) < _MASS_ABSENCE or 2 * len(absence.keys) <= absence.known
