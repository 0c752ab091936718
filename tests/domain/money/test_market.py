"""The promise about money, whoever crashes and whatever the gateway does."""

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.domain.money.machine import Market

STEPS_MIN = 10_000
SEEN_MIN = 10
MUST_BE_SEEN = (
    "BoughtAlone",
    "GroupCancelled",
    "GroupFailed",
    "GroupSucceeded",
    "OrderCancelled",
    "OrderRefunded",
    "PaymentCameLate",
    "RefundMade",
    "ReservationLapsed",
    "UnitsReturned",
    "away",
    "capture declined",
    "hold lost",
    "lost",
    "replayed",
)


def test_money_is_where_it_belongs_after_every_step() -> None:
    """Promises 1, 2, 3 and 8: the ledger sums to zero, nobody pays more than shown, and at rest all is paid exactly."""
    Market.steps_made = 0
    Market.seen.clear()
    run_state_machine_as_test(Market, settings=settings(max_examples=360, stateful_step_count=50))
    assert Market.steps_made >= STEPS_MIN
    rare = [what for what in MUST_BE_SEEN if Market.seen[what] < SEEN_MIN]
    assert not rare, f"hardly ever came about: {rare}"
