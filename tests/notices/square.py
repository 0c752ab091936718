"""A market square: people with accounts and phones, a shop whose groups they join, and whoever tells them of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from domain.notices.kinds import Kind
from domain.pricing.schedule import PriceSchedule, Tier
from infra.ids import new_id
from infra.notices import deliveries, inbox
from infra.notices.outbox import read_outbox
from infra.notices.telling import tell_chunk
from infra.statement import json_text
from tests.money_shop import MoneyShop, Purchase
from tests.reading.shop import Shop

ORIGIN = "https://tuan.example"
PAIR = PriceSchedule(2_000, (Tier(2, 1_800),))
LONG = 6 * 3_600
"""The lifetime of a group, in seconds, that is told of its last hour."""
BY_AND_BY_S = 15_000.0
"""Longer than anything is waited for, but less than two of the longest rests."""

_CHUNKS_MAX = 10_000


@dataclass
class Square:
    """`shop` takes no money, `till` does."""

    shop: Shop
    till: MoneyShop

    async def person(
        self,
        *,
        locale: str | None = None,
        phones: int = 1,
        email: bool = False,
        choices: Mapping[str, Any] | None = None,
        status: str = "full",
    ) -> UUID:
        """Somebody with an account."""
        person = new_id()
        await self.shop.make(
            "INSERT INTO accounts (id, status, locale, notifications)"
            " VALUES (:id, :status, :locale, CAST(:said AS jsonb))",
            id=person,
            status=status,
            locale=locale,
            said=json_text(choices or {}),
        )
        for number in range(phones):
            await self.shop.make(
                "INSERT INTO devices (account_id, id, platform, push_token) VALUES (:id, :device, 'ios', :token)",
                id=person,
                device=new_id(),
                token=f"{person.hex}{number}",
            )
        if email:
            await self.shop.make(
                "INSERT INTO identities (provider, subject, account_id) VALUES ('email', :address, :id)",
                address=f"{person.hex}@example.com",
                id=person,
            )
        return person

    async def people(self, count: int) -> list[UUID]:
        """So many, with a phone each, made at once."""
        ids = [new_id() for _ in range(count)]
        await self.shop.make(
            "INSERT INTO accounts (id, status) SELECT id, 'full' FROM unnest(CAST(:ids AS uuid[])) AS id", ids=ids
        )
        await self.shop.make(
            "INSERT INTO devices (account_id, id, platform, push_token)"
            " SELECT id, gen_random_uuid(), 'android', id::text FROM unnest(CAST(:ids AS uuid[])) AS id",
            ids=ids,
        )
        return ids

    async def group(self, *members: UUID, **changes: Any) -> UUID:
        """An open group of a new deal, its leader the first."""
        deal_id = await self.shop.live(**changes)
        leader_id, *others = members
        group_id = await self.shop.opened(deal_id, leader_id=leader_id)
        for other in others:
            await self.shop.joined(group_id, other)
        return group_id

    async def full_group(self, *members: UUID) -> UUID:
        """A group of just these, which has succeeded with the last of them."""
        return await self.group(*members, schedule=PAIR, group_size_max=len(members))

    async def paid_group(self, *members: UUID, quantity: int = 1, **changes: Any) -> list[Purchase]:
        """The same, paid for."""
        return await self.till.paid_group(await self.till.live(**changes), *members, quantity=quantity)

    async def tell(self, places_max: int = 2_000) -> None:
        """The duty's work, until there is no more of it right now."""
        for _ in range(_CHUNKS_MAX):
            more = await read_outbox(self.shop.engine)
            if not await tell_chunk(self.shop.engine, places_max=places_max) and not more:
                return
        raise AssertionError("it never ends")

    async def tell_by_and_by(self, places_max: int = 2_000) -> None:
        """The same, and again when what is gathered has been waited for."""
        await self.tell(places_max)
        await self.wait(BY_AND_BY_S)
        await self.tell(places_max)

    async def wait(self, seconds: float, only: str | None = None) -> None:
        """Let time pass for what waits to be told and to be sent, or only for one of the two."""
        for table, moments in (("tellings", ("due_at", "begun_at")), ("deliveries", ("due_at",))):
            if only not in {None, table}:
                continue
            earlier = ", ".join(f"{moment} = {moment} - make_interval(secs => :seconds)" for moment in moments)
            await self.shop.make(f"UPDATE {table} SET {earlier}", seconds=seconds)

    async def let_live(self, group_id: UUID, passed_s: float) -> None:
        """Let time pass for a group."""
        await self.shop.make(
            "UPDATE groups SET opened_at = opened_at - make_interval(secs => :s),"
            " expires_at = expires_at - make_interval(secs => :s) WHERE id = :id",
            s=passed_s,
            id=group_id,
        )

    async def inbox(self, person: UUID) -> list[inbox.NoticeView]:
        """What somebody was told, the newest first."""
        return (await inbox.list_notices(self.shop.engine, person, origin=ORIGIN, limit=100, cursor=None)).items

    async def told(self, person: UUID) -> list[Kind]:
        """The kinds of it, the oldest first."""
        return [notice.kind for notice in reversed(await self.inbox(person))]

    async def read_all(self, person: UUID) -> None:
        """They look at all of it."""
        newest = (await self.inbox(person))[0]
        async with self.shop.engine.begin() as connection:
            await inbox.mark_read_up_to(connection, person, newest.id)

    async def sent(self) -> list[deliveries.Parcel]:
        """Everything that is due now, taken by whoever brings it."""
        parcels: list[deliveries.Parcel] = []
        async with self.shop.engine.begin() as connection:
            while claimed := await deliveries.claim(connection, 1_000):
                parcels += claimed
                for parcel in claimed:
                    await deliveries.done(connection, parcel)
        return parcels

    async def value(self, statement: str, **parameters: object) -> Any:
        """The one value a question is answered with."""
        async with self.shop.engine.connect() as connection:
            return (await connection.execute(text(statement), parameters)).scalar_one()

    async def due(self) -> list[datetime]:
        """When what is still to be sent is due."""
        async with self.shop.engine.connect() as connection:
            rows = await connection.execute(text("SELECT due_at FROM deliveries WHERE state = 'pending' ORDER BY 1"))
            return [moment.astimezone(UTC) for moment in rows.scalars()]
