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
    """SQL with `:named` parameters; `execute`, `rows` and `value` run it on an asyncpg connection."""

    __slots__ = ("_names", "name", "sql")

    def __init__(self, sql: str) -> None:
        self._names = list(dict.fromkeys(_PARAMETER.findall(sql)))
        numbers = {name: f"${number}" for number, name in enumerate(self._names, 1)}
        self.sql = _PARAMETER.sub(lambda found: numbers[found[1]], sql)
        self.name = f"tuan_{next(_numbers)}"

    async def execute(self, connection: Any, parameters: Mapping[str, object]) -> None:  # noqa: ANN401  asyncpg ships no types
        """Run it for its effect."""
        await connection.execute(self.sql, *self._arguments(parameters))

    async def rows(self, connection: Any, parameters: Mapping[str, object]) -> list[Any]:  # noqa: ANN401  asyncpg ships no types
        """Its rows, each a tuple-like record."""
        return list(await connection.fetch(self.sql, *self._arguments(parameters)))

    async def value(self, connection: Any, parameters: Mapping[str, object]) -> Any:  # noqa: ANN401  asyncpg ships no types
        """The one value it answers."""
        return await connection.fetchval(self.sql, *self._arguments(parameters))

    def bound(self, **parameters: str) -> "Bound":
        """With its parameters, each as PostgreSQL reads it from text; to be sent together with others."""
        return Bound(self, [parameters[name] for name in self._names])

    @property
    def preparing(self) -> str:
        """What makes PostgreSQL know it by its name, for as long as a connection lives."""
        return f"PREPARE {self.name} AS {self.sql}"

    def _arguments(self, parameters: Mapping[str, object]) -> list[object]:
        return [parameters[name] for name in self._names]


class Bound(NamedTuple):
    """A statement and its parameters, of which it has some; to be run for its effect.

    What is private is not to stand in a command: PostgreSQL shows commands in its log and to administrators.
    """

    statement: Statement
    texts: list[str]
    is_private: bool = False

    async def execute(self, connection: Any) -> None:  # noqa: ANN401  asyncpg ships no types
        """Run it by itself, its parameters apart from the command."""
        await connection.execute(self.statement.sql, *self.texts)

    @property
    def executing(self) -> str:
        """What runs it on a connection that has it prepared."""
        return f"EXECUTE {self.statement.name}({', '.join(map(_literal, self.texts))})"


def _literal(text: str) -> str:
    """A text as SQL has it; only quotes mean anything in it (`standard_conforming_strings`)."""
    return "'" + text.replace("'", "''") + "'"
