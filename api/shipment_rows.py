"""An upload of shipments, CSV as spreadsheets write it or the same as JSON: rows that may be wrong one by one."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from api.requests import invalid

SHIPMENTS_MAX = 5_000
COLUMNS: Final = ("order_id", "carrier", "tracking_number")
_HEADER_HINT: Final = f"must begin with a row that names the columns {', '.join(COLUMNS)}, parted by commas"


class Shipment(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One order with its carrier; checked row by row."""

    order_id: str
    carrier: str
    tracking_number: str


class ShipmentsBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Orders that are with their carriers, at most 5,000."""

    shipments: Annotated[list[Shipment], Meta(extra_json_schema={"maxItems": SHIPMENTS_MAX})]


@dataclass(frozen=True, slots=True)
class Row:
    """A row and its number: in CSV as a spreadsheet counts, where the header is 1; in JSON the first is 1."""

    number: int
    order_id: str
    carrier: str
    tracking_number: str
    has_too_many_cells: bool = False


def rows_of_json(body: ShipmentsBody) -> list[Row]:
    """The rows of a JSON upload; raises `InvalidInput` where there are too many."""
    return _bounded(
        Row(number, one.order_id.strip(), one.carrier.strip(), one.tracking_number.strip())
        for number, one in enumerate(body.shipments, 1)
    )


def rows_of_csv(body: bytes) -> list[Row]:
    """The rows of a CSV upload (RFC 4180, UTF-8, with its mark or without); other columns and blank rows are left out.

    Raises `InvalidInput` for a file that cannot be read as a whole, so that nothing of it is guessed.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise invalid("body", "must be UTF-8: save the file as `CSV UTF-8`") from None
    return _bounded(_csv_rows(text))


def _csv_rows(text: str) -> Iterator[Row]:
    numbered = _numbered(text)
    _, header = next(numbered, (1, []))
    places = _places(header)
    for number, cells in numbered:
        if any(cell.strip() for cell in cells):
            order_id, carrier, tracking_number = (
                cells[place].strip() if place < len(cells) else "" for place in places
            )
            yield Row(number, order_id, carrier, tracking_number, has_too_many_cells=len(cells) > len(header))


def _numbered(text: str) -> Iterator[tuple[int, list[str]]]:
    number = 0
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for number, cells in enumerate(reader, 1):
            yield number, cells
    except csv.Error as error:
        raise invalid("body", f"row {number + 1} is no CSV: {error}") from None


def _places(header: list[str]) -> list[int]:
    """Where each of our columns is."""
    names = [name.strip().lower() for name in header]
    for column in COLUMNS:
        if names.count(column) != 1:
            how = "has no column" if column not in names else "names twice the column"
            raise invalid("body", f"{_HEADER_HINT}; it {how} {column}")
    return [names.index(column) for column in COLUMNS]


def _bounded(rows: Iterable[Row]) -> list[Row]:
    found: list[Row] = []
    for row in rows:
        if len(found) == SHIPMENTS_MAX:
            raise invalid("body", f"may have at most {SHIPMENTS_MAX} rows; send the rest in another upload")
        found.append(row)
    return found
