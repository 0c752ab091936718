"""The sandbox's payment methods: names that behave as their line says, for tests and for trying things out."""

from dataclasses import dataclass

from infra.payments.port import GatewayRefused

SLOW_S = 2.0
SHORT_HOLD_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """How payments with a method go; where nothing is said it approves at once, for as long as the gateway holds."""

    meaning: str
    declined_because: str | None = None
    needs_step: bool = False
    declines_at_capture: bool = False
    loses_its_answer: bool = False
    is_away: bool = False
    delay_s: float = 0
    hold_lifetime_s: int | None = None


APPROVE = "sandbox_approve"

METHODS = {
    APPROVE: Method(meaning="approved at once"),
    "sandbox_decline": Method(meaning="declined", declined_because="The card was declined."),
    "sandbox_insufficient_funds": Method(
        meaning="declined for want of money", declined_because="The card has insufficient funds."
    ),
    "sandbox_step": Method(meaning="waits until the shopper took the step (3-D Secure style)", needs_step=True),
    "sandbox_decline_at_capture": Method(
        meaning="approved at once, but its capture is declined", declines_at_capture=True
    ),
    "sandbox_timeout_after_success": Method(
        meaning="approved, but the call that does it gets no answer", loses_its_answer=True
    ),
    "sandbox_unavailable": Method(meaning="no answer, and nothing is done", is_away=True),
    "sandbox_slow_2s": Method(meaning="approved after two seconds", delay_s=SLOW_S),
    "sandbox_hold_60s": Method(meaning="approved at once, held for a minute only", hold_lifetime_s=SHORT_HOLD_S),
}


def method_named(name: str | None) -> tuple[str, Method]:
    """A method by its name, the approving one for None; GatewayRefused for a name that is none."""
    known = name or APPROVE
    method = METHODS.get(known)
    if method is None:
        raise GatewayRefused(
            "unknown_method", f"The sandbox has no payment method {known[:80]!r}; it has {', '.join(METHODS)}."
        )
    return known, method
