"""A core LabelSelector that can answer for itself."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from chipwise.api.lists import Distinct, Keys
from chipwise.api.model import Model
from chipwise.api.rules import Rule
from chipwise.api.text import LABEL_KEY, LabelKey, LabelValue


class SelectorOperator(StrEnum):
    """How a label is compared."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


class LabelExpression(Model):
    """One comparison of one label."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.operator in ['In', 'NotIn'] == (has(self.values) && size(self.values) > 0)",
            "must be given for the operators In and NotIn, and left out for Exists and DoesNotExist",
            lambda found: (
                (found.operator in {SelectorOperator.IN, SelectorOperator.NOT_IN}) == bool(found.values)
            ),
            ".values",
        ),
    )

    key: LabelKey
    """The label that is compared, such as kubernetes.io/metadata.name."""
    operator: SelectorOperator
    """In, NotIn, Exists or DoesNotExist."""
    values: Annotated[tuple[LabelValue, ...], Field(max_length=32), Distinct()] = ()
    """What the label's value is compared with, for In and NotIn."""

    def matches(self, labels: Mapping[str, str]) -> bool:
        """As the API server does: NotIn holds when the label is absent."""
        value = labels.get(self.key)
        match self.operator:
            case SelectorOperator.IN:
                return value in self.values
            case SelectorOperator.NOT_IN:
                return value not in self.values
            case SelectorOperator.EXISTS:
                return value is not None
            case SelectorOperator.DOES_NOT_EXIST:
                return value is None


class LabelSelector(Model):
    """Labels and expressions that must all hold. An empty selector matches everything."""

    match_labels: Annotated[dict[str, LabelValue], Field(max_length=16), Keys(LABEL_KEY)] = Field(
        default_factory=dict
    )
    """Labels with the values that they must have, such as team: search."""
    match_expressions: Annotated[tuple[LabelExpression, ...], Field(max_length=16)] = ()
    """Comparisons that must hold as well."""

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels is selected."""
        return all(labels.get(key) == value for key, value in self.match_labels.items()) and all(
            expression.matches(labels) for expression in self.match_expressions
        )
