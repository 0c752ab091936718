"""The audit log: who did what to which thing, written in the transaction of what it tells of, and never changed.

What is decided by commands is noted by whoever writes the batch (`infra.deeds`); everything else calls `record`.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

REASON_CHARACTERS_MAX = 500

_WRITE = text("""
  INSERT INTO audit (actor_kind, actor_id, merchant_id, action, thing_kind, thing_id, before, after, request_id)
  VALUES (:actor_kind, :actor_id, :merchant_id, :action, :thing_kind, :thing_id,
    CAST(:before AS jsonb), CAST(:after AS jsonb), :request_id)""")

Facts = Mapping[str, object]


class ActorKind(StrEnum):
    """Who acts: `operator` is whoever works on the machine itself, `worker` is what nobody had to ask for."""

    ADMINISTRATOR = "administrator"
    STAFF = "staff"
    API_KEY = "api_key"
    OPERATOR = "operator"
    WORKER = "worker"


class ThingKind(StrEnum):
    """What can be acted on."""

    ACCOUNT = "account"
    MERCHANT = "merchant"
    STAFF = "staff"
    STAFF_INVITE = "staff_invite"
    API_KEY = "api_key"
    DEAL = "deal"
    GROUP = "group"
    ORDER = "order"


class Actor(NamedTuple):
    """Who acts; an account or an API key has an id, and that is all that is ever told of it."""

    kind: ActorKind
    id: UUID | None = None


class Thing(NamedTuple):
    """What is acted on, and the merchant whom it concerns."""

    kind: ThingKind
    id: UUID
    merchant_id: UUID | None


class Deed(NamedTuple):
    """Something that somebody asks to be done: `action` is `deal.publish` or the like, `reason` what they gave."""

    actor: Actor
    action: str
    request_id: str | None = None
    reason: str | None = None


class Entry(NamedTuple):
    """A deed that was done, and what it changed of the thing; None where there was nothing before, or is after."""

    deed: Deed
    thing: Thing
    before: Facts | None
    after: Facts | None

    def row(self) -> dict[str, Any]:
        """As a row of the table; the database knows the time."""
        deed, thing = self.deed, self.thing
        return {
            "actor_kind": deed.actor.kind,
            "actor_id": deed.actor.id,
            "merchant_id": thing.merchant_id,
            "action": deed.action,
            "thing_kind": thing.kind,
            "thing_id": thing.id,
            "before": self.before,
            "after": self.after,
            "request_id": deed.request_id,
        }


def entry(deed: Deed, thing: Thing, before: Facts | None, after: Facts | None) -> Entry:
    """The entry of a deed that made `after` of `before`: only what differs is kept, and the reason with it."""
    if before is not None and after is not None:
        names = [name for name in after if name not in before or before[name] != after[name]]
        before = {name: before[name] for name in names if name in before}
        after = {name: after[name] for name in names}
    if deed.reason is not None:
        after = {**(after or {}), "reason": deed.reason}
    return Entry(deed, thing, before, after)


async def record(
    connection: AsyncConnection, deed: Deed, thing: Thing, before: Facts | None, after: Facts | None
) -> None:
    """Write a deed beside its effect: call it in the transaction that makes `after` of `before`."""
    made = entry(deed, thing, before, after)
    facts = {"before": _json(made.before), "after": _json(made.after)}
    await connection.execute(_WRITE, made.row() | facts)


def _json(facts: Facts | None) -> str | None:
    return None if facts is None else msgspec.json.encode(facts).decode()
