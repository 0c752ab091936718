"""Commands that meet in one batch: the rows and answers are those of the pure core, told the same in a row."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from asyncpg import CheckViolationError, UniqueViolationError
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.groupbuy.commands import (
    CancelGroup,
    CloseGroup,
    Command,
    ConfirmPayment,
    CreateDeal,
    CreateInvite,
    EditDeal,
    JoinGroup,
    LeaveGroup,
    OpenGroup,
    PauseDeal,
    PublishDeal,
    ResumeDeal,
    RevokeInvite,
)
from domain.groupbuy.deal import Grouping, Variant
from domain.groupbuy.errors import GroupFull, InviteNotUsable, OutOfStock, UnitsLimitReached, VariantNotFound
from domain.groupbuy.world import Accepted, Refused
from infra.batching import Batcher
from infra.ids import new_id
from infra.lane import Committed
from tests.batching.replaying import chapters_told, replayed
from tests.batching.stored import world_stored
from tests.domain.catalogue import schedule
from tests.domain.partial_world import contents
from tests.money_shop import MoneyShop
from tests.reading.shop import KETTLE, Shop

ANN, BEN, CAT, DAN, EVE = (UUID(int=number) for number in range(0xF1, 0xF6))


@dataclass(frozen=True, slots=True)
class Cast:
    """Who and what the batches are about: Ann leads a group of a live team deal, Ben is in it; the others are new."""

    merchant_id: UUID
    deal_id: UUID
    group_id: UUID
    variant_id: UUID
    draft_id: UUID
    crowd_id: UUID
    new_deal_id: UUID = field(default_factory=new_id)
    new_group_id: UUID = field(default_factory=new_id)

    def joins(self, shopper_id: UUID, code: str | None = None, group_id: UUID | None = None) -> JoinGroup:
        return JoinGroup(order_id=uuid4(), group_id=group_id or self.group_id, shopper_id=shopper_id, invite_code=code)

    def leaves(self, shopper_id: UUID, group_id: UUID | None = None) -> LeaveGroup:
        return LeaveGroup(group_id=group_id or self.group_id, shopper_id=shopper_id)

    def opens(self, shopper_id: UUID, code: str | None = None, deal_id: UUID | None = None) -> OpenGroup:
        return OpenGroup(
            order_id=uuid4(),
            deal_id=deal_id or self.deal_id,
            group_id=self.new_group_id,
            shopper_id=shopper_id,
            invite_code=code,
        )

    def shares(self, sharer_id: UUID, code: str, group_id: UUID | None = None, channel: str = "chat") -> CreateInvite:
        return CreateInvite(group_id=group_id or self.group_id, sharer_id=sharer_id, channel=channel, code=code)

    def revokes(self, sharer_id: UUID, code: str) -> RevokeInvite:
        return RevokeInvite(group_id=self.group_id, sharer_id=sharer_id, code=code)

    def joins_new(self, *shoppers: UUID, code: str | None = None) -> list[Command]:
        return [self.joins(shopper_id, code, self.new_group_id) for shopper_id in shoppers]

    def publishes(self, deal_id: UUID) -> PublishDeal:
        return PublishDeal(deal_id=deal_id, merchant_id=self.merchant_id, crowd_group_id=self.new_group_id)


@pytest.fixture
async def people(shop: Shop) -> Cast:
    variant = Variant(new_id(), "Red", None, 6)
    deal_id = await shop.live((variant,), units_per_shopper_max=2, group_size_max=4)
    group_id = await shop.opened(deal_id, leader_id=ANN)
    await shop.joined(group_id, BEN)
    late = await shop.draft()
    crowd = await shop.draft(grouping=Grouping.CROWD)
    return Cast(shop.merchant_id, deal_id, group_id, variant.id, late, crowd)


TOGETHER: dict[str, Callable[[Cast], Sequence[Command]]] = {
    "the last places, and one too many": lambda of: [of.joins(CAT), of.joins(DAN), of.joins(EVE)],
    "join and leave of a new group": lambda of: [
        *(of.opens(CAT), *of.joins_new(DAN), of.leaves(DAN, of.new_group_id), *of.joins_new(EVE))
    ],
    "open, fill and close": lambda of: [of.opens(ANN), *of.joins_new(BEN, CAT, DAN, EVE)],
    "open and be left by everybody": lambda of: [of.opens(CAT), of.leaves(CAT, of.new_group_id), *of.joins_new(DAN)],
    "open twice with one place allowed more": lambda of: [of.opens(ANN), *of.joins_new(BEN), of.joins(ANN)],
    "an invite and joins through it": lambda of: [of.shares(ANN, "one"), of.joins(CAT, "one"), of.joins(DAN, "one")],
    "an invite asked twice": lambda of: [of.shares(ANN, "one"), of.shares(ANN, "two"), of.joins(CAT, "two")],
    "an invite revoked and made anew": lambda of: [
        *(of.shares(ANN, "one"), of.joins(CAT, "one"), of.revokes(ANN, "one")),
        *(of.shares(ANN, "two"), of.joins(DAN, "two")),
    ],
    "an invite into another group": lambda of: [of.shares(ANN, "one"), of.opens(CAT, "one"), of.joins(DAN, "one")],
    "an invite of who came through one": lambda of: [
        *(of.opens(CAT), of.shares(CAT, "one", of.new_group_id), *of.joins_new(DAN, code="one")),
        *(of.shares(DAN, "two", of.new_group_id), *of.joins_new(EVE, code="two")),
    ],
    "a deal from nothing to a group": lambda of: [
        CreateDeal(
            deal_id=of.new_deal_id,
            merchant_id=of.merchant_id,
            offer=KETTLE,
            variants=(Variant(new_id(), "Blue", None, 3),),
        ),
        of.publishes(of.new_deal_id),
        of.opens(ANN, deal_id=of.new_deal_id),
        *of.joins_new(BEN, CAT, DAN),
    ],
    "a draft reworked, published and sold": lambda of: [
        EditDeal(
            deal_id=of.draft_id,
            merchant_id=of.merchant_id,
            changes={"title": "Pot", "units_per_shopper_max": 1},
            variants=(Variant(new_id(), "Blue", None, 2), Variant(of.variant_id, "Green", None, 1)),
        ),
        of.publishes(of.draft_id),
        OpenGroup(
            order_id=uuid4(), deal_id=of.draft_id, group_id=of.new_group_id, shopper_id=ANN, variant_id=of.variant_id
        ),
        JoinGroup(order_id=uuid4(), group_id=of.new_group_id, shopper_id=BEN, variant_id=of.variant_id),
    ],
    "a crowd published and joined": lambda of: [of.publishes(of.crowd_id), *of.joins_new(ANN, BEN)],
    "pause, edit, resume around openings": lambda of: [
        PauseDeal(deal_id=of.deal_id, merchant_id=of.merchant_id),
        of.opens(CAT),
        EditDeal(deal_id=of.deal_id, merchant_id=of.merchant_id, changes={"group_size_max": 5}),
        ResumeDeal(deal_id=of.deal_id, merchant_id=of.merchant_id, crowd_group_id=new_id()),
        of.opens(DAN),
        of.joins(CAT),
    ],
    "cancelled among joins": lambda of: [
        *(of.joins(CAT), CancelGroup(group_id=of.group_id, merchant_id=of.merchant_id), of.joins(DAN), of.opens(ANN))
    ],
}


@pytest.mark.parametrize("scene", TOGETHER)
async def test_a_batch_saves_what_the_pure_core_says(
    scene: str, people: Cast, batcher: Batcher, database: asyncpg.Connection, commits: list[Committed]
) -> None:
    """9.2 and 9.3: whatever comes about and passes away within one batch, rows and events are those of a sequence."""
    await _as_the_pure_core_says(TOGETHER[scene](people), people, batcher, database, commits)


LEAVING: dict[str, Callable[[Cast], Sequence[Command]]] = {
    "leave and come back": lambda of: [of.leaves(CAT), of.joins(CAT), of.joins(DAN)],
    "leave, come back, leave": lambda of: [of.leaves(CAT), of.joins(CAT), of.leaves(CAT)],
    "come and go": lambda of: [of.joins(DAN), of.leaves(DAN), of.joins(EVE)],
    "come, go and come through an invite": lambda of: [
        *(of.shares(CAT, "one"), of.joins(DAN, "one"), of.leaves(DAN), of.joins(DAN, "one"), of.joins(EVE, "one"))
    ],
    "leave who came through an invite": lambda of: [of.leaves(BEN), of.joins(DAN, "of-ann"), of.leaves(DAN)],
    "come back through an invite": lambda of: [of.leaves(BEN), of.joins(BEN, "of-ann")],
    "whoever was brought by what is revoked": lambda of: [
        *(of.revokes(ANN, "of-ann"), of.leaves(BEN), of.shares(ANN, "anew"), of.joins(BEN, "anew")),
    ],
    "everybody leaves": lambda of: [of.leaves(CAT), of.leaves(ANN), of.leaves(BEN), of.joins(DAN)],
}


@pytest.mark.parametrize("scene", LEAVING)
async def test_leaving_and_joining_in_one_batch(
    *, scene: str, shop: Shop, people: Cast, batcher: Batcher, database: asyncpg.Connection, commits: list[Committed]
) -> None:
    """Promise 6: places given up and taken within one batch are as if each had come alone."""
    deal_id = await shop.live(schedule=schedule(2_000, (4, 1_500)), group_size_max=5)
    group_id = await shop.opened(deal_id, leader_id=ANN)
    await shop.tell(CreateInvite(group_id=group_id, sharer_id=ANN, channel="chat", code="of-ann"))
    await shop.tell(JoinGroup(order_id=uuid4(), group_id=group_id, shopper_id=BEN, invite_code="of-ann"))
    await shop.joined(group_id, CAT)
    of = Cast(people.merchant_id, deal_id, group_id, people.variant_id, people.draft_id, people.crowd_id)
    await _as_the_pure_core_says(LEAVING[scene](of), of, batcher, database, commits)


async def test_what_follows_in_a_batch_changes_no_answer_before(engine: AsyncEngine, batcher: Batcher) -> None:
    """A join asked for again, right before its payment is confirmed in the same batch, is told what was so then."""
    shop = MoneyShop(engine, batcher, new_id())
    leader = await shop.reserve_first(await shop.live())
    bought = await shop.reserve(leader)
    again = JoinGroup(group_id=leader.group_id or new_id(), shopper_id=bought.shopper_id, order_id=new_id())
    repeated = batcher.put(again, bought.deal_id)
    confirmed = batcher.put(ConfirmPayment(**bought.names), bought.deal_id)
    outcome, _ = await repeated, await confirmed
    assert isinstance(outcome, Accepted)
    assert outcome.state.awaited is not None
    assert outcome.state.awaited.order_id == bought.order_id


async def test_a_refused_command_refuses_alone(
    people: Cast, batcher: Batcher, database: asyncpg.Connection, commits: list[Committed]
) -> None:
    """Each kind of refusal among joins that are taken: the others do not notice."""
    of = people
    commits.clear()
    answers = await asyncio.gather(
        batcher.tell(JoinGroup(order_id=uuid4(), group_id=of.group_id, shopper_id=CAT, variant_id=new_id())),
        batcher.tell(of.joins(CAT)),
        batcher.tell(of.joins(DAN, "no such code")),
        batcher.tell(JoinGroup(order_id=uuid4(), group_id=of.group_id, shopper_id=DAN, quantity=3)),
        batcher.tell(JoinGroup(order_id=uuid4(), group_id=of.group_id, shopper_id=DAN, quantity=2)),
        batcher.tell(of.joins(EVE)),
        batcher.tell(
            OpenGroup(order_id=uuid4(), deal_id=of.deal_id, group_id=of.new_group_id, shopper_id=EVE, quantity=2)
        ),
        return_exceptions=True,
    )
    kinds = [type(answer) for answer in answers]
    expected = [VariantNotFound, Accepted, InviteNotUsable, UnitsLimitReached, Accepted, GroupFull, OutOfStock]
    assert kinds == expected
    assert len(commits) == 1
    assert await database.fetchval("SELECT stock_left FROM variants WHERE id = $1", of.variant_id) == 1


async def test_units_in_groups_that_no_batch_asks_about_count(shop: Shop) -> None:
    """Promise 1: units of a succeeded group count towards the limit, those of a cancelled one do not."""
    deal_id = await shop.live(units_per_shopper_max=2)
    succeeded = await shop.opened(deal_id, participants=2, leader_id=CAT)
    await shop.let_time_pass(deal_id, timedelta(seconds=KETTLE.group_lifetime_s))
    await shop.tell(CloseGroup(group_id=succeeded))
    cancelled = await shop.opened(deal_id, leader_id=EVE)
    await shop.tell(CancelGroup(group_id=cancelled, merchant_id=shop.merchant_id))
    joins = [
        JoinGroup(order_id=uuid4(), group_id=await shop.opened(deal_id), shopper_id=who, quantity=2)
        for who in (CAT, EVE)
    ]
    answers = await asyncio.gather(*(shop.batcher.tell(join) for join in joins), return_exceptions=True)
    assert [type(answer) for answer in answers] == [UnitsLimitReached, Accepted]


async def test_a_row_the_database_refuses_fails_its_command_only(
    people: Cast, shop: Shop, batcher: Batcher, database: asyncpg.Connection
) -> None:
    """A constraint that says no where the rules said yes costs the guilty command alone; mended, it goes through."""
    spoilt = await shop.opened(people.deal_id)
    await database.execute(
        """INSERT INTO participants (deal_id, shopper_id, group_id, variant_id, quantity, hold_minor, number, joined_at)
           SELECT deal_id, $2, id, $3, 1, 1, version + 1, now() FROM groups WHERE id = $1""",
        *(spoilt, new_id(), people.variant_id),
    )
    guilty = people.joins(CAT, group_id=spoilt)
    answers = await asyncio.gather(
        *(batcher.tell(command) for command in (people.joins(CAT), guilty, people.joins(DAN))), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [Accepted, UniqueViolationError, Accepted]
    status = await database.fetchrow("SELECT status, participants FROM groups WHERE id = $1", people.group_id)
    assert tuple(status or ()) == ("succeeded", 4)
    await database.execute("DELETE FROM participants WHERE group_id = $1 AND hold_minor = 1", spoilt)
    assert isinstance(await batcher.tell(guilty), Accepted)


async def test_stock_that_would_exceed_what_there_was_is_refused(
    people: Cast, batcher: Batcher, database: asyncpg.Connection
) -> None:
    """Promise 1's constraint: a cancellation that returns units nobody took is not saved, nor is any part of it."""
    await database.execute(
        "UPDATE groups SET units_by_variant = jsonb_build_object($2::text, 99) WHERE id = $1",
        *(people.group_id, str(people.variant_id)),
    )
    cancel = CancelGroup(group_id=people.group_id, merchant_id=people.merchant_id)
    before = await world_stored(database)
    answers = await asyncio.gather(batcher.tell(cancel), batcher.tell(people.joins(ANN)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [CheckViolationError, Accepted]
    assert await world_stored(database) == before


async def _as_the_pure_core_says(
    commands: Sequence[Command], of: Cast, batcher: Batcher, database: asyncpg.Connection, commits: list[Committed]
) -> None:
    commits.clear()
    expected = await world_stored(database)
    made_in = [command.deal_id for command in commands if isinstance(command, OpenGroup | PublishDeal)]
    batcher.remember(of.new_group_id, made_in[0] if made_in else of.deal_id)
    found = await asyncio.gather(*(batcher.tell(command) for command in commands), return_exceptions=True)
    (commit,) = commits
    outcomes = [
        outcome.error if isinstance(outcome, Refused) else outcome for outcome in expected.fold(commands, commit.now)
    ]
    assert [str(getattr(answer, "events", answer)) for answer in found] == [
        str(getattr(outcome, "events", outcome)) for outcome in outcomes
    ]
    assert await world_stored(database) == contents(expected)
    assert contents(replayed(await chapters_told(database))) == contents(expected)
