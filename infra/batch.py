"""One batch: lock and load, fold `decide` over its commands, save and commit. Under the lock there is nothing else."""

import asyncio
import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from domain.groupbuy.commands import BuyAlone, Command, OpenGroup
from domain.groupbuy.errors import DealPausedNow
from domain.groupbuy.world import Accepted, Refused, World
from infra.changes import Changes
from infra.deeds import entry_of, facts_of
from infra.held_connection import HeldConnection
from infra.identity.audit import Deed, Entry
from infra.loading import Loader, StoredAnswer, locking
from infra.saving import NewAnswer, saving
from infra.statement import Bound
from infra.wanted import AnswerKey, Wanted


class KeyReused(Exception):  # noqa: N818 - named after what happened, as refusals are
    """An idempotency key came again with another request."""

    def __init__(self) -> None:
        super().__init__("This idempotency key was used for a different request. Use a new key for a new request.")


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A caller's key, the hash of the request it came with, and how the answer to store is made of the outcome."""

    subject_id: UUID
    key: str
    request_hash: bytes
    render: Callable[[Accepted], bytes]


@dataclass(frozen=True, slots=True)
class Stored:
    """The answer an idempotency key already has."""

    answer: bytes


_NOT_YET = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class Waiting:
    """A command, the deal it is about, the deed it is where that is to be noted, and the future of whoever waits."""

    command: Command
    deal_id: UUID
    idempotency: Idempotency | None
    deed: Deed | None = None
    answer: asyncio.Future[Accepted | Stored] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def resolve(self, answer: Accepted | Stored) -> None:
        """Answer, unless the caller has gone."""
        if not self.answer.done():
            self.answer.set_result(answer)

    def refuse(self, error: Exception) -> None:
        """Answer with an error, unless the caller has gone."""
        if not self.answer.done():
            self.answer.set_exception(error)


@dataclass(slots=True)
class Batch:
    """Commands on their way through one transaction, and what became of each.

    `suspended` are merchants whose deals open nothing new, although they may not be paused yet.
    """

    waiting: list[Waiting]
    world: World = field(default_factory=World)
    now: datetime = _NOT_YET
    changes: Changes = field(default_factory=Changes)
    outcomes: list[Accepted | Stored | Exception] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    suspended: frozenset[UUID] = frozenset()
    commit_begun: bool = False

    def begin_commit(self) -> None:
        """From here on a lost connection leaves open whether the batch is saved."""
        self.commit_begun = True

    def answer(self) -> None:
        """Tell every caller the outcome; only after the commit."""
        for one, outcome in zip(self.waiting, self.outcomes, strict=True):
            if isinstance(outcome, Exception):
                one.refuse(outcome)
            else:
                one.resolve(outcome)


async def write(connection: HeldConnection, loader: Loader, batch: Batch) -> None:
    """Decide and commit a batch in three round trips.

    Raises what the database raises, with nothing saved; only a connection lost after `commit_begun` leaves that open.
    """
    wanted = Wanted()
    for one in batch.waiting:
        wanted.add(one.command, one.deal_id)
        if one.idempotency:
            wanted.answers.add((one.idempotency.subject_id, one.idempotency.key))

    async def work(driver: Any) -> list[Bound]:  # noqa: ANN401  asyncpg ships no types
        loaded = await loader.load(driver, wanted)
        batch.world, batch.now = loaded.world, loaded.now
        new_answers = _decide(batch, loaded.answers)
        return list(saving(batch.world, batch.changes, new_answers, batch.entries, batch.now))

    await connection.transaction(work, first=locking(wanted), before_commit=batch.begin_commit)


def _decide(batch: Batch, stored: dict[AnswerKey, StoredAnswer]) -> list[NewAnswer]:
    """Fold over the commands in order; answers the idempotency answers to store."""
    answers = {
        key: NewAnswer(*key, bytes.fromhex(row.request_hash), base64.b64decode(row.answer))
        for key, row in stored.items()
    }
    for one in batch.waiting:
        batch.outcomes.append(_decide_one(batch, one, answers))
    # In one order for all: two batches that store the same keys then wait for each other one way only.
    return [answers[key] for key in sorted(answers) if key not in stored]


def _decide_one(batch: Batch, one: Waiting, answers: dict[AnswerKey, NewAnswer]) -> Accepted | Stored | Exception:
    idempotency = one.idempotency
    if idempotency is not None:
        known = answers.get((idempotency.subject_id, idempotency.key))
        if known is not None:
            return Stored(known.answer) if known.request_hash == idempotency.request_hash else KeyReused()
    if batch.suspended and _is_stopped(batch, one):
        return DealPausedNow()
    before = one.deed and facts_of(batch.world, one.command, one.deal_id)
    outcome = batch.world.tell(one.command, batch.now)
    if isinstance(outcome, Refused):
        return outcome.error
    batch.changes.add(outcome.events)
    if one.deed is not None and outcome.events:  # what was done already is no deed
        batch.entries.append(entry_of(one.deed, batch.world, one.command, one.deal_id, before))
    if idempotency is not None:
        key = (idempotency.subject_id, idempotency.key)
        answers[key] = NewAnswer(*key, idempotency.request_hash, idempotency.render(outcome))
    return outcome


def _is_stopped(batch: Batch, one: Waiting) -> bool:
    deal = batch.world.deals.get(one.deal_id)
    return isinstance(one.command, OpenGroup | BuyAlone) and deal is not None and deal.merchant_id in batch.suspended
