"""How long to wait before asking a troubled server again: doubling, capped, jittered, and never less than the server asked for."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from chipwise.kube.errors import KubeError, Unavailable


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits in seconds. The jitter takes up to half of a wait away, so that many clients do not come back as one."""

    first: float = 0.5
    cap: float = 10.0  # the wait is what a recovery costs at most, and few of us ask
    source: random.Random = field(default_factory=random.Random, repr=False)

    def delay(self, failures: int, error: KubeError | None = None) -> float:
        """Return the wait after ``failures`` failures in a row (0 for none: no wait), the last one being ``error``."""
        asked = error.retry_after or 0.0 if isinstance(error, Unavailable) else 0.0
        if failures <= 0:
            return asked
        full = min(self.cap, self.first * 2.0 ** min(failures - 1, 16))
        return max(asked, full * (1.0 - self.source.random() / 2.0))
