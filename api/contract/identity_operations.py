"""Operations of signing in, for their callers."""

from typing import Any, Final

from api.contract.operation import Operation, Received, Sent
from api.refused import AccountNotFound, CodeNotSent, NothingHere, RefreshTokenRefused, SessionNotFound, WrongCode
from api.sessions import Sessions
from api.sign_in import CodeBody, CodeSent, CodeWantedBody, GuestBody, Inbox, RefreshBody, SignedIn
from infra.reading.sessions import AccountView

_ID: Final = "01997b3e-7f5a-7cc0-8d6a-2f0c1f6a9b10"
_AT: Final = "2026-05-01T12:00:00Z"
_SIGNED_IN: Final = {
    "access_token": "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.e30.c2lnbmF0dXJl",
    "token_type": "Bearer",
    "expires_in": 600,
    "refresh_token": "pO1nK0mS5nT1bJ0lV8dR2aC4xQ7wE9fG6hZ3yU5iL0k",
    "account_id": _ID,
    "session_id": _ID,
    "is_guest": False,
    "is_new": True,
}
ACCOUNT_EXAMPLE: Final = {
    "id": _ID,
    "is_guest": False,
    "display_name": "Mei",
    "avatar_url": None,
    "locale": None,
    "notifications": {
        "group_closing": True,
        "price_dropped": True,
        "marketing": False,
        "kinds": {"joined": {"push": True, "email": False}, "succeeded": {"push": True, "email": True}},
        "quiet_hours": {"begin": "22:00", "end": "08:00", "time_zone": "Asia/Shanghai"},
    },
    "version": 1,
    "created_at": _AT,
    "identities": [{"provider": "phone", "subject": "+447911123456"}],
    "merchants": [],
}
_SESSION: Final = {
    "id": _ID,
    "device": "Mei's phone",
    "created_at": _AT,
    "used_at": _AT,
    "expires_at": "2026-07-30T12:00:00Z",
    "is_this": True,
}


def signed_in(meaning: str) -> Any:  # noqa: ANN401 - as Sent's own fields
    """Tokens as an answer."""
    return Sent(meaning, SignedIn, _SIGNED_IN)


SIGN_IN: Final[dict[str, Operation]] = {
    "POST /v1/sign-in/codes": Operation(
        "send_code",
        summary="Send a one-time code to a phone or an e-mail address",
        description=(
            "The same answer for those known here and those who are not. A new code replaces the one before; asked for "
            "again within a minute it is the same code, with the tries that are left."
        ),
        body=Received(CodeWantedBody, {"phone": "+447911123456"}),
        answers={202: Sent("A code is on its way.", CodeSent, {"expires_in": 600})},
        problems=(CodeNotSent,),
    ),
    "POST /v1/sign-in/code": Operation(
        "sign_in_by_code",
        summary="Sign in with the code",
        description=(
            "Five tries for each code. Whoever was not known has an account from now on; sent with a guest's access "
            "token it is the guest's, with all groups and orders."
        ),
        body=Received(CodeBody, {"phone": "+447911123456", "code": "123456", "device": "Mei's phone"}),
        answers={200: signed_in("Signed in.")},
        problems=(WrongCode,),
    ),
    "POST /v1/sign-in/guest": Operation(
        "sign_in_as_guest",
        summary="Sign in a device before anybody says who they are",
        body=Received(GuestBody, {"device": "Mei's phone"}, is_required=False),
        answers={201: signed_in("Signed in as a guest.")},
    ),
    "POST /v1/sign-in/refresh": Operation(
        "refresh_tokens",
        summary="New tokens for a refresh token",
        description=(
            "Each can be used once; sent again within 10 seconds it is answered with the same successor, later it ends "
            "the session."
        ),
        body=Received(RefreshBody, {"refresh_token": _SIGNED_IN["refresh_token"]}),
        answers={200: signed_in("The tokens to use from now on.")},
        problems=(RefreshTokenRefused,),
    ),
    "GET /dev/inbox": Operation(
        "read_inbox",
        summary="Messages that went to the console",
        description="For whoever tries Tuan out, on this machine: there while the console takes messages, else 404.",
        answers={
            200: Sent(
                "The last messages, newest first.",
                Inbox,
                {"items": [{"to": "+447911123456", "text": "123456 is your code.", "code": "123456", "at": _AT}]},
            )
        },
        problems=(NothingHere,),
        needs_database=False,
    ),
}
ACCOUNT: Final[dict[str, Operation]] = {
    "GET /v1/me": Operation(
        "read_me",
        summary="My account",
        answers={200: Sent("The account.", AccountView, ACCOUNT_EXAMPLE, ("ETag",))},
        problems=(AccountNotFound,),
    ),
    "GET /v1/me/sessions": Operation(
        "list_sessions",
        summary="Where I am signed in",
        answers={200: Sent("All sessions.", Sessions, {"items": [_SESSION]})},
    ),
    "DELETE /v1/me/sessions": Operation(
        "sign_out_everywhere",
        summary="Sign out everywhere, here too",
        description="No access token given out so far counts any more.",
        answers={204: Sent("Signed out.")},
    ),
    "DELETE /v1/me/sessions/{session_id}": Operation(
        "end_session",
        summary="Sign out on one device",
        answers={204: Sent("Ended.")},
        problems=(SessionNotFound,),
    ),
}
