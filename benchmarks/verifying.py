"""What it costs to know who asks, as a part of the authenticated request that does nothing else."""

from dataclasses import replace

from benchmarks.figures import Figure, Spread, Wanted
from benchmarks.offers import open_groups
from benchmarks.rounds import WARM_UP_S, compare
from benchmarks.stack import Stack
from benchmarks.wrk import Request, Wrk

NEW = Wanted(0.85, 0.75, at_most=True)
KNOWN = Wanted(0.3, 0.2, at_most=True)
KNOWN_TOKENS = 1_000


def new_tokens(stack: Stack) -> Figure:
    """Every token is new to the API: its signature is verified."""
    return _share(stack, "verifying a token that is new, of an authenticated no-op", NEW)


def known_tokens(stack: Stack) -> Figure:
    """Every token was verified before, as those of people who do more than one thing are."""
    known = stack.tokens.with_name("known-tokens")
    with stack.tokens.open() as lines:
        known.write_text("".join(line for line, _ in zip(lines, range(KNOWN_TOKENS), strict=False)))
    repeating = replace(stack, wrk=Wrk(stack.address, known), tokens=known)
    return _share(repeating, "knowing a token again, of an authenticated no-op", KNOWN)


def _share(stack: Stack, what: str, wanted: Wanted) -> Figure:
    path = open_groups(stack.settings)[0].path
    asked, unasked = Request("GET", (f"{path}/nothing",)), Request("GET", (f"{path}/nothing-asked",), anonymous=True)
    for request in (asked, unasked):
        stack.wrk.run(request, WARM_UP_S)
    figure = compare(stack, what, wanted, lambda: asked, lambda: unasked)
    # of a request's time, what it takes longer than one whose token nobody looks at
    return replace(figure, value=Spread(tuple(1 - ratio for ratio in figure.value.rounds)))
