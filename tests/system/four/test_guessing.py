"""Brute force on a code through four API processes at once: five guesses are compared, and the right one works once."""

from itertools import cycle, islice

import asyncpg

from tests.system.phones import Answer, Phone
from tests.system.rushing import at_once, said

WRONG = (403, "wrong-code")


async def ask(phone: Phone, number: str) -> Answer:
    return await phone.post("/v1/sign-in/codes", body={"phone": number})


async def guess(phone: Phone, number: str, code: str) -> Answer:
    return await phone.post("/v1/sign-in/code", body={"phone": number, "code": code})


async def codes_sent(phone: Phone, number: str) -> list[str]:
    items = (await phone.get("/dev/inbox")).body["items"]
    return [item["code"] for item in items if item["to"] == number]


async def new_code(phone: Phone, number: str) -> str:
    assert (await ask(phone, number)).status == 202
    (code,) = await codes_sent(phone, number)
    return code


def wrong_codes(code: str, count: int) -> list[str]:
    """Codes of which none is right."""
    return [f"{(int(code) + by) % 10**6:06}" for by in range(1, count + 1)]


async def tries(database: "asyncpg.Connection", number: str) -> int:
    found: int = await database.fetchval("SELECT tries FROM sign_in_codes WHERE address = $1", number)
    return found


async def test_400_guesses_at_once_are_five(doors: list[Phone], database: "asyncpg.Connection") -> None:
    """Each is told the same, five were compared, and the right code that comes after them is compared no more."""
    for number in ("+447911123456", "+447911123457", "+447911123458"):
        code = await new_code(doors[0], number)
        guesses = zip(cycle(doors), wrong_codes(code, 400), strict=False)
        answers = await at_once([guess(phone, number, each) for phone, each in guesses])
        assert said(answers) == {WRONG: 400}
        assert await tries(database, number) == 5
        assert said(await at_once([guess(phone, number, code) for phone in doors])) == {WRONG: len(doors)}
        assert await tries(database, number) == 5


async def test_asking_again_amid_guesses_gives_no_more_of_them_at_one_code(
    doors: list[Phone], database: "asyncpg.Connection"
) -> None:
    """With codes asked for at every process all the while each is guessed at five times before another one is made."""
    number = "+447911123459"
    code = await new_code(doors[0], number)
    guesses = zip(cycle(doors), wrong_codes(code, 200), strict=False)
    requests = [guess(phone, number, each) for phone, each in guesses]
    for place in range(0, 200, 5):
        requests.insert(place, ask(doors[place % len(doors)], number))
    answers = await at_once(requests)
    assert said(answers) == {(202, ""): 40, WRONG: 200}
    assert len(set(await codes_sent(doors[0], number))) <= 1 + 200 // 5
    assert await tries(database, number) <= 5
    await at_once([guess(phone, number, "000000") for phone, _ in zip(cycle(doors), range(10), strict=False)])
    assert await tries(database, number) == 5
    assert (await guess(doors[0], number, code)).said == WRONG


async def test_the_right_code_20_times_at_once_signs_in_once(
    doors: list[Phone], database: "asyncpg.Connection"
) -> None:
    """One session for one account, whoever else sends the code in the same moment, and nobody after it."""
    for number in ("+447911123460", "+447911123461", "+447911123462", "+447911123463", "+447911123464"):
        code = await new_code(doors[0], number)
        answers = await at_once([guess(phone, number, code) for phone in islice(cycle(doors), 20)])
        assert said(answers) == {(200, ""): 1, WRONG: 19}
        (signed_in,) = (answer.body for answer in answers if answer.status == 200)
        accounts = await database.fetch("SELECT account_id FROM identities WHERE subject = $1", number)
        assert [str(row["account_id"]) for row in accounts] == [signed_in["account_id"]]
        sessions = await database.fetch("SELECT id FROM sessions WHERE account_id = $1", accounts[0]["account_id"])
        assert [str(row["id"]) for row in sessions] == [signed_in["session_id"]]


async def test_a_right_code_among_wrong_ones_signs_in_at_most_once(
    doors: list[Phone], database: "asyncpg.Connection"
) -> None:
    """Whether it is among the five that are compared or not, nobody gets in twice and nothing fails."""
    for number in ("+447911123465", "+447911123466", "+447911123467"):
        code = await new_code(doors[0], number)
        codes = [code if place % 10 == 0 else each for place, each in enumerate(wrong_codes(code, 100))]
        guesses = zip(cycle(doors), codes, strict=False)
        answers = await at_once([guess(phone, number, each) for phone, each in guesses])
        told = said(answers)
        assert told[(200, "")] <= 1
        assert told[(200, "")] + told[WRONG] == 100
        assert await tries(database, number) <= 5
