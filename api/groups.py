"""Groups: opened by a shopper, read by anyone, called off by their merchant."""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from api.access import caller_if_known, caller_of, merchant_of
from api.answers import NOT_KEPT, Answer, answered, resource
from api.deals import visible_deal
from api.deeds import deed_of
from api.group_answers import display_name, group_body, shown_place
from api.place_body import PlaceBody, address_of, read_place
from api.requests import AnyRequest, cursor_of, limit_of, path_id, query_of, runtime_of
from api.routing import route
from api.selves import acting, self_in_group
from api.taking import take_place
from domain.groupbuy.commands import CancelGroup, OpenGroup
from domain.groupbuy.errors import GroupNotFound
from domain.groupbuy.group import Place
from infra.batch import Stored
from infra.ids import new_id
from infra.reading.groups import list_open_groups
from infra.views import group_view

AS_OLD_AS_SHOWN: Final = timedelta(seconds=1)
"""What is shown of a group is at most as old."""


@route("POST", "/v1/deals/{deal_id}/groups")
async def open_group(request: AnyRequest) -> Answer:
    deal_id = path_id(request, "deal_id")
    body = await read_place(request)
    return await take_place(request, await opening(request, deal_id, body), body)


async def opening(request: AnyRequest, deal_id: UUID, body: PlaceBody) -> OpenGroup:
    """The command of the caller who opens a group; raises `InvalidInput`."""
    caller, you = caller_of(request), await acting(request, deal_id=deal_id, invite_code=body.invite_code)
    return OpenGroup(
        deal_id=deal_id,
        group_id=new_id(),
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


@route("GET", "/v1/deals/{deal_id}/groups")
async def open_groups(request: AnyRequest) -> Answer:
    query = query_of(request)
    limit, cursor = limit_of(query), cursor_of(query)
    deal = await visible_deal(request)
    return answered(await list_open_groups(runtime_of(request).engine, deal.id, limit, cursor), headers=NOT_KEPT)


@route("GET", "/v1/groups/{group_id}")
async def read_group(request: AnyRequest) -> Answer:
    """The group, and the caller's own place where he is in it."""
    group_id = path_id(request, "group_id")
    runtime = runtime_of(request)
    view = await runtime.groups.get(group_id)
    if view is None:
        raise GroupNotFound(group_id)
    caller = caller_if_known(request)
    if caller is None:
        return resource(request, group_body(view, None), view.version, is_private=False)
    found = await runtime.places.find_any(view.deal_id, group_id, await self_in_group(request, caller, group_id))
    if isinstance(found, Place) and datetime.now(UTC) - found.joined_at < AS_OLD_AS_SHOWN:
        view = await runtime.groups.get_fresh(group_id) or view  # one that knows of the caller's own place
    body = group_body(view, shown_place(found, view))
    return resource(request, body, view.version, is_private=True)


@route("POST", "/v1/groups/{group_id}/cancel")
async def cancel_group(request: AnyRequest) -> Answer:
    group_id = path_id(request, "group_id")
    command = CancelGroup(group_id=group_id, merchant_id=merchant_of(request))
    accepted = await runtime_of(request).tell(command, deed=deed_of(request, "group.cancel"))
    assert not isinstance(accepted, Stored)
    assert accepted.state.group is not None
    return Answer(200, group_body(group_view(accepted.state.group), None))
