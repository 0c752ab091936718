"""What the naive model expects of each command about deals."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from domain.errors import InvalidInput
from domain.groupbuy.commands import CreateDeal, EditDeal, EndDeal, PauseDeal, PublishDeal, ResumeDeal, StartCrowd
from domain.groupbuy.deal import Grouping, Offer
from tests.domain.model import Model, ModelDeal, ModelGroup


@dataclass(frozen=True, slots=True)
class Verdict:
    """What must come of a command: one of these refusals where there is any, else exactly these events."""

    events: tuple[str, ...] = ()
    refusals: frozenset[str] = frozenset()


def refused(*reasons: str) -> Verdict:
    """Refused for one of these reasons."""
    return Verdict(refusals=frozenset(reasons))


def created(model: Model, command: CreateDeal) -> Verdict:
    """A draft is always taken: the machine writes none that is wrong."""
    stock = {variant.id: variant.stock for variant in command.variants}
    model.deals[command.deal_id] = ModelDeal(command.deal_id, command.merchant_id, command.offer, stock)
    return Verdict(("DealCreated",))


def edited(  # noqa: PLR0911 - one return for each reason
    model: Model, command: EditDeal, now: datetime
) -> Verdict:
    """A draft wholly, a paused deal but for what people rely on; nothing else."""
    deal = model.deals.get(command.deal_id)
    if deal is None or deal.merchant_id != command.merchant_id:
        return refused("DealNotFound")
    try:
        offer = replace(deal.offer, **cast("dict[str, Any]", dict(command.changes)))
    except InvalidInput:
        return refused("InvalidInput", "DealOver", "DealNotEditable")
    status = deal.status(now)
    if status in {"ended", "scheduled", "live"}:
        return refused("DealOver" if status == "ended" else "DealNotEditable")
    if status == "paused" and (command.variants is not None or _relied_on(offer) != _relied_on(deal.offer)):
        return refused("InvalidInput")
    if (
        status == "paused"
        and offer.ends_at != deal.offer.ends_at
        and not _could_ever_open(replace(deal, offer=offer), now)
    ):
        return refused("InvalidInput")
    if command.variants is None and offer == deal.offer:
        return Verdict()
    deal.offer = offer
    if command.variants is not None:
        deal.stock = {variant.id: variant.stock for variant in command.variants}
    return Verdict(("DealEdited",))


def steered(  # noqa: PLR0911 - one case for each step of a life
    model: Model, command: PublishDeal | PauseDeal | ResumeDeal | EndDeal, now: datetime
) -> Verdict:
    """A step of the deal's life, by its own merchant."""
    deal = model.deals.get(command.deal_id)
    if deal is None or deal.merchant_id != command.merchant_id:
        return refused("DealNotFound")
    status = deal.status(now)
    match command, status:
        case EndDeal(), _:
            if deal.will in {"draft", "ended"}:
                return refused("DealNotPublished") if deal.will == "draft" else Verdict()
            deal.will = "ended"
            return Verdict(("DealEnded",))
        case PublishDeal(), "draft":
            if not _could_ever_open(deal, now):
                return refused("InvalidInput")
            deal.will = "published"
            return Verdict(("DealPublished", *_crowd(model, deal, command.crowd_group_id, now)))
        case _, "draft" | "ended":
            return refused("DealNotPublished" if status == "draft" else "DealOver")
        case PauseDeal(), "live" | "scheduled":
            deal.will = "paused"
            return Verdict(("DealPaused",))
        case ResumeDeal(), "paused":
            deal.will = "published"
            return Verdict(("DealResumed", *_crowd(model, deal, command.crowd_group_id, now)))
        case _:
            return Verdict()


def crowd_started(model: Model, command: StartCrowd, now: datetime) -> Verdict:
    """The one group of a live crowd, once."""
    return Verdict(_crowd(model, model.deals[command.deal_id], command.group_id, now))


def deadline(deal: ModelDeal, opened_at: datetime) -> datetime | None:
    """When a group opened then closes; None where it would outlive its deal."""
    expires_at = opened_at + timedelta(seconds=deal.offer.group_lifetime_s)
    if deal.offer.ends_at is None or expires_at <= deal.offer.ends_at:
        return expires_at
    return deal.offer.ends_at if deal.offer.grouping is Grouping.CROWD else None


def _relied_on(offer: Offer) -> tuple[object, ...]:
    return offer.currency, offer.grouping, offer.starts_at


def _could_ever_open(deal: ModelDeal, now: datetime) -> bool:
    first = max(now, deal.offer.starts_at) if deal.offer.starts_at else now
    return (deal.offer.ends_at is None or now < deal.offer.ends_at) and deadline(deal, first) is not None


def _crowd(model: Model, deal: ModelDeal, group_id: UUID, now: datetime) -> tuple[str, ...]:
    if deal.offer.grouping is Grouping.TEAM or deal.crowd_group_id is not None or deal.status(now) != "live":
        return ()
    expires_at = deadline(deal, now)
    assert expires_at is not None
    deal.crowd_group_id = group_id
    model.groups[group_id] = ModelGroup(group_id, deal.id, None, deal.offer, now, expires_at)
    return ("GroupOpened",)
