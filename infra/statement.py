"""Statements for the join path: told to asyncpg as they are, with parameters by name.

There the client's own cost of a statement counts: going through SQLAlchemy took twice the time that PostgreSQL takes
to execute it (docs/decisions/0002).
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

_PARAMETER = re.compile(r"(?<!:):([a-z][a-z_]*)")


_encode = msgspec.json.Encoder().encode


def json_text(value: object) -> str:
    """A value as the text of a JSON parameter."""
    return _encode(value).decode()


class Statement:
    """SQL with `:named` parameters; `execute`, `rows` and `value` run it on an asyncpg connection."""

    __slots__ = ("_names", "_sql")

    def __init__(self, sql: str) -> None:
        self._names = list(dict.fromkeys(_PARAMETER.findall(sql)))
        numbers = {name: f"${number}" for number, name in enumerate(self._names, 1)}
        self._sql = _PARAMETER.sub(lambda found: numbers[found[1]], sql)

    async def execute(self, connection: Any, parameters: Mapping[str, object]) -> None:  # noqa: ANN401  asyncpg ships no types
        """Run it for its effect."""
        await connection.execute(self._sql, *self._arguments(parameters))

    async def rows(self, connection: Any, parameters: Mapping[str, object]) -> list[Any]:  # noqa: ANN401  asyncpg ships no types
        """Its rows, each a tuple-like record."""
        return list(await connection.fetch(self._sql, *self._arguments(parameters)))

    async def value(self, connection: Any, parameters: Mapping[str, object]) -> Any:  # noqa: ANN401  asyncpg ships no types
        """The one value it answers."""
        return await connection.fetchval(self._sql, *self._arguments(parameters))

    def _arguments(self, parameters: Mapping[str, object]) -> list[object]:
        return [parameters[name] for name in self._names]
