"""A core Toleration, with the cross-field rules of the core API, so that a bad one is refused here rather than in a rollout."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from chipwise.api.model import Model
from chipwise.api.numbers import SecondsOrZero
from chipwise.api.rules import Rule
from chipwise.api.text import LabelKey, LabelValue


class TolerationOperator(StrEnum):
    """Exists matches any value of the key."""

    EXISTS = "Exists"
    EQUAL = "Equal"


class TaintEffect(StrEnum):
    """What a taint does to pods that do not tolerate it."""

    NO_SCHEDULE = "NoSchedule"
    PREFER_NO_SCHEDULE = "PreferNoSchedule"
    NO_EXECUTE = "NoExecute"


class Toleration(Model):
    """Lets a pod onto nodes that carry a matching taint."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.key) || (has(self.operator) && self.operator == 'Exists')",
            "needs a key, unless operator is Exists",
            lambda found: found.key is not None or found.operator is TolerationOperator.EXISTS,
            ".key",
        ),
        Rule(
            "!has(self.operator) || self.operator != 'Exists' || !has(self.value) || size(self.value) == 0",
            "must be left out when operator is Exists, which matches every value",
            lambda found: found.operator is not TolerationOperator.EXISTS or not found.value,
            ".value",
        ),
        Rule(
            "!has(self.tolerationSeconds) || (has(self.effect) && self.effect == 'NoExecute')",
            "needs effect NoExecute",
            lambda found: found.toleration_seconds is None or found.effect is TaintEffect.NO_EXECUTE,
            ".tolerationSeconds",
        ),
    )

    key: LabelKey | None = None
    """The key of the taint, such as nvidia.com/gpu. Left out with operator Exists it matches every taint."""
    operator: TolerationOperator | None = None
    """Exists matches any value, Equal (what applies when left out) only the given one."""
    value: LabelValue | None = None
    """The value of the taint, for operator Equal."""
    effect: TaintEffect | None = None
    """NoSchedule, PreferNoSchedule or NoExecute. Left out it matches all of them."""
    toleration_seconds: SecondsOrZero | None = None
    """With effect NoExecute: seconds for which a running pod tolerates the taint. Left out it does so for ever."""


Tolerations = Annotated[tuple[Toleration, ...], Field(max_length=16)]
