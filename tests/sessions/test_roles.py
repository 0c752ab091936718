"""What a token says is true when it is issued: nobody keeps a role by refreshing in the moment it is taken away."""

import asyncio
from uuid import UUID

from litestar import Litestar
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.identity.revocations import revoke
from infra.identity.sessions import Session, refresh
from infra.ids import new_id
from infra.runtime import Runtime
from tests.api.people import Town
from tests.sessions.devices import Device, change, device_of, new_device, value
from tests.waiting import eventually

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
DISMISS = text("DELETE FROM staff WHERE account_id = :account_id")


async def test_a_refresh_amid_a_dismissal_waits_for_it(town: Town, app: Litestar, engine: AsyncEngine) -> None:
    """It says what is true afterwards, and counts."""
    runtime: Runtime = app.state.runtime
    phone = await _owner(town, engine)
    async with engine.begin() as connection:
        await connection.execute(DISMISS, {"account_id": phone.subject})
        revoked = await revoke(connection, [phone.subject])
        refreshing = asyncio.create_task(phone.refresh())
        await eventually(lambda: _somebody_waits(engine), "the refresh that waits")
    runtime.revocations.learn(revoked)
    later = device_of(town.client, (await refreshing).json())
    assert not runtime.tokens.verify(later.token or "").merchants
    assert await later.is_in()
    assert not await phone.is_in()


async def test_a_dismissal_waits_for_a_refresh_under_way(town: Town, app: Litestar, engine: AsyncEngine) -> None:
    """What was issued before it is revoked by it."""
    runtime: Runtime = app.state.runtime
    phone = await _owner(town, engine)
    async with engine.begin() as connection:
        session = await refresh(connection, phone.refresh_token)
        dismissing = asyncio.create_task(_dismissed(engine, phone.subject))
        await eventually(lambda: _somebody_waits(engine), "the dismissal that waits")
        assert isinstance(session, Session)
    revoked = await dismissing
    assert session.now.timestamp() < revoked[phone.subject]
    runtime.revocations.learn(revoked)
    assert not await phone.is_in()


async def _owner(town: Town, engine: AsyncEngine) -> Device:
    phone, merchant_id = await new_device(town), new_id()
    applying = "INSERT INTO merchants (id, name, contact, status) VALUES (:id, 'Leaf', 'leaf@example.com', 'approved')"
    await change(engine, applying, id=merchant_id)
    hiring = "INSERT INTO staff (merchant_id, account_id, role) VALUES (:id, :account_id, 'owner')"
    await change(engine, hiring, id=merchant_id, account_id=phone.subject)
    return await phone.refreshed()


async def _dismissed(engine: AsyncEngine, account_id: UUID) -> dict[UUID, float]:
    async with engine.begin() as connection:
        await connection.execute(DISMISS, {"account_id": account_id})
        return dict(await revoke(connection, [account_id]))


async def _somebody_waits(engine: AsyncEngine) -> bool:
    return bool(await value(engine, WAITING))
