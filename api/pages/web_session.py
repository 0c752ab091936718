"""Whoever is signed in in a browser: the tokens of an ordinary session, in cookies that only pages read.

When the access token has run out, the refresh token gets new ones on the way; two tabs that do so at once hear the
same, and so does a browser whose page was broken off, whenever it comes again.
"""

from typing import Final

from api.access import caller_if_known
from api.limiting import limit_refresh, limit_visitor
from api.pages.web_cookies import VALUE_CHARACTERS_MAX, cookie_of, set_cookie
from api.requests import AnyRequest, header, runtime_of
from domain.identity.permissions import Role
from infra.identity.sessions import LIFETIME_S, Ended, sign_out
from infra.identity.sign_in import Tokens
from infra.token_keys import ACCESS_LIFETIME_S
from infra.tokens import Claims, TokenRefused

ACCESS: Final = "tuan_access"
REFRESH: Final = "tuan_refresh"


def has_session(request: AnyRequest) -> bool:
    """Whether the browser says that somebody is signed in."""
    if header(request, b"cookie") is None:
        return False
    return cookie_of(request, ACCESS) is not None or cookie_of(request, REFRESH) is not None


async def visitor_of(request: AnyRequest) -> Claims | None:
    """Who is signed in in this browser, from now on the request's caller; None for nobody.

    The cookies are judged once: whoever has signed in or out since then counts. Raises `RateLimited` and `Unavailable`.
    """
    if "is_visitor_known" not in request.scope:
        _note(request, _verified(request, cookie_of(request, ACCESS)) or await _refreshed(request))
        await limit_visitor(request)
    return caller_if_known(request)


def keep_signed_in(request: AnyRequest, tokens: Tokens) -> Claims | None:
    """Put a sign-in's tokens into the browser; whoever signed in is the request's caller from now on."""
    is_small = len(tokens.access_token) <= VALUE_CHARACTERS_MAX  # else every page renews it, as no browser keeps it
    set_cookie(request, ACCESS, tokens.access_token if is_small else "", ACCESS_LIFETIME_S)
    set_cookie(request, REFRESH, tokens.refresh_token, LIFETIME_S)
    claims = _verified(request, tokens.access_token)
    _note(request, claims)
    return claims


async def leave_session(request: AnyRequest) -> None:
    """End the session and forget it here."""
    runtime, claims = runtime_of(request), await visitor_of(request)
    if claims is not None:
        async with runtime.engine.begin() as connection:
            revoked = await sign_out(connection, claims)
        runtime.revocations.learn(revoked)
    _forget(request)
    _note(request, None)


async def _refreshed(request: AnyRequest) -> Claims | None:
    token = cookie_of(request, REFRESH)
    if token is None:
        return None
    await limit_refresh(request)
    runtime = runtime_of(request)
    tokens = await runtime.sign_in.refresh(token, is_browsers=True)
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


def _note(request: AnyRequest, claims: Claims | None) -> None:
    request.scope["caller"] = claims  # type: ignore[typeddict-unknown-key]  # ours, as `authorise` notes it
    request.scope["is_visitor_known"] = True  # type: ignore[typeddict-unknown-key]  # ours


def _forget(request: AnyRequest) -> None:
    set_cookie(request, ACCESS, "", 0)
    set_cookie(request, REFRESH, "", 0)
