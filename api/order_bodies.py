"""What is said about an order: that it is sent, called off, or that money goes back."""

from typing import Annotated

import msgspec
from msgspec import Meta

from domain.groupbuy.order import CARRIER_CHARACTERS_MAX, REASON_CHARACTERS_MAX, TRACKING_CHARACTERS_MAX

Carrier = Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": CARRIER_CHARACTERS_MAX})]
TrackingNumber = Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": TRACKING_CHARACTERS_MAX})]
Reason = Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": REASON_CHARACTERS_MAX})]
Amount = Annotated[int, Meta(extra_json_schema={"minimum": 1})]
CurrencyCode = Annotated[str, Meta(extra_json_schema={"pattern": "^[A-Z]{3}$"})]


class ShipBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Who carries the goods, and the number they can be followed by."""

    carrier: Carrier
    tracking_number: TrackingNumber


class CancelBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Why the order is called off; its shopper reads it."""

    reason: Reason


class RefundBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """How much goes back, in minor units of `currency`; both left out: all that is left.

    `is_return`: the goods came back, so the order is over.
    """

    reason: Reason
    amount: Amount | None = None
    currency: CurrencyCode | None = None
    is_return: bool = False


class NothingToAdd(msgspec.Struct, frozen=True):
    """The body of a request whose address says everything."""
