"""What every test gets."""

from __future__ import annotations

import asyncio

from hypothesis import settings

# How long an example takes says something of the machine alone.
settings.register_profile("chipwise", deadline=None)
settings.load_profile("chipwise")

# pytest-asyncio asks for a current loop before its first test; one made for that answer would never be closed, and say so.
asyncio.set_event_loop(None)
