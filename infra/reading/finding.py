"""What an administrator looks for, as conditions of a statement: ids, or whatever somebody on the phone can say.

`q` is an id of anything that leads there, the phone number or address of a shopper, or words of the deal.
"""

import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from domain.errors import InvalidInput
from infra.identity.recipients import email_recipient, phone_recipient
from infra.reading.search import search_patterns

_ID: Final = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)

_GROUPS_OF_ID: Final = """
  g.id IN (
    SELECT id FROM groups WHERE id = CAST(:id AS uuid)
    UNION SELECT id FROM groups WHERE deal_id = CAST(:id AS uuid)
    UNION SELECT group_id FROM participants WHERE shopper_id = CAST(:id AS uuid)
    UNION SELECT group_id FROM payments WHERE shopper_id = CAST(:id AS uuid) OR order_id = CAST(:id AS uuid))"""
_ORDERS_OF_ID: Final = """
  p.order_id IN (
    SELECT order_id FROM payments
      WHERE order_id = CAST(:id AS uuid) OR shopper_id = CAST(:id AS uuid) OR deal_id = CAST(:id AS uuid)
    UNION SELECT order_id FROM payments WHERE group_id = CAST(:id AS uuid) AND status = 'awaiting'
    UNION SELECT order_id FROM participants WHERE group_id = CAST(:id AS uuid)
    UNION SELECT order_id FROM settlements WHERE group_id = CAST(:id AS uuid))"""
_SHOPPERS: Final = """
  (SELECT account_id FROM identities WHERE provider = CAST(:provider AS text) AND subject = CAST(:subject AS text))"""
_GROUPS_OF_SHOPPER: Final = f"""
  g.id IN (
    SELECT group_id FROM participants WHERE shopper_id IN {_SHOPPERS}
    UNION SELECT group_id FROM payments WHERE shopper_id IN {_SHOPPERS})"""  # noqa: S608 - constants
_ORDERS_OF_SHOPPER: Final = f"p.shopper_id IN {_SHOPPERS}"
_WITH_WORDS: Final = """
  lower(d.title || chr(10) || d.description) LIKE ALL (
    SELECT lower(pattern) FROM unnest(CAST(:patterns AS text[])) AS pattern)"""


class Sought(NamedTuple):
    """What rows must fulfil, with its parameters; `told` is what may be kept of it: nobody's phone, address or name."""

    conditions: Sequence[str]
    parameters: dict[str, Any]
    told: dict[str, Any]

    def and_also(self, other: "Sought") -> "Sought":
        """Rows that fulfil both."""
        conditions = (*self.conditions, *other.conditions)
        return Sought(conditions, self.parameters | other.parameters, self.told | other.told)


def groups_by(q: str | None, ids: dict[str, UUID | None]) -> Sought:
    """Groups by `q` and by ids; raises `InvalidInput` naming `q`."""
    columns = {"deal_id": "g.deal_id", "merchant_id": "d.merchant_id"}
    return _by_ids(columns, ids).and_also(_by_word(q, _GROUPS_OF_ID, _GROUPS_OF_SHOPPER))


def orders_by(q: str | None, ids: dict[str, UUID | None]) -> Sought:
    """Orders by `q` and by ids; raises `InvalidInput` naming `q`."""
    columns = {"order_id": "p.order_id", "shopper_id": "p.shopper_id", "merchant_id": "d.merchant_id"}
    return _by_ids(columns, ids).and_also(_by_word(q, _ORDERS_OF_ID, _ORDERS_OF_SHOPPER))


def _by_ids(columns: dict[str, str], ids: dict[str, UUID | None]) -> Sought:
    given = {name: value for name, value in ids.items() if value is not None}
    return Sought([f"{columns[name]} = CAST(:{name} AS uuid)" for name in given], dict(given), dict(given))


def _by_word(q: str | None, of_id: str, of_shopper: str) -> Sought:
    if q is None or not q.strip():
        return Sought((), {}, {})
    word = q.strip()
    if _ID.fullmatch(word):
        return Sought([of_id], {"id": UUID(word)}, {"q": word})
    try:
        recipient = phone_recipient(word) if word.startswith("+") else email_recipient(word)
    except InvalidInput:
        return Sought([_WITH_WORDS], {"patterns": search_patterns(q)}, {"q": "words"})
    asked = {"provider": recipient.channel, "subject": recipient.address}
    return Sought([of_shopper], asked, {"q": recipient.channel})
