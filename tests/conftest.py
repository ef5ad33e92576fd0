"""What every test gets."""

from __future__ import annotations

import asyncio

# pytest-asyncio asks for a current loop before its first test; one made for that answer would never be closed, and say so.
asyncio.set_event_loop(None)
