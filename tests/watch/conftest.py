"""pytest-asyncio asks for a current loop before its first test; one made for that answer would never be closed, and say so."""

from __future__ import annotations

import asyncio

asyncio.set_event_loop(None)
