"""Joins per second: one hot group, a hundred groups, a million participants; beside a no-op and beside row locks."""

from benchmarks.figures import Figure, Wanted
from benchmarks.million import open_million
from benchmarks.offers import open_groups
from benchmarks.rounds import BODY, WARM_UP_S, compare, join_request, nothing_written
from benchmarks.stack import Stack
from benchmarks.wrk import Request
from domain.groupbuy.payment import PaymentTerms

SPREAD_GROUPS = 100
WANTED_HOT = Wanted(0.5, 0.8)
WANTED_SPREAD = Wanted(0.45, 0.7)
BY_LOCKING = "participants/by-locking"


def hot(stack: Stack) -> Figure:
    """Everybody joins one group."""
    return _beside_nothing(stack, "joins on one hot group / authenticated no-op", WANTED_HOT)


def hot_bare(stack: Stack) -> Figure:
    """The same with requests that have no body: one unit of the only variant."""
    return _beside_nothing(stack, "joins on one hot group, no body sent / authenticated no-op", WANTED_HOT, body=None)


def spread(stack: Stack) -> Figure:
    """Everybody joins the next of a hundred groups of a hundred deals."""
    what = "joins over 100 groups of 100 deals / authenticated no-op"
    return _beside_nothing(stack, what, WANTED_SPREAD, groups=SPREAD_GROUPS)


def spread_bare(stack: Stack) -> Figure:
    """The same with requests that have no body."""
    what = "joins over 100 groups of 100 deals, no body sent / authenticated no-op"
    return _beside_nothing(stack, what, WANTED_SPREAD, groups=SPREAD_GROUPS, body=None)


def locking(stack: Stack) -> Figure:
    """The same join with a row lock per request."""
    stack.wrk.run(join_request(warm(stack), suffix=BY_LOCKING), WARM_UP_S)
    return compare(
        stack,
        "joins on one hot group / with SELECT ... FOR UPDATE per request",
        Wanted(4, 8, "{:.1f} x"),
        lambda: join_new(stack),
        lambda: join_new(stack, suffix=BY_LOCKING),
    )


def million(stack: Stack) -> Figure:
    """A group that has a million participants already, beside an empty one."""
    warm(stack)
    big = open_million(stack.settings)
    stack.wrk.run(join_request(big.path), WARM_UP_S)
    # The big one goes on being joined from round to round: the tokens of all rounds together never come twice.
    return compare(
        stack,
        "joins into a group of 1,000,000 / into an empty one",
        Wanted(0.85, 0.95),
        lambda: join_request(big.path),
        lambda: join_new(stack),
    )


def join_new(
    stack: Stack,
    groups: int = 1,
    *,
    suffix: str = "participants",
    body: str | None = BODY,
    payment: PaymentTerms | None = None,
) -> Request:
    """Joins of groups that were just opened, so that every shopper is new to them."""
    paths = [group.path for group in open_groups(stack.settings, groups, payment=payment)]
    return join_request(*paths, suffix=suffix, body=body)


def warm(stack: Stack, payment: PaymentTerms | None = None) -> str:
    """A group that was joined and a no-op that was asked for a moment, so that the first round finds things warm."""
    path = open_groups(stack.settings, payment=payment)[0].path
    stack.wrk.run(nothing_written(path), WARM_UP_S)
    stack.wrk.run(join_request(path), WARM_UP_S)
    return path


def _beside_nothing(stack: Stack, what: str, wanted: Wanted, *, groups: int = 1, body: str | None = BODY) -> Figure:
    nothing = nothing_written(warm(stack), body)
    return compare(stack, what, wanted, lambda: join_new(stack, groups, body=body), lambda: nothing)
