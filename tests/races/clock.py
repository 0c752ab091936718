"""Deadlines that come when a race wants them to, and the sweeps of one process that look at nothing else."""

from uuid import UUID

from sqlalchemy import text

from tests.money_shop import Purchase
from tests.races.house import House
from workers.awaiting import Lapsing
from workers.closing import Closing


class Clock:
    """Brings deadlines of places and groups to now."""

    def __init__(self, house: House) -> None:
        self._by_key, self._context = house.context.by_key, house.context
        self._lapsing, self._closing = Lapsing(), Closing()
        self._places: list[UUID] = []
        self._groups: list[UUID | None] = []

    async def is_over_for(self, bought: Purchase) -> None:
        """The place was kept until now."""
        self._places.append(bought.order_id)

    async def is_over_for_group_of(self, bought: Purchase) -> None:
        """The group runs until now."""
        self._groups.append(bought.group_id)

    async def sweep(self) -> None:
        """What was named is due, and the sweeps look."""
        places, self._places = self._places, []
        groups, self._groups = self._groups, []
        if groups:
            await self._come("UPDATE groups SET expires_at = clock_timestamp() WHERE id = ANY(:ids)", groups)
            await self._closing.step(self._context)
        if places:
            await self._come("UPDATE payments SET pay_by = clock_timestamp() WHERE order_id = ANY(:ids)", places)
        if places or groups:
            await self._lapsing.step(self._context)

    async def _come(self, statement: str, ids: list[UUID] | list[UUID | None]) -> None:
        """Under the locks that every batch takes first, so that nobody waits for this in a circle."""
        async with self._by_key.begin() as connection:
            await connection.execute(text("SELECT FROM deals ORDER BY id FOR NO KEY UPDATE"))
            await connection.execute(text(statement), {"ids": ids})
