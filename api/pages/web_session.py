"""Whoever is signed in in a browser: the tokens of an ordinary session, in cookies that only pages read.

When the access token has run out, the refresh token gets new ones on the way; two tabs that do so at once hear the
same, as phones do that lost an answer.
"""

import re
from typing import Final

from api.limiting import limit_refresh
from api.pages.web_cookies import VALUE_CHARACTERS_MAX, cookie_of, set_cookie
from api.requests import AnyRequest, header, runtime_of
from domain.identity.permissions import Role
from infra.identity.sessions import LIFETIME_S, Ended, sign_out
from infra.identity.sign_in import Tokens
from infra.token_keys import ACCESS_LIFETIME_S
from infra.tokens import Claims, TokenRefused

ACCESS: Final = "tuan_access"
REFRESH: Final = "tuan_refresh"
DEVICE: Final = "Web"
"""What the session is called in the list of sessions."""

_REFRESH_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}")


def has_session(request: AnyRequest) -> bool:
    """Whether the browser says that somebody is signed in."""
    if header(request, b"cookie") is None:
        return False
    return cookie_of(request, ACCESS) is not None or cookie_of(request, REFRESH) is not None


async def visitor_of(request: AnyRequest) -> Claims | None:
    """Who is signed in in this browser, from now on the request's caller; None for nobody. Raises `Unavailable`."""
    claims = _verified(request, cookie_of(request, ACCESS)) or await _refreshed(request)
    request.scope["caller"] = claims  # type: ignore[typeddict-unknown-key]  # ours, as `authorise` notes it
    return claims


def keep_signed_in(request: AnyRequest, tokens: Tokens) -> Claims | None:
    """Put a sign-in's tokens into the browser; whoever signed in is the request's caller from now on."""
    is_small = len(tokens.access_token) <= VALUE_CHARACTERS_MAX
    set_cookie(request, ACCESS, tokens.access_token if is_small else "", ACCESS_LIFETIME_S)
    set_cookie(request, REFRESH, tokens.refresh_token, LIFETIME_S)
    claims = _verified(request, tokens.access_token)
    request.scope["caller"] = claims  # type: ignore[typeddict-unknown-key]  # as above
    return claims


async def leave_session(request: AnyRequest) -> None:
    """End the session and forget it here."""
    runtime, claims = runtime_of(request), await visitor_of(request)
    if claims is not None:
        async with runtime.engine.begin() as connection:
            revoked = await sign_out(connection, claims)
        runtime.revocations.learn(revoked)
    _forget(request)
    request.scope["caller"] = None  # type: ignore[typeddict-unknown-key]  # as above


async def _refreshed(request: AnyRequest) -> Claims | None:
    token = cookie_of(request, REFRESH)
    if token is None:
        return None
    if not _REFRESH_TOKEN.fullmatch(token):
        _forget(request)
        return None
    await limit_refresh(request)
    runtime = runtime_of(request)
    tokens = await runtime.sign_in.refresh(token)
    runtime.revocations.learn(tokens.revoked)
    if isinstance(tokens, Ended):
        _forget(request)
        return None
    return keep_signed_in(request, tokens)


def _verified(request: AnyRequest, token: str | None) -> Claims | None:
    """What an access token of a session says; None for one that is good no more, and for tokens of any other kind."""
    if token is None:
        return None
    runtime = runtime_of(request)
    try:
        claims = runtime.tokens.verify(token)
    except TokenRefused:
        return None
    is_shoppers = Role.SHOPPER in claims.roles and claims.session_id is not None
    return claims if is_shoppers and not runtime.revocations.is_revoked(claims) else None


def _forget(request: AnyRequest) -> None:
    set_cookie(request, ACCESS, "", 0)
    set_cookie(request, REFRESH, "", 0)
