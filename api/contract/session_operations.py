"""Operations of sessions and of the keys their tokens are signed with, for their callers."""

from typing import Final

from api.contract.operation import Operation, Sent
from api.keys import PublicKeys

_KEYS: Final = {
    "keys": [
        {
            "kty": "EC",
            "crv": "P-256",
            "alg": "ES256",
            "use": "sig",
            "kid": "nwr0-GxjfAX5YvqtXzjrIj2wNyFEpLXAxQ9RTSgYMno",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        }
    ]
}

SESSIONS: Final[dict[str, Operation]] = {
    "POST /v1/sign-out": Operation(
        "sign_out",
        summary="Sign out on this device",
        description="The session of the access token ends; the token, and the session's others, count no more.",
        answers={204: Sent("Signed out.")},
    ),
    "GET /.well-known/jwks.json": Operation(
        "read_public_keys",
        summary="The public keys of access tokens",
        description="A JWK set (RFC 7517). A key is shown here for minutes before it signs the first token.",
        answers={200: Sent("The keys.", PublicKeys, _KEYS)},
        needs_database=False,
    ),
}
