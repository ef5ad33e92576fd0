"""A server and a client of it, for every test that wants the wire."""

from __future__ import annotations

import asyncio

import pytest
from chipwise.kube.client import Client
from chipwise.kube.transport import Timeouts

from tests.kube.server import connection_to, serving

# pytest-asyncio asks for a current loop before its first test; one made for that answer would never be closed, and say so.
asyncio.set_event_loop(None)

QUICK = Timeouts(connect=1.0, request=1.0, watch=5, silence=0.3)


@pytest.fixture
async def server():
    async with serving() as running:
        yield running


@pytest.fixture
async def client(server):
    async with Client(connection_to(server), QUICK) as connected:
        yield connected
