"""What is to be asked of a payment gateway so that an order ends with what was decided: pure, and safe to repeat.

A decision says how much of a payment is to be kept; the gateway says where the payment stands. The step between the
two follows from these alone, so it is the same after a crash, for a late payment and for either kind of gateway.
"""

from dataclasses import dataclass
from enum import StrEnum


class Strategy(StrEnum):
    """How a gateway takes money before it is known how much is due.

    `hold_and_capture`: the ceiling is held, the final price captured, the rest released (cards).
    `pay_and_refund`: the ceiling is paid, the difference refunded (wallets without holds).
    """

    HOLD_AND_CAPTURE = "hold_and_capture"
    PAY_AND_REFUND = "pay_and_refund"


class Step(StrEnum):
    """One call to a gateway."""

    NOTHING = "nothing"
    CAPTURE = "capture"
    CANCEL = "cancel"
    REFUND = "refund"
    IMPOSSIBLE = "impossible"
    """The money is not there any more: a hold that expired, a payment that was cancelled."""


@dataclass(frozen=True, slots=True)
class Due:
    """The next step and its amount in minor units (0 where the step has none)."""

    step: Step
    amount_minor: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AtGateway:
    """What the gateway has: held and not captured, taken so far, given back so far (minor units)."""

    held_minor: int = 0
    captured_minor: int = 0
    refunded_minor: int = 0
    is_cancellable: bool = False
    """Nothing is held, but the shopper could still approve."""

    @property
    def kept_minor(self) -> int:
        """What of the shopper's money is taken and not given back."""
        return self.captured_minor - self.refunded_minor


def next_step(at_gateway: AtGateway, keep_minor: int) -> Due:
    """The step that brings a payment to where exactly `keep_minor` is kept and nothing is held; `NOTHING` when it is.

    `IMPOSSIBLE` where more is to be kept than is there.
    """
    if at_gateway.captured_minor:
        surplus = at_gateway.kept_minor - keep_minor
        if surplus < 0:
            return Due(Step.IMPOSSIBLE, -surplus)
        return Due(Step.REFUND, surplus) if surplus else Due(Step.NOTHING)
    if keep_minor:
        if at_gateway.held_minor >= keep_minor:
            return Due(Step.CAPTURE, keep_minor)
        return Due(Step.IMPOSSIBLE, keep_minor - at_gateway.held_minor)
    if at_gateway.held_minor or at_gateway.is_cancellable:
        return Due(Step.CANCEL)
    return Due(Step.NOTHING)
