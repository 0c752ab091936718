"""What an event means for the ledger."""

from domain.groupbuy.events import (
    BoughtAlone,
    OrderRefunded,
    ParticipantJoined,
    PaymentCameLate,
    PaymentSettled,
    RefundMade,
)
from domain.pricing import ledger
from domain.pricing.ledger import Movement

MoneyEvent = ParticipantJoined | BoughtAlone | PaymentCameLate | PaymentSettled | OrderRefunded | RefundMade
"""Events that may move money; all of them are about one order."""


def movements_of(event: MoneyEvent) -> tuple[Movement, ...]:  # noqa: PLR0911 - one match over every event is the map
    """The movements an event causes; a place that nobody paid for moves nothing."""
    match event:
        case ParticipantJoined(was_reserved=True):
            return (ledger.held(event.hold_minor),)
        case BoughtAlone():
            return (ledger.held(event.hold_minor),)
        case PaymentCameLate():
            return (ledger.held(event.amount_minor),)
        case PaymentSettled():
            return tuple(
                ledger.settled(event.captured_minor, event.released_minor, event.fee_minor, event.reward_minor)
            )
        case OrderRefunded():
            return tuple(ledger.refunded(event.amount_minor, event.fee_back_minor, event.reward_back_minor))
        case RefundMade():
            return (ledger.refund_made(event.amount_minor),)
        case ParticipantJoined():
            return ()
