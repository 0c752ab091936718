"""What is sent: to whom, when, how much at once, and what becomes of it when whoever sends dies."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.groupbuy.commands import CloseGroup, LeaveGroup
from domain.notices.kinds import Channel, Kind
from domain.sharing.language import Language
from infra.notices import deliveries
from infra.notices.reminding import remind
from infra.notices.time_zones import local_time
from infra.statement import json_text
from tests.notices.square import BY_AND_BY_S, Square
from tests.notices.test_told import LONE

# somewhere it is always night: quiet from an hour ago until an hour from now, by the clock of this zone
ZONE = "Europe/Berlin"


def quiet(from_hours: int = -1, to_hours: int = 1) -> dict[str, object]:
    """Choices of somebody for whom it is night, or was, or will be."""
    clock = local_time(datetime.now(UTC), ZONE)
    begin, end = ((clock + timedelta(hours=hours)).strftime("%H:%M") for hours in (from_hours, to_hours))
    return {"quiet_hours": {"begin": begin, "end": end, "time_zone": ZONE}}


async def choose(square: Square, person: UUID, choices: dict[str, object]) -> None:
    """They say something else now."""
    statement = "UPDATE accounts SET notifications = CAST(:said AS jsonb) WHERE id = :id"
    await square.shop.make(statement, said=json_text(choices), id=person)


async def test_a_phone_gets_one_parcel_that_tells_several_things(square: Square) -> None:
    """Two phones get one each, of both groups; the address gets letters only of what is worth one."""
    ann = await square.person(phones=2, email=True, locale="zh-Hans-CN")
    for _ in range(2):
        await square.full_group(ann, await square.person(phones=0))
    await square.tell()
    parcels = await square.sent()
    assert sorted((parcel.channel, len(parcel.notices)) for parcel in parcels) == [
        (Channel.EMAIL, 2),
        (Channel.PUSH, 2),
        (Channel.PUSH, 2),
    ]
    assert {parcel.language for parcel in parcels} == {Language.ZH}
    assert {parcel.unread for parcel in parcels} == {2}
    letter = next(parcel for parcel in parcels if parcel.channel is Channel.EMAIL)
    assert letter.address == f"{ann.hex}@example.com"
    assert letter.notices[0].text(letter.language).startswith("拼团成功！")
    assert {parcel.device.push_token for parcel in parcels if parcel.device} == {f"{ann.hex}0", f"{ann.hex}1"}
    assert await square.sent() == []


async def test_what_is_due_soon_for_the_same_phone_comes_with_it(square: Square) -> None:
    """A price that dropped waits some seconds for others: a success takes it along."""
    ann = await square.person()
    await square.group(ann, await square.person(phones=0), schedule=LONE)
    await square.tell()
    await square.wait(11)
    await square.tell()
    assert await square.sent() == []  # the join waits
    await square.full_group(ann, await square.person(phones=0))
    await square.tell()
    (parcel,) = await square.sent()
    assert {notice.kind for notice in parcel.notices} == {Kind.JOINED, Kind.SUCCEEDED}


async def test_a_group_is_told_of_in_the_morning(square: Square) -> None:
    """In quiet hours nothing is pushed, but it is in the inbox; it comes when they are over."""
    ann = await square.person(choices=quiet(), email=True)
    await square.full_group(ann, await square.person(phones=0))
    await square.tell()
    assert [parcel.channel for parcel in await square.sent()] == [Channel.EMAIL]
    assert await square.told(ann) == [Kind.SUCCEEDED]
    (due_at,) = await square.due()
    assert timedelta(minutes=58) < due_at - datetime.now(UTC) <= timedelta(hours=1)
    await square.wait(3_600)
    await choose(square, ann, quiet(-2, 0))
    assert [parcel.channel for parcel in await square.sent()] == [Channel.PUSH]


async def test_what_is_useless_in_the_morning_is_not_pushed(square: Square) -> None:
    """The group is over before the night is: nobody is woken for it, nor told late."""
    ann = await square.person(choices=quiet())
    await square.group(ann, await square.person(phones=0), schedule=LONE, group_lifetime_s=1_800)
    await square.tell()
    await square.wait(11)
    await square.tell()
    assert await square.told(ann) == [Kind.JOINED]
    assert await square.due() == []


async def test_nobody_is_sent_what_they_do_not_want(square: Square) -> None:
    """By kind and way; the inbox has it all the same."""
    ann = await square.person(email=True, choices={"kinds": {"succeeded": {"push": False}}})
    ben = await square.person(email=True, choices={"kinds": {"succeeded": {"push": False, "email": False}}})
    await square.full_group(ann, ben)
    await square.tell()
    assert [(parcel.account_id, parcel.channel) for parcel in await square.sent()] == [(ann, Channel.EMAIL)]
    assert await square.told(ann) == await square.told(ben) == [Kind.SUCCEEDED]


async def test_what_is_tried_again_waits_for_the_morning_too(square: Square, engine: AsyncEngine) -> None:
    """The service was away when the night began: nobody is woken because it is back, and it is no attempt more."""
    ann = await square.person()
    await square.full_group(ann, await square.person(phones=0))
    await square.tell()
    async with engine.begin() as connection:
        (parcel,) = await deliveries.claim(connection, 10)
        await deliveries.later(connection, parcel, 30, "busy")
    await choose(square, ann, quiet())
    await square.wait(30)
    assert await square.sent() == []
    (due_at,) = await square.due()
    assert timedelta(minutes=58) < due_at - datetime.now(UTC) <= timedelta(hours=1)
    assert await square.value("SELECT attempts FROM deliveries") == 1


@pytest.mark.parametrize("way", [Channel.PUSH, Channel.EMAIL])
async def test_who_wants_no_more_is_sent_no_more(square: Square, way: Channel) -> None:
    """What was written down before goes by what they say now."""
    ann = await square.person(phones=1 if way is Channel.PUSH else 0, email=way is Channel.EMAIL)
    await square.full_group(ann, await square.person(phones=0))
    await square.tell()
    assert len(await square.due()) == 1
    await choose(square, ann, {"kinds": {"succeeded": {way: False}}})
    assert await square.sent() == []
    assert await square.value("SELECT state FROM deliveries") == "moot"


@pytest.mark.parametrize("why", ["stays", "left", "closed"])
async def test_news_of_an_open_group_is_for_who_is_in_it(square: Square, why: str) -> None:
    """Pushes that waited call nobody to a group that is closed by then, or that they have left."""
    ann, ben = await square.person(), await square.person(phones=0)
    group_id = await square.group(ann, ben, schedule=LONE)
    await square.tell()
    await square.wait(11)
    await square.tell()
    if why == "left":
        await square.shop.tell(LeaveGroup(group_id=group_id, shopper_id=ann))
    if why == "closed":
        await square.let_live(group_id, 7_200)
        await square.shop.tell(CloseGroup(group_id=group_id))
    await square.wait(10)
    told = [notice.kind for parcel in await square.sent() for notice in parcel.notices]
    assert told == ([Kind.JOINED] if why == "stays" else [])


async def test_nobody_is_asked_to_pay_what_is_paid(square: Square) -> None:
    """A reminder that could not be sent at once is not sent when the payment has come."""
    ann = await square.person()
    first = await square.till.reserve_first(await square.till.live(), ann)
    await square.till.make("UPDATE payments SET created_at = created_at - interval '2 minutes'")
    await remind(square.till.engine)
    await square.tell()
    assert len(await square.due()) == 1
    await square.till.pay(first)
    assert await square.sent() == []


@pytest.mark.parametrize("why", ["read", "expired", "lent", "deleted", "no address"])
async def test_what_nobody_needs_any_more_is_not_sent(square: Square, why: str) -> None:
    """Read before it was sent; of no use by now; the phone is somebody else's; nobody is there."""
    changes = {
        "read": "UPDATE notices SET read_at = now()",
        "expired": "UPDATE notices SET useful_until = now()",
        "lent": "UPDATE devices SET account_id = (SELECT id FROM accounts WHERE id <> devices.account_id LIMIT 1)",
        "deleted": "UPDATE accounts SET status = 'deleted', deleted_at = now(), locale = NULL",
        "no address": "DELETE FROM identities",
    }
    ann = await square.person(phones=why != "no address", email=why == "no address")
    await square.full_group(ann, await square.person(phones=0))
    await square.tell()
    assert len(await square.due()) == 1
    await square.shop.make(changes[why])
    assert await square.sent() == []
    assert await square.value("SELECT state FROM deliveries") == "moot"


async def test_a_claim_that_dies_is_sent_again(square: Square, engine: AsyncEngine) -> None:
    """After a minute, by whoever is there then; an answer that comes after that changes nothing."""
    ann = await square.person()
    await square.full_group(ann, await square.person(phones=0))
    await square.tell()
    async with engine.begin() as connection:
        (lost,) = await deliveries.claim(connection, 10)
    assert await square.sent() == []
    await square.wait(deliveries.LEASE_S)
    async with engine.begin() as connection:
        (again,) = await deliveries.claim(connection, 10)
        assert (lost.attempts, again.attempts) == (1, 2)
        await deliveries.done(connection, lost)
    state = "SELECT state FROM deliveries"
    assert await square.value(state) == "pending"
    async with engine.begin() as connection:
        await deliveries.later(connection, again, 30, "busy")
    assert await square.sent() == []
    await square.wait(30)
    assert len(await square.sent()) == 1
    assert await square.value(state) == "sent"


async def test_two_who_send_at_once_share_it(square: Square, engine: AsyncEngine) -> None:
    """What one has claimed and not yet committed the other passes by."""
    await square.full_group(*await square.people(30))
    await square.tell()
    async with engine.begin() as one, engine.begin() as other:
        mine, theirs = await deliveries.claim(one, 20), await deliveries.claim(other, 20)
        assert len(mine) == 20
        assert {parcel.target for parcel in mine}.isdisjoint({parcel.target for parcel in theirs})
    assert len(mine) + len(theirs) + len(await square.sent()) == 30


async def test_a_token_that_is_gone_is_forgotten(square: Square, engine: AsyncEngine) -> None:
    """The device goes with it, unless the app has registered a new token meanwhile."""
    people = [await square.person(), await square.person()]
    await square.full_group(*people)
    await square.tell()
    await square.shop.make("UPDATE devices SET push_token = 'new' WHERE account_id = :id", id=people[1])
    async with engine.begin() as connection:
        first, second = sorted(await deliveries.claim(connection, 10), key=lambda parcel: parcel.account_id)
    await square.shop.make("UPDATE devices SET push_token = 'newer' WHERE account_id = :id", id=people[1])
    async with engine.begin() as connection:
        for parcel in (first, second):
            await deliveries.device_gone(connection, parcel, "unregistered")
    assert await square.value("SELECT array_agg(push_token) FROM devices") == ["newer"]
    assert await square.value("SELECT array_agg(DISTINCT state) FROM deliveries") == ["dead"]


async def test_a_price_that_drops_while_it_is_sent_is_sent_again(square: Square, engine: AsyncEngine) -> None:
    """What was claimed told the old price: that it has arrived does not end the new one."""
    ann, ben = await square.person(), await square.person(phones=0)
    group_id = await square.group(ann, ben, group_size_max=50)
    await square.tell_by_and_by()
    await square.wait(10)
    async with engine.begin() as connection:
        (parcel,) = await deliveries.claim(connection, 10)
    for _ in range(2):
        await square.shop.joined(group_id)
    await square.tell()
    await square.wait(BY_AND_BY_S, only="tellings")  # its lease goes on
    await square.tell()
    async with engine.begin() as connection:
        await deliveries.done(connection, parcel)
    await square.wait(10)
    (again,) = await square.sent()
    prices = {notice.kind: notice.facts.standing.unit_price for notice in again.notices if notice.facts.standing}
    assert prices == {Kind.JOINED: 1_500, Kind.PRICE_DROPPED: 1_500}


async def test_choices_nobody_can_read_hold_up_nobody(square: Square) -> None:
    """Whoever has them is sent what everybody is."""
    ann = await square.person(choices={"quiet_hours": {"begin": "25:00", "end": "08:00", "time_zone": ZONE}})
    ben = await square.person(choices={"kinds": {"weather": {"push": True}}})
    await square.full_group(ann, ben)
    await square.tell()
    assert {parcel.account_id for parcel in await square.sent()} == {ann, ben}
