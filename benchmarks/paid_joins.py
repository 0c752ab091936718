"""Joins that take money through the sandbox: beside those that take none, and while the gateway is slow."""

from benchmarks.figures import Figure, Wanted
from benchmarks.joins import join_new, warm
from benchmarks.rounds import BODY, USUAL, Load, compare
from benchmarks.stack import Stack
from benchmarks.wrk import Request
from domain.groupbuy.payment import PaymentTerms

THROUGH_SANDBOX = PaymentTerms("sandbox", fee_bps=250)
WANTED_PAID = Wanted(0.7, 0.85)
SLOW_S = 2
# A paid join waits at three stations: so many connections keep all of them busy, of paid and unpaid joins alike.
MANY = Load(connections=256)
# As many connections as the API lets wait. A round is many times as long as the two seconds, in which the first get no
# answer; and what the round before it left to do is over when it begins.
WHILE_SLOW = Load(rounds=2, round_s=24, rest_s=8, connections=4_000)
AT_ONCE, SLOWLY = "sandbox_approve", "sandbox_slow_2s"


def hot(stack: Stack) -> Figure:
    """Everybody joins one group, and pays."""
    return _beside_unpaid(stack, "joins on one hot group with money / without", BODY)


def hot_bare(stack: Stack) -> Figure:
    """The same with requests that have no body: the approving payment method."""
    return _beside_unpaid(stack, "joins on one hot group with money, no body sent / without money", None)


def hot_many(stack: Stack) -> Figure:
    """The same with four times the connections."""
    what = f"joins on one hot group with money / without, {MANY.connections} connections"
    return _beside_unpaid(stack, what, BODY, MANY)


def slow(stack: Stack) -> Figure:
    """The gateway takes two seconds for each payment: what waits for it must hold up nobody else."""
    warm(stack, THROUGH_SANDBOX)
    bound = WHILE_SLOW.connections // SLOW_S
    figure = compare(
        stack,
        f"joins with money while the gateway takes 2 s / at once, {WHILE_SLOW.connections:,} connections",
        Wanted(0.7, 0.9),
        lambda: _paid_by(stack, SLOWLY),
        lambda: _paid_by(stack, AT_ONCE),
        load=WHILE_SLOW,
    )
    return figure.with_notes(f"so many connections that wait {SLOW_S} s each allow {bound:,}/s (Little's law)")


def _beside_unpaid(stack: Stack, what: str, body: str | None, load: Load = USUAL) -> Figure:
    warm(stack, THROUGH_SANDBOX)
    warm(stack)
    return compare(
        stack,
        what,
        WANTED_PAID,
        lambda: join_new(stack, body=body, payment=THROUGH_SANDBOX),
        lambda: join_new(stack, body=body),
        load=load,
    )


def _paid_by(stack: Stack, method: str) -> Request:
    return join_new(stack, body=f'{{"quantity":1,"payment_method":"{method}"}}', payment=THROUGH_SANDBOX)
