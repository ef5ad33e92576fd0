"""Where things are kept: tools in the user's cache folder, clusters in `.cluster/` of this repository.

Tools are shared by all clones of one user; a cluster belongs to the clone that started it.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent


def tool_cache() -> Path:
    """The folder that holds one folder for each tool set."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "chipwise" / "tools"


def clusters_folder() -> Path:
    """The folder that holds one folder for each cluster of this clone."""
    return REPOSITORY / ".cluster"


def cluster_folder(name: str) -> Path:
    """All that is known of one cluster; removing the folder forgets the cluster."""
    return clusters_folder() / name


@contextmanager
def locked(path: Path, waiting: str) -> Iterator[None]:
    """Hold a file lock; whoever has to wait is told why. The system lets go of it when the holder dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            started = time.monotonic()
            print(f"{waiting}: waiting for another process", flush=True)
            fcntl.flock(handle, fcntl.LOCK_EX)
            print(f"{waiting}: waited {time.monotonic() - started:.0f} s", flush=True)
        yield
