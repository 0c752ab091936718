"""How a deal takes money: said at publishing, frozen into its groups, and never for longer than a gateway can hold."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.errors import InvalidInput
from domain.groupbuy.commands import EditDeal, PauseDeal, PublishDeal, ResumeDeal, StartCrowd
from domain.groupbuy.deal import Grouping
from domain.groupbuy.events import GroupOpened, ParticipantJoined, PlaceReserved
from domain.groupbuy.payment import PaymentTerms
from domain.groupbuy.postings import movements_of
from domain.pricing.shares import Reward, RewardKind
from tests.domain.catalogue import (
    ANN,
    BEN,
    DEAL,
    GROUP,
    MERCHANT,
    NOON,
    OTHER_GROUP,
    a_group,
    join,
    offer,
    only,
    wrong_fields,
)
from tests.domain.money.till import TERMS, Till, a_paid_group, opening, order_of

HOUR_S = 3_600


def _publishing(hold_lifetime_s_max: int | None) -> PublishDeal:
    return PublishDeal(
        deal_id=DEAL,
        merchant_id=MERCHANT,
        crowd_group_id=GROUP,
        payment=TERMS,
        hold_lifetime_s_max=hold_lifetime_s_max,
    )


@pytest.mark.parametrize("hold_lifetime_s_max", [HOUR_S, HOUR_S + 1, None])
def test_a_group_as_long_as_the_hold_can_be_published(hold_lifetime_s_max: int | None) -> None:
    """Up to the second; without a bound anything."""
    till = Till()
    till.draft(group_lifetime_s=HOUR_S)
    assert till.does(_publishing(hold_lifetime_s_max))


def test_a_group_that_outlives_the_hold_is_not_published() -> None:
    """What was held at its opening would be gone before its closing: the field is named, and the reason."""
    till = Till()
    till.draft(group_lifetime_s=HOUR_S)
    error = till.refuses(_publishing(HOUR_S - 1), InvalidInput)
    assert wrong_fields(error) == ["group_lifetime_s"]
    assert "3599 seconds" in str(error)


def test_a_crowd_is_as_long_as_its_window() -> None:
    """A crowd cut short by the deal's end needs no longer hold than that."""
    till = Till()
    ends_at = NOON + timedelta(seconds=HOUR_S)
    till.draft(grouping=Grouping.CROWD, group_lifetime_s=HOUR_S, starts_at=NOON, ends_at=ends_at)
    till.refuses(_publishing(HOUR_S - 1), InvalidInput)
    assert till.does(_publishing(HOUR_S))


def test_an_edit_while_paused_is_checked_when_resuming() -> None:
    """A longer group cannot come in by the back door, nor a gateway that holds for a shorter time."""
    till = Till()
    till.draft(group_lifetime_s=HOUR_S)
    till.does(_publishing(HOUR_S))
    till.does(PauseDeal(deal_id=DEAL, merchant_id=MERCHANT))
    till.does(EditDeal(deal_id=DEAL, merchant_id=MERCHANT, changes={"group_lifetime_s": HOUR_S + 1}))
    resume = ResumeDeal(
        deal_id=DEAL, merchant_id=MERCHANT, crowd_group_id=GROUP, payment=TERMS, hold_lifetime_s_max=HOUR_S
    )
    till.refuses(resume, InvalidInput)
    assert till.does(replace(resume, hold_lifetime_s_max=HOUR_S + 1))


def test_terms_of_payment_are_frozen_into_a_group() -> None:
    """Promise 4: a deal resumed with another gateway and fee takes money so in new groups only."""
    till = a_paid_group(ANN)
    till.does(PauseDeal(deal_id=DEAL, merchant_id=MERCHANT))
    other = PaymentTerms("wallet", 900)
    till.does(ResumeDeal(deal_id=DEAL, merchant_id=MERCHANT, crowd_group_id=GROUP, payment=other))
    till.reserves(BEN)
    assert till.payment(order_of(BEN)).terms == TERMS
    reserved = only(PlaceReserved, till.does(opening(ANN, group_id=OTHER_GROUP, order_id=order_of(ANN, 2))))
    assert reserved.payment == other


def test_a_crowd_that_starts_by_the_clock_takes_money_too() -> None:
    """Its group has the terms of the publishing."""
    till = Till()
    till.draft(grouping=Grouping.CROWD, starts_at=NOON + timedelta(seconds=5))
    till.does(_publishing(None))
    till.now += timedelta(seconds=5)
    opened = only(GroupOpened, till.does(StartCrowd(deal_id=DEAL, group_id=GROUP)))
    assert opened.terms.payment == TERMS


def test_without_payments_a_join_counts_at_once_and_moves_nothing() -> None:
    """As before: no reservation, no payment, no entry in the ledger."""
    scene = a_group()
    joined = only(ParticipantJoined, scene.does(join(BEN)))
    assert not joined.was_reserved
    assert movements_of(joined) == ()
    assert not scene.world.payments


def test_a_crowd_rewards_nobody() -> None:
    """It has no leader; a team's reward is in the terms its leader sees."""
    reward = Reward(RewardKind.FIXED, 100)
    with pytest.raises(InvalidInput) as refusal:
        offer(grouping=Grouping.CROWD, reward=reward)
    assert wrong_fields(refusal.value) == ["reward"]
    assert a_paid_group(ANN, reward=reward).group().terms.reward == reward
