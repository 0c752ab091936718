"""decide: what a command does to a state, as events; or one named refusal. No events means it was done already."""

from datetime import datetime

from domain.groupbuy import decide_deal as deals
from domain.groupbuy import decide_group as groups
from domain.groupbuy import decide_invite as invites
from domain.groupbuy import decide_order as orders
from domain.groupbuy import decide_payment as payments
from domain.groupbuy.commands import (
    BuyAlone,
    CancelGroup,
    CancelOrder,
    CloseGroup,
    Command,
    ConfirmPayment,
    CreateDeal,
    CreateInvite,
    DeliverOrder,
    EditDeal,
    EndDeal,
    JoinGroup,
    LapsePayment,
    LeaveGroup,
    OpenGroup,
    PauseDeal,
    PublishDeal,
    RecordRefund,
    RecordSettlement,
    RefundOrder,
    ResumeDeal,
    RevokeInvite,
    ShipOrder,
    StartCrowd,
)
from domain.groupbuy.events import Event
from domain.groupbuy.state import State


def decide(state: State, command: Command, now: datetime) -> tuple[Event, ...]:  # noqa: C901, PLR0911, PLR0912 - one match over every command is the map of the domain
    """Events that `command` causes at `now`; raises a `Refusal` or `InvalidInput`."""
    match command:
        case JoinGroup():
            return groups.join(state, command, now)
        case ConfirmPayment():
            return payments.confirm(state, command, now)
        case OpenGroup():
            return groups.open_group(state, command, now)
        case LeaveGroup():
            return groups.leave(state, command, now)
        case CloseGroup():
            return groups.close(state, command, now)
        case CancelGroup():
            return groups.cancel(state, command, now)
        case CreateInvite():
            return invites.invite(state, command, now)
        case RevokeInvite():
            return invites.revoke_invite(state, command, now)
        case BuyAlone():
            return payments.buy_alone(state, command, now)
        case LapsePayment():
            return payments.lapse_payment(state, command, now)
        case RecordSettlement():
            return payments.record_settlement(state, command, now)
        case ShipOrder():
            return orders.ship(state, command, now)
        case DeliverOrder():
            return orders.deliver(state, command, now)
        case CancelOrder():
            return orders.cancel(state, command, now)
        case RefundOrder():
            return orders.refund(state, command, now)
        case RecordRefund():
            return orders.record_refund(state, command, now)
        case CreateDeal():
            return deals.create(command, now)
        case EditDeal():
            return deals.edit(state, command, now)
        case PublishDeal():
            return deals.publish(state, command, now)
        case PauseDeal():
            return deals.pause(state, command, now)
        case ResumeDeal():
            return deals.resume(state, command, now)
        case EndDeal():
            return deals.end(state, command, now)
        case StartCrowd():
            return deals.start_crowd(state, command, now)
