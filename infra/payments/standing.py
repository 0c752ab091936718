"""What a gateway says of a payment, in the words of the rule for the next step."""

from domain.pricing.steps import AtGateway
from infra.payments.port import GatewayPayment, GatewayState


def at_gateway(payment: GatewayPayment | None) -> AtGateway:
    """Where a payment stands, in minor units; of one that the gateway does not know (None) it has nothing."""
    if payment is None:
        return AtGateway()
    match payment.state:
        case GatewayState.PENDING:
            return AtGateway(is_cancellable=True)
        case GatewayState.HELD:
            return AtGateway(held_minor=payment.amount_minor)
        case GatewayState.PAID:
            return AtGateway(captured_minor=payment.captured_minor, refunded_minor=payment.refunded_minor)
        case GatewayState.CANCELLED:
            return AtGateway()
