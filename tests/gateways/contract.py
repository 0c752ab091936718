"""The contract suite for payment gateways: what every gateway must keep, whoever runs the server behind it.

A gateway's test module makes a `subject` fixture (tests/gateways/subject.py) and runs

    @pytest.mark.parametrize("check", checks_of(CAPABILITIES))
    async def test_contract(check: Check, subject: Subject) -> None:
        await check(subject)

    def test_what_is_left_out() -> None:
        assert left_out(CAPABILITIES) == {...the documented names...}

A check that a server cannot make is left out by name and reason, never skipped while running.
"""

from typing import TYPE_CHECKING

import pytest

from domain.pricing.steps import Strategy
from tests.gateways import contract_holds, contract_payments, contract_refunds, contract_webhooks
from tests.gateways.subject import Capabilities, Check, Methods, Sent, Subject

if TYPE_CHECKING:
    from _pytest.mark import ParameterSet

__all__ = ["Capabilities", "Check", "Methods", "Sent", "Subject", "checks_of", "left_out", "names_of"]

_ANY = (*contract_payments.CHECKS, *contract_refunds.CHECKS, *contract_webhooks.CHECKS)
_BY_STRATEGY: dict[Strategy, tuple[Check, ...]] = {
    Strategy.HOLD_AND_CAPTURE: (*_ANY, *contract_holds.CHECKS),
    Strategy.PAY_AND_REFUND: (*_ANY, *contract_payments.PAID_AT_ONCE),
}


def names_of(strategy: Strategy) -> list[str]:
    """The name of every check a gateway of a strategy should pass."""
    return [_name(check) for check in _BY_STRATEGY[strategy]]


def checks_of(capabilities: Capabilities) -> "list[ParameterSet]":
    """The checks to run, one parameter each; a left-out name that no check has is a mistake in the test module."""
    unknown = capabilities.left_out.keys() - set(names_of(capabilities.strategy))
    assert not unknown, f"no such checks: {', '.join(sorted(unknown))}"
    return [
        pytest.param(check, id=_name(check))
        for check in _BY_STRATEGY[capabilities.strategy]
        if _name(check) not in capabilities.left_out
    ]


def left_out(capabilities: Capabilities) -> set[str]:
    """The names of the checks that `checks_of` leaves out."""
    made = {parameter.id for parameter in checks_of(capabilities)}
    return {name for name in names_of(capabilities.strategy) if name not in made}


def _name(check: Check) -> str:
    return str(getattr(check, "__name__", check))
