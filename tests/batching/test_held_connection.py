"""A lane's connection: what travels with BEGIN and COMMIT is written as it was meant, wholly or not at all."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.held_connection import HeldConnection
from infra.statement import Bound, Statement, json_text

_SAY = Statement("INSERT INTO said SELECT value ->> 'words' FROM json_array_elements(CAST(:rows AS json))")
_SAID = Statement("SELECT json_agg(words ORDER BY words)::text FROM said")
_EMPTY = Statement("DELETE FROM said WHERE words <> CAST(:but AS text)")
_TABLE = "CREATE TEMP TABLE IF NOT EXISTS said (words text CHECK (words <> 'forbidden'))"

ODD = st.sampled_from(
    ["'", "''", "\\", "\\'", '"', "$1", ":rows", ";COMMIT;", "--", "/*", "\n", "%s", "E'\\n'", "团", "🛒"]
)
# PostgreSQL keeps no NUL in a text, and JSON has no lone surrogates.
WORDS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)


@pytest.fixture
async def held(engine: AsyncEngine) -> AsyncIterator[HeldConnection]:
    connection = HeldConnection(engine)
    yield connection
    await connection.let_go()


def _says(*words: str) -> Bound:
    return _SAY.bound(rows=json_text([{"words": one} for one in words]))


async def _write(held: HeldConnection, *last: Bound, first: tuple[Bound, ...] = ()) -> None:
    async def work(_: Any) -> list[Bound]:
        return list(last)

    await held.statement(lambda driver: driver.execute(_TABLE))
    await held.transaction(work, first=first)


def _noting(note: Callable[[Any], None]) -> Callable[[Any], Awaitable[None]]:
    async def begin(driver: Any) -> None:
        driver.add_query_logger(note)

    return begin


async def _said(held: HeldConnection) -> str | None:
    told: str | None = await held.statement(lambda driver: _SAID.value(driver, {}))
    return told


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(ODD, WORDS, st.builds(str.__add__, ODD, WORDS)), min_size=1, max_size=4))
async def test_words_arrive_as_they_were_said(held: HeldConnection, words: list[str]) -> None:
    """Nothing anybody writes is read as SQL: quotes, backslashes, semicolons and all come back the same."""
    await _write(held, _says(*words))
    kept = await held.statement(lambda driver: driver.fetch("DELETE FROM said RETURNING words"))
    assert sorted(row["words"] for row in kept) == sorted(words)


async def test_what_travels_together_is_written_together_in_order(held: HeldConnection) -> None:
    """First what comes with BEGIN, then what comes with COMMIT, each in the order given."""
    await _write(held, _says("c"), _EMPTY.bound(but="c"), _says("d"))
    assert await _said(held) == '["c", "d"]'
    await _write(held, _EMPTY.bound(but="a"), first=(_says("a"),))
    assert await _said(held) == '["a"]'


async def test_what_is_private_stands_in_no_command(held: HeldConnection) -> None:
    """Its words go apart from the command, in its turn: the server's log and activity show none of them."""
    commands: list[str] = []

    def note(query: Any) -> None:
        commands.append(query.query)

    await held.statement(_noting(note))
    await _write(held, _says("before"), _says("12 St James's Square")._replace(is_private=True), _EMPTY.bound(but="x"))
    assert await _said(held) is None
    await _write(held, _says("12 St James's Square")._replace(is_private=True))
    assert await _said(held) == '["12 St James\'s Square"]'
    assert any("before" in command for command in commands)
    assert not any("James" in command for command in commands)


async def test_a_refused_row_takes_everything_with_it(held: HeldConnection) -> None:
    """Wherever it stands: nothing is kept, the caller gets the error, and the connection serves the next one."""
    await _write(held, _says("kept"))
    for first, last in (
        ((_says("forbidden"),), ()),
        ((_says("one"),), (_says("two"), _says("forbidden"), _says("three"))),
    ):
        with pytest.raises(asyncpg.CheckViolationError):
            await _write(held, *last, first=first)
        assert await _said(held) == '["kept"]'
    await _write(held, _says("kept too"))
    assert await _said(held) == '["kept", "kept too"]'


async def test_a_connection_that_was_not_set_up_is_not_used(engine: AsyncEngine) -> None:
    """Where its limit for locks could not be set, as while PostgreSQL stalls, nothing is done without it."""
    held = HeldConnection(engine, lock_timeout_ms=-2)
    for _ in range(2):
        with pytest.raises(asyncpg.InvalidParameterValueError):
            await _said(held)
    await held.let_go()


async def test_a_new_connection_is_told_its_statements_anew(held: HeldConnection) -> None:
    """What was prepared goes with the connection it was prepared on."""
    await _write(held, _says("before"))
    await held.let_go()
    await _write(held, _says("after"))
    assert await _said(held) == '["after"]'
