"""Each kind of notice once, to those it is for, as it comes about through commands."""

from datetime import timedelta

import pytest

from domain.groupbuy.commands import CancelGroup, CloseGroup, ConfirmPayment, LeaveGroup
from domain.groupbuy.payment import LapsedBecause
from domain.notices.kinds import Channel, Kind
from domain.pricing.schedule import PriceSchedule, Tier
from infra.notices.reminding import remind
from infra.notices.telling import tell_chunk
from tests.notices.square import LONG, Square

LONE = PriceSchedule(2_000, (Tier(5, 1_000),))
"""A price that nobody reaches here."""


async def test_who_is_in_hears_of_who_comes_but_not_of_themselves(square: Square) -> None:
    """The leader of two, who came first of the others of one, the last of none."""
    ann, ben, cat = [await square.person() for _ in range(3)]
    await square.group(ann, ben, cat, schedule=LONE)
    await square.tell_by_and_by()
    counts = [[notice.joined for notice in await square.inbox(one)] for one in (ann, ben, cat)]
    assert counts == [[2], [1], []]
    assert {notice.participants for notice in await square.inbox(ann)} == {3}


async def test_a_read_notice_counts_from_where_it_was(square: Square) -> None:
    """Who has read that there were two is told of those who came then; who has not, of all in one."""
    ann, ben, cat, dan = [await square.person() for _ in range(4)]
    group_id = await square.group(ann, ben, schedule=LONE, group_size_max=50)
    await square.tell_by_and_by()
    await square.read_all(ann)
    for late in (cat, dan):
        await square.shop.joined(group_id, late)
    await square.tell_by_and_by()
    assert [(notice.joined, notice.is_read) for notice in await square.inbox(ann)] == [(2, False), (1, True)]
    assert [notice.joined for notice in await square.inbox(ben)] == [2]
    assert await square.inbox(dan) == []


async def test_price_drops_close_together_are_one_that_tells_the_last(square: Square) -> None:
    """Two tiers within seconds: everybody reads one notice, of the price it is now."""
    people = [await square.person() for _ in range(4)]
    await square.group(*people)
    await square.tell_by_and_by()
    for person in people:
        drops = [notice for notice in await square.inbox(person) if notice.kind is Kind.PRICE_DROPPED]
        assert [drop.unit_price for drop in drops] == [1_500]


async def test_the_last_places_are_told_once(square: Square) -> None:
    """Those who are in when two are left; that one of them goes too is nothing new, nor is who comes then told."""
    people = [await square.person() for _ in range(5)]
    group_id = await square.group(*people[:4], schedule=LONE)
    await square.tell()
    await square.shop.joined(group_id, people[4])
    await square.tell()
    kinds = [await square.told(person) for person in people]
    assert kinds == [[Kind.TWO_PLACES_LEFT]] * 4 + [[]]
    assert (await square.inbox(people[0]))[0].seats_left == 2


async def test_nobody_is_called_to_a_deal_that_is_sold_out(square: Square) -> None:
    """Another group took the last of it: that two places are free is told to nobody."""
    people = [await square.person() for _ in range(4)]
    await square.group(*people, schedule=LONE)
    await square.shop.make("UPDATE variants SET stock_left = 0")
    await square.tell()
    assert [await square.told(person) for person in people] == [[]] * 4


async def test_the_last_hour_is_told_of_groups_that_live_long(square: Square) -> None:
    """Once it has begun, everybody in it then; never of a group that lives an hour altogether."""
    ann, ben, cat, dan = [await square.person() for _ in range(4)]
    group_id = await square.group(ann, ben, schedule=LONE, group_lifetime_s=LONG)
    await square.group(cat, dan, schedule=LONE)
    await square.tell()
    assert await square.told(ann) == []
    await square.let_live(group_id, LONG - 3_550)
    await square.wait(LONG - 3_550)
    await square.tell()
    for person in (ann, ben):
        assert Kind.ONE_HOUR_LEFT in await square.told(person)
    assert Kind.ONE_HOUR_LEFT not in await square.told(cat)


async def test_success_says_what_each_pays(square: Square) -> None:
    """By the units they took, at the price of all; and nothing more of who joined or what dropped."""
    ann, ben = await square.person(), await square.person(locale="de-AT")
    first, _ = await square.paid_group(ann, ben, quantity=3)
    await square.till.close(first)
    await square.tell_by_and_by()
    (mine,) = await square.inbox(ann)
    (bens,) = await square.inbox(ben)
    assert (mine.kind, mine.pays, mine.unit_price, mine.currency) == (Kind.SUCCEEDED, 5_400, 1_800, "EUR")
    assert mine.text == "Your group succeeded! You pay €54.00: 3 for €18.00 each."
    assert bens.text.startswith("Deine Gruppe hat es geschafft!")
    assert mine.title == "Kettle"
    assert mine.link == f"https://tuan.example/g/{first.group_id}"


@pytest.mark.parametrize("fate", [Kind.FAILED, Kind.CANCELLED])
async def test_money_is_said_to_be_back_when_it_is(square: Square, fate: Kind) -> None:
    """The same notice says "on its way" until the gateway has released it, and "back" from then on."""
    ann, ben = await square.person(), await square.person()
    first, _ = await square.paid_group(ann, ben, schedule=LONE)
    if fate is Kind.FAILED:
        await square.till.close(first)
    else:
        assert first.group_id is not None
        await square.till.tell(CancelGroup(group_id=first.group_id, merchant_id=square.till.merchant_id))
    await square.tell_by_and_by()
    (before,) = await square.inbox(ben)
    await square.till.settle()
    (after,) = await square.inbox(ben)
    assert (before.kind, before.is_money_back, after.is_money_back) == (fate, False, True)
    assert "on its way" in before.text
    assert after.text.endswith("Your money is back.")


async def test_where_no_money_was_taken_none_comes_back(square: Square) -> None:
    """A deal without payments: who joined is told that there is nothing to pay."""
    ann = await square.person()
    group_id = await square.group(ann)
    await square.let_live(group_id, 7_200)
    await square.shop.tell(CloseGroup(group_id=group_id))
    await square.tell()
    (notice,) = await square.inbox(ann)
    assert notice.text == "Your group did not fill up in time. You pay nothing."


async def test_who_has_not_paid_is_reminded_once(square: Square) -> None:
    """After a while, as long as there is time; who has paid meanwhile is left alone, and so is who just began."""
    ann, ben, cat = [await square.person() for _ in range(3)]
    deal_id = await square.till.live(group_size_max=50)
    first = await square.till.reserve_first(deal_id, ann)
    await square.till.reserve(first, ben)
    third = await square.till.reserve(first, cat)
    await square.till.make("UPDATE payments SET created_at = created_at - interval '2 minutes'")
    await square.till.pay(third)
    late = await square.till.reserve(first, await square.person())
    assert [await remind(square.till.engine, rows_max=1) for _ in range(3)] == [1, 1, 0]
    await square.tell()
    assert [await square.told(one) for one in (ann, ben, cat, late.shopper_id)] == [
        [Kind.PAYMENT_NEEDED],
        [Kind.PAYMENT_NEEDED],
        [],
        [],
    ]
    (notice,) = await square.inbox(ann)
    assert notice.amount == 1_800
    assert notice.pay_by is not None


async def test_who_pays_between_reminder_and_telling_is_left_alone(square: Square) -> None:
    """It is looked at how the payment stands when it is told."""
    ann = await square.person()
    first = await square.till.reserve_first(await square.till.live(), ann)
    await square.till.make("UPDATE payments SET created_at = created_at - interval '2 minutes'")
    assert await remind(square.till.engine) == 1
    await square.till.pay(first)
    assert await tell_chunk(square.till.engine) == 1
    assert await square.told(ann) == []


@pytest.mark.parametrize("alone", [False, True])
async def test_money_that_came_too_late_is_told(square: Square, alone: bool) -> None:  # noqa: FBT001 - both ways
    """Promise 8: too late, the money goes back, and there are other groups."""
    ann = await square.person()
    deal_id = await square.till.live()
    bought = await (square.till.reserve_alone if alone else square.till.reserve_first)(deal_id, ann)
    await square.till.lapse(bought)
    await square.till.tell(ConfirmPayment(**bought.names, reference="sandbox_late"))
    await square.tell()
    (notice,) = await square.inbox(ann)
    assert (notice.kind, notice.amount) == (Kind.PAYMENT_LATE, 2_000 if alone else 1_800)
    assert notice.text.endswith("There are other groups to join.")
    assert (notice.link is None) is alone


@pytest.mark.parametrize("alone", [False, True])
async def test_who_never_paid_is_told_that_nothing_is_kept(square: Square, alone: bool) -> None:  # noqa: FBT001 - both ways
    """By a push, a while after the place came free: that it did, and that there is nothing to pay."""
    ann = await square.person(email=True)
    deal_id = await square.till.live()
    bought = await (square.till.reserve_alone if alone else square.till.reserve_first)(deal_id, ann)
    await square.till.lapse(bought)
    await square.tell()
    assert await square.told(ann) == []
    await square.wait(60)
    await square.tell()
    (notice,) = await square.inbox(ann)
    assert (notice.kind, notice.amount) == (Kind.PAYMENT_MISSED, 2_000 if alone else 1_800)
    kept = "order" if alone else "place"
    assert notice.text == f"No payment came through, so your {kept} is no longer kept. You pay nothing."
    await square.wait(10)
    assert [parcel.channel for parcel in await square.sent()] == [Channel.PUSH]


async def test_a_group_that_closes_under_a_reservation_is_told(square: Square) -> None:
    """Who had not paid is nobody's member: they are told what became of their place, not the group's fate."""
    ann, ben = await square.person(), await square.person()
    (first,) = await square.paid_group(ann)
    late = await square.till.reserve(first, ben)
    await square.till.close(first)
    await square.till.lapse(late, LapsedBecause.DEADLINE)
    await square.tell()
    await square.wait(60)
    await square.tell()
    assert await square.told(ann) == [Kind.FAILED]
    assert await square.told(ben) == [Kind.PAYMENT_MISSED]


@pytest.mark.parametrize("why", ["tries again", "pays late", "left"])
async def test_who_knows_better_is_not_told_that_they_missed_it(square: Square, why: str) -> None:
    """A new attempt within a minute, money that came after all, or a place they gave up themselves."""
    ann = await square.person()
    (first,) = await square.paid_group(await square.person())
    lost = await square.till.reserve(first, ann)
    await square.till.lapse(lost, LapsedBecause.LEFT if why == "left" else LapsedBecause.DECLINED)
    if why == "tries again":
        await square.till.reserve(first, ann)
    if why == "pays late":
        await square.till.tell(ConfirmPayment(**lost.names, reference="sandbox_late"))
    await square.tell()
    await square.wait(60)
    await square.tell()
    assert Kind.PAYMENT_MISSED not in await square.told(ann)


async def test_a_group_that_everybody_left_is_told_to_nobody(square: Square) -> None:
    """Nor is who left told anything of it later."""
    ann, ben = await square.person(), await square.person()
    group_id = await square.group(ann, ben, schedule=LONE)
    for one in (ben, ann):
        await square.shop.tell(LeaveGroup(group_id=group_id, shopper_id=one))
    await square.tell_by_and_by()
    assert await square.told(ann) == await square.told(ben) == []


async def test_tokens_of_no_account_are_told_nothing(square: Square) -> None:
    """There is nobody to keep an inbox for; those beside them are told all the same."""
    ann = await square.person()
    group_id = await square.group(ann)
    stranger = await square.shop.joined(group_id)
    await square.let_live(group_id, timedelta(hours=2).total_seconds())
    await square.shop.tell(CloseGroup(group_id=group_id))
    await square.tell()
    assert await square.told(ann) == [Kind.SUCCEEDED]
    assert await square.inbox(stranger) == []


async def test_whoever_is_no_more_is_told_nothing(square: Square) -> None:
    """A place may outlive its account; a guest who is somebody known by now is told as that somebody."""
    ann, ben, cat, guest = [await square.person(phones=0) for _ in range(4)]
    await square.shop.make("UPDATE accounts SET status = 'deleted', deleted_at = now() WHERE id = :id", id=ben)
    await square.shop.make("UPDATE accounts SET status = 'merged', merged_into = :to WHERE id = :id", id=guest, to=cat)
    await square.full_group(ann, ben, guest)
    await square.tell()
    assert await square.told(ann) == await square.told(cat) == [Kind.SUCCEEDED]
    assert await square.value("SELECT count(*) FROM notices") == 2


async def test_who_is_in_twice_is_told_once_who_joined(square: Square) -> None:
    """As a guest and as somebody known: what gathers is one notice, what is to be paid is said of each place."""
    ann, cat, guest, dan = [await square.person(phones=0) for _ in range(4)]
    group_id = await square.group(ann, cat, guest, dan, schedule=LONE, group_size_max=5)
    await square.shop.make("UPDATE accounts SET status = 'merged', merged_into = :to WHERE id = :id", id=guest, to=cat)
    await square.tell_by_and_by()
    assert [notice.joined for notice in await square.inbox(cat) if notice.kind is Kind.JOINED] == [2]
    await square.shop.joined(group_id, await square.person())
    await square.tell()
    assert (await square.told(cat)).count(Kind.SUCCEEDED) == 2


@pytest.mark.parametrize("knew", [False, True])
async def test_whose_payment_is_refused_is_told_so(square: Square, knew: bool) -> None:  # noqa: FBT001 - both ways
    """Also by a letter; who has not heard of the success yet is not told any more what they pay. The others are."""
    ann, ben = await square.person(), await square.person(email=True)
    first, second = await square.paid_group(ann, ben)
    await square.till.close(first)
    if knew:
        await square.tell()
    await square.till.settle(refusing=[second.order_id])
    await square.tell()
    assert await square.told(ann) == [Kind.SUCCEEDED]
    assert await square.told(ben) == [*[Kind.SUCCEEDED] * knew, Kind.PAYMENT_REFUSED]
    notice = (await square.inbox(ben))[0]
    assert notice.text == "Your payment could not be collected, so you are no longer in the group. You pay nothing."
    await square.wait(10)
    told = {(parcel.channel, notice.kind) for parcel in await square.sent() for notice in parcel.notices}
    assert {(way, Kind.PAYMENT_REFUSED) for way in Channel} <= told
