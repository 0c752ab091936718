"""What people may do: roles of persons, roles of a merchant's staff, and what each staff role may do."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Role(StrEnum):
    """What an access token says of a person. A guest is a shopper whose phone is all we know; an API key is nobody."""

    SHOPPER = "shopper"
    GUEST = "guest"
    MERCHANT = "merchant"
    ADMIN = "admin"
    API_KEY = "api_key"


class StaffRole(StrEnum):
    """What somebody is at a merchant's."""

    OWNER = "owner"
    EDITOR = "editor"
    FULFILMENT = "fulfilment"
    ANALYST = "analyst"


class Permission(StrEnum):
    """What can be done for a merchant; the same words are the scopes of API keys."""

    DEALS_WRITE = "deals:write"
    GROUPS_CANCEL = "groups:cancel"
    ORDERS_READ = "orders:read"
    ORDERS_SHIP = "orders:ship"
    ORDERS_REFUND = "orders:refund"
    STATEMENTS_READ = "statements:read"
    MERCHANT_READ = "merchant:read"
    MERCHANT_WRITE = "merchant:write"
    STAFF_WRITE = "staff:write"
    KEYS_WRITE = "keys:write"
    AUDIT_READ = "audit:read"


_P = Permission

STAFF_MAY: Final[Mapping[StaffRole, frozenset[Permission]]] = MappingProxyType(
    {
        StaffRole.OWNER: frozenset(Permission),
        StaffRole.EDITOR: frozenset({_P.MERCHANT_READ, _P.DEALS_WRITE, _P.GROUPS_CANCEL, _P.ORDERS_READ}),
        StaffRole.FULFILMENT: frozenset({_P.MERCHANT_READ, _P.ORDERS_READ, _P.ORDERS_SHIP, _P.ORDERS_REFUND}),
        StaffRole.ANALYST: frozenset({_P.MERCHANT_READ, _P.ORDERS_READ, _P.STATEMENTS_READ, _P.AUDIT_READ}),
    }
)

KEYS_MAY: Final = frozenset(
    {
        _P.DEALS_WRITE,
        _P.GROUPS_CANCEL,
        _P.ORDERS_READ,
        _P.ORDERS_SHIP,
        _P.ORDERS_REFUND,
        _P.STATEMENTS_READ,
        _P.MERCHANT_READ,
        _P.AUDIT_READ,
    }
)
"""The scopes an API key may have: never those that make more keys or more staff."""

SELLING: Final = frozenset({_P.DEALS_WRITE})
"""What a merchant may do only while approved; what is owed to shoppers goes on under any standing."""


class Standing(StrEnum):
    """Where a merchant stands with the platform."""

    APPLIED = "applied"
    APPROVED = "approved"
    REFUSED = "refused"
    SUSPENDED = "suspended"
