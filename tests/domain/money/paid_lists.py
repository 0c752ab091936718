"""Lists of commands about money on two paid deals, so that most of them meet: each with the deal it is about."""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from domain.groupbuy.commands import (
    BuyAlone,
    CancelGroup,
    CancelOrder,
    CloseGroup,
    Command,
    ConfirmPayment,
    DeliverOrder,
    JoinGroup,
    LapsePayment,
    LeaveGroup,
    RecordRefund,
    RecordSettlement,
    RefundOrder,
    ShipOrder,
)
from domain.groupbuy.payment import LapsedBecause, Settlement
from domain.groupbuy.world import World
from domain.pricing.shares import Reward, RewardKind
from tests.domain.catalogue import ANN, BEN, CAT, DAN, DEAL, EVE, MERCHANT, RED, schedule
from tests.domain.money.till import ADDRESS, Till

TEAMS = [UUID(int=0xE1), UUID(int=0xE2)]
LIVES_MAX = 16
COMMANDS_MAX = LIVES_MAX * 5
SOLO = UUID(int=0)
BEFORE = 9
"""The number of an order that was made before the list begins."""

ORDERS = (
    (ANN, TEAMS[0], BEFORE),
    (BEN, TEAMS[0], 1),
    (CAT, TEAMS[0], 1),
    (CAT, TEAMS[0], 2),
    (DAN, TEAMS[0], 1),
    (BEN, TEAMS[1], BEFORE),
    (CAT, TEAMS[1], BEFORE),
    (ANN, SOLO, BEFORE),
    (BEN, SOLO, BEFORE),
    (CAT, SOLO, 1),
)
"""Whose order, in which group or alone, and the so-manieth of it: some were made before, some are to be made."""
LIVES = (
    "buy",
    "buy pay",
    "buy pay",
    "buy pay record",
    "buy decline",
    "buy decline pay record record",
    "buy decline record pay record",
    "buy pay leave record",
    "buy leave buy pay",
    "pay",
    "pay pay record",
    "lapse decline pay record record",
    "record",
    "record record",
    "refuse record",
    "record ship deliver return made",
    "record refund refund made",
    "record refund made cancel",
    "refund made made",
    "ship cancel",
    "cancel made",
    "leave",
    "close",
    "close record",
    "call_off record",
)
"""Parts of what an order may go through; each works on the same order, or makes it."""


@dataclass(frozen=True, slots=True)
class Part:
    """One of the lives, of somebody's order in a group or alone."""

    life: str
    of: tuple[UUID, UUID, int]
    refund_id: UUID
    amount_minor: int | None


parts = st.builds(
    Part,
    life=st.sampled_from(LIVES),
    of=st.sampled_from(ORDERS),
    refund_id=st.integers(0x90, 0x93).map(lambda number: UUID(int=number)),
    amount_minor=st.sampled_from([None, 1, 30]),
)


def order_id_of(shopper_id: UUID, where: UUID, number: int) -> UUID:
    """A shopper's so-manieth order in a group, or alone."""
    return UUID(int=(shopper_id.int << 40) + (where.int << 16) + number)


def _commands(parts: list[Part]) -> list[Command]:
    """Each attempt at buying gets an id of its own, as the server gives them; what follows it is about that order."""
    attempts: Counter[tuple[UUID, UUID]] = Counter()
    found: list[Command] = []
    for part in parts:
        shopper_id, where, number = part.of
        for step in part.life.split():
            if step == "buy":
                attempts[(shopper_id, where)] += 1
                number = attempts[(shopper_id, where)]
            found.append(_command(part, step, order_id_of(shopper_id, where, number)))
    return found


def _command(part: Part, step: str, order_id: UUID) -> Command:
    shopper_id, where, _ = part.of
    group_id = None if where == SOLO else where
    key: dict[str, Any] = {
        "deal_id": DEAL,
        "group_id": group_id,
        "shopper_id": shopper_id,
        "order_id": order_id,
    }
    match step:
        case "buy" if group_id is None:
            return BuyAlone(**_without(key, "group_id"), address=ADDRESS, pay_within_s=5)
        case "buy":
            return JoinGroup(**_without(key, "deal_id"), address=ADDRESS, pay_within_s=5)
        case "pay":
            return ConfirmPayment(**key, reference="ref")
        case "decline" | "lapse":
            return LapsePayment(**key, because=LapsedBecause.DECLINED if step == "decline" else LapsedBecause.DEADLINE)
        case "record" | "refuse":
            return RecordSettlement(**key, refused_because="declined" if step == "refuse" else None)
        case _:
            return _of_group(part, step) or _of_order(part, step, key)


def _of_group(part: Part, step: str) -> Command | None:
    shopper_id, group_id, _ = part.of
    match step:
        case "leave":
            return LeaveGroup(group_id=group_id, shopper_id=shopper_id)
        case "close":
            return CloseGroup(group_id=group_id)
        case "call_off":
            return CancelGroup(group_id=group_id, merchant_id=MERCHANT)
        case _:
            return None


def _of_order(part: Part, step: str, key: dict[str, Any]) -> Command:
    of = {"deal_id": DEAL, "order_id": key["order_id"]}
    match step:
        case "ship":
            return ShipOrder(**of, merchant_id=MERCHANT, carrier="Post", tracking_number="T1")
        case "deliver":
            return DeliverOrder(**of, caller_id=key["shopper_id"])
        case "cancel":
            return CancelOrder(**key, merchant_id=MERCHANT, refund_id=part.refund_id, reason="Sold out")
        case "made":
            return RecordRefund(**_without(key, "shopper_id"), refund_id=part.refund_id)
        case _:
            return RefundOrder(
                **_without(key, "shopper_id"),
                merchant_id=MERCHANT,
                refund_id=part.refund_id,
                amount_minor=part.amount_minor,
                currency=None,
                reason="Broken",
                is_return=step == "return",
            )


def _without(key: dict[str, Any], name: str) -> dict[str, Any]:
    return {other: value for other, value in key.items() if other != name}


command_lists = st.lists(parts, min_size=4, max_size=LIVES_MAX).map(_commands)


def world_before() -> World:
    """A team with its leader in it, one that is full and about to be settled, and two purchases alone."""
    till = Till()
    till.sells(
        variants=(replace(RED, stock=20),),
        schedule=schedule(50, (2, 40), (4, 30)),
        group_size_max=4,
        units_per_shopper_max=4,
        group_lifetime_s=60,
        needs_shipping=True,
        reward=Reward(RewardKind.SHARE, 1_000),
    )
    for group_id, (leader_id, *others) in zip(TEAMS, ([ANN], [BEN, CAT, DAN, EVE]), strict=True):
        till.opens(leader_id, group_id=group_id, order_id=order_id_of(leader_id, group_id, BEFORE))
        till.pays(order_id_of(leader_id, group_id, BEFORE))
        for shopper_id in others:
            till.pays(till.reserves(shopper_id, group_id=group_id, order_id=order_id_of(shopper_id, group_id, BEFORE)))
    for shopper_id in (ANN, BEN):
        till.buys(shopper_id, order_id=order_id_of(shopper_id, SOLO, BEFORE))
    till.pays(order_id_of(ANN, SOLO, BEFORE))
    decide_settlements(till.world)
    for shopper_id, where in ((ANN, SOLO), (CAT, TEAMS[1])):
        till.settles(order_id_of(shopper_id, where, BEFORE))
    return till.world


def decide_settlements(world: World) -> None:
    """What the settling duty writes: the settlement of every place of a closed group that has none."""
    for key, places in world.places.items():
        for place in places.values():
            group = world.groups[place.group_id]
            payment = world.payments[key][place.order_id]
            if not group.is_open and payment.settlement is None:
                unit_price = group.final_unit_price
                decided = Settlement(capture_minor=(unit_price or 0) * place.quantity, unit_price=unit_price)
                world.payments[key][place.order_id] = replace(payment, settlement=decided)
