"""Node selector terms: what they match, what remains of them without the chips, and their product with the pools' terms.

The terms of an author are alternatives (OR), the expressions of one term all hold (AND), and an empty term matches no node. Removing
the expressions about chips from a term can leave nothing to ask: such a term is no longer a constraint, and neither are the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

from chipwise.rendering.manifest import Document
from chipwise.rendering.target import PoolTerm
from chipwise.rendering.vocabulary import ChipVocabulary

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
Terms = tuple[Document, ...]  # alternatives; none at all match nothing
_FIELD_NAME = "metadata.name"


def expression_holds(expression: Mapping[str, Any], value: str | None) -> bool:
    """Hold one requirement against a label's value, None where the node has no such label. An unknown operator does not hold."""
    values = expression.get("values") or []
    match expression.get("operator"):
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt" | "Lt" as operator:
            return _compare(value, values, 1 if operator == "Gt" else -1)
    return False


def term_matches(term: Mapping[str, Any], labels: Mapping[str, str], node_name: str | None = None) -> bool:
    """Tell whether a node matches one term. An empty term matches nothing. ``node_name`` None is a node that does not exist yet."""
    expressions, fields = term.get("matchExpressions") or [], term.get("matchFields") or []
    if not expressions and not fields:
        return False
    names = {_FIELD_NAME: node_name}
    return all(expression_holds(e, labels.get(e["key"])) for e in expressions) and all(
        expression_holds(f, names.get(f["key"])) for f in fields
    )


def without_chips(terms: Iterable[Mapping[str, Any]], vocabulary: ChipVocabulary) -> Terms | None:
    """Reduce the author's alternatives to what is not about chips; None where nothing is asked any more."""
    kept: list[Document] = []
    for term in terms:
        if not term.get("matchExpressions") and not term.get("matchFields"):
            continue
        rest = term_without_chips(term, vocabulary)
        if not rest:
            return None
        kept.append(rest)
    return tuple(kept)


def term_without_chips(term: Mapping[str, Any], vocabulary: ChipVocabulary) -> Document:
    """Copy one term without its expressions about chips; empty where nothing remains. matchFields are kept."""
    rest: Document = {}
    expressions = [e for e in term.get("matchExpressions") or [] if not vocabulary.is_chip_key(e["key"])]
    if expressions:
        rest["matchExpressions"] = deepcopy(expressions)
    if term.get("matchFields"):
        rest["matchFields"] = deepcopy(term["matchFields"])
    return rest


def crossed(author: Terms | None, pools: tuple[PoolTerm, ...]) -> list[Document]:
    """Join every pool with every alternative of the author's: the first pool in each of the author's ways, then the next pool."""
    return [_joined(term, pool) for pool in pools for term in (({},) if author is None else author)]


def _joined(term: Mapping[str, Any], pool: PoolTerm) -> Document:
    joined = deepcopy(dict(term))
    expressions = joined.setdefault("matchExpressions", [])
    for key, value in sorted(pool.labels):
        expression = {"key": key, "operator": "In", "values": [value]}
        if expression not in expressions:
            expressions.append(expression)
    return joined


def _compare(value: str | None, values: list[str], sign: int) -> bool:
    if value is None or len(values) != 1:
        return False
    try:
        return (int(value) - int(values[0])) * sign > 0
    except ValueError:
        return False
