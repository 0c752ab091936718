"""Telling: the next places of everything that has begun, chunk by chunk, each person's notice with its deliveries.

How far a telling is stands in the same transaction as the notices, so a crash loses and doubles nothing. What was told
a chunk goes to the end of the queue: a group of a million holds up no other.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from domain.groupbuy.payment import PaymentStatus
from domain.notices.choices import PUSHES_PER_UNREAD_MAX
from domain.notices.facts import Facts, Standing
from domain.notices.happenings import push_waits_s
from domain.notices.kinds import FATES, GATHERED, OF_PAYMENTS, Channel, Kind
from infra.ids import new_id
from infra.notices.kinds_sql import GATHERED_KINDS
from infra.notices.members import Member, Passed, PaymentNow, read_chunk
from infra.statement import json_text

TELLINGS_AT_ONCE: Final = 200
PLACES_AT_ONCE: Final = 1_000
SPOILT_RESTS_S: Final = 60.0

_CLAIM: Final = text("""
  SELECT row_to_json(claimed)::text, clock_timestamp() FROM (
    SELECT id, about, kind, stage, deal_id, group_id, order_id, standing, numbers_max, told_through, passed
    FROM tellings WHERE begun_at IS NOT NULL AND done_at IS NULL AND due_at <= now()
    ORDER BY due_at LIMIT :tellings_max FOR NO KEY UPDATE SKIP LOCKED) AS claimed""")
_POSTPONE: Final = text("""
  UPDATE tellings SET due_at = now() + make_interval(secs => :rest_s) WHERE id = (
    SELECT id FROM tellings WHERE begun_at IS NOT NULL AND done_at IS NULL AND due_at <= now()
    ORDER BY due_at LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED)
  RETURNING id""")
_NEW_NOTICES: Final = """
  INSERT INTO notices (id, account_id, about, kind, stage, deal_id, group_id, order_id, facts, useful_until, at,
                       created_at)
  SELECT id, account_id, about, kind, stage, deal_id, group_id, order_id, facts, useful_until, :now, :now
  FROM json_to_recordset(CAST(:new AS json)) AS new (
    id uuid, account_id uuid, about uuid, kind text, stage int, deal_id uuid, group_id uuid, order_id uuid,
    facts jsonb, useful_until timestamptz)"""
_TELL_ONCE: Final = text(f"""
  {_NEW_NOTICES}
  ON CONFLICT (account_id, about, kind, stage) DO NOTHING RETURNING id, account_id, about, kind, updates""")
_GATHER: Final = text(f"""
  {_NEW_NOTICES}
  WHERE NOT EXISTS (SELECT FROM notices n WHERE n.account_id = new.account_id AND n.about = new.about
    AND n.kind = new.kind AND n.stage >= new.stage)
  ON CONFLICT (account_id, about, kind) WHERE read_at IS NULL AND kind IN {GATHERED_KINDS}
  DO UPDATE SET facts = EXCLUDED.facts, stage = EXCLUDED.stage, at = EXCLUDED.at, updates = notices.updates + 1
  RETURNING id, account_id, about, kind, updates""")
# One that is still to be sent is told as its notice stands when it is. One that is being sent tells what it was claimed
# with: with another time its lease is over, so that its answer ends nothing and it is sent again.
_DELIVER: Final = text("""
  INSERT INTO deliveries AS d (notice_id, channel, target, due_at)
  SELECT notice_id, channel, target, due_at FROM json_to_recordset(CAST(:new AS json)) AS new (
    notice_id uuid, channel text, target uuid, due_at timestamptz)
  ON CONFLICT (notice_id, channel, target) DO UPDATE SET state = 'pending', due_at = EXCLUDED.due_at, attempts = 0,
    last_error = NULL, ended_at = NULL
  WHERE d.state IN ('sent', 'moot') OR (d.state = 'pending' AND d.attempts > 0)""")
_GO_ON: Final = text("""
  UPDATE tellings t SET told_through = coalesce(new.told_through, t.told_through), passed = t.passed + new.places,
    due_at = :now, done_at = CASE WHEN new.is_done THEN CAST(:now AS timestamptz) END
  FROM json_to_recordset(CAST(:progress AS json)) AS new (id bigint, told_through int, places int, is_done boolean)
  WHERE t.id = new.id""")


class TellingRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `tellings` that has begun."""

    id: int
    about: UUID
    kind: Kind
    stage: int
    deal_id: UUID
    group_id: UUID | None
    order_id: UUID | None
    standing: Standing | None
    numbers_max: int | None
    told_through: int
    passed: int


@dataclass(frozen=True, slots=True)
class _New:
    """A notice to be written, for a person."""

    row: dict[str, object]
    kind: Kind
    member: Member
    useful_until: datetime | None

    @property
    def key(self) -> tuple[UUID, UUID, Kind]:
        about = self.row["about"]
        assert isinstance(about, UUID)
        return (self.member.account_id, about, self.kind)


_decode: Final = msgspec.json.Decoder(TellingRow).decode


async def tell_chunk(
    engine: AsyncEngine, *, tellings_max: int = TELLINGS_AT_ONCE, places_max: int = PLACES_AT_ONCE
) -> int:
    """Tell up to so many places; answers of how many tellings."""
    async with engine.begin() as connection:
        rows = (await connection.execute(_CLAIM, {"tellings_max": tellings_max})).all()
        if not rows:
            return 0
        now = rows[0][1]
        tellings = {telling.id: telling for telling in (_decode(document) for document, _ in rows)}
        share = max(places_max // len(tellings), 1)
        claimed = [_claimed(telling, share) for telling in tellings.values()]
        chunk = await read_chunk(connection, claimed)
        new = [one for member in chunk.members for one in _notice(tellings[member.telling_id], member)]
        await _write(connection, _once_each(new), now)
        progress = [_progress(telling, chunk.passed.get(telling.id), share) for telling in tellings.values()]
        await connection.execute(_GO_ON, {"now": now, "progress": json_text(progress)})
    return len(tellings)


async def postpone_first(engine: AsyncEngine) -> int | None:
    """Leave the one that would be told next for a minute; answers which."""
    async with engine.begin() as connection:
        found: int | None = (await connection.execute(_POSTPONE, {"rest_s": SPOILT_RESTS_S})).scalar_one_or_none()
        return found


def _claimed(telling: TellingRow, places_max: int) -> dict[str, object]:
    names = ("id", "kind", "about", "deal_id", "group_id", "order_id", "numbers_max", "told_through", "passed")
    return {name: getattr(telling, name) for name in names} | {"places_max": places_max}


def _progress(telling: TellingRow, passed: Passed | None, share: int) -> dict[str, object]:
    places = 0 if passed is None else passed.places
    return {
        "id": telling.id,
        "told_through": None if passed is None else passed.told_through,
        "places": places,
        "is_done": telling.order_id is not None or places < share,
    }


def _notice(telling: TellingRow, member: Member) -> Iterator[_New]:
    """What a person is told, if anything."""
    facts = _facts(telling, member)
    if facts is None:
        return
    useful_until = _useful_until(telling, member)
    row: dict[str, object] = {
        "id": new_id(),
        "account_id": member.account_id,
        "about": telling.about,
        "kind": telling.kind,
        # whoever is in twice, under two ids that are now one person's, pays twice: what that is, each place tells
        "stage": telling.stage if telling.kind not in FATES else member.number,
        "deal_id": telling.deal_id,
        "group_id": telling.group_id,
        "order_id": member.order_id,
        "facts": facts,
        "useful_until": useful_until,
    }
    yield _New(row, telling.kind, member, useful_until)


def _useful_until(telling: TellingRow, member: Member) -> datetime | None:
    """From when on nobody needs to be sent it any more."""
    if telling.kind is Kind.PAYMENT_NEEDED:
        return None if member.payment is None else member.payment.pay_by
    return telling.standing.expires_at if telling.standing is not None and telling.kind not in FATES else None


def _facts(telling: TellingRow, member: Member) -> Facts | None:
    """The numbers of one person; None where there is nothing to tell them."""
    standing = telling.standing
    if telling.kind in OF_PAYMENTS:
        return _facts_of(telling.kind, member.payment)
    match telling.kind:
        case Kind.JOINED if standing is not None:
            known = member.last.participants_before if member.last else 0
            joined = standing.participants - max(member.rank, known)
            return Facts(standing=standing, joined=joined, participants_before=known) if joined > 0 else None
        case Kind.SUCCEEDED if standing is not None:
            pays_minor = standing.unit_price * member.quantity
            facts = Facts(standing=standing, quantity=member.quantity, pays_minor=pays_minor)
            return None if member.is_dropped else facts
    return Facts(standing=standing)


def _facts_of(kind: Kind, payment: PaymentNow | None) -> Facts | None:
    """Those of a payment, as long as it stands so."""
    if payment is None:
        return None
    if kind is Kind.PAYMENT_NEEDED and payment.status != PaymentStatus.AWAITING:
        return None
    if kind is Kind.PAYMENT_MISSED and (payment.is_late or payment.is_tried_again):
        return None
    if kind is Kind.PAYMENT_REFUSED:
        return Facts()
    return Facts(amount_minor=payment.amount_minor, pay_by=payment.pay_by)


def _once_each(new: Iterable[_New]) -> list[_New]:
    """Of what gathers one for each person, as who is in twice is told once; in one order for all who write these."""
    kept: dict[object, _New] = {}
    for one in new:
        kept.setdefault(one.key if one.kind in GATHERED else one.row["id"], one)
    return sorted(kept.values(), key=lambda one: (str(one.member.account_id), str(one.row["about"]), one.kind))


async def _write(connection: AsyncConnection, new: Sequence[_New], now: datetime) -> None:
    for statement, those in (
        (_GATHER, [one for one in new if one.kind in GATHERED]),
        (_TELL_ONCE, [one for one in new if one.kind not in GATHERED]),
    ):
        if those:
            values = {"new": json_text([one.row for one in those]), "now": now}
            written = (await connection.execute(statement, values)).all()
            await _deliver(connection, those, written, now)


async def _deliver(connection: AsyncConnection, new: Sequence[_New], written: Sequence[Any], now: datetime) -> None:
    by_id = {one.row["id"]: one for one in new}
    by_key = {one.key: one for one in new}
    rows: list[dict[str, object]] = []
    for notice_id, account_id, about, kind, updates in written:
        if updates < PUSHES_PER_UNREAD_MAX:
            one = by_id.get(notice_id) or by_key[account_id, about, Kind(kind)]
            rows += [{"notice_id": notice_id, **delivery} for delivery in _deliveries(one, now)]
    if rows:
        rows.sort(key=lambda row: (str(row["notice_id"]), str(row["channel"]), str(row["target"])))
        await connection.execute(_DELIVER, {"new": json_text(rows)})


def _deliveries(one: _New, now: datetime) -> Iterator[dict[str, object]]:
    choices = one.member.kept_choices()
    for channel, target in one.member.targets():
        earliest = now + timedelta(seconds=push_waits_s(one.kind) if channel is Channel.PUSH else 0)
        due_at = choices.due(one.kind, channel, earliest)
        if due_at is not None and (one.useful_until is None or due_at < one.useful_until):
            yield {"channel": channel, "target": target, "due_at": due_at}
