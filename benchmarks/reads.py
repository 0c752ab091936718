"""Reading a group, without a token and as a shopper, beside a read that does nothing."""

from benchmarks.figures import Figure, Wanted
from benchmarks.offers import open_groups
from benchmarks.rounds import WARM_UP_S, compare, join_request
from benchmarks.stack import Stack
from benchmarks.wrk import Request

WANTED = Wanted(0.7, 0.9)


def anonymous(stack: Stack) -> Figure:
    """Anybody reads a group."""
    return _read(stack, "GET /v1/groups/{id}, anonymous / authenticated no-op", anonymous=True)


def shopper(stack: Stack) -> Figure:
    """Shoppers read a group, each with an own place to be looked for."""
    return _read(stack, "GET /v1/groups/{id}, as a shopper / authenticated no-op", anonymous=False)


def _read(stack: Stack, what: str, *, anonymous: bool) -> Figure:
    path = open_groups(stack.settings)[0].path
    stack.wrk.run(join_request(path), WARM_UP_S)
    reading = Request("GET", (path,), anonymous=anonymous)
    nothing = Request("GET", (f"{path}/nothing",))
    for request in (nothing, reading):
        stack.wrk.run(request, WARM_UP_S)
    return compare(stack, what, WANTED, lambda: reading, lambda: nothing)
