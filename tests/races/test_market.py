"""The real write path, sweeps and executors under a gateway that misbehaves and processes that crash."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as search_settings
from hypothesis import strategies as st

import tests.domain.conftest  # noqa: F401 - Hypothesis looks for counterexamples as it does there
from domain.pricing.steps import Strategy
from infra.settings import Settings
from tests.money_truth import money_is_true
from tests.races.hostile_sandbox import Fate
from tests.races.house import House, two_houses
from tests.races.market import SHOPPERS, Wish, opened

DAYS = 14
MOVES_A_DAY = 40

picks = st.integers(0, 99)
sides = st.integers(0, 1)
coins = st.booleans()
rarely = st.integers(0, 4).map(lambda number: number == 0)
methods = st.sampled_from(
    ["sandbox_approve"] * 8
    + ["sandbox_step", "sandbox_decline", "sandbox_decline_at_capture", "sandbox_timeout_after_success"]
)
fates = st.sampled_from([Fate.FINE] * 4 + [Fate.AWAY, Fate.LOST, Fate.SLOW, Fate.SLOW_ANSWER])
wishes = st.builds(Wish, st.sampled_from(SHOPPERS), st.sampled_from([1, 1, 2]), methods, fates)
queues = st.lists(wishes, min_size=2, max_size=5, unique_by=lambda wish: wish.shopper_id)
amounts = st.lists(st.sampled_from([None, None, 1, 300, 300]), min_size=1, max_size=3)

MOVES: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "rush": {"pick": picks, "is_new": coins, "wishes": queues},
    "buy_alone": {"at": sides, "pick": picks, "wish": wishes},
    "let_go_on": {"pick": picks},
    "crash": {},
    "webhook": {"at": sides, "picks": st.lists(picks, min_size=1, max_size=6), "fate": fates},
    "ask_again": {"at": sides, "pick": picks, "method": methods, "fate": fates},
    "take_step": {"pick": picks, "approve": st.sampled_from([True, True, False])},
    "leave": {"at": sides, "pick": picks, "calls_off": rarely},
    "deadline": {"at": sides, "pick": picks, "is_groups": coins, "is_noticed": coins},
    "look_up": {"at": sides, "fate": fates},
    "work": {"at": sides, "coming": st.lists(fates, max_size=4), "leases_pass": coins},
    "minute_later": {},
    "lose_hold": {"pick": picks},
    "handle_order": {"at": sides, "pick": picks, "amounts_minor": amounts, "ships": coins, "calls_off": rarely},
}
OFTEN = ("rush", "rush", "deadline", "work", "work", "let_go_on", "handle_order")


def _move(name: str) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    return st.tuples(st.just(name), st.fixed_dictionaries(MOVES[name]))


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as made:
        yield made


@pytest.fixture
def open_houses(settings: Settings, runner: asyncio.Runner) -> Iterator[tuple[House, House]]:
    opened_houses = two_houses(settings)
    yield runner.run(opened_houses.__aenter__())
    runner.run(opened_houses.__aexit__(None, None, None))


def test_whatever_the_gateway_does(runner: asyncio.Runner, open_houses: tuple[House, House]) -> None:
    """After every move the laws hold, and at rest everybody has paid exactly what is due by the gateway's books."""

    @given(
        strategy=st.sampled_from(Strategy),
        moves=st.lists(
            st.one_of([_move(name) for name in (*MOVES, *OFTEN)]), min_size=MOVES_A_DAY, max_size=MOVES_A_DAY
        ),
    )
    @search_settings(max_examples=DAYS)
    def a_day(strategy: Strategy, moves: list[tuple[str, dict[str, Any]]]) -> None:
        runner.run(_play(open_houses, strategy, moves))

    a_day()


async def _play(houses: tuple[House, House], strategy: Strategy, moves: list[tuple[str, dict[str, Any]]]) -> None:
    market = await opened(houses, strategy)
    try:
        for name, arguments in moves:
            await getattr(market, name)(**arguments)
            await money_is_true(houses[0].engine, is_at_rest=False)
        await market.stage.rest()
        await money_is_true(houses[0].engine)
    finally:
        await market.stage.close()
