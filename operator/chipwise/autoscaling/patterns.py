"""Whether Go's regexp takes a pattern, which is what Cluster Autoscaler compiles those of the priority expander with.

RE2 itself is asked, of whose grammar Go's is a dialect. What RE2 takes and Go does not (found by holding both against each other), or what
one version of Go takes and another does not, is no pattern here: in doubt the answer is no.
"""

from __future__ import annotations

import re

import re2

#: Longer, or with more brackets in one another, no person writes them; both engines have limits of their own in that region.
_LONGEST, _DEEPEST = 10_000, 250
#: One escape at a time from the left, so that an escaped backslash begins no other; of a class of Unicode with its name.
_ESCAPE = re.compile(r"\\(?:([pP])(?:\{([^}]*)\}|(.))|(.))", re.DOTALL)
#: Without a meaning in Go: one byte.
_ONLY_RE2 = frozenset({"C"})
#: Names of groups in ASCII only; `(?<name>` is not known to every Go.
_NAMED = re.compile(r"\(\?P?<")
_GO_NAME = re.compile(r"\(\?P<[0-9A-Za-z_]+>")
#: Classes of Unicode that every version of both knows: general categories, without the surrogates, and some scripts.
_CLASS = re.compile(r"\^?(?:[LMNPSZ]|L[ulmot]|M[nce]|N[dlo]|P[cdseifo]|S[mcko]|Z[slp]|C[cf]?|Any)")
_SCRIPTS = frozenset(
    {"Latin", "Greek", "Cyrillic", "Han", "Hiragana", "Katakana", "Hangul", "Arabic", "Hebrew", "Thai"}
)


def is_pattern(text: str) -> bool:
    """Whether it compiles, for certain."""
    if len(text) > _LONGEST or text.count("(") > _DEEPEST or not _is_unicode(text):
        return False
    if len(_NAMED.findall(text)) != len(_GO_NAME.findall(text)):
        return False
    for unicode, braced, single, plain in _ESCAPE.findall(text):
        name = braced or single
        known = _CLASS.fullmatch(name) or name.removeprefix("^") in _SCRIPTS
        if not known if unicode else plain in _ONLY_RE2:
            return False
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(text, options)
    except re2.error:
        return False
    return True


def _is_unicode(text: str) -> bool:
    """No half of a surrogate pair, which YAML can spell and UTF-8 cannot."""
    return not any("\ud800" <= sign <= "\udfff" for sign in text)
