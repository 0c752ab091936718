"""The contract of gateways, kept by the Stripe gateway against localstripe."""

from collections.abc import AsyncIterator, Iterator

import pytest

from domain.pricing.steps import Strategy
from infra.ids import new_id
from infra.payments.port import GatewayState
from tests.gateways.contract import Capabilities, Check, checks_of, left_out, names_of
from tests.gateways.stripe_subject import StripeSubject, localstripe, stripe_subject
from tests.gateways.subject import payment_request

NO_KEYS = "localstripe does not know idempotency keys"
OVER_REFUNDS = "localstripe refunds more than was taken, and what was only held"
CAPABILITIES = Capabilities(
    strategy=Strategy.HOLD_AND_CAPTURE,
    left_out={
        "asking_again_for_an_order_holds_once": NO_KEYS,
        "one_order_asked_for_at_once_holds_once": NO_KEYS,
        "an_order_asked_for_with_another_amount_is_refused": NO_KEYS,
        "a_decline_is_a_cancelled_payment": NO_KEYS,
        "a_refund_repeated_with_its_key_happens_once": NO_KEYS,
        "a_refund_key_is_good_for_one_amount": NO_KEYS,
        "no_more_goes_back_than_was_taken": OVER_REFUNDS,
        "no_more_goes_back_than_was_captured": OVER_REFUNDS,
        "a_hold_is_not_refunded": OVER_REFUNDS,
        "a_cancelled_hold_is_not_captured": "localstripe captures what was cancelled",
        "an_expired_hold_is_not_captured": "localstripe has no clock for holds",
        "a_capture_that_the_bank_declines_is_refused": "localstripe has no card that declines at capture",
    },
)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with localstripe(tmp_path_factory.mktemp("localstripe") / "log") as address:
        yield address


@pytest.fixture
async def subject(address: str) -> AsyncIterator[StripeSubject]:
    async with stripe_subject(address) as made:
        yield made


@pytest.mark.parametrize("check", checks_of(CAPABILITIES))
async def test_contract(check: Check, subject: StripeSubject) -> None:
    """Each promise of the port that localstripe can show."""
    await check(subject)


def test_what_localstripe_cannot_show_is_said() -> None:
    """Twelve checks are not made here, each with its reason, and no other."""
    assert left_out(CAPABILITIES) == {
        "a_cancelled_hold_is_not_captured",
        "a_capture_that_the_bank_declines_is_refused",
        "a_decline_is_a_cancelled_payment",
        "a_hold_is_not_refunded",
        "a_refund_key_is_good_for_one_amount",
        "a_refund_repeated_with_its_key_happens_once",
        "an_expired_hold_is_not_captured",
        "an_order_asked_for_with_another_amount_is_refused",
        "asking_again_for_an_order_holds_once",
        "no_more_goes_back_than_was_captured",
        "no_more_goes_back_than_was_taken",
        "one_order_asked_for_at_once_holds_once",
    }
    assert len(checks_of(CAPABILITIES)) == len(names_of(Strategy.HOLD_AND_CAPTURE)) - 12


async def test_a_declined_payment_is_over(subject: StripeSubject) -> None:
    """A decline says why, and its intent is cancelled there: nobody can pay it later."""
    declined = await subject.gateway.authorise(payment_request(subject, method=subject.methods.decline))
    assert declined.state is GatewayState.CANCELLED
    assert declined.declined_because == "Your card was declined."
    found = await subject.gateway.look_up(declined.order_id, declined.reference)
    assert found is not None
    assert found.state is GatewayState.CANCELLED


async def test_a_payment_of_another_order_is_not_found(subject: StripeSubject) -> None:
    """A reference that belongs to another order is not this order's payment."""
    payment = await subject.gateway.authorise(payment_request(subject))
    assert await subject.gateway.look_up(new_id(), payment.reference) is None
    assert await subject.gateway.look_up(payment.order_id, "pi_never_made") is None
