"""One heap for all threads: the GNU C library gives each thread its own, and what a decision has freed in one stays with the process.

The operator decides in a pool of threads, and Python's own lock lets no two of them allocate at once, so that more heaps win nothing.
``make bench`` measures its memory with this (`mallopt(3)`, ``M_ARENA_MAX``).
"""

from __future__ import annotations

import ctypes

#: malloc.h of the GNU C library.
_M_ARENA_MAX = -8


def share_one_heap() -> bool:
    """Call it before the first thread starts. False where the C library has no such setting (musl, macOS), which changes nothing."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and mallopt(_M_ARENA_MAX, 1) == 1
