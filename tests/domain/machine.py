"""Anything that people and clocks may do, in any order, against a naive model; every promise holds after each step."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    initialize,
    multiple,
    precondition,
    rule,
)

from domain.groupbuy.commands import (
    CancelGroup,
    CloseGroup,
    CreateInvite,
    EditDeal,
    EndDeal,
    JoinGroup,
    LeaveGroup,
    OpenGroup,
    PauseDeal,
    PublishDeal,
    ResumeDeal,
    RevokeInvite,
    StartCrowd,
)
from domain.groupbuy.deal import Offer
from domain.groupbuy.world import Accepted
from tests.domain import model_deals, model_groups
from tests.domain.catalogue import INSTANT, MERCHANT, OTHER_MERCHANT
from tests.domain.offers import edits, offers
from tests.domain.stage import FOREIGN, SHOPPERS, Stage

DEALS_MAX = 5

ours_mostly = st.sampled_from([MERCHANT] * 9 + [OTHER_MERCHANT])
quantities = st.sampled_from([1, 1, 2, 3])
steps = st.sampled_from(["publish", "publish", "pause", "resume", "resume", "start crowd", "end", "publish"])
parties = st.lists(st.sampled_from(SHOPPERS), min_size=1, max_size=4, unique=True)
stocks = st.lists(st.integers(0, 7), min_size=1, max_size=3)
variant_choices = st.sampled_from([0, None, 0, 0, 1, 1, FOREIGN, 2])
offsets = st.sampled_from([-INSTANT, timedelta(0), INSTANT])


@dataclass(frozen=True, slots=True)
class Wish:
    """Who wants how many of which variant, by its number in the deal."""

    shopper_id: UUID
    quantity: int
    variant: int | None


shoppers_known = st.sampled_from(SHOPPERS)
wishes = st.builds(Wish, shopper_id=shoppers_known, quantity=quantities, variant=variant_choices)
picks = st.integers(0, 9)


class GroupBuying(Stage):
    """Several deals of both groupings, a few shoppers, and time that only moves forward."""

    deals: Bundle[UUID] = Bundle("deals")
    groups: Bundle[UUID] = Bundle("groups")
    invites: Bundle[str] = Bundle("invites")
    some_invite = st.none() | invites

    @initialize(target=deals)
    def deals_before(self) -> MultipleResults[UUID]:
        self.begin()
        return multiple(*self.model.deals)

    @initialize(target=groups)
    def groups_before(self) -> MultipleResults[UUID]:
        self.begin()
        return multiple(*self.model.groups)

    @precondition(lambda self: len(self.model.deals) < DEALS_MAX)
    @rule(target=deals, offered=offers(), stock=stocks)
    def create_deal(self, offered: Offer, stock: list[int]) -> UUID:
        return self.new_deal(offered, stock)

    @rule(deal_id=deals, merchant_id=ours_mostly, changes=edits(), stock=st.none() | stocks)
    def edit_deal(self, deal_id: UUID, merchant_id: UUID, changes: dict[str, object], stock: list[int] | None) -> None:
        variants = None if stock is None else self.variants(stock)
        command = EditDeal(deal_id=deal_id, merchant_id=merchant_id, changes=changes, variants=variants)
        self.ask(command, model_deals.edited(self.model, command, self.now))

    @precondition(lambda self: self.running())
    @rule(pick=picks, changes=edits())
    def rework(self, pick: int, changes: dict[str, object]) -> None:
        """Edit a deal under a running group's feet: pause, edit, resume."""
        deal_id = self.model.groups[self._picked(pick)].deal_id
        self._groups_after(deal_id, MERCHANT, "pause")
        command = EditDeal(deal_id=deal_id, merchant_id=MERCHANT, changes=changes)
        self.ask(command, model_deals.edited(self.model, command, self.now))
        self._groups_after(deal_id, MERCHANT, "resume")

    @rule(target=groups, deal_id=deals, merchant_id=ours_mostly, step=steps)
    def steer(self, deal_id: UUID, merchant_id: UUID, step: str) -> MultipleResults[UUID]:
        return self._groups_after(deal_id, merchant_id, step)

    @rule(target=groups, deal_id=deals, offset=offsets)
    def wait_for_deal(self, deal_id: UUID, offset: timedelta) -> MultipleResults[UUID]:
        """Come to the next moment at which the deal changes by itself; the clock then starts what is due."""
        deal = self.model.deals[deal_id]
        ends_at, lifetime = deal.offer.ends_at, timedelta(seconds=deal.offer.group_lifetime_s)
        moments = [deal.offer.starts_at, ends_at - lifetime if ends_at else None, ends_at]
        ahead = [moment + offset for moment in moments if moment and moment + offset > self.now]
        self.now = min(ahead, default=self.now)
        return self._groups_after(deal_id, MERCHANT, "start crowd")

    @rule(seconds=st.integers(1, 6))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(target=groups, deal_id=deals, prefer_open=st.sampled_from([True, True, False]), wish=wishes, code=some_invite)
    def open_group(self, *, deal_id: UUID, prefer_open: bool, wish: Wish, code: str | None) -> MultipleResults[UUID]:
        if prefer_open:
            deal_id = next(iter(self.open_to_teams()), deal_id)
        command = OpenGroup(
            order_id=uuid4(),
            deal_id=deal_id,
            group_id=self.new_id(),
            shopper_id=wish.shopper_id,
            quantity=wish.quantity,
            variant_id=self.variant(deal_id, wish.variant),
            invite_code=code,
        )
        outcome = self.ask(command, model_groups.opened(self.model, command, self.now))
        return multiple(command.group_id) if isinstance(outcome, Accepted) else multiple()

    @rule(group_id=groups, wish=wishes, code=some_invite)
    def join(self, group_id: UUID, wish: Wish, code: str | None) -> None:
        self._join(group_id, wish, code)

    @precondition(lambda self: self.running())
    @rule(pick=picks, shoppers=parties, variant=st.integers(0, 1), code=some_invite)
    def join_together(self, pick: int, shoppers: list[UUID], variant: int, code: str | None) -> None:
        group_id = self._picked(pick)
        for shopper_id in shoppers:
            self._join(group_id, Wish(shopper_id, 1, variant), code)

    @rule(group_id=groups, shopper_id=shoppers_known)
    def leave(self, group_id: UUID, shopper_id: UUID) -> None:
        self._leave(group_id, shopper_id)

    @precondition(lambda self: self.running())
    @rule(pick=picks, count=st.integers(1, 5))
    def some_leave(self, pick: int, count: int) -> None:
        group_id = self._picked(pick)
        for shopper_id in list(self.model.groups[group_id].members)[:count]:
            self._leave(group_id, shopper_id)

    @precondition(lambda self: self.running())
    @rule(pick=picks, offset=offsets, late=st.sampled_from(["join", "join", "leave", "cancel", ""]))
    def come_to_deadline(self, pick: int, offset: timedelta, late: str) -> None:
        group_id = self._picked(pick)
        self.now = max(self.now, self.model.groups[group_id].expires_at + offset)
        members = self.model.groups[group_id].members
        match late:
            case "join":
                outsiders = [shopper_id for shopper_id in SHOPPERS if shopper_id not in members]
                self._join(group_id, Wish(outsiders[0], 1, 0), None)
            case "leave":
                self._leave(group_id, next(iter(members), SHOPPERS[0]))
            case "cancel":
                self._cancel(group_id, MERCHANT)
            case _:
                pass
        self._close(group_id)

    @rule(group_id=groups)
    def close(self, group_id: UUID) -> None:
        self._close(group_id)

    @rule(group_id=groups, merchant_id=ours_mostly)
    def cancel(self, group_id: UUID, merchant_id: UUID) -> None:
        self._cancel(group_id, merchant_id)

    @rule(target=invites, group_id=groups, sharer_id=shoppers_known, channel=st.sampled_from(["chat", "qr"]))
    def invite(self, group_id: UUID, sharer_id: UUID, channel: str) -> str:
        code = f"code-{self.new_id().int:x}"
        command = CreateInvite(group_id=group_id, sharer_id=sharer_id, channel=channel, code=code)
        self.ask(command, model_groups.invited(self.model, command, self.now))
        return code

    @rule(code=invites, stranger_id=shoppers_known, is_their_own=st.booleans())
    def revoke(self, code: str, stranger_id: UUID, *, is_their_own: bool) -> None:
        made = self.model.invites.get(code)
        if made is None:  # nobody got it
            return
        sharer_id = made.sharer_id if is_their_own else stranger_id
        command = RevokeInvite(group_id=made.group_id, sharer_id=sharer_id, code=code)
        self.ask(command, model_groups.revoked(self.model, command))

    @precondition(lambda self: self.running())
    @rule(pick=picks, shoppers=parties)
    def pass_round(self, pick: int, shoppers: list[UUID]) -> None:
        """Everybody shares a group and comes into it by the next one's link, the last by the first one's."""
        group_id, told = self._picked(pick), self.model.invites
        for sharer_id in shoppers:
            code = f"code-{self.new_id().int:x}"
            command = CreateInvite(group_id=group_id, sharer_id=sharer_id, channel="chat", code=code)
            self.ask(command, model_groups.invited(self.model, command, self.now))
        codes = {one.sharer_id: code for code, one in told.items() if (one.group_id, one.channel) == (group_id, "chat")}
        for shopper_id, next_id in zip(shoppers, [*shoppers[1:], shoppers[0]], strict=True):
            self._join(group_id, Wish(shopper_id, 1, 0), codes[next_id])

    def _groups_after(self, deal_id: UUID, merchant_id: UUID, step: str) -> MultipleResults[UUID]:
        group_id = self.new_id()
        match step:
            case "publish":
                self.steer_deal(PublishDeal(deal_id=deal_id, merchant_id=merchant_id, crowd_group_id=group_id))
            case "resume":
                self.steer_deal(ResumeDeal(deal_id=deal_id, merchant_id=merchant_id, crowd_group_id=group_id))
            case "pause":
                self.steer_deal(PauseDeal(deal_id=deal_id, merchant_id=merchant_id))
            case "end":
                self.steer_deal(EndDeal(deal_id=deal_id, merchant_id=merchant_id))
            case _:
                command = StartCrowd(deal_id=deal_id, group_id=group_id)
                self.ask(command, model_deals.crowd_started(self.model, command, self.now))
        return multiple(group_id) if group_id in self.model.groups else multiple()

    def _picked(self, pick: int) -> UUID:
        running = self.running()
        return running[pick % len(running)]

    def _join(self, group_id: UUID, wish: Wish, code: str | None) -> None:
        command = JoinGroup(
            order_id=uuid4(),
            group_id=group_id,
            shopper_id=wish.shopper_id,
            quantity=wish.quantity,
            variant_id=self.variant(self.model.groups[group_id].deal_id, wish.variant),
            invite_code=code,
        )
        self.ask(command, model_groups.joined(self.model, command, self.now))

    def _leave(self, group_id: UUID, shopper_id: UUID) -> None:
        command = LeaveGroup(group_id=group_id, shopper_id=shopper_id)
        self.ask(command, model_groups.left(self.model, command, self.now))

    def _cancel(self, group_id: UUID, merchant_id: UUID) -> None:
        command = CancelGroup(group_id=group_id, merchant_id=merchant_id)
        self.ask(command, model_groups.cancelled(self.model, command, self.now))

    def _close(self, group_id: UUID) -> None:
        command = CloseGroup(group_id=group_id)
        self.ask(command, model_groups.closed(self.model, command, self.now))
