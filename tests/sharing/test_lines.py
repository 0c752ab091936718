"""Joins by links: put down to the last one visited, never to one's own, nor to one of somebody one brought."""

import asyncio
from uuid import UUID, uuid4

import pytest

from domain.groupbuy.commands import CreateInvite, JoinGroup
from domain.groupbuy.events import ParticipantJoined
from infra.ids import new_id
from infra.loading import Loader
from infra.reading.selves import find_standing
from infra.sharing.links import Links
from infra.wanted import Wanted
from tests.domain.catalogue import schedule
from tests.money_shop import MoneyShop
from tests.reading.shop import Shop
from tests.sharing.circle import Circle

ANN, BEN, CAT, DAN = (new_id() for _ in range(4))
LATE_TIP = schedule(2_000, (6, 1_800))
MERGED = "INSERT INTO accounts (id, status, merged_into) VALUES (:id, 'merged', :known)"


@pytest.fixture
async def circle(shop: Shop) -> Circle:
    """A deal whose groups tip late, so that people can leave."""
    return Circle(shop, await shop.live(schedule=LATE_TIP, group_size_max=8))


async def test_a_join_is_put_down_to_the_link_given_with_it(circle: Circle) -> None:
    """The last one visited, which the app gives: whoever left and comes back by another is that one's."""
    group_id = await circle.opens(ANN)
    first, second = await circle.shares(ANN, group_id), await circle.shares(BEN, group_id)
    assert await circle.came_by(CAT, group_id, first) == first
    await circle.leaves(CAT, group_id)
    assert await circle.came_by(CAT, group_id, second) == second
    assert (await circle.links_of(ANN))[first].joins == 0
    assert (await circle.links_of(BEN))[second].joins == 1


async def test_whom_one_brought_brings_nobody_back(circle: Circle) -> None:
    """Ann brings Ben, Ben shares; Ann leaves and comes back by Ben's link: nobody brought her."""
    group_id = await circle.opens(ANN)
    first = await circle.shares(ANN, group_id)
    assert await circle.came_by(BEN, group_id, first) == first
    second = await circle.shares(BEN, group_id)
    await circle.leaves(ANN, group_id)
    assert await circle.came_by(ANN, group_id, second) is None
    assert (await circle.links_of(BEN))[second].joins == 0
    assert await circle.came_by(CAT, group_id, second) == second


async def test_also_when_who_was_brought_has_left(circle: Circle) -> None:
    """The link remembers by whose link its sharer came."""
    group_id = await circle.opens(DAN)
    first = await circle.shares(ANN, group_id)
    await circle.came_by(BEN, group_id, first)
    second = await circle.shares(BEN, group_id)
    await circle.came_by(CAT, group_id, second)
    third = await circle.shares(CAT, group_id)
    for gone in (BEN, CAT):
        await circle.leaves(gone, group_id)
    assert await circle.came_by(ANN, group_id, third) is None
    assert await circle.came_by(BEN, group_id, first) == first


async def test_also_when_the_link_was_there_before_its_sharer_came(circle: Circle) -> None:
    """Two who shared from outside cannot bring each other into a group; one each into two groups they can."""
    group_id = await circle.opens(DAN)
    first, second = await circle.shares(ANN, group_id), await circle.shares(BEN, group_id)
    other_id = await circle.opens(BEN, first)
    assert await circle.came_by(ANN, other_id, second) is None
    assert await circle.came_by(ANN, group_id, second) == second
    assert await circle.came_by(BEN, group_id, first) is None
    assert (await circle.links_of(ANN))[first].joins == 1


async def test_a_place_that_is_only_reserved_counts_as_brought(shop: Shop) -> None:
    """Ben's payment is awaited when Ann comes by his link, whose parent is hers: paid, they would bring each other."""
    money = MoneyShop(shop.engine, shop.batcher, shop.merchant_id)
    circle = Circle(shop, await money.live())
    group_id = await circle.opens(DAN)
    first, second = await circle.shares(ANN, group_id), await circle.shares(BEN, group_id)
    awaited = (await circle.comes(BEN, group_id, first)).state.awaited
    assert awaited is not None
    assert awaited.invite_code == first
    made = await Links(shop.engine).get(await circle.shares(BEN, group_id, "poster"))
    assert made is not None
    assert made.invite.parent_code == first
    reserved = (await circle.comes(ANN, group_id, second)).state.awaited
    assert reserved is not None
    assert reserved.invite_code is None


async def test_a_ring_within_one_batch_is_seen(circle: Circle) -> None:
    """Links that are made, and by which people come, in the very same transaction."""
    group_id, shop = await circle.opens(DAN), circle.shop
    commands = (
        CreateInvite(group_id=group_id, sharer_id=ANN, channel="chat", code="of-ann"),
        CreateInvite(group_id=group_id, sharer_id=BEN, channel="chat", code="of-ben"),
        JoinGroup(order_id=uuid4(), group_id=group_id, shopper_id=BEN, invite_code="of-ann"),
        JoinGroup(order_id=uuid4(), group_id=group_id, shopper_id=ANN, invite_code="of-ben"),
    )
    outcomes = await asyncio.gather(*(shop.tell(command) for command in commands))
    joined = [event for told in outcomes for event in told.events if isinstance(event, ParticipantJoined)]
    assert [event.invite_code for event in joined] == ["of-ann", None]


async def test_ids_of_one_person_bring_each_other_nowhere(circle: Circle) -> None:
    """What somebody shared as a guest is their own, and so is the line of whom the guest brought."""
    guest, shop = new_id(), circle.shop
    await shop.make("INSERT INTO accounts (id, status) VALUES (:ann, 'full')", ann=ANN)
    await shop.make(MERGED, id=guest, known=ANN)
    group_id = await circle.opens(DAN)
    of_guest = await circle.shares(guest, group_id)
    await circle.came_by(BEN, group_id, of_guest)
    of_ben, of_dan = await circle.shares(BEN, group_id), await circle.shares(DAN, group_id)
    for code, comes_round in ((of_guest, True), (of_ben, True), (of_dan, False), ("nobodys", False)):
        standing = await find_standing(shop.engine, ANN, None, group_id, code)
        assert standing.comes_round is comes_round, code


@pytest.mark.parametrize("shares_as_guest", [True, False])
async def test_the_tree_knows_a_sharer_by_every_id(circle: Circle, *, shares_as_guest: bool) -> None:
    """Who shares under one id and has a place under the other has brought whoever came, and is where they stand."""
    known, guest = new_id(), new_id()
    await circle.shop.make("INSERT INTO accounts (id, status) VALUES (:id, 'full')", id=known)
    await circle.shop.make(MERGED, id=guest, known=known)
    sharer_id, member_id = (guest, known) if shares_as_guest else (known, guest)
    group_id = await circle.opens(DAN)
    await circle.comes(BEN, group_id, await circle.shares(sharer_id, group_id))
    await circle.comes(member_id, group_id, None)
    _, of_ben, of_sharer = await circle.tree_of(group_id)
    assert of_ben.came_by is not None
    assert (of_ben.came_by.sharer_number, of_sharer.brought) == (of_sharer.number, 1)


async def test_only_a_sharers_line_is_read(circle: Circle) -> None:
    """Who shares nothing can have brought nobody: their join loads the link alone, however long its line."""
    group_id = await circle.opens(DAN)
    codes = [await circle.shares(DAN, group_id)]
    for shopper_id in (ANN, BEN, CAT):
        await circle.came_by(shopper_id, group_id, codes[-1])
        codes.append(await circle.shares(shopper_id, group_id))

    async def loaded(shopper_id: UUID) -> set[str]:
        wanted = Wanted()
        join = JoinGroup(order_id=uuid4(), group_id=group_id, shopper_id=shopper_id, invite_code=codes[-1])
        wanted.add(join, circle.deal_id)
        async with circle.shop.engine.connect() as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            return set((await Loader().load(driver, wanted)).world.invites)

    assert await loaded(new_id()) == {codes[-1]}
    assert await loaded(ANN) == set(codes)
