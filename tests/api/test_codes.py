"""One-time codes over HTTP: asked for, sent, guessed at, and what is said where none can be sent."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import asyncpg
import httpx
import pytest

from domain.identity.code import SAME_FOR_S, TRIES_MAX
from infra.settings import Settings
from tests.api.codes import OTHER, PHONE, another_town, ask, guess, inbox, sent_code, wrong
from tests.api.people import Town, fields, problem
from tests.gateways.loopback import Answer, stand_in
from tests.house.running import free_port


async def change(settings: Settings, statement: str) -> None:
    connection = await asyncpg.connect(settings.database_url)
    await connection.execute(statement)
    await connection.close()


async def grow_older(settings: Settings, by_s: float) -> None:
    """All codes become so many seconds older."""
    by = f"interval '{by_s} s'"
    await change(settings, f"UPDATE sign_in_codes SET made_at = made_at - {by}, expires_at = expires_at - {by}")


async def test_known_and_unknown_numbers_get_the_same_answers(town: Town) -> None:
    """Whoever has an account and whoever has none hear the same words, whether they ask or guess."""
    assert (await guess(town, await sent_code(town))).json()["is_new"]
    known, unknown = await ask(town), await ask(town, OTHER)
    assert _said(known) == _said(unknown)
    code = (await inbox(town))[1]["code"]
    for number in (code, "000000", "999999"):
        told = [await guess(town, wrong(number), to) for to in (PHONE, OTHER, "+447911123458")]
        assert len({str(_said(answer)) for answer in told}) == 1


async def test_asked_again_within_a_minute_it_is_the_same_code_and_the_same_tries(town: Town) -> None:
    """While tries are left asking again gives no more of them, and what overtakes on its way does no harm."""
    code = await sent_code(town)
    for _ in range(TRIES_MAX - 1):
        problem(await guess(town, wrong(code)), 403, "wrong-code")
        assert await sent_code(town) == code
    problem(await guess(town, wrong(code)), 403, "wrong-code")
    problem(await guess(town, code), 403, "wrong-code")


async def test_a_code_that_others_have_guessed_at_is_followed_by_a_new_one(town: Town) -> None:
    """Nobody is kept out by a stranger's wrong guesses: asking again is enough; the spent code stays spent."""
    spent = await sent_code(town)
    for _ in range(TRIES_MAX):
        problem(await guess(town, wrong(spent)), 403, "wrong-code")
    new = await sent_code(town)
    assert new != spent
    problem(await guess(town, spent), 403, "wrong-code")
    assert (await guess(town, new)).status_code == 200


async def test_after_a_minute_it_is_a_new_code_with_tries_of_its_own(town: Town, settings: Settings) -> None:
    """A code that was asked for long ago is no longer sent, nor good."""
    code = await sent_code(town)
    for _ in range(TRIES_MAX - 1):
        problem(await guess(town, wrong(code)), 403, "wrong-code")
    await grow_older(settings, SAME_FOR_S - 5)
    assert await sent_code(town) == code
    await grow_older(settings, 6)
    new = await sent_code(town)
    assert new != code
    problem(await guess(town, code), 403, "wrong-code")
    assert (await guess(town, new)).status_code == 200


async def test_a_code_that_was_used_comes_not_again(town: Town) -> None:
    """A second sign-in within the minute has a code of its own."""
    code = await sent_code(town)
    assert (await guess(town, code)).status_code == 200
    problem(await guess(town, code), 403, "wrong-code")
    new = await sent_code(town)
    assert new != code
    assert (await guess(town, new)).status_code == 200


async def test_a_code_ends_after_ten_minutes(town: Town, settings: Settings) -> None:
    """Nine and a half minutes after it was sent it is good, after ten it is not; sent again it lives as long again."""
    codes = {to: await sent_code(town, to) for to in (PHONE, OTHER)}
    await grow_older(settings, 30)
    assert (await ask(town, OTHER)).json()["expires_in"] == 600
    await grow_older(settings, 575)
    problem(await guess(town, codes[PHONE]), 403, "wrong-code")
    assert (await guess(town, codes[OTHER], OTHER)).status_code == 200


async def test_a_code_is_good_for_its_own_number_only(town: Town) -> None:
    """Codes of two numbers are two, and neither opens the other's account."""
    mine, theirs = await sent_code(town), await sent_code(town, OTHER)
    assert mine != theirs
    problem(await guess(town, mine, OTHER), 403, "wrong-code")
    problem(await guess(town, theirs), 403, "wrong-code")


async def test_the_database_does_not_know_the_codes(town: Town, settings: Settings) -> None:
    """With all of the row, and without the key, nobody can tell the code: another key makes another of it.

    Nor is a row good for another number than its own.
    """
    await sent_code(town)
    await sent_code(town, OTHER)
    await change(settings, "UPDATE sign_in_codes SET salt = (SELECT min(salt) FROM sign_in_codes)")
    assert await sent_code(town) != await sent_code(town, OTHER)
    code = await sent_code(town)
    async with another_town(replace(settings, data_dir=settings.data_dir / "elsewhere")) as elsewhere:
        problem(await guess(elsewhere, code), 403, "wrong-code")
        assert await sent_code(elsewhere) != code


async def test_api_processes_with_the_same_key_file_take_each_others_codes(settings: Settings, tmp_path: Path) -> None:
    """On two machines, each with a data directory of its own."""
    file = tmp_path / "codes.key"
    file.write_bytes(bytes(range(32)))
    given = replace(settings, codes_key_file=file)
    async with another_town(given) as here, another_town(replace(given, data_dir=tmp_path / "there")) as there:
        assert (await guess(there, await sent_code(here))).status_code == 200


@pytest.mark.parametrize(
    "code",
    ["", "12345", "1234567", "12345a", " 12345", "\uff11\uff12\uff13\uff14\uff15\uff16", "-12345", "+12345", "12345\n"],
)
async def test_what_cannot_be_a_code_costs_no_try(town: Town, code: str) -> None:
    """A slip of the finger names the field, and six of them leave the five tries."""
    right = await sent_code(town)
    for _ in range(TRIES_MAX + 1):
        assert fields(await guess(town, code)) == {"code"}
    assert (await guess(town, right)).status_code == 200


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"phone": "07911 123456"}, {"phone"}),
        ({"phone": "+44 909 8790000"}, {"phone"}),
        ({"email": "mei@example.com\r\nBcc: x@example.com"}, {"email"}),
        ({}, {"phone"}),
        ({"phone": PHONE, "email": "mei@example.com"}, {"phone"}),
    ],
)
async def test_what_is_no_number_names_the_field_and_sends_nothing(
    town: Town, body: dict[str, str], named: set[str]
) -> None:
    """Both where a code is asked for and where one is given."""
    assert fields(await town.nobody.post("/v1/sign-in/codes", body)) == named
    assert fields(await town.nobody.post("/v1/sign-in/code", body | {"code": "123456"})) == named
    assert await inbox(town) == []


async def test_spellings_of_a_number_are_one_account(town: Town) -> None:
    """Asked for in one spelling, given in another, it is the same code and the same person."""
    code = await sent_code(town)
    first = await guess(town, code, "+44 7911 123456")
    assert (first.status_code, first.json()["is_new"]) == (200, True)
    again = await guess(town, await sent_code(town), "+44 (0) 7911-123456")
    assert (again.json()["account_id"], again.json()["is_new"]) == (first.json()["account_id"], False)


async def test_a_code_that_cannot_be_sent_is_told_and_can_be_asked_for_again(
    settings: Settings, tmp_path: Path
) -> None:
    """The gateway's fault is a 503 that says when to try again; once it works it is the same code, all tries left."""
    (tmp_path / "sms.key").write_text("0123456789abcdef0123456789abcdef")
    async with stand_in() as other:
        other.answers.extend([Answer(500), Answer(500), Answer(403), Answer(200)])
        sms = replace(settings, sms_url=other.address, sms_key_file=tmp_path / "sms.key")
        async with another_town(sms) as town:
            for _ in range(2):
                refused = await ask(town)
                problem(refused, 503, "code-not-sent")
                assert int(refused.headers["retry-after"]) > 0
            assert (await ask(town)).status_code == 202
            texts = [asked.raw.partition(b'"text":"')[2][:6].decode() for asked in other.asked]
            assert len(set(texts)) == 1
            assert (await guess(town, texts[0])).status_code == 200
            assert fields(await town.nobody.post("/v1/sign-in/codes", {"email": "mei@example.com"})) == {"email"}
            problem(await town.nobody.get("/dev/inbox"), 404, "no-such-route")


async def test_without_redis_no_code_is_shown_as_sent(settings: Settings) -> None:
    """The inbox cannot be reached, so the code is not on its way; the list itself is empty, not a fault."""
    away = replace(settings, redis_url=f"redis://127.0.0.1:{free_port()}/0")
    async with another_town(away) as town:
        problem(await ask(town), 503, "code-not-sent")
        assert await inbox(town) == []


async def test_a_row_that_is_locked_for_too_long_is_busy_not_broken(settings: Settings) -> None:
    """Whoever holds the code's row makes others wait a bounded time; they are told to come again, and lose no try."""
    async with another_town(replace(settings, lock_timeout_ms=100)) as town:
        code = await sent_code(town)
        holder = await asyncpg.connect(settings.database_url)
        async with holder.transaction():
            await holder.execute("SELECT FROM sign_in_codes FOR UPDATE")
            for answer in await asyncio.gather(guess(town, code), ask(town)):
                problem(answer, 503, "overloaded")
        await holder.close()
        assert (await guess(town, code)).status_code == 200


def _said(answer: httpx.Response) -> Sequence[object]:
    headers = {name: value for name, value in answer.headers.items() if name not in {"date", "x-request-id"}}
    return answer.status_code, answer.json(), sorted(headers.items())
