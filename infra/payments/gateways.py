"""The gateways of a process, each made when it is first needed."""

from collections.abc import Callable

from domain.pricing.steps import Strategy
from infra.cannot_start import WrongSetting
from infra.payments.port import GatewayUnavailable, PaymentGateway
from infra.payments.sandbox.gateway import SandboxGateway
from infra.settings import Settings
from infra.settings_money import PAYMENT_GATEWAYS

NONE = "none"
GATEWAYS = tuple(name for name in PAYMENT_GATEWAYS if name != NONE)


class Gateways:
    """Payment gateways by name; a deal keeps the name of the one it takes money through."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._made: dict[str, PaymentGateway] = {}
        self._makers: dict[str, Callable[[Settings], PaymentGateway]] = {"sandbox": _sandbox, "stripe": _stripe}

    def get(self, name: str) -> PaymentGateway:
        """The gateway of that name; raises `WrongSetting` where it lacks what it needs to work."""
        gateway = self._made.get(name)
        if gateway is None:
            gateway = self._made[name] = self._makers[name](self._settings)
        return gateway

    def ready(self, name: str) -> PaymentGateway:
        """As `get`, for requests: raises `GatewayUnavailable` where it lacks what it needs to work."""
        try:
            return self.get(name)
        except WrongSetting as missing:
            raise GatewayUnavailable(f"The payment gateway {name} is not set up here.") from missing

    def refuse_price(self, name: str, price_minor: int, currency: str) -> None:
        """Raise `GatewayRefused` for a price the gateway cannot take to the minor unit."""
        if name == "stripe":
            from infra.payments.stripe_amounts import refuse_inexact  # noqa: PLC0415 - as in `_stripe`

            refuse_inexact(price_minor, currency)

    def use(self, gateway: PaymentGateway) -> None:
        """Put a gateway in the place of the one of its name: a stand-in for tests of what a gateway may do to us."""
        self._made[gateway.name] = gateway

    async def close(self) -> None:
        """Give the connections of all of them back."""
        for gateway in self._made.values():
            await gateway.close()


def _sandbox(settings: Settings) -> PaymentGateway:
    return SandboxGateway(
        settings,
        strategy=Strategy(settings.sandbox_strategy),
        hold_lifetime_s=settings.sandbox_hold_lifetime_s,
    )


def _stripe(settings: Settings) -> PaymentGateway:
    from infra.payments.stripe_opening import stripe_gateway  # noqa: PLC0415 - the SDK is loaded only where it is used

    return stripe_gateway(settings)
