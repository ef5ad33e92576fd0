"""Whether a run put the load on a server that it says it did: its requests were answered, and there were enough of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chipwise.cli.importers.fields import Record

FAILED_SHARE = 0.05
"""With more failed requests than this the load was not what it was meant to be."""


@dataclass(frozen=True, slots=True)
class Load:
    """Requests that were answered and that failed, and the concurrency that was to be held."""

    answered: int
    failed: int
    concurrency: int

    def settle(self, fields: Mapping[str, tuple[Record, str]]) -> None:
        """Raises BadInput, at the field that ``fields`` has for ``answered`` or ``failed``, if the concurrency was not held."""
        total = self.answered + self.failed
        if self.failed > FAILED_SHARE * total:
            record, field = fields["failed"]
            said = f"{self.failed} of {total} requests failed: what was measured is not this load"
            raise record.error(field, said)
        if self.answered < self.concurrency:
            record, field = fields["answered"]
            said = f"{self.answered} requests never made up the concurrency of {self.concurrency}"
            raise record.error(field, said)
