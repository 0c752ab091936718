"""Places in groups: taken and given up by shoppers, listed for anyone, and a shopper's own groups."""

from uuid import UUID

from api.access import caller_of
from api.answers import NOT_KEPT, PRIVATE, Answer, NothingToSay, answered
from api.group_answers import display_name
from api.place_body import PlaceBody, address_of, read_place
from api.requests import AnyRequest, cursor_of, limit_of, path_id, query_of, runtime_of
from api.routing import route
from api.selves import acting, self_in_group
from api.taking import take_place
from domain.groupbuy.commands import JoinGroup, LeaveGroup
from domain.groupbuy.errors import GroupNotFound
from infra.ids import new_id
from infra.reading.groups import list_my_groups, list_participants


@route("POST", "/v1/groups/{group_id}/participants")
async def join_group(request: AnyRequest) -> Answer:
    group_id = path_id(request, "group_id")
    body = await read_place(request)
    return await take_place(request, await joining(request, group_id, body), body)


async def joining(request: AnyRequest, group_id: UUID, body: PlaceBody) -> JoinGroup:
    """The command of the caller who joins a group; raises `InvalidInput`."""
    caller, you = caller_of(request), await acting(request, group_id=group_id, invite_code=body.invite_code)
    return JoinGroup(
        group_id=group_id,
        shopper_id=you.shopper_id,
        order_id=new_id(),
        quantity=body.quantity,
        variant_id=body.variant_id,
        invite_code=you.invite_code,
        display_name=display_name(caller.name),
        address=await address_of(request, body),
        pay_within_s=runtime_of(request).settings.payment_timeout_s,
        units_elsewhere=you.units_elsewhere,
        is_guest=you.is_guest,
    )


@route("DELETE", "/v1/groups/{group_id}/participants/me")
async def leave_group(request: AnyRequest) -> Answer:
    group_id = path_id(request, "group_id")
    shopper_id = await self_in_group(request, caller_of(request), group_id)
    await runtime_of(request).tell(LeaveGroup(group_id=group_id, shopper_id=shopper_id))
    return NothingToSay()


@route("GET", "/v1/groups/{group_id}/participants")
async def participants(request: AnyRequest) -> Answer:
    query = query_of(request)
    limit, cursor = limit_of(query), cursor_of(query)
    group_id = path_id(request, "group_id")
    runtime = runtime_of(request)
    if await runtime.groups.get(group_id) is None:
        raise GroupNotFound(group_id)
    return answered(await list_participants(runtime.engine, group_id, limit, cursor), headers=NOT_KEPT)


@route("GET", "/v1/me/groups")
async def my_groups(request: AnyRequest) -> Answer:
    query = query_of(request)
    limit, cursor = limit_of(query), cursor_of(query)
    caller = caller_of(request)
    page = await list_my_groups(runtime_of(request).engine, caller.subject, limit, cursor, has_merged=caller.has_merged)
    return answered(page, headers=PRIVATE)
