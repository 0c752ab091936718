"""Checkout: from a reserved place to an approved payment, with the gateway called outside every transaction.

Whatever is lost on the way (an answer, a process) is found again: the reservation stands in `payments` before the
gateway is asked, asking again for the same order is the same payment, and a sweep looks after those nobody asks for.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NoReturn
from uuid import UUID

import structlog

from domain.groupbuy.commands import Command, ConfirmPayment, LapsePayment
from domain.groupbuy.events import PaymentCameLate
from domain.groupbuy.payment import LapsedBecause, Payment, PaymentStatus
from domain.groupbuy.world import Accepted
from infra.lane import Answer
from infra.payments.gateways import Gateways
from infra.payments.payment_rows import NextStep, NotedPayment, PaymentRows
from infra.payments.port import (
    CALL_TIMEOUT_S,
    CLOCKS_DIFFER,
    OUR_FAULT,
    GatewayPayment,
    GatewayRefused,
    GatewayState,
    GatewayUnavailable,
    PaymentRequest,
    WebhookEvent,
)
from infra.views import GroupView

_log = structlog.get_logger(__name__)

FIRST_ANSWER_WITHIN_S = CALL_TIMEOUT_S + 2
"""By then an authorisation that was under way has its answer, or never had one."""


class PaymentDeclined(Exception):  # noqa: N818 - named after what happened
    """The gateway will not hold the money; the place is free again. `reason` is the gateway's word or sentence."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        said = reason if reason.endswith(".") else f"The payment was declined ({reason})."
        super().__init__(f"{said} The place is free again; try again with another payment method.")


class PaymentTooLate(Exception):  # noqa: N818 - named after what happened
    """Money came for a place that is gone; it goes back by itself. `deal_id` is where other groups can be joined."""

    def __init__(self, deal_id: UUID, group_id: UUID | None) -> None:
        self.deal_id, self.group_id = deal_id, group_id
        self.joinable_groups: list[GroupView] = []
        super().__init__(
            "The payment came after the place was gone: its time was over, it was left, or the group had closed. It"
            " is released at once and nothing is taken. Join another group of the deal, or open your own."
        )


class PaymentLapsed(Exception):  # noqa: N818 - named after what happened
    """The payment of an order came to nothing before."""

    def __init__(self) -> None:
        super().__init__(
            "The payment of this order came to nothing and its place is free again. Join again to try anew."
        )


@dataclass(frozen=True, slots=True)
class Approved:
    """The payment is held and counts; `accepted` is the decision, None where it had been made before."""

    accepted: Accepted | None


@dataclass(frozen=True, slots=True)
class Awaited:
    """The shopper, or the gateway, still has something to do; `step` is what the app needs for it, once it is known."""

    step: NextStep | None


class Checkout:
    """Asks gateways for the money of reserved places, and tells the domain what they say."""

    def __init__(self, tell: Callable[[Command], Awaitable[Answer]], gateways: Gateways, rows: PaymentRows) -> None:
        self._tell = tell
        self._gateways = gateways
        self._rows = rows

    async def authorise(self, payment: Payment, method: str | None) -> Approved | Awaited:
        """Ask for a new reservation's money; raises `PaymentDeclined`, `PaymentTooLate`, and what telling raises."""
        request = PaymentRequest(
            order_id=payment.order_id,
            shopper_id=payment.shopper_id,
            amount_minor=payment.hold_minor,
            currency=payment.currency,
            method=method,
        )
        try:
            found = await self._gateways.get(payment.terms.gateway).authorise(request)
        except GatewayUnavailable:
            return Awaited(None)
        except GatewayRefused as refused:
            if _is_our_fault(refused):
                return Awaited(None)
            await self._decline(payment, str(refused))
        return await self._heard(payment, found)

    async def look(self, row: NotedPayment) -> Approved | Awaited:
        """Ask the gateway how a payment stands; raises as `authorise`, and `PaymentLapsed`."""
        if row.status in {PaymentStatus.HELD, PaymentStatus.CAPTURED}:
            return Approved(None)
        if row.late_at is not None:
            raise PaymentTooLate(row.deal_id, row.group_id)
        if row.status is PaymentStatus.RELEASED:
            raise PaymentLapsed
        try:
            gateway = self._gateways.get(row.gateway)
            found = await gateway.look_up(row.order_id, row.reference, row.created_at - CLOCKS_DIFFER)
        except GatewayUnavailable:
            found = None
        except GatewayRefused as refused:
            if not _is_our_fault(refused):
                raise
            found = None
        if found is not None:
            return await self._heard(row, found)
        if row.status is PaymentStatus.LAPSED:
            raise PaymentLapsed
        return Awaited(row.next_step)

    def may_ask_anew(self, row: NotedPayment) -> bool:
        """Whether an awaited payment that its gateway does not know may be asked for once more."""
        age = datetime.now(UTC) - row.created_at
        return row.reference is None and age > timedelta(seconds=FIRST_ANSWER_WITHIN_S)

    async def hear(self, gateway: str, events: list[WebhookEvent]) -> None:
        """Act on a gateway's webhooks: each is a hint to look, so repeats and any order change nothing."""
        order_ids = {event.order_id for event in events if event.order_id is not None}
        if order_ids:
            await self.look_all(await self._rows.find_undecided(gateway, order_ids))

    async def look_all(self, rows: Iterable[NotedPayment]) -> None:
        """Look at payments whose shoppers wait for no answer.

        Raises what kept one of them from being dealt with, after all the others were.
        """
        for outcome in await asyncio.gather(*(self.look(row) for row in rows), return_exceptions=True):
            if isinstance(outcome, BaseException) and not isinstance(
                outcome, PaymentDeclined | PaymentTooLate | PaymentLapsed
            ):
                raise outcome

    async def _heard(self, payment: Payment | NotedPayment, found: GatewayPayment) -> Approved | Awaited:
        match found.state:
            case GatewayState.HELD | GatewayState.PAID:
                return await self._confirm(payment, found)
            case GatewayState.CANCELLED:
                if payment.status is PaymentStatus.LAPSED and found.declined_because is None:
                    raise PaymentLapsed  # ended there because the place was gone: nobody declined it
                await self._decline(payment, found.declined_because or "cancelled")
            case GatewayState.PENDING:
                if payment.status is PaymentStatus.LAPSED:
                    raise PaymentLapsed
        return Awaited(await self._rows.note(found))

    async def _confirm(self, payment: Payment | NotedPayment, found: GatewayPayment) -> Approved:
        if (found.amount_minor, found.currency) != (payment.hold_minor, payment.currency):
            _log.error("gateway_holds_another_amount", order_id=str(payment.order_id), amount_minor=found.amount_minor)
            await self._decline(payment, "another_amount")
        confirm = ConfirmPayment(
            deal_id=payment.deal_id,
            group_id=payment.group_id,
            shopper_id=payment.shopper_id,
            order_id=payment.order_id,
            reference=found.reference,
            hold_expires_at=found.hold_expires_at,
        )
        accepted = await self._tell(confirm)
        assert isinstance(accepted, Accepted)
        now = accepted.state.payments[payment.order_id]
        if now.late_at is not None or any(isinstance(event, PaymentCameLate) for event in accepted.events):
            raise PaymentTooLate(payment.deal_id, payment.group_id)
        if now.status is PaymentStatus.LAPSED:
            raise PaymentDeclined("This payment method cannot hold the money until the group closes.")
        return Approved(accepted if accepted.events else None)

    async def _decline(self, payment: Payment | NotedPayment, reason: str) -> NoReturn:
        """Free the place and raise `PaymentDeclined`."""
        if payment.status is PaymentStatus.AWAITING:
            lapse = LapsePayment(
                deal_id=payment.deal_id,
                group_id=payment.group_id,
                shopper_id=payment.shopper_id,
                order_id=payment.order_id,
                because=LapsedBecause.DECLINED,
            )
            await self._tell(lapse)
        raise PaymentDeclined(reason)


def _is_our_fault(refused: GatewayRefused) -> bool:
    """Whether the gateway refuses us, not the shopper: that is nothing to tell a shopper, and passes when mended."""
    if refused.reason != OUR_FAULT:
        return False
    _log.error("gateway_refuses_us", why=str(refused))
    return True
