"""Invites: a shopper's links into a group, and what they lead to."""

from functools import partial
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api.access import caller_of
from api.answers import Answer, NothingToSay, answered, encode, resource
from api.bodies import read_json
from api.group_answers import display_name
from api.idempotency import tell
from api.links import callers_shared, link_of
from api.requests import AnyRequest, path_id, runtime_of
from api.routing import route
from api.selves import sharer
from api.share_kit import KitMaker, SharedInvite, kit_maker
from domain.errors import FieldProblems
from domain.groupbuy.commands import CreateInvite, RevokeInvite
from domain.groupbuy.text import CHANNEL_CHARACTERS_MAX, check_channel
from domain.groupbuy.world import Accepted
from domain.sharing.channels import Channel
from domain.sharing.language import Language
from infra.ids import new_invite_code
from infra.reading.invites import invite_view
from infra.tokens import Claims

_OF_A_CHANNEL: Final = {"pattern": "^[a-z0-9._-]+$", "minLength": 1, "maxLength": CHANNEL_CHARACTERS_MAX}
ChannelName = Annotated[str, Meta(extra_json_schema=_OF_A_CHANNEL)]


class InviteBody(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Where the link will be shared, as `wechat`, `whatsapp`, `poster` or another name; and the language of its texts.

    Left out, the language is the one the caller's account, or else their phone, says they read.
    """

    channel: ChannelName = Channel.LINK.value
    language: Language | UnsetType = UNSET  # what is unset is in no body's hash: keys from before it stay good


_invite_body: Final = msgspec.json.Decoder(InviteBody)
_ANY_CHANNEL: Final = InviteBody()


@route("POST", "/v1/groups/{group_id}/invites")
async def create_invite(request: AnyRequest) -> Answer:
    """A link of the caller's; the same one for the same channel until they revoke it."""
    group_id = path_id(request, "group_id")
    body = await read_json(request, _invite_body, empty=_ANY_CHANNEL)
    problems = FieldProblems()
    check_channel(problems, "channel", body.channel)
    problems.raise_if_any()  # before the invite is looked up by it
    maker = await kit_maker(request, group_id, body.channel, body.language or None)
    sharer_id = await sharer(request, group_id, body.channel)
    command = CreateInvite(group_id=group_id, sharer_id=sharer_id, channel=body.channel, code=new_invite_code())
    return await tell(request, command, body, partial(_created, caller_of(request), maker))


@route("GET", "/v1/invites/{code}")
async def read_invite(request: AnyRequest) -> Answer:
    """A link as anybody sees it who has its code."""
    invite = (await link_of(request, age_s_max=0.0)).invite
    return resource(request, encode(invite), invite.joins, is_private=False)


@route("DELETE", "/v1/invites/{code}")
async def revoke_invite(request: AnyRequest) -> Answer:
    """Take a link of the caller's back; one they have taken back already is no refusal."""
    code: str = request.scope["path_params"]["code"]
    shared = await callers_shared(request, code)
    runtime = runtime_of(request)
    await runtime.tell(RevokeInvite(group_id=shared.group_id, sharer_id=shared.sharer_id, code=code))
    await runtime.landings.links.get(code, age_s_max=0.0)  # here it is gone at once, elsewhere within `KEPT_S`
    return NothingToSay()


def _created(caller: Claims, maker: KitMaker, accepted: Accepted) -> Answer:
    invite = accepted.state.invite
    assert invite is not None
    view = invite_view(invite, display_name(caller.name))
    shared = SharedInvite(**msgspec.structs.asdict(view), share=maker.kit_of(view))
    if not accepted.events:
        return answered(shared)
    return answered(shared, 201, ((b"location", f"/v1/invites/{invite.code}".encode()),))
