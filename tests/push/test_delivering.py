"""Delivering: each phone is told once, whatever dies, is away or comes at once."""

import asyncio
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from domain.notices.kinds import Channel
from infra.notices import deliveries
from infra.settings import Settings
from tests.push.apple import Say as AppleSays
from tests.push.conftest import ORIGIN, SIZE_MIN, Opening, Post, killed
from tests.push.google import Say, problem
from tests.waiting import eventually
from workers import delivering as duty
from workers.delivered import ATTEMPTS_MAX
from workers.delivering import DELIVERING, delivering
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
    await killed(dying)
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


async def test_what_nobody_ever_comes_back_from_is_given_up(post: Post) -> None:
    """A parcel whose sending ends the process is not claimed for ever."""
    await post.closed_group(await post.square.person())
    await post.square.shop.make("UPDATE deliveries SET attempts = :attempts", attempts=ATTEMPTS_MAX)
    await post.deliver()
    assert post.apple.asked == []
    assert await post.states() == {"dead": 1}


async def test_what_nobody_needs_any_more_holds_up_nobody(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind all that a hot group leaves when it closes, what is news goes out without a rest between two looks."""
    monkeypatch.setattr(duty, "PUSHES_AT_ONCE", duty.CLAIMED_AT_LEAST[Channel.PUSH])
    monkeypatch.setattr(deliveries, "CLAIMS_MAX", 1)
    await post.closed_group(*await post.square.people(40))
    await post.square.shop.make("UPDATE notices SET read_at = now()")
    await post.closed_group(await post.on_android())
    await post.deliver()
    assert await post.states() == {"moot": 40, "sent": 1}


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


async def test_the_end_waits_for_what_was_begun(post: Post) -> None:
    """A process that is told to stop records what it has sent."""
    await post.closed_group(*await post.square.people(20))
    async with delivering(post.context) as step:
        await step()
    assert await post.states() == {"sent": 20}


async def _both(post: Post, times: int) -> bool:
    return (len(post.apple.asked), len(post.google.posts)) == (times, times)


def _at(document: Any, path: str) -> Any:
    for name in path.split("."):
        document = document[name]
    return document
