"""Operations about merchants, their staff and their API keys, for their callers."""

from functools import partial
from typing import Final

from api.api_keys import ApiKeyBody, ApiKeys, NewApiKey
from api.contract.operation import Operation, Received, Sent
from api.merchants import ApplicationBody, MerchantBody, MerchantView
from api.refused import AccountNotFound, FullAccountNeeded
from api.staff import EmployedView, Invited, MyStaffInvites, RoleBody, Staff, StaffInviteBody, StaffInvites
from domain.identity.errors import (
    ApiKeyNotFound,
    LastOwner,
    MerchantNotFound,
    StaffInviteNotFound,
    StaffNotFound,
    TooManyApiKeys,
    TooManyMerchants,
    TooManyStaff,
    TooManyStaffInvites,
)

_ID: Final = "01997b3e-7f5a-7cc0-8d6a-2f0c1f6a9b10"
_AT: Final = "2026-05-01T12:00:00Z"
_LATER: Final = "2026-05-08T12:00:00Z"
_PREFIX: Final = "tuan_sk_3f9a0c5e71d2"
_SAID: Final = {"name": "Leaf & Co", "contact": "sales@leaf.example", "country": "GB", "about": "Tea since 1901."}
_MERCHANT: Final = {
    "id": _ID,
    "name": "Leaf & Co",
    "file": {
        "contact": "sales@leaf.example",
        "country": "GB",
        "about": "Tea since 1901.",
        "standing": "applied",
        "standing_reason": None,
        "applied_at": _AT,
        "decided_at": None,
        "version": 1,
    },
}
_EMPLOYED: Final = {"merchant_id": _ID, "account_id": _ID, "role": "editor"}
_INVITE: Final = {
    "id": _ID,
    "channel": "phone",
    "address": "+447911123456",
    "role": "editor",
    "created_at": _AT,
    "expires_at": _LATER,
}
_KEY: Final = {
    "id": _ID,
    "name": "Our shop's system",
    "prefix": _PREFIX,
    "scopes": ["orders:read", "orders:ship"],
    "created_at": _AT,
    "expires_at": None,
}
_NEW_KEY: Final = _KEY | {"key": f"{_PREFIX}_pO1nK0mS5nT1bJ0lV8dR2aC4xQ7wE9fG6hZ3yU5iL0k"}

_merchant: Final = partial(Sent, shape=MerchantView, example=_MERCHANT)
_employed: Final = partial(Sent, shape=EmployedView, example=_EMPLOYED)

MERCHANTS: Final[dict[str, Operation]] = {
    "POST /v1/merchants": Operation(
        "apply_as_merchant",
        summary="Apply to be a merchant",
        description=(
            "Whoever applies is the owner at once: refresh the access token, those from before count no more. Deals "
            "can be written once the platform has approved the application; all else can be made ready before. The "
            "same application again is answered with 200 until it is decided."
        ),
        body=Received(ApplicationBody, _SAID),
        answers={
            200: _merchant("You have applied by this name; it is not decided yet."),
            201: _merchant("The application.", headers=("Location",)),
        },
        problems=(AccountNotFound, FullAccountNeeded, TooManyMerchants),
    ),
    "GET /v1/merchants/{merchant_id}": Operation(
        "read_merchant",
        summary="Read a merchant",
        description="Anyone sees the name of a merchant who may sell; `file` is for its staff.",
        answers={200: _merchant("The merchant.", headers=("ETag",))},
        problems=(MerchantNotFound,),
    ),
    "PATCH /v1/merchants/{merchant_id}": Operation(
        "change_merchant",
        summary="Change what a merchant says of itself",
        description="Fields left out stay as they are.",
        body=Received(MerchantBody, {"about": "Tea since 1901."}),
        answers={200: _merchant("The merchant as it is now.")},
    ),
}

STAFF: Final[dict[str, Operation]] = {
    "GET /v1/merchants/{merchant_id}/staff": Operation(
        "list_staff",
        summary="Who works for a merchant",
        answers={
            200: Sent(
                "Everybody, who came first first.",
                Staff,
                {"items": [{"account_id": _ID, "display_name": "Mei", "role": "owner", "since_at": _AT}]},
            )
        },
    ),
    "PATCH /v1/merchants/{merchant_id}/staff/{account_id}": Operation(
        "change_staff_role",
        summary="Give somebody another role",
        description="Their access tokens from before count no more. A merchant always keeps an owner.",
        body=Received(RoleBody, {"role": "editor"}),
        answers={200: _employed("What they are now.")},
        problems=(StaffNotFound, LastOwner),
    ),
    "DELETE /v1/merchants/{merchant_id}/staff/{account_id}": Operation(
        "remove_staff",
        summary="Let somebody work there no more",
        description="At once. API keys they made are the merchant's and stay; revoke them if they know them.",
        answers={204: Sent("Removed.")},
        problems=(StaffNotFound, LastOwner),
    ),
    "DELETE /v1/merchants/{merchant_id}/staff/me": Operation(
        "leave_staff",
        summary="Work there no more",
        answers={204: Sent("You do not work there any more.")},
        problems=(StaffNotFound, LastOwner),
    ),
    "POST /v1/merchants/{merchant_id}/staff-invites": Operation(
        "invite_staff",
        summary="Ask somebody to join the staff, by phone or e-mail",
        description=(
            "The same answer for those known here and those who are not. Good for 7 days; a new invite replaces the "
            "one before. Whoever signs in with that number or address can accept."
        ),
        body=Received(StaffInviteBody, {"phone": "+447911123456", "role": "editor"}),
        answers={201: Sent("Invited.", Invited, _INVITE | {"is_sent": True})},
        problems=(TooManyStaffInvites,),
    ),
    "GET /v1/merchants/{merchant_id}/staff-invites": Operation(
        "list_staff_invites",
        summary="Invites that were not accepted yet",
        answers={200: Sent("Open invites, newest first.", StaffInvites, {"items": [_INVITE]})},
    ),
    "DELETE /v1/merchants/{merchant_id}/staff-invites/{invite_id}": Operation(
        "withdraw_staff_invite",
        summary="Let an invite count no more",
        answers={204: Sent("Withdrawn.")},
        problems=(StaffInviteNotFound,),
    ),
    "GET /v1/me/staff-invites": Operation(
        "list_my_staff_invites",
        summary="Merchants who ask me to work for them",
        description="Those sent to a phone number or an address I sign in with.",
        answers={
            200: Sent(
                "Open invites, newest first.",
                MyStaffInvites,
                {
                    "items": [
                        {
                            "id": _ID,
                            "merchant_id": _ID,
                            "merchant_name": "Leaf & Co",
                            "role": "editor",
                            "created_at": _AT,
                            "expires_at": _LATER,
                        }
                    ]
                },
            )
        },
    ),
    "POST /v1/staff-invites/{invite_id}/accept": Operation(
        "accept_staff_invite",
        summary="Work for a merchant from now on",
        description=(
            "Refresh the access token, those from before count no more. Whoever works there already keeps their role."
        ),
        answers={200: _employed("What you are there.")},
        problems=(StaffInviteNotFound, TooManyStaff, TooManyMerchants),
    ),
}

API_KEYS: Final[dict[str, Operation]] = {
    "POST /v1/merchants/{merchant_id}/api-keys": Operation(
        "make_api_key",
        summary="Make an API key",
        description=(
            "For the merchant's own systems. The key is shown this once; send it as `Authorization: Bearer <key>`. It "
            "may do what its `scopes` say, nothing else. If the answer is lost, revoke the key and make another."
        ),
        body=Received(ApiKeyBody, {"name": "Our shop's system", "scopes": ["orders:read", "orders:ship"]}),
        answers={201: Sent("The key.", NewApiKey, _NEW_KEY)},
        problems=(TooManyApiKeys,),
    ),
    "GET /v1/merchants/{merchant_id}/api-keys": Operation(
        "list_api_keys",
        summary="API keys, without the keys themselves",
        answers={
            200: Sent(
                "Those that are not revoked first, newest first.",
                ApiKeys,
                {"items": [_KEY | {"created_by": _ID, "used_at": _AT, "revoked_at": None}]},
            )
        },
    ),
    "DELETE /v1/merchants/{merchant_id}/api-keys/{key_id}": Operation(
        "revoke_api_key",
        summary="Let a key be good for nothing",
        description="At once where it is asked, within a second everywhere.",
        answers={204: Sent("Revoked.")},
        problems=(ApiKeyNotFound,),
    ),
}
