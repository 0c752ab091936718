"""People who share groups of one deal and come by each other's links."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from domain.groupbuy.commands import CloseGroup, CreateInvite, JoinGroup, LeaveGroup, OpenGroup
from domain.groupbuy.world import Accepted
from infra.ids import new_id, new_invite_code
from infra.reading.page import LIMIT_MAX
from infra.sharing.my_invites import InviteFigures, list_my_invites
from infra.sharing.tree import TreeNode, list_invite_tree
from tests.reading.shop import Shop, every_item

ORIGIN = "https://tuan.example"


@dataclass(frozen=True, slots=True)
class Circle:
    """A deal of a shop."""

    shop: Shop
    deal_id: UUID

    async def opens(self, leader_id: UUID, code: str | None = None) -> UUID:
        """Open a group, by somebody's link or not."""
        group_id = new_id()
        opening = OpenGroup(
            order_id=uuid4(), deal_id=self.deal_id, group_id=group_id, shopper_id=leader_id, invite_code=code
        )
        await self.shop.tell(opening)
        return group_id

    async def shares(self, sharer_id: UUID, group_id: UUID, channel: str = "chat") -> str:
        """Somebody's link for a channel, the one there is or a new one."""
        command = CreateInvite(group_id=group_id, sharer_id=sharer_id, channel=channel, code=new_invite_code())
        made = (await self.shop.tell(command)).state.invite
        assert made is not None
        return made.code

    async def comes(self, shopper_id: UUID, group_id: UUID, code: str | None, *, quantity: int = 1) -> Accepted:
        """Join, by a link or not."""
        join = JoinGroup(
            order_id=uuid4(), group_id=group_id, shopper_id=shopper_id, invite_code=code, quantity=quantity
        )
        return await self.shop.tell(join)

    async def came_by(self, shopper_id: UUID, group_id: UUID, code: str) -> str | None:
        """Join by a link; answers the link that this is put down to."""
        place = (await self.comes(shopper_id, group_id, code)).state.place
        assert place is not None
        return place.invite_code

    async def leaves(self, shopper_id: UUID, group_id: UUID) -> None:
        """Leave again."""
        await self.shop.tell(LeaveGroup(group_id=group_id, shopper_id=shopper_id))

    async def closes(self, *group_ids: UUID) -> None:
        """Let the deadline pass and the groups meet their fate."""
        await self.shop.make(
            "UPDATE groups SET opened_at = opened_at - interval '9 days', expires_at = expires_at - interval '9 days'"
        )
        for group_id in group_ids:
            await self.shop.tell(CloseGroup(group_id=group_id))

    async def are_one(self, person_id: UUID, *guest_ids: UUID) -> None:
        """These guests turn out to be somebody."""
        await self.shop.make("INSERT INTO accounts (id, status) VALUES (:id, 'full')", id=person_id)
        for guest_id in guest_ids:
            await self.shop.make(
                "INSERT INTO accounts (id, status, merged_into) VALUES (:guest, 'merged', :id)",
                guest=guest_id,
                id=person_id,
            )

    async def links_of(self, sharer_id: UUID, *, has_merged: bool = False) -> dict[str, InviteFigures]:
        """What came of somebody's links, by code."""
        page = await list_my_invites(self.shop.engine, sharer_id, ORIGIN, LIMIT_MAX, has_merged=has_merged)
        return {link.code: link for link in page.items}

    async def tree_of(self, group_id: UUID, limit: int = 3) -> list[TreeNode]:
        """Who brought whom into a group, read a few at a time."""
        return await every_item(lambda cursor: list_invite_tree(self.shop.engine, group_id, limit, cursor))
