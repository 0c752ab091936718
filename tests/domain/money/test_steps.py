"""The next step at a gateway: from wherever a payment stands, a few steps to exactly what was decided."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from domain.pricing.steps import AtGateway, Due, Step, next_step

STEPS_MAX = 2
amounts = st.integers(0, 1_000)


@st.composite
def stands(draw: st.DrawFn) -> AtGateway:
    """Anywhere a payment can stand: awaited, held, taken and partly given back, or gone."""
    amount_minor = draw(st.integers(1, 1_000))
    match draw(st.sampled_from(["pending", "held", "taken", "gone"])):
        case "pending":
            return AtGateway(is_cancellable=True)
        case "held":
            return AtGateway(held_minor=amount_minor)
        case "taken":
            return AtGateway(captured_minor=amount_minor, refunded_minor=draw(st.integers(0, amount_minor)))
        case _:
            return AtGateway()


def taken(at: AtGateway, due: Due) -> AtGateway:
    """Where a payment stands after a step, at any gateway."""
    match due.step:
        case Step.CAPTURE:
            assert 0 < due.amount_minor <= at.held_minor
            return AtGateway(captured_minor=due.amount_minor)
        case Step.REFUND:
            assert 0 < due.amount_minor <= at.kept_minor
            return replace(at, refunded_minor=at.refunded_minor + due.amount_minor)
        case Step.CANCEL:
            assert not at.captured_minor
            return AtGateway()
        case _:
            message = f"{due.step} is none to take"
            raise AssertionError(message)


@given(at=stands(), keep_minor=amounts)
def test_steps_end_at_exactly_what_is_to_be_kept(at: AtGateway, keep_minor: int) -> None:
    """Promise 3: a capture, a cancelling or a refund later exactly so much is kept, nothing held, nothing awaited."""
    for _ in range(STEPS_MAX):
        due = next_step(at, keep_minor)
        if due.step in {Step.NOTHING, Step.IMPOSSIBLE}:
            break
        at = taken(at, due)
    last = next_step(at, keep_minor)
    if last.step is Step.IMPOSSIBLE:
        there_minor = at.kept_minor if at.captured_minor else at.held_minor
        assert keep_minor == there_minor + last.amount_minor
        assert last.amount_minor > 0
    else:
        assert last == Due(Step.NOTHING)
        assert (at.kept_minor, at.held_minor, at.is_cancellable) == (keep_minor, 0, False)


@given(at=stands())
def test_giving_everything_back_is_always_possible(at: AtGateway) -> None:
    """Promise 8: wherever a payment stands, one step at most and nothing of the shopper's is left there."""
    due = next_step(at, 0)
    assert due.step is not Step.IMPOSSIBLE
    if due.step is not Step.NOTHING:
        assert next_step(taken(at, due), 0) == Due(Step.NOTHING)


@given(at=stands(), keep_minor=amounts)
def test_impossible_only_where_more_is_wanted_than_is_there(at: AtGateway, keep_minor: int) -> None:
    """Nobody is dropped whose money is there."""
    there_minor = at.kept_minor if at.captured_minor else at.held_minor
    assert (next_step(at, keep_minor).step is Step.IMPOSSIBLE) == (keep_minor > there_minor)


def test_both_kinds_of_gateway_end_alike() -> None:
    """A hold is captured in part, a payment is refunded in part: 1500 of 1800 stay."""
    assert next_step(AtGateway(held_minor=1_800), 1_500) == Due(Step.CAPTURE, 1_500)
    assert next_step(AtGateway(captured_minor=1_800), 1_500) == Due(Step.REFUND, 300)
    assert next_step(AtGateway(is_cancellable=True), 0) == Due(Step.CANCEL)
