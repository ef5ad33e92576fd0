"""YAML that Python and Go read alike: what of it a person needs for a map, and nothing that one of them reads otherwise or not at all.

Block and flow maps and lists of plain and quoted scalars, and comments. No directives, tags, anchors, aliases, block scalars, explicit keys
or several documents; and no sign that one of them takes for the end of a line and the other does not.
"""

from __future__ import annotations

import re

import yaml

_ALIKE = (
    yaml.StreamStartToken,
    yaml.StreamEndToken,
    yaml.DocumentStartToken,
    yaml.BlockMappingStartToken,
    yaml.BlockSequenceStartToken,
    yaml.BlockEntryToken,
    yaml.BlockEndToken,
    yaml.FlowMappingStartToken,
    yaml.FlowMappingEndToken,
    yaml.FlowSequenceStartToken,
    yaml.FlowSequenceEndToken,
    yaml.FlowEntryToken,
    yaml.KeyToken,
    yaml.ValueToken,
    yaml.ScalarToken,
)
#: Tabs (where they may stand is not agreed upon), other controls, other ends of lines, a byte order mark, halves of surrogate pairs.
_ODD = re.compile(
    "[^\\n\\r -~\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]|\\r(?!\\n)"
)
_BLOCK = ("|", ">")
_ESCAPE = re.compile(r"\\(.)")


class NotAlikeError(ValueError):
    """The text is no YAML, or not of this kind. The message is a sentence without its subject."""


def composed(text: str) -> yaml.Node | None:
    """The one node of the text; None for nothing but comments. Raises NotAlikeError."""
    odd = _ODD.search(text)
    if odd is not None:
        line = text.count("\n", 0, odd.start()) + 1
        raise NotAlikeError(f"line {line} has a tab or another sign that is not read alike everywhere")
    try:
        for token in yaml.scan(text, Loader=yaml.SafeLoader):
            _admit(token, text)
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise NotAlikeError(f"it is no YAML ({' '.join(str(error).split())})") from error


def _admit(token: yaml.Token, text: str) -> None:
    where = f"line {token.start_mark.line + 1}"
    written = text[token.start_mark.index : token.start_mark.index + 1]
    if not isinstance(token, _ALIKE) or (isinstance(token, yaml.KeyToken) and written == "?"):
        raise NotAlikeError(
            f"{where} has a directive, tag, anchor or the like, which not everybody reads alike"
        )
    if isinstance(token, yaml.ScalarToken):
        if token.style in _BLOCK:
            raise NotAlikeError(f"{where} begins a text of several lines: write it in quotes")
        if token.end_mark.line != token.start_mark.line:
            raise NotAlikeError(f"{where} has a text that goes on in the next: write it in one")
        raw = text[token.start_mark.index : token.end_mark.index]
        if token.style == '"' and "/" in _ESCAPE.findall(raw):
            raise NotAlikeError(f"{where} has a quoted slash, which not everybody reads: write it plainly")
