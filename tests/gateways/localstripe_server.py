"""localstripe as a process: `python -m tests.gateways.localstripe_server` prints its port on loopback and serves.

Its rules stay its own. Added is only what Stripe's API has and localstripe does not know of: parameters it would refuse
(`description`, `allowed_payment_method_types`, `created` of a list) and fields it leaves out of its answers
(`amount_received`, `amount_captured`, `capture_before`, the declined intent in a card error).
"""

import socket
import sys
from typing import Any

from aiohttp import web
from localstripe import resources
from localstripe.errors import UserError
from localstripe.server import app

HOLD_LIFETIME_S = 7 * 24 * 3600


def main() -> None:
    keep_nothing_on_disk()
    teach_intents()
    teach_lists()
    teach_charges()
    listening = socket.create_server(("127.0.0.1", 0))
    sys.stdout.write(f"{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    web.run_app(app, sock=listening, print=None, access_log=None)


def keep_nothing_on_disk() -> None:
    """It would write all it has to one file in /tmp at every change, whoever else runs one."""
    resources.Store.dump_to_disk = lambda _: None


def teach_intents() -> None:
    intent = resources.PaymentIntent
    make, report = intent.__init__, intent._report_failure

    def make_with_description(
        self: Any, description: str | None = None, allowed_payment_method_types: list[str] | None = None, **known: Any
    ) -> None:
        assert allowed_payment_method_types in (None, ["card"])
        make(self, **known)
        self.description = description

    def report_with_intent(self: Any) -> None:
        try:
            report(self)
        except UserError as declined:
            declined.body["error"] |= {"type": "card_error", "payment_intent": self._export()}
            raise

    intent.__init__ = make_with_description
    intent._report_failure = report_with_intent
    intent.amount_received = property(lambda self: self.latest_charge.amount_captured if self.latest_charge else 0)


def teach_lists() -> None:
    """Newest first, and of a time."""
    intent = resources.PaymentIntent
    list_all = intent._api_list_all

    def list_of_a_time(_: Any, /, url: str, created: dict[str, str] | None = None, **known: Any) -> Any:
        found = list_all(url, **known)
        since, until = int((created or {}).get("gte", 0)), int((created or {}).get("lt", 2**40))
        found._list = [made for made in reversed(found._list) if since <= made.created < until]
        return found

    intent._api_list_all = classmethod(list_of_a_time)


def teach_charges() -> None:
    charge = resources.Charge
    capture = charge._capture

    def capture_and_note(self: Any, amount: str | None, on_success: Any = None) -> None:
        capture(self, amount, on_success)
        self._taken = self.amount if amount is None else int(amount)

    charge._capture = capture_and_note
    charge._taken = 0
    charge.amount_captured = property(lambda self: self._taken)
    charge.payment_method_details = property(
        lambda self: {"card": {"brand": "visa", "capture_before": self.created + HOLD_LIFETIME_S}}
    )


if __name__ == "__main__":
    main()
