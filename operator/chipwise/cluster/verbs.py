"""What is done with an object of ours that should be otherwise than it is."""

from __future__ import annotations

from enum import Enum


class Verb(Enum):
    """One kind of write."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
