"""`tuan admin`: administrators are made and unmade on the machine itself, and the log says so."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.house.running import tuan

PHONE = "+447911123456"


async def test_an_administrator_is_made_listed_and_removed(engine: AsyncEngine, environment: dict[str, str]) -> None:
    """By phone or e-mail, known here or not; done again nothing changes; each change is in the log as an operator's."""
    assert "Nobody is an administrator." in tuan("admin", **environment).stdout
    made = tuan("admin", "create", "--phone", "+44 7911 123456", **environment)
    assert (made.returncode, made.stderr) == (0, "")
    account_id = made.stdout.partition(" ")[0]
    assert made.stdout == f"{account_id} is an administrator: sign in with the code that is sent to {PHONE}.\n"
    assert tuan("admin", "create", "--email", "Mei@Example.com", **environment).returncode == 0
    again = tuan("admin", "create", "--phone", PHONE, **environment)
    assert (again.returncode, again.stdout) == (0, f"{account_id} is an administrator already; nothing changed.\n")
    listed = tuan("admin", "list", **environment).stdout
    assert f"{account_id}: no name, {PHONE}\n" in listed
    assert "mei@example.com" in listed
    removed = tuan("admin", "remove", "--email", "mei@example.com", **environment)
    assert (removed.returncode, removed.stderr) == (0, "")
    assert tuan("admin", "remove", "--account", account_id, **environment).returncode == 0
    assert "Nobody is an administrator." in tuan("admin", "list", **environment).stdout
    log = await _log(engine)
    assert [row["action"] for row in log] == ["administrator.make"] * 2 + ["administrator.remove"] * 2
    assert {(row["actor_kind"], row["actor_id"], row["thing_kind"]) for row in log} == {("operator", None, "account")}
    assert (log[0]["before"], log[0]["after"]) == ({"is_admin": False}, {"is_admin": True})
    assert (str(log[3]["thing_id"]), log[3]["after"]) == (account_id, {"is_admin": False})


@pytest.mark.parametrize(
    ("arguments", "status", "line"),
    [
        (("create",), 2, "one of the arguments --phone --email is required"),
        (("create", "--phone", "12"), 2, "'12' must be a phone number with its country code"),
        (("create", "--email", "mei"), 2, "'mei' must be an e-mail address"),
        (("create", "--phone", PHONE, "--email", "mei@example.com"), 2, "not allowed with argument"),
        (("remove", "--phone", PHONE), 1, "That is no administrator."),
        (("remove", "--account", "0198c000-0000-7000-8000-000000000001"), 1, "That is no administrator."),
    ],
)
async def test_what_cannot_be_meant_changes_nothing(
    engine: AsyncEngine, environment: dict[str, str], arguments: tuple[str, ...], status: int, line: str
) -> None:
    """One line says what was expected, and nobody is made or unmade."""
    answer = tuan("admin", *arguments, **environment)
    assert (answer.returncode, answer.stdout) == (status, "")
    assert line in answer.stderr
    assert not await _log(engine)


async def _log(engine: AsyncEngine) -> list[dict[str, Any]]:
    async with engine.connect() as connection:
        return [dict(row) for row in (await connection.execute(text("SELECT * FROM audit ORDER BY id"))).mappings()]
