"""Delivering: each phone is told once, whatever dies, is away or comes at once."""

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.testing import capture_logs

from domain.notices.kinds import Channel
from infra.notices import deliveries
from infra.push.fcm import FcmPush
from infra.push.parcels import push_of
from infra.settings import Settings
from tests.push.apple import Say as AppleSays
from tests.push.conftest import ORIGIN, SIZE_MIN, Opening, Post
from tests.push.google import Say, problem
from tests.waiting import eventually
from workers import delivering as duty
from workers import ways
from workers.delivering import ATTEMPTS_MAX, DELIVERING, LOOK_EVERY_S, delivering
from workers.duties import performed
from workers.noticing import NOTICING


async def test_everybody_is_told_once_the_way_they_have(post: Post) -> None:
    """iPhone, Android and mailbox; then nothing is left, and nobody is told again."""
    ann, ben = await post.square.person(), await post.on_android()
    mia = await post.square.person(phones=0, email=True, locale="de")
    await post.closed_group(ann, ben, mia)
    await post.deliver()
    assert post.pushed_to_iphones() == [f"{ann.hex}0"]
    assert post.pushed_to_androids() == [f"android-{ben.hex}"]
    (letter,) = post.mail.letters
    assert letter.recipients == [f"{mia.hex}@example.com"]
    assert await post.states() == {"sent": 3}
    await post.square.wait(3_600)
    await post.deliver()
    assert (len(post.apple.asked), len(post.google.posts), len(post.mail.letters)) == (1, 1, 1)


async def test_a_push_says_what_happened_and_where_to_go_on(post: Post) -> None:
    """The deal as its title, what is paid, the group's page, and how many are unread."""
    ann = await post.square.person()
    group_id = await post.closed_group(ann)
    await post.deliver()
    (pushed,) = post.apple.pushed
    aps = pushed.payload.pop("aps")
    (told,) = await post.square.inbox(ann)
    assert aps["alert"]["body"] == told.text
    assert aps["badge"] == 1
    assert pushed.payload["link"] == f"{ORIGIN}/g/{group_id}"
    assert (pushed.payload["kind"], pushed.payload["notice_id"]) == ("succeeded", str(told.id))
    assert pushed.headers["apns-collapse-id"] == f"{group_id}:succeeded"
    assert pushed.headers["apns-priority"] == "10"


async def test_what_is_due_at_once_is_one_push(post: Post) -> None:
    """Three groups that close together make one noise: how many, and the newest first."""
    ann = await post.square.person()
    for _ in range(3):
        await post.closed_group(ann, title="Tea")
    await post.deliver()
    (pushed,) = post.apple.pushed
    alert = pushed.payload["aps"]["alert"]
    assert alert["title"] == "Tea"
    assert len(alert["body"].split("\n")) == 3
    assert pushed.payload["aps"]["badge"] == 3


async def test_a_hot_group_is_few_pushes(post: Post) -> None:
    """Five hundred join in a minute: whoever is in hears of it once, and whoever joined last of nothing."""
    ann = await post.square.person()
    group_id = await post.square.group(ann, group_size_max=1_000)
    for _ in range(5):
        await asyncio.gather(*(post.square.shop.joined(group_id) for _ in range(100)))
        await post.square.tell()
        await post.square.wait(12)
        await post.square.tell()
        await post.deliver()
    assert 1 <= len(post.apple.pushed) <= 3


async def test_what_was_sent_but_not_recorded_is_shown_once(post: Post) -> None:
    """Whoever sends it again after a crash says the same ids, so that the phone puts it in the place of the first.

    The same holds where it comes with more that happened meanwhile.
    """
    ann, ben = await post.square.person(), await post.on_android()
    await post.closed_group(ann, ben)
    post.apple.says.append(AppleSays(then="silence"))
    post.google.says.append(Say(silent=True))
    dying = asyncio.create_task(post.deliver())
    await eventually(lambda: _both(post, 1), "both services have been asked")
    await _killed(dying)
    await post.deliver()  # the lease holds
    assert await _both(post, 1)
    await post.closed_group(ben)
    await post.square.wait(deliveries.LEASE_S)
    await post.deliver()
    first, second = post.apple.asked
    for header in ("apns-id", "apns-collapse-id"):
        assert first.headers[header] == second.headers[header]
    alone, with_more = (
        msgspec.json.decode(asked.raw.partition(b"\r\n\r\n")[2])["message"] for asked in post.google.posts
    )
    for where in ("collapse_key", "notification.tag"):
        assert _at(alone["android"], where) == _at(with_more["android"], where)
    assert with_more["notification"]["body"].endswith("\n" + alone["notification"]["body"])
    assert await post.states() == {"sent": 3}


async def test_two_who_deliver_share_it(post: Post, office: Opening, served: Settings) -> None:
    """Two processes at once, and no phone is told twice."""
    other = await office(served)
    people = await post.square.people(60)
    await post.closed_group(*people)
    await asyncio.gather(post.deliver(), other.deliver())
    assert sorted(post.pushed_to_androids()) == sorted(str(person) for person in people)
    assert await post.states() == {"sent": 60}


async def test_a_dead_token_is_forgotten(post: Post) -> None:
    """Its device is gone; who has another is told there."""
    ann, ben = await post.square.person(phones=2), await post.on_android()
    await post.closed_group(ann, ben)
    post.apple.says.append(AppleSays(410, "Unregistered"))
    post.google.says.append(problem(404, "UNREGISTERED"))
    await post.deliver()
    assert await post.square.value("SELECT count(*) FROM devices") == 1
    assert len(post.apple.pushed) == 1
    assert await post.states() == {"dead": 2, "sent": 1}


@pytest.mark.parametrize("since_s", [-3_600, None])
async def test_a_token_registered_anew_is_kept(post: Post, since_s: int | None) -> None:
    """Apple says since when it was dead: an app that came back after that, or while we asked, is still there."""
    ann = await post.square.person()
    await post.closed_group(ann)
    now_ms = int(await post.square.value("SELECT extract(epoch FROM now()) * 1000"))
    more = () if since_s is None else (("timestamp", now_ms + since_s * 1_000),)
    post.apple.says.append(AppleSays(410, "Unregistered", more))
    if since_s is None:
        await post.square.shop.make("UPDATE devices SET seen_at = now() + interval '1 minute'")
    await post.deliver()
    assert await post.square.value("SELECT count(*) FROM devices") == 1


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
        await _killed(waiting)
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


async def test_without_services_nothing_is_tried(post: Post, office: Opening, settings: Settings) -> None:
    """An operator who set up none has deliveries that say so, and no line for each in the log."""
    bare = await office(replace(settings, message_gateway="none"))
    await post.closed_group(await post.square.person(email=True), await post.on_android())
    with capture_logs() as lines:
        await bare.deliver()
    assert await post.states() == {"dead": 3}
    assert lines == []


async def test_at_home_the_inbox_for_trying_out_shows_all(office: Opening, settings: Settings) -> None:
    """With nothing set up and both duties at work, whoever tries Tuan out sees pushes and letters where codes are."""
    home = await office(settings)
    runtime = home.context.runtime
    console = runtime.messages.console
    assert console is not None
    ann, mia = await home.on_android(), await home.square.person(phones=0, email=True)
    async with performed(runtime, is_worker=True, duties=[NOTICING, DELIVERING]):
        group_id = await home.square.group(ann, mia, group_size_max=SIZE_MIN)
        for _ in range(2):
            await home.square.shop.joined(group_id)

        async def shown() -> dict[str, str]:
            seen = {each.to: each.text for each in await console.inbox()}
            return seen if len(seen) == 2 else {}

        seen = await eventually(shown, "both are shown", 20)
    assert seen[f"android android-{ann.hex}"[:20]].startswith("Kettle: Your group succeeded!")
    assert f"{runtime.settings.origin}/unsubscribe/" in seen[f"{mia.hex}@example.com"]


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
    people = await post.square.people(5)
    await post.closed_group(*people)
    record = duty.Delivering._record_together

    async def deadlocked(self: duty.Delivering, results: list[duty._Result]) -> None:
        if len(results) > 1 or results[0].parcel.account_id == people[0]:
            raise OperationalError("deadlock detected", None, Exception("40P01"))
        await record(self, results)

    monkeypatch.setattr(duty.Delivering, "_record_together", deadlocked)
    with capture_logs() as lines:
        await post.deliver()
    assert await post.states() == {"sent": 4, "pending": 1}
    assert len(post.google.pushed) == 5
    assert [line["event"] for line in lines] == ["delivery_not_noted"]


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


async def test_the_end_waits_for_what_was_begun(post: Post) -> None:
    """A process that is told to stop records what it has sent."""
    await post.closed_group(*await post.square.people(20))
    async with delivering(post.context) as step:
        await step()
    assert await post.states() == {"sent": 20}


async def _killed(task: "asyncio.Task[None]") -> None:
    """It finishes nothing."""
    while not task.done():
        task.cancel()
        await asyncio.sleep(0)


async def _both(post: Post, times: int) -> bool:
    return (len(post.apple.asked), len(post.google.posts)) == (times, times)


def _at(document: Any, path: str) -> Any:
    for name in path.split("."):
        document = document[name]
    return document


async def _noted(post: Post, count: int) -> bool:
    noted = "SELECT count(*) FROM deliveries WHERE ended_at IS NOT NULL OR last_error IS NOT NULL"
    return bool(await post.square.value(noted) == count)


async def _told(post: Post) -> bool:
    return bool(post.apple.pushed) and bool(post.mail.letters) and len(post.google.posts) >= 20
