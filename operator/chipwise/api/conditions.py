"""Conditions as the Kubernetes API conventions have them, and the part of a status that every kind shares."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from chipwise.api.lists import MapBy
from chipwise.api.model import StatusModel
from chipwise.api.numbers import Generation
from chipwise.api.text import Timestamp

MESSAGE_LIMIT = 1024

ReasonText = Annotated[
    str, Field(pattern="^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$", min_length=1, max_length=128)
]
MessageText = Annotated[str, Field(max_length=MESSAGE_LIMIT)]


class ConditionStatus(StrEnum):
    """Unknown is not yet decided."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(StatusModel):
    """One observation about an object. An absent condition is the same as Unknown."""

    type: Annotated[str, Field(pattern="^[A-Z][A-Za-z0-9]*$", max_length=64)]
    """What is observed, in CamelCase, such as Ready."""
    status: ConditionStatus
    """True, False or Unknown."""
    observed_generation: Generation = 0
    """The metadata.generation that this condition was computed from."""
    last_transition_time: Timestamp
    """When status last changed, in RFC 3339."""
    reason: ReasonText
    """Why, as one CamelCase word that programs may compare, such as ResourceNameMissing."""
    message: MessageText
    """Why, as a sentence with the figures of this case and what would change it. At most 1024 characters."""


Conditions = Annotated[tuple[Condition, ...], Field(max_length=16), MapBy("type")]


class CommonStatus(StatusModel):
    """What the status of every kind holds."""

    observed_generation: Generation | None = None
    """The metadata.generation that this status was computed from. If it is behind, chipwise has not seen the last change."""
    conditions: Conditions = ()
    """What chipwise currently observes about this object. Ready sums it up."""

    def condition(self, name: str) -> Condition | None:
        """Return the condition of this type, if it has been set."""
        return next((found for found in self.conditions if found.type == name), None)


def shorten(message: str) -> str:
    """``message`` cut to what a condition holds, with an ellipsis where something is missing."""
    return message if len(message) <= MESSAGE_LIMIT else message[: MESSAGE_LIMIT - 1] + "…"
