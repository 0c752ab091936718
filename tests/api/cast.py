"""Everybody the table of access asks: people with accounts, staff of two merchants, API keys, an operator's token."""

from typing import NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.identity.merchant import KeyTerms
from domain.identity.permissions import KEYS_MAY, Permission, Role, StaffRole, Standing
from infra.identity.address_book import Entry, add_address
from infra.identity.api_keys import make_key
from infra.identity.codes import Channel, Recipient
from infra.identity.devices import register_device
from infra.identity.staff import invite
from infra.tokens import Employed
from tests.api.people import LIFETIME_S, Person, Town
from tests.money_shop import ADDRESS

_ACCOUNTS = text("""
  INSERT INTO accounts (id, status, is_admin)
  SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:statuses AS text[]), CAST(:admins AS boolean[]))""")
_MERCHANTS = text("""
  INSERT INTO merchants (id, name, contact, status)
  SELECT id, 'Merchant ' || id, 'sales@example.com', 'approved' FROM unnest(CAST(:ids AS uuid[])) AS id""")
_STAFF = text("""
  INSERT INTO staff (merchant_id, account_id, role)
  SELECT * FROM unnest(CAST(:merchants AS uuid[]), CAST(:accounts AS uuid[]), CAST(:roles AS text[]))""")

_PHONE = text("INSERT INTO identities (provider, subject, account_id) VALUES ('phone', :phone, :account_id)")

LITTLE = frozenset({Permission.AUDIT_READ})
"""What a key may do that has the scope for nothing in the table but the audit log."""
NOBODY_OF_AN_ACCOUNT = frozenset({"anonymous", "expired", "key", "scopeless_key", "operator"})


async def make_cast(town: Town, engine: AsyncEngine) -> dict[str, Person]:
    """One of each, by the names of the table's columns; the merchant is the town's, its `operator` the town's own."""
    other_merchant_id = uuid4()
    cast = {
        "anonymous": town.nobody,
        "expired": town.person("shopper", "merchant", lifetime_s=-1),
        "guest": town.person("shopper", "guest"),
        "shopper": town.shopper(),
        "other_shopper": town.shopper(),
        **{role.value: staff_of(town, town.merchant.subject, role) for role in StaffRole},
        "other_owner": staff_of(town, other_merchant_id, StaffRole.OWNER),
        "operator": town.merchant,
        "administrator": town.person("shopper", "admin"),
    }
    people = [person.subject for name, person in cast.items() if name not in NOBODY_OF_AN_ACCOUNT]
    at_work = [(town.merchant.subject, cast[role].subject, role.value) for role in StaffRole]
    at_work.append((other_merchant_id, cast["other_owner"].subject, "owner"))
    merchants, accounts, roles = (list(column) for column in zip(*at_work, strict=True))
    async with engine.begin() as connection:
        await connection.execute(
            _ACCOUNTS,
            {
                "ids": people,
                "statuses": ["guest" if person == cast["guest"].subject else "full" for person in people],
                "admins": [person == cast["administrator"].subject for person in people],
            },
        )
        await connection.execute(_MERCHANTS, {"ids": [town.merchant.subject, other_merchant_id]})
        await connection.execute(_STAFF, {"merchants": merchants, "accounts": accounts, "roles": roles})
        cast["key"] = await key_of(town, connection, town.merchant.subject, KEYS_MAY)
        cast["scopeless_key"] = await key_of(town, connection, town.merchant.subject, LITTLE)
    return cast


async def key_of(town: Town, connection: AsyncConnection, merchant_id: UUID, scopes: frozenset[Permission]) -> Person:
    """A merchant's own system."""
    made = await make_key(connection, merchant_id, KeyTerms(name="shop", scopes=scopes), uuid4())
    return Person(town.client, made.id, made.key)


def staff_of(town: Town, merchant_id: UUID, role: StaffRole, standing: Standing = Standing.APPROVED) -> Person:
    """Somebody new whose token says that they work there."""
    subject, employed = uuid4(), Employed(merchant_id, role, standing)
    roles = frozenset({Role.SHOPPER, Role.MERCHANT})
    return Person(town.client, subject, town.issuer.issue(subject, roles, LIFETIME_S, merchants=[employed]))


async def invite_to_staff(engine: AsyncEngine, merchant_id: UUID, account_id: UUID) -> UUID:
    """An invite to the staff, by a phone number of the account's; its id."""
    phone = f"+4479{uuid4().int % 10**8:08}"
    async with engine.begin() as connection:
        await connection.execute(_PHONE, {"phone": phone, "account_id": account_id})
        made = await invite(connection, merchant_id, Recipient(Channel.PHONE, phone), StaffRole.EDITOR, uuid4())
    return made.id


class Belongings(NamedTuple):
    """What somebody keeps here."""

    address_id: UUID
    device_id: UUID


async def give_belongings(engine: AsyncEngine, account_id: UUID) -> Belongings:
    """An address and a device of an account's."""
    async with engine.begin() as connection:
        address_id, _ = await add_address(connection, account_id, Entry(None, ADDRESS, is_default=True))
        device_id, _ = await register_device(connection, account_id, "ios", str(uuid4()))
    return Belongings(address_id, device_id)
