"""What is kept about people, table by table: what an export tells them, and what it leaves out and why.

Every table is in one of the two lists, with every column; a test fails where a new one is in neither.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Section:
    """A table's rows about one person.

    `whose` says which rows, `me` being the ids of the account; `key` is text that differs from row to row. `withheld`
    says of each column that is not told why.
    """

    name: str
    table: str
    whose: str
    key: str
    told: tuple[str, ...]
    withheld: Mapping[str, str] = field(default_factory=dict)


_ME: Final = "IN (SELECT id FROM me)"
_MY_ORDERS: Final = f"IN (SELECT deal_id, order_id FROM payments WHERE shopper_id {_ME})"  # noqa: S608 - a constant
_MY_MERCHANTS: Final = f"IN (SELECT merchant_id FROM staff WHERE role = 'owner' AND account_id {_ME})"  # noqa: S608 - a constant
_MY_NUMBERS: Final = f"IN (SELECT provider, subject FROM identities WHERE account_id {_ME})"  # noqa: S608 - a constant
# two walks along an index each: with OR it would be one through the whole table
_MY_INVITES: Final = (
    f"IN (SELECT id FROM staff_invites WHERE accepted_by {_ME} "  # noqa: S608 - a constant
    f"UNION SELECT id FROM staff_invites WHERE (channel, address) {_MY_NUMBERS})"
)


def _of_the_account(name: str, *told: str, key: str = "id::text") -> Section:
    """All rows of the table of that name that carry the account's id."""
    return Section(name=name, table=name, whose=f"account_id {_ME}", key=key, told=("account_id", *told))


_TRIED: Final = {
    "attempts": "how often our worker tried",
    "next_attempt_at": "when our worker tries again",
    "last_error": "what a gateway told our worker",
}

SECTIONS: Final = (
    Section(
        name="accounts",
        table="accounts",
        whose=f"id {_ME}",
        key="id::text",
        told=(
            *("id", "status", "display_name", "avatar_url", "locale", "notifications", "is_admin", "version"),
            *("created_at", "deleted_at", "erased_at", "merged_into"),
        ),
    ),
    _of_the_account("identities", "provider", "subject", "created_at", key="provider || ' ' || subject"),
    _of_the_account("sessions", "id", "device", "created_at", "used_at", "expires_at", "ended_at", "ended_because"),
    _of_the_account("addresses", "id", "label", "address", "is_default", "created_at"),
    _of_the_account("devices", "id", "platform", "push_token", "seen_at"),
    _of_the_account("staff", "merchant_id", "role", "created_at", key="merchant_id::text || account_id"),
    Section(
        name="merchants",
        table="merchants",
        whose=f"id {_MY_MERCHANTS}",
        key="id::text",
        told=(
            *("id", "name", "country", "contact", "about", "status", "status_reason", "version", "applied_at"),
            *("decided_at", "winding_down"),
        ),
    ),
    Section(
        name="staff_invites",
        table="staff_invites",
        whose=f"id {_MY_INVITES}",
        key="id::text",
        told=(
            *("id", "merchant_id", "channel", "address", "role", "created_at", "expires_at", "ended_at"),
            "accepted_by",
        ),
        withheld={"invited_by": "says something of somebody else"},
    ),
    Section(
        name="places",
        table="participants",
        whose=f"shopper_id {_ME}",
        key="order_id::text",
        told=(
            *("deal_id", "group_id", "shopper_id", "variant_id", "quantity", "hold_minor", "number", "joined_at"),
            *("invite_code", "display_name", "order_id", "dropped_at"),
        ),
    ),
    Section(
        name="payments",
        table="payments",
        whose=f"shopper_id {_ME}",
        key="order_id::text",
        told=(
            *("deal_id", "order_id", "group_id", "shopper_id", "variant_id", "quantity", "hold_minor", "currency"),
            *("gateway", "fee_bps", "status", "holds_units", "pay_by", "created_at", "invite_code", "display_name"),
            *("address", "held_at", "late_at", "left_at", "reference", "looked_up_at"),
        ),
        withheld={"next_step": "a secret of the payment gateway's, told to the app while the payment is awaited"},
    ),
    Section(
        name="settlements",
        table="settlements",
        whose=f"(deal_id, order_id) {_MY_ORDERS}",
        key="order_id::text",
        told=(
            *("deal_id", "order_id", "group_id", "shopper_id", "variant_id", "quantity", "currency", "unit_price"),
            *("hold_minor", "capture_minor", "release_minor", "status", "created_at", "done_at"),
        ),
        withheld=_TRIED,
    ),
    Section(
        name="orders",
        table="orders",
        whose=f"(deal_id, id) {_MY_ORDERS}",
        key="id::text",
        told=(
            *("deal_id", "id", "group_id", "merchant_id", "shopper_id", "variant_id", "quantity", "unit_price"),
            *("currency", "captured_minor", "refunded_minor", "fee_bps", "status", "version", "placed_at", "carrier"),
            *("tracking_number", "shipped_at", "delivered_at", "cancelled_at", "returned_at"),
        ),
    ),
    Section(
        name="refunds",
        table="refunds",
        whose=f"order_id IN (SELECT order_id FROM payments WHERE shopper_id {_ME})",  # noqa: S608 - a constant
        key="id::text",
        told=(
            *("deal_id", "id", "group_id", "order_id", "amount_minor", "reason", "is_made", "created_at", "status"),
            "made_at",
        ),
        withheld=_TRIED,
    ),
    Section(
        name="invites",
        table="invites",
        whose=f"sharer_id {_ME}",
        key="code",
        told=(
            "code",
            "deal_id",
            "group_id",
            "sharer_id",
            "channel",
            "parent_code",
            "joins",
            "created_at",
            "revoked_at",
        ),
    ),
    _of_the_account(
        "notices",
        *("id", "about", "kind", "stage", "deal_id", "group_id", "order_id", "facts", "useful_until", "at"),
        *("created_at", "updates", "read_at"),
    ),
    Section(
        name="deliveries",
        table="deliveries",
        whose=f"notice_id IN (SELECT id FROM notices WHERE account_id {_ME})",  # noqa: S608 - a constant
        key="notice_id::text || channel || target",
        told=("notice_id", "channel", "target", "state", "due_at", "ended_at"),
        withheld={"attempts": _TRIED["attempts"], "last_error": _TRIED["last_error"]},
    ),
)
"""What an export holds, in its order."""

NOT_PERSONAL: Final[Mapping[str, str]] = MappingProxyType(
    {
        "deals": "a merchant's offer",
        "variants": "a merchant's offer",
        "groups": "counters and terms; its leader is a bare id, told with the places",
        "outbox": "events with bare ids: names and addresses are left out when they are written",
        "outbox_readings": "how far our worker is",
        "tellings": "happenings of groups and orders, by bare ids",
        "visit_salts": "random numbers",
        "visitors": "hashes with the salt of their day, which is gone after two days",
        "visits": "counts",
        "idempotency_keys": "answers that say what the other tables say, for three days; they go with the account",
        "ledger": "movements of money between our books, by the ids of orders",
        "merchant_payments": "a merchant's terms",
        "reconciliations": "runs of a duty, in numbers",
        "sandbox_payments": "a payment provider's own books, by the ids of orders",
        "sandbox_events": "a payment provider's own books, by the ids of orders",
        "sign_in_codes": "where a code went, for a day; they go with the account",
        "spent_id_tokens": "hashes, for minutes",
        "refresh_tokens": "hashes; they go with the account",
        "revocations": "ids of sessions and accounts, until their tokens are over",
        "api_keys": "a merchant's; who made them is a bare id",
        "audit": "what was done for a merchant or the platform, by bare ids",
    }
)
"""Tables without anything about a person that is not told elsewhere, and why."""
