"""What a shopper sends to open or join a group."""

import re
from typing import Annotated, Final
from uuid import UUID

import msgspec
from msgspec import Meta

from api.access import caller_of
from api.bodies import read_json
from api.requests import AnyRequest, invalid, runtime_of
from domain.groupbuy.address import LINE_CHARACTERS_MAX, PHONE_CHARACTERS_MAX, POSTAL_CODE_CHARACTERS_MAX, Address
from domain.groupbuy.deal import QUANTITY_MAX
from infra.reading.belongings import get_address

INVITE_CODE_CHARACTERS_MAX = 64

Quantity = Annotated[int, Meta(extra_json_schema={"minimum": 1, "maximum": QUANTITY_MAX})]
OF_A_CODE: Final = {"pattern": "^[A-Za-z0-9_-]+$", "minLength": 1, "maxLength": INVITE_CODE_CHARACTERS_MAX}
InviteCode = Annotated[str, Meta(extra_json_schema=OF_A_CODE)]
PAYMENT_METHOD_CHARACTERS_MAX = 255
PaymentMethod = Annotated[
    str, Meta(extra_json_schema={"pattern": "^[!-~]+$", "minLength": 1, "maxLength": PAYMENT_METHOD_CHARACTERS_MAX})
]
_Line = Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": LINE_CHARACTERS_MAX})]


class AddressBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Where goods go; `country` is ISO 3166-1 alpha-2."""

    name: _Line
    line1: _Line
    city: _Line
    country: Annotated[str, Meta(extra_json_schema={"pattern": "^[A-Z]{2}$"})]
    line2: _Line | None = None
    region: _Line | None = None
    postal_code: (
        Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": POSTAL_CODE_CHARACTERS_MAX})] | None
    ) = None
    phone: Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": PHONE_CHARACTERS_MAX})] | None = None


class PurchaseBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """How many units, of which variant, how they are paid and where they go.

    `variant_id` may be left out where the deal has one variant. `payment_method` is the shopper's at the payment
    gateway; without one the gateway asks for it. `address`, or the `address_id` of one in the book, is needed where the
    deal `needs_shipping`.
    """

    quantity: Quantity = 1
    variant_id: UUID | None = None
    payment_method: PaymentMethod | None = None
    address: AddressBody | None = None
    address_id: UUID | None = None


class PlaceBody(PurchaseBody, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """As a purchase alone, and whose link brought the shopper. All may be left out.

    `invite_code` is that of the last link the shopper opened: who shared it is put down as having brought them, unless
    that is the shopper, or somebody the shopper brought.
    """

    invite_code: InviteCode | None = None


_place_body: Final = msgspec.json.Decoder(PlaceBody)
_ONE_OF_THE_ONLY_VARIANT: Final = PlaceBody()
_purchase_body: Final = msgspec.json.Decoder(PurchaseBody)
_ONE_ALONE: Final = PurchaseBody()
_METHOD: Final = re.compile(rf"[!-~]{{1,{PAYMENT_METHOD_CHARACTERS_MAX}}}")


async def read_place(request: AnyRequest) -> PlaceBody:
    """The body of an opening or joining; none at all means one unit of the only variant."""
    body = await read_json(request, _place_body, empty=_ONE_OF_THE_ONLY_VARIANT)
    code = body.invite_code
    if code is not None and not is_invite_code(code):
        raise invalid("invite_code", "must be the code of an invite, as in its link")
    _check_method(body)
    return body


async def read_purchase(request: AnyRequest) -> PurchaseBody:
    """The body of a purchase alone; none at all means one unit of the only variant."""
    body = await read_json(request, _purchase_body, empty=_ONE_ALONE)
    _check_method(body)
    return body


async def address_of(request: AnyRequest, body: PurchaseBody) -> Address | None:
    """The address as the domain knows it, a copy where it comes out of the caller's book; raises `InvalidInput`."""
    if body.address_id is None:
        return None if body.address is None else as_address(body.address)
    if body.address is not None:
        raise invalid("address_id", "must be left out where an address is given")
    found = await get_address(runtime_of(request).engine, caller_of(request).subject, body.address_id)
    if found is None:
        raise invalid("address_id", "must be the id of an address of yours; see GET /v1/me/addresses")
    return found


def as_address(body: AddressBody) -> Address:
    """An address as the domain knows it; raises `InvalidInput`."""
    return Address(**msgspec.structs.asdict(body))


def _check_method(body: PurchaseBody) -> None:
    method = body.payment_method
    if method is not None and not _METHOD.fullmatch(method):
        raise invalid("payment_method", f"must have from 1 to {PAYMENT_METHOD_CHARACTERS_MAX} visible ASCII characters")


def is_invite_code(text: str) -> bool:
    """Whether text looks like a code of ours: only such text is looked up."""
    return (
        0 < len(text) <= INVITE_CODE_CHARACTERS_MAX
        and text.isascii()
        and text.replace("-", "a").replace("_", "a").isalnum()
    )
