"""Promise 6: an idempotency key has one effect and one answer, wherever and however often it comes."""

import asyncio
from uuid import UUID, uuid4

import asyncpg
import pytest

from domain.groupbuy.commands import CreateDeal, OpenGroup
from domain.groupbuy.deal import Variant
from domain.groupbuy.errors import DealNotFound
from domain.groupbuy.world import Accepted
from infra.batch import Idempotency, KeyReused, Stored
from infra.batching import Batcher
from infra.ids import new_id
from infra.lane import Answer, Committed
from tests.batching.conftest import MakeBatcher
from tests.reading.shop import KETTLE, Shop

ANN, BEN = new_id(), new_id()


def keyed(subject_id: UUID = ANN, key: str = "k", body: bytes = b"one") -> Idempotency:
    """A key whose stored answer names what its command made, some bytes that are no text included."""
    return Idempotency(subject_id, key, body, _rendered)


def opening(deal_id: UUID, leader_id: UUID = ANN) -> OpenGroup:
    """A request to open a group: the server gives it another id each time it comes."""
    return OpenGroup(order_id=uuid4(), deal_id=deal_id, group_id=new_id(), shopper_id=leader_id)


def said(answer: Answer | BaseException) -> bytes:
    """The bytes a caller gets, first or repeated."""
    assert not isinstance(answer, BaseException), repr(answer)
    return answer.answer if isinstance(answer, Stored) else _rendered(answer)


async def test_a_key_comes_again_in_its_batch_later_and_elsewhere(
    shop: Shop, make_batcher: MakeBatcher, commits: list[Committed], database: asyncpg.Connection
) -> None:
    """In the same batch, in a later one and in another process: one group, the same bytes."""
    deal_id = await shop.live()
    commits.clear()
    first, *repeated = await asyncio.gather(*(shop.batcher.tell(opening(deal_id), keyed()) for _ in range(3)))
    assert len(commits) == 1
    repeated.append(await shop.batcher.tell(opening(deal_id), keyed()))
    repeated.append(await make_batcher().tell(opening(deal_id), keyed()))
    assert isinstance(first, Accepted)
    assert repeated == [Stored(_rendered(first))] * 4
    assert await database.fetchval("SELECT count(*) FROM groups") == 1
    assert len(commits) == 1


async def test_a_key_with_another_body_is_refused(shop: Shop, make_batcher: MakeBatcher) -> None:
    """The first request's answer is not given for another one, in its batch, later or elsewhere; it stays stored."""
    deal_id = await shop.live()
    other = keyed(body=b"other")
    first, second = await asyncio.gather(
        *(shop.batcher.tell(opening(deal_id), one) for one in (keyed(), other)), return_exceptions=True
    )
    assert isinstance(second, KeyReused)
    for batcher in (shop.batcher, make_batcher()):
        with pytest.raises(KeyReused):
            await batcher.tell(opening(deal_id), other)
        assert said(await batcher.tell(opening(deal_id), keyed())) == said(first)


async def test_a_key_is_its_subjects_own(shop: Shop, database: asyncpg.Connection) -> None:
    """Two people who happen to use the same key do not meet, nor do two keys of one person."""
    deal_id = await shop.live()
    told = [(ANN, "k"), (BEN, "k"), (ANN, "l")]
    answers = await asyncio.gather(
        *(shop.batcher.tell(opening(deal_id, subject_id), keyed(subject_id, key)) for subject_id, key in told)
    )
    assert all(isinstance(answer, Accepted) for answer in answers)
    assert await database.fetchval("SELECT count(*) FROM groups") == 3


async def test_a_refusal_is_not_stored(shop: Shop) -> None:
    """What was refused can be asked again with its key when it is possible."""
    deal_id = await shop.draft()
    with pytest.raises(DealNotFound):
        await shop.batcher.tell(opening(deal_id), keyed())
    await shop.publish(deal_id)
    assert isinstance(await shop.batcher.tell(opening(deal_id), keyed(body=b"other")), Accepted)


async def test_one_key_in_two_processes_at_once(
    shop: Shop, make_batcher: MakeBatcher, database: asyncpg.Connection
) -> None:
    """Two processes and several deals, no lock in common: one effect, and everybody gets its answer."""
    deal_ids = [await shop.live() for _ in range(4)]
    batchers = [make_batcher(), make_batcher()]
    for number in range(20):
        answers = await _at_once(batchers, deal_ids, keyed(key=f"k{number}"))
        assert len({said(answer) for answer in answers}) == 1
        assert len([answer for answer in answers if isinstance(answer, Accepted)]) == 1
    assert await database.fetchval("SELECT count(*) FROM groups") == 20


async def test_a_draft_written_twice_at_once(
    shop: Shop, make_batcher: MakeBatcher, database: asyncpg.Connection
) -> None:
    """A new deal has no lock yet: its key alone keeps two processes from writing it twice."""
    batchers = [make_batcher(), make_batcher()]
    variants = (Variant(new_id(), "Red", None, 1),)
    for number in range(20):
        answers = await asyncio.gather(
            *(
                batcher.tell(
                    CreateDeal(deal_id=new_id(), merchant_id=shop.merchant_id, offer=KETTLE, variants=variants),
                    keyed(shop.merchant_id, f"k{number}"),
                )
                for batcher in batchers
            )
        )
        assert len({said(answer) for answer in answers}) == 1
    assert await database.fetchval("SELECT count(*) FROM deals") == 20


async def _at_once(batchers: list[Batcher], deal_ids: list[UUID], key: Idempotency) -> list[Answer]:
    return await asyncio.gather(*(batcher.tell(opening(deal_id), key) for batcher in batchers for deal_id in deal_ids))


def _rendered(accepted: Accepted) -> bytes:
    made = accepted.state.group or accepted.state.deal
    assert made is not None
    return b"\x00\xff" + made.id.bytes
