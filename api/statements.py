"""A merchant's statement of a period: JSON by pages, or a whole CSV for a spreadsheet."""

import re
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec
from litestar.types import ASGIApp

from api.access import merchant_of
from api.answers import PRIVATE, answered
from api.requests import AnyRequest, cursor_of, invalid, limit_of, query_choice, query_of, runtime_of
from api.routing import route
from api.statement_csv import StatementCsv
from domain.pricing.currency import is_currency
from infra.reading.statements import Balance, Period, StatementLine, list_lines, read_balances, read_lines

PERIOD_DAYS_MAX = 366
_YEARS = range(2000, 2200)
_MOMENT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9:.]+(?:[Zz]|[+-][0-9]{2}:[0-9]{2})", re.ASCII)


class Format(StrEnum):
    """What a statement is answered as."""

    JSON = "json"
    CSV = "csv"


class Statement(msgspec.Struct, frozen=True):
    """A page of a merchant's account; `balances` by currency are told with the first page, null with the others."""

    balances: list[Balance] | None
    items: list[StatementLine]
    next_cursor: str | None


@route("GET", "/v1/me/statement")
async def statement(request: AnyRequest) -> ASGIApp:
    query = query_of(request)
    period = _period(request, query)
    engine = runtime_of(request).engine
    if query_choice(query, "format", Format) is Format.CSV:
        for name in ("limit", "cursor"):
            if name in query:
                raise invalid(name, "must be left out of a CSV: it has all lines")
        balances = await read_balances(engine, period)
        return StatementCsv(period, balances, lambda rows_max, after: read_lines(engine, period, rows_max, after))
    cursor = cursor_of(query)
    page = await list_lines(engine, period, limit_of(query), cursor)
    balances_told = await read_balances(engine, period) if cursor is None else None
    return answered(Statement(balances_told, page.items, page.next_cursor), headers=PRIVATE)


def _period(request: AnyRequest, query: dict[str, str]) -> Period:
    begin, end = _moment_of(query, "from"), _moment_of(query, "to")
    if not begin < end:
        raise invalid("to", "must be after from")
    if end - begin > timedelta(days=PERIOD_DAYS_MAX):
        raise invalid("to", f"must be at most {PERIOD_DAYS_MAX} days after from")
    currency = query.get("currency")
    if currency is not None and not is_currency(currency):
        raise invalid("currency", "must be an ISO 4217 code such as USD")
    return Period(merchant_of(request), begin, end, currency)


def _moment_of(query: dict[str, str], name: str) -> datetime:
    text = query.get(name)
    if text is None:
        raise invalid(name, "is required: a time such as 2026-05-01T00:00:00Z")
    moment = _read_moment(text)
    if moment is None or moment.year not in _YEARS:
        raise invalid(name, "must be a time such as 2026-05-01T00:00:00Z, with a zone; write + as %2B")
    return moment.astimezone(UTC)


def _read_moment(text: str) -> datetime | None:
    if not _MOMENT.fullmatch(text):
        return None
    try:
        return msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        return None
