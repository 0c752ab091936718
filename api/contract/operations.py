"""Every operation of the API for its callers; who may call which is in `api.access`."""

from functools import partial
from typing import Final

from api.contract import examples
from api.contract.admin_operations import ADMIN, MERCHANT_AUDIT
from api.contract.identity_operations import ACCOUNT, SIGN_IN
from api.contract.invite_operations import INVITES
from api.contract.joining_operations import JOINING
from api.contract.letter_operations import LETTERS
from api.contract.merchant_operations import API_KEYS, MERCHANTS, STAFF
from api.contract.notice_operations import NOTICES
from api.contract.operation import Operation, Received, Sent
from api.contract.order_operations import ORDERS
from api.contract.page_operations import PAGES
from api.contract.payment_operations import BUYING, PAYMENTS
from api.contract.picture_operations import PICTURES
from api.contract.profile_operations import PROFILE
from api.contract.session_operations import SESSIONS
from api.contract.share_kit_operations import SHARE_KIT, SHARED_INVITE
from api.contract.social_operations import LINKING, SOCIAL
from api.deal_bodies import CreateDealBody, EditDealBody, PreviewBody
from api.group_answers import GroupAnswer
from api.invites import InviteBody
from api.place_body import PlaceBody
from api.price_schedules import Preview
from api.probes import Alive, Readiness
from api.share_kit import SharedInvite
from domain.groupbuy.errors import (
    CrowdHasOneGroup,
    DealClosesTooSoon,
    DealNotEditable,
    DealNotFound,
    DealNotPublished,
    DealNotStarted,
    DealOver,
    DealPausedNow,
    GroupClosed,
    GroupCommitted,
    GroupFull,
    GroupNotFound,
    InviteNotFound,
    InviteNotUsable,
    TooManyLinks,
)
from infra.reading.deals import DealView
from infra.reading.groups import MyGroup, ParticipantView
from infra.reading.invites import InviteView
from infra.reading.page import Page
from infra.views import GroupView

_TAKING_A_PLACE: Final = (*BUYING, InviteNotUsable)
_AWAITED: Final = (
    "A place is kept for you until `you.payment.pay_by`. Finish the payment with its `client_secret` or `redirect_url`;"
    " while both are null the gateway has not answered, so ask again."
)
_PAGE: Final = ("limit", "cursor")

_deal: Final = partial(Sent, shape=DealView, example=examples.DEAL)
_place: Final = partial(Sent, shape=GroupAnswer, example=examples.GROUP_WITH_YOU)


def _awaited_place() -> Sent:
    return Sent(_AWAITED, GroupAnswer, examples.GROUP_AWAITING_YOU, ("Location", "Idempotency-Replayed"))


DEALS: Final[dict[str, Operation]] = {
    "POST /v1/deals": Operation(
        "create_deal",
        summary="Write a draft deal",
        description="Nobody but its merchant sees a draft. `stock` without `variants` makes one variant.",
        body=Received(CreateDealBody, examples.NEW_DEAL),
        answers={201: _deal("The draft.", headers=("Location", "Idempotency-Replayed"))},
        takes_idempotency_key=True,
    ),
    "GET /v1/deals": Operation(
        "browse_deals",
        summary="Browse deals",
        description="Live ones where no `status` is asked for; drafts are listed to their merchant alone.",
        query=("status", "sort", "q", "of_merchant", *_PAGE),
        answers={200: Sent("A page of deals.", Page[DealView], examples.page(examples.DEAL))},
    ),
    "GET /v1/deals/{deal_id}": Operation(
        "read_deal",
        summary="Read a deal",
        answers={200: _deal("The deal.", headers=("ETag",))},
        problems=(DealNotFound,),
    ),
    "PATCH /v1/deals/{deal_id}": Operation(
        "edit_deal",
        summary="Change a draft, or the offer of a paused deal",
        description="Fields left out stay as they are. Groups opened before keep their terms.",
        body=Received(EditDealBody, examples.DEAL_EDIT),
        answers={200: _deal("The deal as it is now.")},
        problems=(DealNotFound, DealNotEditable, DealOver),
    ),
    "POST /v1/deals/{deal_id}/publish": Operation(
        "publish_deal",
        summary="Let groups open, from `starts_at` on",
        answers={200: _deal("The published deal.")},
        problems=(DealNotFound, DealOver),
    ),
    "POST /v1/deals/{deal_id}/pause": Operation(
        "pause_deal",
        summary="Take no new groups for now; open ones run on",
        answers={200: _deal("The paused deal.")},
        problems=(DealNotFound, DealNotPublished, DealOver),
    ),
    "POST /v1/deals/{deal_id}/resume": Operation(
        "resume_deal",
        summary="Take new groups again",
        answers={200: _deal("The deal, live again.")},
        problems=(DealNotFound, DealNotPublished, DealOver),
    ),
    "POST /v1/deals/{deal_id}/end": Operation(
        "end_deal",
        summary="Take no new groups for good; open ones run on",
        answers={200: _deal("The ended deal.")},
        problems=(DealNotFound, DealNotPublished),
    ),
    "POST /v1/price-schedules/preview": Operation(
        "preview_price_schedule",
        summary="See what a price schedule means",
        description="Checked as in a deal. Quotes at each count; in large groups at 1, around each tier and when full.",
        body=Received(PreviewBody, examples.PREVIEW),
        answers={200: Sent("The quotes.", Preview)},
        needs_database=False,
    ),
}

GROUPS: Final[dict[str, Operation]] = {
    "POST /v1/deals/{deal_id}/groups": Operation(
        "open_group",
        summary="Open a group and join it as its leader",
        body=Received(PlaceBody, examples.PLACE, is_required=False),
        answers={
            201: _place("The group, your place in it.", headers=("Location", "Idempotency-Replayed")),
            202: _awaited_place(),
        },
        problems=(
            DealNotFound,
            DealNotStarted,
            DealPausedNow,
            DealOver,
            DealClosesTooSoon,
            CrowdHasOneGroup,
            *_TAKING_A_PLACE,
        ),
        takes_idempotency_key=True,
    ),
    "GET /v1/deals/{deal_id}/groups": Operation(
        "list_open_groups",
        summary="Groups one could join, nearest to their next tier first",
        description="Open groups, also where every place is reserved for now; none while nothing is left of the deal.",
        query=_PAGE,
        answers={200: Sent("A page of open groups.", Page[GroupView], examples.page(examples.GROUP))},
        problems=(DealNotFound,),
    ),
    "GET /v1/groups/{group_id}": Operation(
        "read_group",
        summary="Read a group",
        description="At most a second behind the truth. `you` is the caller's own place, null where there is none.",
        answers={200: _place("The group.", headers=("ETag",))},
        problems=(GroupNotFound,),
    ),
    "GET /v1/groups/{group_id}/live": Operation(
        "follow_group",
        summary="Follow a group as server-sent events",
        description=(
            "The present state first, then the newest whenever it changed; the id of an event is the group's version, "
            "its data a group. The stream ends when the group is closed."
        ),
        answers={
            200: Sent("Events, until the group is closed.", str, media_type="text/event-stream"),
            204: Sent("You have had the final state: `Last-Event-ID` says so."),
        },
        problems=(GroupNotFound,),
    ),
    "POST /v1/groups/{group_id}/participants": Operation(
        "join_group",
        summary="Join a group",
        description="Asking again is safe: a place taken before is answered with 200, whatever the body says.",
        body=Received(PlaceBody, examples.PLACE, is_required=False),
        answers={
            200: _place("You were in already: your place.", headers=("Idempotency-Replayed",)),
            201: _place("You are in.", headers=("Location", "Idempotency-Replayed")),
            202: _awaited_place(),
        },
        problems=(GroupNotFound, GroupFull, GroupClosed, *_TAKING_A_PLACE),
        takes_idempotency_key=True,
    ),
    "DELETE /v1/groups/{group_id}/participants/me": Operation(
        "leave_group",
        summary="Leave a group that has not tipped",
        answers={204: Sent("You are not in the group.")},
        problems=(GroupNotFound, GroupClosed, GroupCommitted),
    ),
    "GET /v1/groups/{group_id}/participants": Operation(
        "list_participants",
        summary="Who is in a group",
        query=_PAGE,
        answers={200: Sent("A page of participants.", Page[ParticipantView], examples.page(examples.PARTICIPANT))},
        problems=(GroupNotFound,),
    ),
    "POST /v1/groups/{group_id}/cancel": Operation(
        "cancel_group",
        summary="Call an open group off: nobody pays",
        answers={200: _place("The cancelled group.")},
        problems=(GroupNotFound, GroupClosed),
    ),
    "GET /v1/me/groups": Operation(
        "list_my_groups",
        summary="My groups, newest first",
        query=_PAGE,
        answers={200: Sent("A page of your groups.", Page[MyGroup], examples.page(examples.GROUP_WITH_YOU))},
    ),
    "POST /v1/groups/{group_id}/invites": Operation(
        "create_invite",
        summary="Get a link to share",
        description=(
            "The same caller and channel get the same link until they revoke it. With it comes all that is needed to "
            "share it, as the group stands now: with channel `link` for every chat, with any other for that one alone, "
            "whose visits can then be told apart."
        ),
        body=Received(InviteBody, examples.NEW_INVITE, is_required=False),
        answers={
            200: Sent("The link you have.", SharedInvite, SHARED_INVITE, ("Idempotency-Replayed",)),
            201: Sent("A new link.", SharedInvite, SHARED_INVITE, ("Location", "Idempotency-Replayed")),
        },
        problems=(GroupNotFound, GroupClosed, TooManyLinks),
        takes_idempotency_key=True,
    ),
    "GET /v1/invites/{code}": Operation(
        "read_invite",
        summary="Look up an invite",
        answers={200: Sent("The invite.", InviteView, examples.INVITE, ("ETag",))},
        problems=(InviteNotFound,),
    ),
}

PROBES: Final[dict[str, Operation]] = {
    "GET /healthz": Operation(
        "healthz",
        summary="Whether the process is alive",
        answers={200: Sent("It is.", Alive)},
        needs_database=False,
    ),
    "GET /readyz": Operation(
        "readyz",
        summary="Whether it can do its work: dependencies and sweep lag",
        description="Without Redis it is degraded and works; without PostgreSQL it is 503.",
        answers={200: Sent("It can.", Readiness)},
    ),
}

OPERATIONS: Final = {
    "sign-in": SIGN_IN | SOCIAL | SESSIONS,
    "account": ACCOUNT | LINKING | PROFILE | NOTICES,
    "merchants": MERCHANTS | STAFF | API_KEYS | MERCHANT_AUDIT,
    "administration": ADMIN,
    "deals": DEALS,
    "groups": GROUPS | INVITES | SHARE_KIT,
    "orders": ORDERS,
    "payments": PAYMENTS,
    "pages": PAGES | JOINING | PICTURES | LETTERS,
    "probes": PROBES,
}
"""By tag."""
