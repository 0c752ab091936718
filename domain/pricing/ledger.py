"""The ledger's accounts and what moves between them: one movement, one positive amount, from one account to another.

A movement takes from one account what it gives to the other, so the sum over all accounts is zero whatever happens.

    gateway_clearing ─hold─► shopper_hold ─capture─► merchant_payable ─► platform_fee
           ▲                      │                        │        └──► leader_reward
           ├──────release─────────┘                        ▼ (and back out of fee and reward, in proportion)
           └──────────────────refund────────────────── refunds
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Account(StrEnum):
    """Whose money it is; all but `gateway_clearing` never fall below zero.

    `gateway_clearing`: what the gateway holds or took for us, as a debt (never above zero). `shopper_hold`: held for an
    order. `merchant_payable`: owed to the merchant. `refunds`: owed to the shopper and on its way through the gateway.
    """

    GATEWAY_CLEARING = "gateway_clearing"
    SHOPPER_HOLD = "shopper_hold"
    MERCHANT_PAYABLE = "merchant_payable"
    PLATFORM_FEE = "platform_fee"
    LEADER_REWARD = "leader_reward"
    REFUNDS = "refunds"


class Cause(StrEnum):
    """What moved the money; with the id of an order or refund it names every movement once."""

    HOLD = "hold"
    SETTLEMENT = "settlement"
    REFUND = "refund"
    REFUND_MADE = "refund_made"


@dataclass(frozen=True, slots=True)
class Movement:
    """`amount_minor` (above zero) goes from one account to another."""

    cause: Cause
    from_account: Account
    to_account: Account
    amount_minor: int


def held(amount_minor: int) -> Movement:
    """A shopper's money is held."""
    return Movement(Cause.HOLD, Account.GATEWAY_CLEARING, Account.SHOPPER_HOLD, amount_minor)


def settled(captured_minor: int, released_minor: int, fee_minor: int, reward_minor: int) -> Iterator[Movement]:
    """A hold ends: what is captured goes to the merchant, who pays fee and reward of it; the rest goes back.

    A reward below zero comes back from the leader: it was earned before it turned out that nothing is due.
    """
    yield from _moved(Cause.SETTLEMENT, Account.SHOPPER_HOLD, Account.MERCHANT_PAYABLE, captured_minor)
    yield from _moved(Cause.SETTLEMENT, Account.MERCHANT_PAYABLE, Account.PLATFORM_FEE, fee_minor)
    if reward_minor >= 0:
        yield from _moved(Cause.SETTLEMENT, Account.MERCHANT_PAYABLE, Account.LEADER_REWARD, reward_minor)
    else:
        yield from _moved(Cause.SETTLEMENT, Account.LEADER_REWARD, Account.MERCHANT_PAYABLE, -reward_minor)
    yield from _moved(Cause.SETTLEMENT, Account.SHOPPER_HOLD, Account.GATEWAY_CLEARING, released_minor)


def refunded(amount_minor: int, fee_back_minor: int, reward_back_minor: int) -> Iterator[Movement]:
    """A refund is decided: platform and leader give back their parts, the merchant the rest.

    Where rounding makes the two parts exceed the refund by a minor unit, the merchant gets it: the whole stays whole.
    """
    yield from _moved(Cause.REFUND, Account.PLATFORM_FEE, Account.REFUNDS, fee_back_minor)
    yield from _moved(Cause.REFUND, Account.LEADER_REWARD, Account.REFUNDS, reward_back_minor)
    from_merchant_minor = amount_minor - fee_back_minor - reward_back_minor
    if from_merchant_minor >= 0:
        yield from _moved(Cause.REFUND, Account.MERCHANT_PAYABLE, Account.REFUNDS, from_merchant_minor)
    else:
        yield from _moved(Cause.REFUND, Account.REFUNDS, Account.MERCHANT_PAYABLE, -from_merchant_minor)


def refund_made(amount_minor: int) -> Movement:
    """A refund has gone through the gateway."""
    return Movement(Cause.REFUND_MADE, Account.REFUNDS, Account.GATEWAY_CLEARING, amount_minor)


def _moved(cause: Cause, source: Account, target: Account, amount_minor: int) -> Iterator[Movement]:
    if amount_minor:
        yield Movement(cause, source, target, amount_minor)
