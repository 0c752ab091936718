"""Shipments by the file: what a warehouse has sent today, told row by row; a wrong row holds up no other."""

import asyncio
from collections.abc import Iterator
from typing import Final
from uuid import UUID

import msgspec

from api.access import merchant_of
from api.answers import Answer, answered
from api.bodies import JSON_TYPE, content_type, read_bytes, read_json
from api.deeds import deed_of
from api.refused import WrongContentType
from api.requests import ID_MESSAGE, AnyRequest, read_id, runtime_of
from api.routing import route
from api.shipment_rows import Row, ShipmentsBody, rows_of_csv, rows_of_json
from domain.errors import DomainError, InvalidInput
from domain.groupbuy.commands import ShipOrder
from domain.groupbuy.errors import OrderNotFound
from domain.groupbuy.world import Accepted
from infra.identity.audit import Deed
from infra.reading.shipping import deals_of_orders
from infra.runtime import Runtime

CSV_TYPE: Final = "text/csv"
UPLOAD_BYTES_MAX = 1024 * 1024
TOLD_AT_ONCE = 200
"""So many rows wait in the batcher together: a file leaves room for everybody else."""

_shipments_body: Final = msgspec.json.Decoder(ShipmentsBody)


class RowError(msgspec.Struct, frozen=True):
    """A row that was left out: which one, what of it, and why."""

    row: int
    field: str
    message: str


class ShipmentsTold(msgspec.Struct, frozen=True):
    """How many rows were `applied`, how many said what was known already, and which were wrong."""

    applied: int
    unchanged: int
    errors: list[RowError]


@route("POST", "/v1/orders/shipments")
async def tell_shipments(request: AnyRequest) -> Answer:
    """Rows are commands of their own: sent again, a file whose answer was lost finds its rows unchanged."""
    rows, errors = _sound(await _rows(request))
    merchant_id, runtime = merchant_of(request), runtime_of(request)
    deal_ids = await deals_of_orders(runtime.engine, merchant_id, list(rows))
    commands = []
    for order_id, row in rows.items():
        deal_id = deal_ids.get(order_id)
        if deal_id is None:
            errors += _errors(row, OrderNotFound(order_id))
        else:
            commands.append((row, _shipping(row, order_id, deal_id, merchant_id)))
    told, deed = ShipmentsTold(0, 0, errors), deed_of(request, "order.ship")
    for begin in range(0, len(commands), TOLD_AT_ONCE):
        told = await _tell(runtime, commands[begin : begin + TOLD_AT_ONCE], told, deed)
    return answered(msgspec.structs.replace(told, errors=sorted(told.errors, key=lambda error: error.row)))


async def _rows(request: AnyRequest) -> list[Row]:
    said = content_type(request)
    if said == CSV_TYPE:
        return rows_of_csv(await read_bytes(request, UPLOAD_BYTES_MAX))
    if said not in {None, JSON_TYPE}:
        raise WrongContentType(CSV_TYPE, JSON_TYPE)
    return rows_of_json(await read_json(request, _shipments_body, bytes_max=UPLOAD_BYTES_MAX))


def _sound(rows: list[Row]) -> tuple[dict[UUID, Row], list[RowError]]:
    """Rows that name an order no row before has named, by it; and what is wrong with the others."""
    sound: dict[UUID, Row] = {}
    errors: list[RowError] = []
    for row in rows:
        order_id = read_id(row.order_id)
        if row.has_too_many_cells:
            errors.append(RowError(row.number, "row", "has more cells than the header; quote cells that hold commas"))
        elif order_id is None:
            errors.append(RowError(row.number, "order_id", ID_MESSAGE if row.order_id else "is required"))
        elif order_id in sound:
            errors.append(RowError(row.number, "order_id", f"is in row {sound[order_id].number} already"))
        else:
            sound[order_id] = row
    return sound, errors


def _shipping(row: Row, order_id: UUID, deal_id: UUID, merchant_id: UUID) -> ShipOrder:
    return ShipOrder(
        deal_id=deal_id,
        order_id=order_id,
        merchant_id=merchant_id,
        carrier=row.carrier,
        tracking_number=row.tracking_number,
    )


async def _tell(
    runtime: Runtime, commands: list[tuple[Row, ShipOrder]], told: ShipmentsTold, deed: Deed
) -> ShipmentsTold:
    """Tell so many at once; what is no refusal of a row is raised, when all of them have their answer."""
    outcomes = await asyncio.gather(
        *(runtime.tell(command, deed=deed) for _, command in commands), return_exceptions=True
    )
    applied, unchanged, errors = told.applied, told.unchanged, list(told.errors)
    for (row, _), outcome in zip(commands, outcomes, strict=True):
        match outcome:
            case Accepted(events=()):
                unchanged += 1
            case Accepted():
                applied += 1
            case DomainError():
                errors += _errors(row, outcome)
            case BaseException():
                raise outcome
    return ShipmentsTold(applied, unchanged, errors)


def _errors(row: Row, refusal: DomainError) -> Iterator[RowError]:
    if isinstance(refusal, InvalidInput):
        for problem in refusal.problems:
            yield RowError(row.number, problem.field, problem.message)
    else:
        yield RowError(row.number, "order_id", str(refusal))
