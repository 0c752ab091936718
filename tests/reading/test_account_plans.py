"""What is read and changed of one account costs what the account has, however many others there are."""

from uuid import UUID

import pytest
from sqlalchemy import TextClause
from sqlalchemy.ext.asyncio import AsyncConnection

from infra.identity.deletion import _ERASE
from infra.identity.leaving_work import _FORGET_INVITES
from infra.identity.personal import SECTIONS
from infra.identity.staff import _INVITED_LATELY
from infra.ids import new_id
from infra.reading.export import _page_of
from tests.money_shop import MoneyShop
from tests.reading.plans import plan_of
from tests.reading.shop import Shop
from tests.reading.test_order_plans import _MANY_ORDERS, ORDERS
from workers.housekeeping import _FORGET_STAFF_INVITES

OTHERS = 20_000
BLOCKS_MAX = 200

_ACCOUNT = "INSERT INTO accounts (id, status) VALUES (:account, 'full')"
_MANY_ACCOUNTS = "INSERT INTO accounts (id, status) SELECT gen_random_uuid(), 'full' FROM generate_series(1, :others)"
_IDENTITIES = "INSERT INTO identities (provider, subject, account_id) SELECT 'email', id, id FROM accounts"
_SESSIONS = """
  INSERT INTO sessions (id, account_id, expires_at, ended_at, ended_because)
  SELECT gen_random_uuid(), id, clock_timestamp(), clock_timestamp(), 'signed_out' FROM accounts"""
_TOKENS = "INSERT INTO refresh_tokens (token_hash, session_id) SELECT uuid_send(id), id FROM sessions"
_CODES = """
  INSERT INTO sign_in_codes (channel, address, salt, expires_at)
  SELECT 'email', id, '', clock_timestamp() FROM accounts"""
_MERCHANTS = "INSERT INTO merchants (id, name, contact, status) SELECT id, '', '', 'approved' FROM accounts"
# one that is open, one that was withdrawn and one that was accepted for each account
_INVITES = """
  INSERT INTO staff_invites (
    id, merchant_id, channel, address, role, invited_by, expires_at, ended_at, accepted_by)
  SELECT gen_random_uuid(), id, 'email', id, 'editor', id, clock_timestamp() + interval '7 days',
    CASE WHEN kind > 1 THEN clock_timestamp() END, CASE WHEN kind > 2 THEN id END
  FROM accounts, generate_series(1, 3) AS kind"""


def _section(name: str) -> TextClause:
    return _page_of(next(section for section in SECTIONS if section.name == name))


@pytest.fixture
async def account(shop: Shop) -> UUID:
    """One among 20,000."""
    account_id = new_id()
    await shop.make(_ACCOUNT, account=account_id)
    await shop.make(_MANY_ACCOUNTS, others=OTHERS)
    for statement in (_IDENTITIES, _SESSIONS, _TOKENS, _CODES, _MERCHANTS, _INVITES):
        await shop.make(statement)
    await shop.make("ANALYZE accounts, identities, sessions, refresh_tokens, sign_in_codes, merchants, staff_invites")
    return account_id


async def test_one_account_is_reached_along_indexes(account: UUID, connection: AsyncConnection) -> None:
    """Exported, erased and invited: sessions that ended and invites that are over are found as the living are."""
    one: dict[str, object] = {"account_id": account, "after": "", "rows_max": 500}
    walks: list[tuple[str, TextClause, dict[str, object]]] = [
        ("sessions_of_account_index", _section("sessions"), one),
        ("staff_invites_accepted_index", _section("staff_invites"), one),
        ("staff_invites_of_address_index", _section("staff_invites"), one),
        ("staff_invites_accepted_index", _FORGET_INVITES, {"ids": f"{{{account}}}"}),
        ("staff_invites_of_address_index", _FORGET_INVITES, {"ids": f"{{{account}}}"}),
        ("staff_invites_of_merchant_index", _INVITED_LATELY, {"merchant_id": account}),
        ("staff_invites_over_index", _FORGET_STAFF_INVITES, {"hours": 720, "rows_max": 1_000}),
    ]
    walks += [("Index", statement, {"ids": f"{{{account}}}"}) for statement in _ERASE]
    for index, statement, given in walks:
        plan, blocks = await plan_of(connection, statement, **given)
        assert index in plan, plan
        assert "Seq Scan" not in plan, plan
        assert blocks < BLOCKS_MAX, plan


async def test_what_was_bought_is_exported_along_indexes(shop: Shop, connection: AsyncConnection) -> None:
    """Beside 20,000 settlements and orders of the same group one's own are looked up."""
    money_shop = MoneyShop(shop.engine, shop.batcher, shop.merchant_id)
    bought = (await money_shop.orders_of(await money_shop.live(needs_shipping=True), None, None))[0]
    await shop.make(_ACCOUNT, account=bought.shopper_id)
    await shop.make(_MANY_ORDERS, orders=ORDERS, id=bought.order_id)
    await shop.make("ANALYZE payments, settlements, orders, refunds, accounts")
    one: dict[str, object] = {"account_id": bought.shopper_id, "after": "", "rows_max": 500}
    for name, index in (
        ("settlements", "settlements_pkey"),
        ("orders", "orders_"),
        ("payments", "payments_of_shopper"),
    ):
        plan, blocks = await plan_of(connection, _section(name), **one)
        assert index in plan, plan
        assert '"Node Type": "Seq Scan",\n "Relation Name": "' + name not in plan, plan
        assert blocks < BLOCKS_MAX, plan
