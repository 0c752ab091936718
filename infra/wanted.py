"""What one batch needs to see: what its commands name, gathered for the statement that reads it all."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import assert_never
from uuid import UUID

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
from infra.changes import PlaceKey

ShopperKey = tuple[UUID, UUID]
"""Deal, shopper."""
SharerKey = tuple[UUID, UUID]
"""Group, sharer."""
RefundKey = tuple[UUID, UUID]
"""Deal, refund."""
AnswerKey = tuple[UUID, str]
"""Subject, idempotency key."""
Coming = tuple[str, UUID]
"""The code of an invite, and the shopper who comes by it."""
_OF_ONE_ORDER = BuyAlone | RecordSettlement | CancelOrder | ShipOrder | DeliverOrder


@dataclass(slots=True)
class Wanted:
    """Everything one batch needs to see.

    `asking` are shoppers whose places and kept units count, `leaving` places whose payments do, `sharing` sharers all
    of whose links count.
    """

    deal_ids: set[UUID] = field(default_factory=set)
    group_ids: set[UUID] = field(default_factory=set)
    asking: set[ShopperKey] = field(default_factory=set)
    leaving: set[PlaceKey] = field(default_factory=set)
    order_ids: set[UUID] = field(default_factory=set)
    refunds: set[RefundKey] = field(default_factory=set)
    codes: set[str] = field(default_factory=set)
    coming: set[Coming] = field(default_factory=set)
    sharing: set[SharerKey] = field(default_factory=set)
    answers: set[AnswerKey] = field(default_factory=set)

    def add(self, command: Command, deal_id: UUID) -> None:  # noqa: C901 - one match over every command, the frequent first
        """Take in what deciding this command on that deal needs."""
        match command:
            case JoinGroup() | OpenGroup():
                self._add_taking(command, deal_id)
            case ConfirmPayment() | LapsePayment():
                self._add_order(command.order_id, command.group_id)
            case CreateDeal():
                return  # there is nothing of it yet
            case CloseGroup() | CancelGroup() | StartCrowd():
                self.group_ids.add(command.group_id)
            case LeaveGroup():
                self.group_ids.add(command.group_id)
                self.asking.add((deal_id, command.shopper_id))
                self.leaving.add((deal_id, command.shopper_id, command.group_id))
            case CreateInvite():
                self.group_ids.add(command.group_id)
                self.asking.add((deal_id, command.sharer_id))
                self.sharing.add((command.group_id, command.sharer_id))
            case RevokeInvite():
                self.group_ids.add(command.group_id)
                self.codes.add(command.code)
            case BuyAlone() | RecordSettlement() | ShipOrder() | DeliverOrder() | CancelOrder():
                self._add_of_order(command, deal_id)
            case RefundOrder() | RecordRefund():
                self._add_order(command.order_id, command.group_id)
                self.refunds.add((deal_id, command.refund_id))
            case EditDeal() | PublishDeal() | PauseDeal() | ResumeDeal() | EndDeal():
                pass
            case _:
                assert_never(command)
        self.deal_ids.add(deal_id)

    @property
    def has_orders(self) -> bool:
        """Whether any command is about an order."""
        return bool(self.order_ids or self.leaving)

    def parameters(self) -> dict[str, Collection[object]]:
        """As the statement names them, keys column by column."""
        return {
            "deal_ids": list(self.deal_ids),
            "group_ids": list(self.group_ids),
            "order_ids": list(self.order_ids),
            "codes": list(self.codes),
            **_columns(self.asking, "asking_deal_ids", "asking_shopper_ids"),
            **_columns(self.leaving, "leaving_deal_ids", "leaving_shopper_ids", "leaving_group_ids"),
            **_columns(self.refunds, "refund_deal_ids", "refund_ids"),
            **_columns(self.coming, "coming_codes", "coming_shopper_ids"),
            **_columns(self.sharing, "sharing_group_ids", "sharer_ids"),
            **_columns(self.answers, "key_subject_ids", "keys"),
        }

    def _add_taking(self, command: JoinGroup | OpenGroup, deal_id: UUID) -> None:
        self.group_ids.add(command.group_id)
        self.asking.add((deal_id, command.shopper_id))
        if command.invite_code is not None:
            self.codes.add(command.invite_code)
            self.coming.add((command.invite_code, command.shopper_id))

    def _add_order(self, order_id: UUID, group_id: UUID | None) -> None:
        self.order_ids.add(order_id)
        if group_id is not None:
            self.group_ids.add(group_id)

    def _add_of_order(self, command: _OF_ONE_ORDER, deal_id: UUID) -> None:
        match command:
            case BuyAlone():
                self._add_order(command.order_id, None)
                self.asking.add((deal_id, command.shopper_id))
            case RecordSettlement():
                self._add_order(command.order_id, command.group_id)
                if command.refused_because is not None:  # that costs the place
                    self.asking.add((deal_id, command.shopper_id))
            case CancelOrder():
                self._add_order(command.order_id, command.group_id)
                self.asking.add((deal_id, command.shopper_id))
                self.refunds.add((deal_id, command.refund_id))
            case ShipOrder() | DeliverOrder():
                self._add_order(command.order_id, None)


def _columns(keys: Collection[tuple[object, ...]], *names: str) -> dict[str, Collection[object]]:
    """What stands at each place of the keys, by these names."""
    return dict(zip(names, zip(*keys, strict=True), strict=True)) if keys else dict.fromkeys(names, ())
