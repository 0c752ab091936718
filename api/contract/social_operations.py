"""Operations of signing in with others' word, and of linking, for their callers."""

from typing import Final

from api.contract.identity_operations import ACCOUNT_EXAMPLE, signed_in
from api.contract.operation import Operation, Received, Sent
from api.refused import AccountNotFound, EvidenceUsed, WrongCode
from api.social import IdTokenBody, LinkBody, WeChatBody
from infra.identity.fetching import ProviderUnavailable
from infra.identity.freshness import FreshSignInNeeded
from infra.identity.id_tokens import IdTokenRefused, ProviderNotOffered
from infra.identity.linking import IdentityNotFound, IdentityTaken, LastIdentity
from infra.identity.wechat import WeChatCodeRefused
from infra.reading.sessions import AccountView

_ID_TOKEN: Final = {
    "provider": "apple",
    "id_token": "eyJhbGciOiJSUzI1NiIsImtpZCI6Ilk2MjAifQ.e30.c2lnbmF0dXJl",
    "nonce": "2Bq9sT0fKZ3yVxQmWc7dLr",
}
_MERGING: Final = (
    "Sent with a guest's access token, the guest is one with whoever signs in: an account that is new is the guest's; "
    "where there was one before, the guest's groups, orders and invites are its own from now on, and the guest's "
    "sessions end."
)

SOCIAL: Final[dict[str, Operation]] = {
    "POST /v1/sign-in/id-token": Operation(
        "sign_in_by_id_token",
        summary="Sign in with Apple, Google or Facebook Limited Login",
        description=(
            "The app makes a nonce, asks the provider with it, or with its SHA-256 in hex, and sends the nonce itself "
            f"with the id_token it got. Each token is good for once. {_MERGING}"
        ),
        body=Received(IdTokenBody, {**_ID_TOKEN, "device": "Mei's phone"}),
        answers={200: signed_in("Signed in.")},
        problems=(ProviderNotOffered, IdTokenRefused, EvidenceUsed, ProviderUnavailable),
    ),
    "POST /v1/sign-in/wechat": Operation(
        "sign_in_by_wechat",
        summary="Sign in with WeChat",
        description=f"The app sends the code it got from WeChat; whose it is the server asks WeChat. {_MERGING}",
        body=Received(WeChatBody, {"code": "071Aq2Ga1z0mNF0nVqFa1dF0rk0Aq2GQ", "device": "Mei's phone"}),
        answers={200: signed_in("Signed in.")},
        problems=(ProviderNotOffered, WeChatCodeRefused, EvidenceUsed, ProviderUnavailable),
    ),
}
LINKING: Final[dict[str, Operation]] = {
    "POST /v1/me/identities": Operation(
        "link_identity",
        summary="Link another way to sign in",
        description=(
            "With `phone` or `email` the `code` that POST /v1/sign-in/codes sent there; with `wechat` the `code` "
            "WeChat gave the app; with the others `id_token` and `nonce`. It takes the place of what was linked of the "
            "same provider before, and then the account's other sessions end. Whoever asks must have signed in within "
            "the last 10 minutes, except for a guest, whose account is a full one from then on."
        ),
        body=Received(LinkBody, _ID_TOKEN),
        answers={200: Sent("The account as it is now.", AccountView, ACCOUNT_EXAMPLE, ("ETag",))},
        problems=(
            AccountNotFound,
            FreshSignInNeeded,
            IdentityTaken,
            WrongCode,
            ProviderNotOffered,
            IdTokenRefused,
            WeChatCodeRefused,
            EvidenceUsed,
            ProviderUnavailable,
        ),
    ),
    "DELETE /v1/me/identities/{provider}": Operation(
        "unlink_identity",
        summary="Unlink a way to sign in",
        description=(
            "Never the last one. Whoever asks must have signed in within the last 10 minutes; the account's other "
            "sessions end."
        ),
        answers={204: Sent("Unlinked.")},
        problems=(FreshSignInNeeded, IdentityNotFound, LastIdentity),
    ),
}
