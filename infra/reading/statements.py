"""A merchant's account over a period: what it was, every movement that changed it, what it is; all from the ledger."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.pricing.currency import decimal_text
from infra.reading.cursors import BigCount, MomentUs, Position, decode, microseconds, moment
from infra.reading.fetching import fetch_json
from infra.reading.page import Page, page_of
from infra.reading.statement_sql import BALANCES, statement_lines


class LineCause(StrEnum):
    """What changed a merchant's account: money captured, and of a refund the whole, less what others give back."""

    CAPTURED = "captured"
    FEE = "fee"
    REWARD = "reward"
    REFUND = "refund"
    FEE_RETURNED = "fee_returned"
    REWARD_RETURNED = "reward_returned"


@dataclass(frozen=True, slots=True)
class Period:
    """From a moment (inclusive) to another (exclusive), of one currency if given, of one merchant."""

    merchant_id: UUID
    begin: datetime
    end: datetime
    currency: str | None

    @property
    def parameters(self) -> dict[str, object]:
        """For the statements."""
        return {
            "merchant_id": self.merchant_id,
            "begin": self.begin,
            "end": self.end,
            "currency": self.currency,
        }


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """An account in one currency, minor units: `opening` and all the others, each with its sign, make `closing`.

    `refunds` are whole; the platform's and the leaders' parts of them come back as `fees_returned` and
    `rewards_returned`.
    """

    currency: str
    opening: int
    captured: int
    fees: int
    rewards: int
    refunds: int
    fees_returned: int
    rewards_returned: int
    closing: int


class StatementLine(msgspec.Struct, frozen=True, kw_only=True):
    """One change of the account: `amount` is minor units with their sign, `amount_text` the same as a decimal."""

    at: datetime
    cause: LineCause
    order_id: UUID
    group_id: UUID | None
    deal_id: UUID
    deal_title: str
    currency: str
    amount: int
    amount_text: str


class StatementPosition(Position, frozen=True, tag="statement"):
    """A place among the lines: a movement of the ledger can make more than one."""

    at_us: MomentUs
    ledger_id: BigCount
    part: Annotated[int, Meta(ge=0, le=2)]


class LineRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line as the ledger gives it."""

    id: int
    part: int
    at: datetime
    cause: LineCause
    order_id: UUID
    group_id: UUID | None
    deal_id: UUID
    deal_title: str
    currency: str
    amount_minor: int

    @property
    def position(self) -> StatementPosition:
        """Where the next line is to be looked for."""
        return StatementPosition(microseconds(self.at), self.id, self.part)


_decode_balances = msgspec.json.Decoder(list[Balance]).decode
_decode_lines = msgspec.json.Decoder(list[LineRow]).decode


async def read_balances(engine: AsyncEngine, period: Period) -> list[Balance]:
    """The account in every currency it ever moved in."""
    return _decode_balances(await fetch_json(engine, BALANCES, period.parameters))


async def read_lines(
    engine: AsyncEngine, period: Period, rows_max: int, after: StatementPosition | None = None
) -> list[LineRow]:
    """Up to so many lines in the order of time, from the beginning or after a place."""
    given = period.parameters | {"rows_max": rows_max}
    if after is not None:
        given |= {"after_at": moment(after.at_us), "after_id": after.ledger_id, "after_part": after.part}
    return _decode_lines(await fetch_json(engine, statement_lines(is_first=after is None), given))


async def list_lines(engine: AsyncEngine, period: Period, limit: int, cursor: str | None) -> Page[StatementLine]:
    """A page of lines."""
    after = None if cursor is None else decode(cursor, StatementPosition)
    rows = await read_lines(engine, period, limit + 1, after)
    return page_of(rows, limit, line_view, lambda row: row.position)


def line_view(row: LineRow) -> StatementLine:
    """A line as a merchant sees it."""
    return StatementLine(
        at=row.at,
        cause=row.cause,
        order_id=row.order_id,
        group_id=row.group_id,
        deal_id=row.deal_id,
        deal_title=row.deal_title,
        currency=row.currency,
        amount=row.amount_minor,
        amount_text=decimal_text(row.amount_minor, row.currency),
    )
