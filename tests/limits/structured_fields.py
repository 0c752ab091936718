"""Reading a list of strings with whole-number parameters, strictly by RFC 9651, 4.2."""

import re

_KEY = re.compile(r"[a-z*][a-z0-9_.*-]*")
_INTEGER = re.compile(r"-?[0-9]{1,15}")
_STRING = re.compile(r'"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')
_BETWEEN = re.compile(r"[ \t]*,[ \t]*")


def read_list(field: str) -> dict[str, dict[str, int]]:
    """The items by name; fails for anything that is no such list."""
    items, rest = {}, field.strip(" ")
    while True:
        name, rest = _take(_STRING, rest)
        items[name[1:-1]], rest = _parameters(rest)
        if not rest:
            return items
        _, rest = _take(_BETWEEN, rest)


def _parameters(rest: str) -> tuple[dict[str, int], str]:
    found = {}
    while rest.startswith(";"):
        key, rest = _take(_KEY, rest[1:].lstrip(" "))
        assert rest.startswith("="), rest
        value, rest = _take(_INTEGER, rest[1:])
        found[key] = int(value)
    return found, rest


def _take(pattern: "re.Pattern[str]", text: str) -> tuple[str, str]:
    found = pattern.match(text)
    assert found, f"{text!r} is not {pattern.pattern}"
    return found[0], text[found.end() :]
