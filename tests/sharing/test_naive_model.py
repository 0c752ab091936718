"""Whoever shares, comes, leaves and comes again by whatever link: figures and trees are those of a naive model."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import Random
from uuid import UUID

import pytest

from domain.errors import DomainError
from domain.groupbuy.commands import CreateInvite, JoinGroup, LeaveGroup, OpenGroup
from infra.ids import new_id, new_invite_code
from infra.reading.names import shown_name
from tests.domain import model_groups
from tests.domain.catalogue import schedule
from tests.domain.model import Model, ModelDeal
from tests.domain.model_deals import Verdict
from tests.reading.shop import KETTLE, Shop
from tests.sharing.circle import Circle

OFFER = replace(KETTLE, schedule=schedule(2_000, (5, 1_800), (6, 1_500)), group_size_max=7)
STEPS = 70
GROUPS_MAX = 3


@dataclass
class Twin:
    """A circle, and the naive model of it that counts everything anew."""

    circle: Circle
    model: Model

    async def tell(self, command: OpenGroup | JoinGroup | LeaveGroup | CreateInvite) -> None:
        """Tell both; what the model refuses the circle must refuse too."""
        refusals, refused_as = self._expected(command).refusals, ""
        try:
            await self.circle.shop.tell(command)
        except DomainError as error:
            refused_as = type(error).__name__
        assert refused_as in refusals or not (refusals or refused_as)

    def _expected(self, command: OpenGroup | JoinGroup | LeaveGroup | CreateInvite) -> Verdict:
        now = datetime.now(UTC)
        match command:
            case OpenGroup():
                return model_groups.opened(self.model, command, now)
            case JoinGroup():
                return model_groups.joined(self.model, command, now)
            case LeaveGroup():
                return model_groups.left(self.model, command, now)
            case CreateInvite():
                return model_groups.invited(self.model, command, now)

    async def close(self) -> None:
        """Let every group meet its fate."""
        still_open = [group for group in self.model.groups.values() if group.fate == "open"]
        await self.circle.closes(*(group.id for group in still_open))
        for group in still_open:
            group.fate = "succeeded" if group.tipped else "failed"

    def tree(self, group_id: UUID) -> list[tuple[str, tuple[str, int | None] | None]]:
        """Who is in a group, in order, each with whose link they came by and where that one stands."""
        members = self.model.groups[group_id].members
        places = {shopper_id: place for place, shopper_id in enumerate(members)}
        sharers = {code: invite.sharer_id for code, invite in self.model.invites.items()}
        brought_by = {who: sharers[one.invite_code] for who, one in members.items() if one.invite_code}
        return [
            (shown_name(None, who), (shown_name(None, by), places.get(by)) if (by := brought_by.get(who)) else None)
            for who in members
        ]

    def tree_below(self, code: str) -> list[list[str]]:
        """A link's tree, generation by generation."""
        tree = [[code]]
        while tree[-1]:
            tree.append([below for below, invite in self.model.invites.items() if invite.parent_code in tree[-1]])
        return tree[:-1]

    def figures(self, code: str) -> tuple[int, int, int, int, dict[str, int]]:
        """Joins, succeeded, depth, reached and savings of a link, the long way."""
        tree = self.tree_below(code)
        joins = [sum(self.model.invites[below].joins for below in codes) for codes in tree]
        depth = max((step for step, count in enumerate(joins, 1) if count), default=0)
        every = {below for codes in tree for below in codes}
        succeeded = [group for group in self.model.groups.values() if group.fate == "succeeded"]
        saved = sum(
            (group.offer.schedule.solo_price - group.unit_price()) * member.quantity
            for group in succeeded
            for member in group.members.values()
            if member.invite_code in every
        )
        directly = sum(member.invite_code == code for group in succeeded for member in group.members.values())
        return self.model.invites[code].joins, directly, depth, sum(joins), {"EUR": saved} if saved else {}


@pytest.mark.parametrize("seed", range(4))
async def test_links_and_trees_are_what_a_naive_model_says(shop: Shop, seed: int) -> None:
    """The same figures for every link, the same tree of every group, and no ring in it."""
    deal_id = await shop.live(schedule=OFFER.schedule, group_size_max=OFFER.group_size_max)
    twin = Twin(Circle(shop, deal_id), Model())
    twin.model.deals[deal_id] = ModelDeal(deal_id, shop.merchant_id, OFFER, {new_id(): 1_000}, "published")
    chance, people = Random(seed), [new_id() for _ in range(7)]
    for _ in range(STEPS):
        await twin.tell(_anything(chance, people, twin.model, deal_id))
    await twin.close()
    for person in people:
        for code, found in (await twin.circle.links_of(person)).items():
            savings = {saved.currency: saved.amount for saved in found.savings}
            assert (found.joins, found.succeeded, found.depth, found.reached, savings) == twin.figures(code)
    for group_id in twin.model.groups:
        nodes = await twin.circle.tree_of(group_id)
        place_of: dict[int | None, int] = {node.number: place for place, node in enumerate(nodes)}
        seen = [
            (node.display_name, node.came_by and (node.came_by.sharer_name, place_of.get(node.came_by.sharer_number)))
            for node in nodes
        ]
        assert seen == twin.tree(group_id)


def _anything(
    chance: Random, people: list[UUID], model: Model, deal_id: UUID
) -> OpenGroup | JoinGroup | LeaveGroup | CreateInvite:
    who, groups = chance.choice(people), list(model.groups)
    code = chance.choice([None, *model.invites, *model.invites])
    step = chance.choice(["open", "share", "share", "come", "come", "come", "leave"])
    if not groups or (step == "open" and len(groups) < GROUPS_MAX):
        return OpenGroup(order_id=new_id(), deal_id=deal_id, group_id=new_id(), shopper_id=who, invite_code=code)
    group_id = chance.choice(groups)
    match step:
        case "share":
            channel = chance.choice(["chat", "poster"])
            return CreateInvite(group_id=group_id, sharer_id=who, channel=channel, code=new_invite_code())
        case "leave":
            return LeaveGroup(group_id=group_id, shopper_id=who)
        case _:
            units = chance.randint(1, 3)
            return JoinGroup(order_id=new_id(), group_id=group_id, shopper_id=who, quantity=units, invite_code=code)
