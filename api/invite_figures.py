"""What came of links: a shopper's own, and who brought whom into a group."""

from uuid import UUID

from api.access import caller_of, may_for
from api.answers import PRIVATE, Answer, answered
from api.requests import AnyRequest, cursor_of, limit_of, path_id, query_of, runtime_of
from api.routing import route
from api.selves import is_callers
from domain.groupbuy.errors import GroupNotFound
from domain.identity.permissions import Permission
from infra.reading.deals import get_deal
from infra.sharing.my_invites import list_my_invites
from infra.sharing.tree import list_invite_tree
from infra.views import GroupView


@route("GET", "/v1/me/invites")
async def my_invites(request: AnyRequest) -> Answer:
    """The caller's links, those of their time as a guest among them."""
    query = query_of(request)
    limit, cursor = limit_of(query), cursor_of(query)
    caller, runtime = caller_of(request), runtime_of(request)
    page = await list_my_invites(
        runtime.engine, caller.subject, runtime.settings.origin, limit, cursor, has_merged=caller.has_merged
    )
    return answered(page, headers=PRIVATE)


@route("GET", "/v1/groups/{group_id}/invite-tree")
async def invite_tree(request: AnyRequest) -> Answer:
    """For the group's leader and its merchant's staff; to others it is not there."""
    query = query_of(request)
    limit, cursor = limit_of(query), cursor_of(query)
    group_id, runtime = path_id(request, "group_id"), runtime_of(request)
    group = await runtime.groups.get(group_id)
    if group is None or not (await _leads(request, group.leader_id) or await _sells(request, group)):
        raise GroupNotFound(group_id)
    return answered(await list_invite_tree(runtime.engine, group_id, limit, cursor), headers=PRIVATE)


async def _leads(request: AnyRequest, leader_id: UUID | None) -> bool:
    return leader_id is not None and await is_callers(request, leader_id)


async def _sells(request: AnyRequest, group: GroupView) -> bool:
    caller = caller_of(request)
    if not caller.merchants:
        return False
    deal = await get_deal(runtime_of(request).engine, group.deal_id)
    return deal is not None and may_for(caller, deal.merchant_id, Permission.ORDERS_READ)
