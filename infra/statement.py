"""Statements for the join path: told to asyncpg as they are, with parameters by name.

There the client's own cost of a statement counts: going through SQLAlchemy took twice the time that PostgreSQL takes
to execute it (docs/decisions/0002).
"""

import re
from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

_PARAMETER = re.compile(r"(?<!:):([a-z][a-z_]*)")

_encode = msgspec.json.Encoder().encode
_numbers = count(1)


def json_text(value: object) -> str:
    """A value as the text of a JSON parameter."""
    return _encode(value).decode()


def uuids_text(values: Iterable[UUID]) -> str:
    """Ids as the text of a `uuid[]` parameter."""
    return "{" + ",".join(map(str, values)) + "}"


class Statement:
    """SQL with `:named` parameters, run on an asyncpg connection."""

    __slots__ = ("_names", "_sql", "name")

    def __init__(self, sql: str) -> None:
        self._names = list(dict.fromkeys(_PARAMETER.findall(sql)))
        numbers = {name: f"${number}" for number, name in enumerate(self._names, 1)}
        self._sql = _PARAMETER.sub(lambda found: numbers[found[1]], sql)
        self.name = f"tuan_{next(_numbers)}"

    async def value(self, connection: Any, parameters: Mapping[str, object]) -> Any:  # noqa: ANN401  asyncpg ships no types
        """The one value it answers; None where it is run for its effect."""
        return await connection.fetchval(self._sql, *[parameters[name] for name in self._names])

    def bound(self, **parameters: str) -> "Bound":
        """With its parameters, each as PostgreSQL reads it from text; to be sent together with others."""
        return Bound(self, parameters)

    @property
    def preparing(self) -> str:
        """The command after which a connection knows it by its name."""
        return f"PREPARE {self.name} AS {self._sql}"

    def executing(self, parameters: Mapping[str, str]) -> str:
        """The command that runs it by its name."""
        values = ", ".join(_literal(parameters[name]) for name in self._names)
        return f"EXECUTE {self.name}({values})" if values else f"EXECUTE {self.name}"


class Bound(NamedTuple):
    """A statement and its parameters, to be run for its effect.

    What is private is not to stand in a command, which PostgreSQL shows to administrators and, where it fails, in its
    log. Its parameters are texts or JSON, as they then go in asyncpg's own encoding.
    """

    statement: Statement
    parameters: Mapping[str, str]
    is_private: bool = False


def _literal(text: str) -> str:
    """A text as SQL has it; only quotes mean anything in it (`standard_conforming_strings`)."""
    return "'" + text.replace("'", "''") + "'"
