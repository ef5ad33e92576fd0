"""The part of an object's metadata that chipwise reads. The API server owns its schema; the rest is ignored."""

from __future__ import annotations

from pydantic import Field

from chipwise.api.model import StatusModel
from chipwise.api.text import Label, Name, Timestamp


class Metadata(StatusModel):
    """Identity and bookkeeping of one object. Times are RFC 3339 strings."""

    name: Name
    namespace: Label | None = None
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)
    creation_timestamp: Timestamp | None = None
    deletion_timestamp: Timestamp | None = None
