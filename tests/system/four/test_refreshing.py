"""Sessions over four API processes: one successor for a refresh token, and an end that holds everywhere at once."""

from itertools import cycle, islice
from typing import Any

import asyncpg

from tests.system.phones import Answer, Phone
from tests.system.rushing import at_once, said
from tests.waiting import eventually

TOLD_WITHIN_S = 1.5
"""Less than the time after which a process that listens would look by itself."""
GONE = (401, "not-authenticated")
REFUSED = (403, "refresh-token-refused")


async def test_20_refreshes_at_once_have_one_successor(doors: list[Phone], database: "asyncpg.Connection") -> None:
    """At four processes, of one token: all are told the same, it works once, and every access token is good."""
    for _ in range(10):
        told = await guest(doors[0])
        answers = await at_once([refresh(phone, told["refresh_token"]) for phone in islice(cycle(doors), 20)])
        assert said(answers) == {(200, ""): 20}
        (successor,) = {answer.body["refresh_token"] for answer in answers}
        assert await tokens_of(database, told["session_id"]) == 2
        looks = zip(cycle(doors), answers, strict=False)
        assert said(await at_once([me(phone, answer.body["access_token"]) for phone, answer in looks])) == {
            (200, ""): 20
        }
        assert (await refresh(doors[1], successor)).status == 200


async def test_a_thief_and_the_phone_at_once(doors: list[Phone], database: "asyncpg.Connection") -> None:
    """A spent token comes back at all processes while the phone refreshes: the family is over, and all it was given."""
    for _ in range(5):
        stolen = await guest(doors[0])
        kept = (await refresh(doors[0], stolen["refresh_token"])).body
        await database.execute(
            "UPDATE refresh_tokens SET spent_at = spent_at - interval '11 s' WHERE spent_at IS NOT NULL"
        )
        thefts = [refresh(phone, stolen["refresh_token"]) for phone in islice(cycle(doors), 8)]
        *told, last = await at_once([*thefts, refresh(doors[1], kept["refresh_token"])])
        assert said(told) == {REFUSED: 8}
        given = [stolen["access_token"], kept["access_token"]]
        if last.status == 200:
            given.append(last.body["access_token"])
            assert (await refresh(doors[2], last.body["refresh_token"])).said == REFUSED
        assert (await refresh(doors[3], kept["refresh_token"])).said == REFUSED
        await gone_everywhere(doors, *given)


async def test_the_end_of_a_session_is_told_everywhere_at_once(doors: list[Phone]) -> None:
    """Signed out at one process, its access token counts nowhere before any process would have looked by itself."""
    for phone in doors:
        told = await guest(phone)
        assert said([await me(each, told["access_token"]) for each in doors]) == {(200, ""): len(doors)}
        assert (await phone.post("/v1/sign-out", told["access_token"])).status == 204
        assert (await me(phone, told["access_token"])).said == GONE
        await gone_everywhere(doors, told["access_token"])


async def guest(phone: Phone) -> Any:
    answer = await phone.post("/v1/sign-in/guest")
    assert answer.status == 201, answer.body
    return answer.body


async def refresh(phone: Phone, token: str) -> Answer:
    return await phone.post("/v1/sign-in/refresh", body={"refresh_token": token})


async def me(phone: Phone, token: str) -> Answer:
    return await phone.get("/v1/me", token)


async def tokens_of(database: "asyncpg.Connection", session_id: str) -> int:
    found: int = await database.fetchval("SELECT count(*) FROM refresh_tokens WHERE session_id = $1", session_id)
    return found


async def gone_everywhere(doors: list[Phone], *tokens: str) -> None:
    async def are_gone() -> bool:
        return said(await at_once([me(phone, token) for phone in doors for token in tokens])).keys() == {GONE}

    await eventually(are_gone, "the end of the access tokens everywhere", TOLD_WITHIN_S)
