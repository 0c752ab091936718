"""How a gateway and our books are quoted to a person."""

from domain.groupbuy.payment import PaymentStatus
from domain.pricing.currency import MINOR_DIGITS, format_minor
from infra.payments.port import GatewayPayment, GatewayState
from workers.balancing.ours import Ours


def money(amount_minor: int, currency: str) -> str:
    """An amount; a gateway may have one in a currency that is none of ours."""
    return format_minor(amount_minor, currency) if currency in MINOR_DIGITS else f"{amount_minor} minor {currency}"


def said_by_gateway(theirs: GatewayPayment | None) -> str:
    """What a gateway has of a payment."""
    if theirs is None:
        return "no such payment"
    match theirs.state:
        case GatewayState.PENDING:
            return f"pending, {money(theirs.amount_minor, theirs.currency)}"
        case GatewayState.HELD:
            return f"holds {money(theirs.amount_minor, theirs.currency)}"
        case GatewayState.PAID:
            kept = money(theirs.captured_minor - theirs.refunded_minor, theirs.currency)
            if not theirs.refunded_minor:
                return f"took {kept}"
            taken, back = (money(minor, theirs.currency) for minor in (theirs.captured_minor, theirs.refunded_minor))
            return f"keeps {kept} (took {taken}, gave back {back})"
        case GatewayState.CANCELLED:
            return "cancelled or expired"


def said_by_us(ours: Ours | None) -> str:
    """What our books have of a payment."""
    if ours is None:
        return "no such order"
    if ours.status is PaymentStatus.CAPTURED:
        captured_minor = ours.order_captured_minor if ours.order_captured_minor is not None else ours.capture_minor
        said = f"captured {money(captured_minor or 0, ours.currency)}"
        refunded_minor = ours.refunds_made_minor + ours.refunds_due_minor
        return f"{said}, {money(refunded_minor, ours.currency)} of it refunded" if refunded_minor else said
    return f"{ours.status} {money(ours.hold_minor, ours.currency)}"
