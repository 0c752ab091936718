"""A statement as CSV: sent chunk by chunk, and safe to open in a spreadsheet."""

import asyncio
import csv
import io
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from typing import Final

from litestar.types import Receive, Scope, Send

from domain.pricing.currency import decimal_text
from infra.reading.statements import Balance, LineRow, Period, StatementPosition

LINES_AT_ONCE = 1_000
COLUMNS: Final = ("at", "cause", "order_id", "group_id", "deal_title", "currency", "amount_minor", "amount")
_STARTS_A_FORMULA: Final = re.compile(r"(^|;)(?=\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n])")
"""Before what spreadsheets take for a formula (OWASP, CSV injection): full width too, and where `;` parts the cells."""

ReadLines = Callable[[int, StatementPosition | None], Awaitable[list[LineRow]]]


class StatementCsv:
    """All lines between the opening and the closing balances, ready to be sent: never more than a chunk in memory.

    The closing balance is what the lines sent make of the opening one, so the file is right in itself.
    """

    def __init__(self, period: Period, balances: Sequence[Balance], read: ReadLines) -> None:
        self._period = period
        self._sums = {balance.currency: balance.opening for balance in balances}
        self._read = read

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the end, or until the reader is gone; what fails before the first line is still a problem."""
        rows = await self._read(LINES_AT_ONCE, None)
        await send({"type": "http.response.start", "status": 200, "headers": self._headers()})
        if scope.get("method") != "HEAD":
            gone = asyncio.create_task(_until_gone(receive))
            try:
                await self._send_all(send, rows, gone)
            finally:
                gone.cancel()
            if gone.done() and not gone.cancelled():
                return  # a file that breaks off must not look whole
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_all(self, send: Send, rows: list[LineRow], gone: asyncio.Task[None]) -> None:
        await _send(send, [COLUMNS, *self._balance_rows("opening_balance", self._period.begin)])
        while rows and not gone.done():
            for row in rows:
                self._sums[row.currency] = self._sums.get(row.currency, 0) + row.amount_minor
            await _send(send, map(_line, rows))
            rows = await self._read(LINES_AT_ONCE, rows[-1].position) if len(rows) == LINES_AT_ONCE else []
        await _send(send, self._balance_rows("closing_balance", self._period.end))

    def _balance_rows(self, cause: str, at: datetime) -> list[tuple[object, ...]]:
        return [
            (_moment(at), cause, "", "", "", currency, amount, decimal_text(amount, currency))
            for currency, amount in sorted(self._sums.items())
        ]

    def _headers(self) -> list[tuple[bytes, bytes]]:
        name = f"statement-{self._period.begin:%Y%m%dT%H%M%SZ}-{self._period.end:%Y%m%dT%H%M%SZ}.csv"
        return [
            (b"content-type", b"text/csv; charset=utf-8; header=present"),
            (b"content-disposition", f'attachment; filename="{name}"'.encode()),
            (b"cache-control", b"private, no-store"),
            (b"vary", b"Authorization"),
            (b"x-content-type-options", b"nosniff"),
        ]


def text_cell(text: str) -> str:
    """Text as a cell that no spreadsheet takes for a formula; numbers are written as they are."""
    return _STARTS_A_FORMULA.sub(r"\1'", text)


def _line(row: LineRow) -> tuple[object, ...]:
    return (
        _moment(row.at),
        row.cause.value,
        row.order_id,
        row.group_id or "",
        text_cell(row.deal_title),
        row.currency,
        row.amount_minor,
        decimal_text(row.amount_minor, row.currency),
    )


def _moment(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


async def _send(send: Send, rows: Iterable[Sequence[object]]) -> None:
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    await send({"type": "http.response.body", "body": written.getvalue().encode(), "more_body": True})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue
