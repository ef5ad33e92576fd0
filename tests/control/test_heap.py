"""One heap: threads that allocate at once share what is free. In a process of its own, for the setting cannot be undone."""

import subprocess
import sys

_COUNTED = """
import ctypes, threading
from chipwise.control.heap import share_one_heap

if {shared}:
    assert share_one_heap()
gate = threading.Barrier(8)
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p

def allocate():
    gate.wait()
    for _ in range(100):
        libc.malloc(1000)
    gate.wait()

threads = [threading.Thread(target=allocate) for _ in range(7)]
for each in threads:
    each.start()
gate.wait()
gate.wait()
for each in threads:
    each.join()
libc.fopen.restype = ctypes.c_void_p
output = ctypes.c_void_p(libc.fopen(b"/dev/stdout", b"w"))
libc.malloc_info(0, output)
libc.fclose(output)
"""


def _heaps(*, shared: bool) -> int:
    found = subprocess.run(
        [sys.executable, "-c", _COUNTED.format(shared=shared)], check=True, capture_output=True, text=True
    )
    return found.stdout.count("<heap nr=")


def test_threads_share_one_heap() -> None:
    assert _heaps(shared=False) > 1
    assert _heaps(shared=True) == 1
