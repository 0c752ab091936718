"""Everybody the table of access asks: people with accounts, staff of two merchants, an operator's token."""

from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.identity.permissions import Role, StaffRole, Standing
from infra.tokens import Employed
from tests.api.people import LIFETIME_S, Person, Town

_ACCOUNTS = text("""
  INSERT INTO accounts (id, status, is_admin)
  SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:statuses AS text[]), CAST(:admins AS boolean[]))""")
_MERCHANTS = text("""
  INSERT INTO merchants (id, name, contact, status)
  SELECT id, 'Merchant ' || id, 'sales@example.com', 'approved' FROM unnest(CAST(:ids AS uuid[])) AS id""")
_STAFF = text("""
  INSERT INTO staff (merchant_id, account_id, role)
  SELECT * FROM unnest(CAST(:merchants AS uuid[]), CAST(:accounts AS uuid[]), CAST(:roles AS text[]))""")


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
    people = [cast[name].subject for name in cast if name not in {"anonymous", "expired", "operator"}]
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
    return cast


def staff_of(town: Town, merchant_id: UUID, role: StaffRole, standing: Standing = Standing.APPROVED) -> Person:
    """Somebody new whose token says that they work there."""
    subject, employed = uuid4(), Employed(merchant_id, role, standing)
    roles = frozenset({Role.SHOPPER, Role.MERCHANT})
    return Person(town.client, subject, town.issuer.issue(subject, roles, LIFETIME_S, merchants=[employed]))
