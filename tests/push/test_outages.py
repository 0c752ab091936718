"""What delivering does while a service, PostgreSQL or we ourselves fail: others go on, and nothing is lost."""

import asyncio
from collections.abc import Sequence

import httpx
import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.testing import capture_logs

from domain.notices.kinds import Channel
from infra.notices import deliveries
from infra.push.fcm import FcmPush
from infra.push.parcels import push_of
from infra.push.port import Sent
from tests.push.conftest import Post, killed
from tests.push.google import Say, problem
from tests.waiting import eventually
from workers import delivering as duty
from workers import ways
from workers.delivered import ATTEMPTS_MAX, Records, Result
from workers.delivering import LOOK_EVERY_S, delivering


async def test_what_fails_is_tried_again_and_at_last_given_up(post: Post) -> None:
    """Later and later, ten times; a service that says when is asked then."""
    await post.closed_group(await post.on_android())
    post.google.says.append(problem(503, "UNAVAILABLE", "Retry-After: 600\r\n"))
    await post.deliver()
    waits = "SELECT extract(epoch FROM due_at - now())::int FROM deliveries"
    assert 590 < await post.square.value(waits) <= 600
    for _ in range(ATTEMPTS_MAX - 1):
        await post.square.wait(4 * 3_600)
        post.google.says.append(problem(500, "INTERNAL"))
        await post.deliver()
    assert len(post.google.posts) == ATTEMPTS_MAX
    assert await post.states() == {"dead": 1}
    assert await post.square.value("SELECT last_error FROM deliveries") == "Google says 500 INTERNAL"


async def test_rests_grow_and_are_not_all_alike(post: Post) -> None:
    """From seconds to an hour, and who failed together does not come back together."""
    people = await post.square.people(4)
    await post.closed_group(*people)
    for expected_s in (10, 20, 40):
        post.google.says.extend([problem(500, "INTERNAL")] * 4)
        await post.deliver()
        rests = await post.square.value("SELECT array_agg(extract(epoch FROM due_at - now())::float) FROM deliveries")
        assert all(expected_s * 0.8 < rest <= expected_s * 1.5 for rest in rests)
        assert max(rests) - min(rests) > 0.1
        await post.square.wait(60)


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is busy decides nothing: a rest is not over, and nothing is put off for want of room."""
    monkeypatch.setattr(duty, "PUSHES_AT_ONCE", 20)
    monkeypatch.setattr(duty, "PATIENCE_S", 60.0)
    monkeypatch.setattr(ways, "REST_FIRST_S", 60.0)


@pytest.mark.usefixtures("unhurried")
async def test_a_service_that_is_away_is_one_line_and_costs_few_attempts(post: Post) -> None:
    """While nobody answers a handful is tried; the others wait untried, without a rush, and the log names nobody."""
    people = await post.square.people(80)
    await post.closed_group(*people)
    post.google.says.extend([problem(503, "UNAVAILABLE")] * 80)
    with capture_logs() as lines:
        async with delivering(post.context) as step:
            rests = set()
            while (rest_s := await step()) < LOOK_EVERY_S:
                rests.add(rest_s)
    assert [(line["event"], line["by"]) for line in lines] == [("notices_wait", "android")]
    assert duty.PUT_OFF_REST_S in rests
    assert str(people[0]) not in str(lines)
    tried = await post.square.value("SELECT count(*) FROM deliveries WHERE attempts > 0")
    assert duty.CLAIMED_AT_LEAST[Channel.PUSH] <= tried <= 20
    assert len(post.google.posts) == tried
    post.google.says.clear()
    await post.square.wait(120)
    await post.deliver()
    assert await post.states() == {"sent": 80}
    assert len(post.google.posts) == tried + 80


async def test_a_slow_service_holds_up_no_other(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """With more for Google than may be under way at once, none of it answered, iPhones hear of it all the same."""
    monkeypatch.setattr(duty, "PUSHES_AT_ONCE", 20)
    monkeypatch.setattr(duty, "PATIENCE_S", 0.05)
    gateway = post.context.runtime.pushes.of("android")
    assert isinstance(gateway, FcmPush)
    gateway._line._timeout_s = 60  # so that nothing ends by itself
    gateway._line._client.timeout = httpx.Timeout(60)
    people = await post.square.people(40)
    await post.closed_group(*people)
    post.google.says.extend([Say(silent=True)] * 40)
    ann = await post.square.person()
    await post.closed_group(ann, await post.square.person(phones=0, email=True))
    waiting = asyncio.create_task(post.deliver())
    try:
        await eventually(lambda: _told(post), "iPhone and mailbox are told meanwhile", 30)
    finally:
        await killed(waiting)
    assert not post.google.pushed


async def test_room_that_comes_during_a_look_is_used(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody rests for a second because a service was full when the look began."""
    made = duty.Delivering(post.context)
    way = made._ways["android"]
    for _ in range(way.room):
        way.begin()

    async def claim(*_asked: object) -> list[deliveries.Parcel]:
        for _each in range(duty.CLAIMED_AT_LEAST[Channel.PUSH]):
            way.end()
        return []

    monkeypatch.setattr(deliveries, "claim", claim)
    assert await made.step() < LOOK_EVERY_S


async def test_a_fault_of_ours_holds_up_no_other(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """What breaks on us is said, and waits; what is beside it is sent, and no service rests for it."""
    breaking, ben, carl = await post.square.people(6), await post.on_android(), await post.on_android()
    await post.closed_group(*breaking, ben)

    def broken(parcel: deliveries.Parcel, *rest: object) -> object:
        if parcel.account_id in breaking:
            raise KeyError("a fault of ours")
        return push_of(parcel, *rest)  # type: ignore[arg-type]  # passed on as it came

    monkeypatch.setattr(duty, "push_of", broken)
    with capture_logs() as lines:
        async with delivering(post.context) as step:
            await step()
            await eventually(lambda: _noted(post, 7), "what became of them is noted")
            await post.closed_group(carl)
            await step()
    assert [line["event"] for line in lines] == ["delivery_failed"] * 6
    assert post.pushed_to_androids() == [f"android-{one.hex}" for one in (ben, carl)]
    assert await post.states() == {"pending": 6, "sent": 2}
    assert await post.square.value("SELECT DISTINCT last_error FROM deliveries WHERE state = 'pending'") == "KeyError"


async def test_a_record_that_meets_a_lock_is_made_one_by_one(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever tells the same people meanwhile may deadlock with a whole batch; what can be recorded of it, is."""
    await post.closed_group(*await post.square.people(5))
    async with post.context.by_key.begin() as connection:
        first, *others = await deliveries.claim(connection, 5, [Channel.PUSH])
    record = Records._note_together

    async def deadlocked(self: Records, results: Sequence[Result]) -> None:
        if any(result.parcel is first for result in results):
            raise OperationalError("deadlock detected", None, Exception("40P01"))
        await record(self, results)

    monkeypatch.setattr(Records, "_note_together", deadlocked)
    with capture_logs() as lines:
        await Records(post.context.by_key).note_all([Result(parcel, Sent()) for parcel in (first, *others)])
    assert await post.states() == {"sent": 4, "pending": 1}
    assert [line["event"] for line in lines] == ["delivery_not_noted"]


async def test_mailboxes_that_take_nothing_yet_keep_no_letter_from_others(post: Post) -> None:
    """Many that are asked to come again, in a row, are no outage of the mail server."""
    strangers = [await post.square.person(phones=0, email=True) for _ in range(6)]
    await post.closed_group(*strangers)
    post.mail.says["RCPT"] = "451 come again"
    async with delivering(post.context) as step:
        while not await _noted(post, len(strangers)):
            await step()
        del post.mail.says["RCPT"]
        await post.closed_group(await post.square.person(phones=0, email=True))
        await step()
    assert await post.states() == {"pending": 6, "sent": 1}


async def test_what_is_claimed_is_sent_though_the_next_claim_fails(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL may go away between two claims: pushes must not wait out their lease for letters."""
    await post.closed_group(await post.square.person(email=True))
    claim = deliveries.claim

    async def half(connection: AsyncConnection, limit: int, channels: list[Channel]) -> list[deliveries.Parcel]:
        if Channel.EMAIL in channels:
            raise OperationalError("connection lost", None, Exception("08006"))
        return await claim(connection, limit, channels)

    monkeypatch.setattr(deliveries, "claim", half)
    with pytest.raises(OperationalError):
        await post.deliver()
    assert await post.states() == {"sent": 1, "pending": 1}


async def _noted(post: Post, count: int) -> bool:
    noted = "SELECT count(*) FROM deliveries WHERE ended_at IS NOT NULL OR last_error IS NOT NULL"
    return bool(await post.square.value(noted) == count)


async def _told(post: Post) -> bool:
    return bool(post.apple.pushed) and bool(post.mail.letters) and len(post.google.posts) >= 20
