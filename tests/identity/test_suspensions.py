"""Merchants who were suspended: every process knows the last of them."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.identity import suspensions
from infra.identity.suspensions import Suspensions
from infra.ids import new_id
from tests.identity.settled import run

SUSPENDED = """
  INSERT INTO merchants (id, name, contact, status, winding_down, decided_at)
  VALUES (:id, 'Tea', 'tea@example.com', 'suspended', true, clock_timestamp() - make_interval(hours => :hours))"""


async def test_of_more_than_fit_those_suspended_last_are_known(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The deals of the others have been paused by then."""
    monkeypatch.setattr(suspensions, "MERCHANTS_MAX", 2)
    merchants = [new_id() for _ in range(4)]
    for merchant_id, hours in zip(merchants, (3, 1, 4, 2), strict=True):
        await run(engine, SUSPENDED, id=merchant_id, hours=hours)
    known = Suspensions(engine)
    await known.look()
    assert known.merchant_ids == {merchants[1], merchants[3]}
