"""Patterns and maps with what Go says of them; ``e2e/test_go_says.py`` asks Go."""

from __future__ import annotations

TAKES = (
    "", ".*", "^web-", "^a{2,3}$", "a|b", "(?i)gpu", "(?-i)web", "(?)", "(?is-mU:a+?)", "^*", r"\b{2}", r"[\w-z]", "[]a]", "[^]a]",
    "[[:alpha:]]+$", "[[:^digit:]]", r"\pL+", r"\PN", r"\p{Greek}", r"\p{^Lu}", r"\x41", r"\x{10FFFF}", r"\012", r"\Qa+b\E+", r"\Qab",
    "(?P<n>a)", "(?P<n>a)(?P<n>b)", "x{1000}", "((a{10}){10}){10}", "a{,2}", "a{2", "(|a)*", "é", r"\A\d\D\s\S\w\W\z", r"\-\_\/",
)  # fmt: skip
REFUSES = (
    "h100(", "a)", "*a", "a**", "a{2}{3}", "a{1001}", "x{0,2000}", "(a{100}){100}", "a{3,2}", "(?x)^web-", "(?a)b", "(?u)b", "(?i-x:a)",
    "(?i-)a", "(?P=n)", "(?P<n>a)(?P=n)", r"(a)\1", "(?!a)", "(?=a)", "(?<=a)b", "(?>a)", "(?#c)", "(?P<é>a)", "(?P<n", r"\u0041",
    r"\N{DIGIT ONE}", r"\U00000041", r"\é", r"\C", r"\Z", r"\E", r"\x4", r"\x{110000}", r"\8", "\\", "[[:alpha:]", "[[:foo:]]", "[]",
    "[z-a]", r"[a-\d]", r"\p{Foo}", r"\pX", "a*+", "a++",
)  # fmt: skip
#: Not every version of Go, or of RE2, says the same of these.
DOUBTFUL = (r"\p{LC}", r"\p{Cn}", r"\p{Kawi}", "(?<n>a)", r"\Q\C\E", "(" * 300 + ")" * 300)

READ = (
    "10: ['^a']",
    "10:\n- h100",
    "  10:\n    - a\n",
    "10:",
    "{10: [a, 'b c'], -5: []}",
    "---\n10: [a]\n# end\n",
    '10: ["\\x41", 1e3, true]',
)
#: Go refuses them, or reads something else than Python.
NOT_READ = {
    "a directive": "%YAML 1.2\n---\n50: ['^a']\n",
    "a tag of a number": "10: [!!int abc]",
    "a tag of a float": "10: [!!float a]",
    "an alias": "10: &a [x]\n20: *a\n",
    "nothing, which Go takes for a pattern that matches everything": "50: [~]",
    "the same in words": "50:\n- null\n",
    "a number in quotes": "'50': [a]",
    "a number below 64 bits": "-9223372036854775809: [a]",
    "a number above 64 bits": "9223372036854775808: [a]",
    "an end of line that is none to Go": "10: [a]\u2028\n20: [b]",
    "a byte order mark": "10: [a, \ufeffb]",
    "half a surrogate pair": '10: ["\\ud800"]',
    "a quoted slash": '10: ["\\/"]',
    "an explicit key": "? 10\n: [a]\n",
    "a second document": "10: [a]\n...\n20: [b]\n",
}
