"""WeChat's JS-SDK: a page of ours inside WeChat may set what is shared, if the server signs the page's address.

https://developers.weixin.qq.com/doc/offiaccount/en/OA_Web_Apps/JS-SDK.html
https://developers.weixin.qq.com/doc/service/api/base/api_getstableaccesstoken.html
What signs is a ticket, good for two hours, of which only so many may be fetched a day. So all processes share one
through Redis, and it is fetched by one at a time, before the old one ends, while that still serves. It is asked for
with an access token that WeChat calls stable: getting one again ends no other's, so that needs no keeping.
"""

import asyncio
import hashlib
import time
from typing import Annotated, Final

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from infra.cannot_start import WrongSetting
from infra.ending import end
from infra.identity.fetching import ProviderClient, ProviderUnavailable, refuse_in_the_clear
from infra.identity.wechat import API_BASE
from infra.secret_files import read_secret
from infra.settings import Settings

RENEWED_BEFORE_S: Final = 600
"""So long before its end a ticket is fetched anew; until then the old one serves."""
USED_UNTIL_S: Final = 60
"""So long before its end a ticket signs nothing more: the page has to reach WeChat with it."""
LIFETIME_S_MAX: Final = 24 * 3600
WAIT_S: Final = 0.3
"""Nobody who shares waits longer for WeChat."""
REST_S: Final = 30.0
"""So long after an attempt, good or bad, there is no other."""
FETCHING_S_MAX: Final = 12
"""Two questions of at most 5 seconds each; afterwards another process may try."""
LOOKS_AGAIN_AFTER_S: Final = 0.1

_Secret = Annotated[str, msgspec.Meta(min_length=1, max_length=1_024, pattern="^[!-~]+$")]
_Lifetime = Annotated[int, msgspec.Meta(ge=1, le=LIFETIME_S_MAX)]

_log = structlog.get_logger(__name__)


class WeChatAway(Exception):  # noqa: N818 - named after what happened
    """WeChat gives nothing to sign with, for now."""

    retry_after_s = 30

    def __init__(self) -> None:
        super().__init__("WeChat cannot be asked right now. Share the link as it is, or try again in a moment.")


class WeChatSignature(msgspec.Struct, frozen=True, kw_only=True):
    """What `wx.config` takes on a page at `url`: `app_id` is its appId, `nonce` its nonceStr."""

    app_id: str
    timestamp: int
    nonce: str
    signature: str
    url: str


class Ticket(msgspec.Struct, frozen=True):
    """What signs; times in seconds since 1970."""

    text: _Secret
    since: int
    until: int

    def serves(self, margin_s: int) -> bool:
        """Whether it is good for so long from now."""
        return time.time() + margin_s < self.until

    def sign(self, app_id: str, url: str) -> WeChatSignature:
        """The signature of an address, the same as long as the ticket is: WeChat asks for no new nonce each time."""
        nonce = hashlib.blake2b(url.encode(), key=self.text.encode()[:64], digest_size=8).hexdigest()
        signature = signature_of(self.text, nonce, self.since, url)
        return WeChatSignature(app_id=app_id, timestamp=self.since, nonce=nonce, signature=signature, url=url)


def signature_of(ticket: str, nonce: str, timestamp: int, url: str) -> str:
    """WeChat's choice of a signature: the fields by their names, as they are, in SHA-1."""
    told = f"jsapi_ticket={ticket}&noncestr={nonce}&timestamp={timestamp}&url={url}"
    return hashlib.sha1(told.encode(), usedforsecurity=False).hexdigest()


class _TokenAnswer(msgspec.Struct):
    errcode: int = 0
    access_token: _Secret | None = None


class _TicketAnswer(msgspec.Struct):
    errcode: int = 0
    ticket: _Secret | None = None
    expires_in: _Lifetime = 7_200


_decode_token_answer: Final = msgspec.json.Decoder(_TokenAnswer).decode
_decode_ticket_answer: Final = msgspec.json.Decoder(_TicketAnswer).decode
_decode_ticket: Final = msgspec.json.Decoder(Ticket).decode
_encode: Final = msgspec.json.Encoder().encode
_NOT_UNDERSTOOD: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class WeChatJs:
    """One official account there; none where no app is set."""

    def __init__(self, settings: Settings, redis: Redis) -> None:
        self._app_id = settings.wechat_js_app_id
        self._base = (settings.wechat_api_base or API_BASE).rstrip("/")
        self._key = f"wechat-js:{self._app_id}:ticket"
        self._lock_key = f"wechat-js:{self._app_id}:fetching"
        self._redis = redis
        self._client = ProviderClient()
        self._ticket: Ticket | None = None
        self._renewing: asyncio.Task[None] | None = None
        self._rests_until = 0.0
        self._is_away = False
        self._secret = ""
        if self._app_id:
            refuse_in_the_clear("TUAN_WECHAT_API_BASE", self._base)
            what = "the WeChat official account's secret"
            self._secret = read_secret("TUAN_WECHAT_JS_SECRET_FILE", settings.wechat_js_secret_file, what)
        elif settings.wechat_js_secret_file is not None:
            raise WrongSetting("TUAN_WECHAT_JS_SECRET_FILE is set and TUAN_WECHAT_JS_APP_ID is not.")

    @property
    def is_offered(self) -> bool:
        """Whether anything is signed here."""
        return bool(self._app_id)

    async def sign(self, url: str) -> WeChatSignature:
        """Sign an address, which the caller knows to be one of ours; raises `WeChatAway`."""
        ticket = await self.ticket()
        if ticket is None:
            raise WeChatAway
        return ticket.sign(self._app_id, url)

    async def ticket(self) -> Ticket | None:
        """What signs, within `WAIT_S`; None where nothing does."""
        if not self._app_id:
            return None
        if self._ticket is None or not self._ticket.serves(RENEWED_BEFORE_S):
            renewing = self._begin_renewing()
            if renewing is not None and not self._is_of_use():
                await asyncio.wait({renewing}, timeout=WAIT_S)
        return self._ticket if self._is_of_use() else None

    async def close(self) -> None:
        """Stop asking."""
        if self._renewing is not None:
            await end(self._renewing)
        await self._client.close()

    def _is_of_use(self) -> bool:
        return self._ticket is not None and self._ticket.serves(USED_UNTIL_S)

    def _begin_renewing(self) -> asyncio.Task[None] | None:
        if self._renewing is not None and not self._renewing.done():
            return self._renewing
        if time.monotonic() < self._rests_until:
            return None
        self._renewing = asyncio.create_task(self._renew())
        return self._renewing

    async def _renew(self) -> None:
        """Take the ticket of another process, or fetch one for all."""
        try:
            async with asyncio.timeout(FETCHING_S_MAX):
                self._ticket = await self._renewed()
        except (ProviderUnavailable, TimeoutError) as error:
            if not self._is_away:
                _log.warning("wechat_js_away", reason=getattr(error, "reason", "it took too long"))
            self._is_away = True
        else:
            self._is_away = False
        finally:
            self._rests_until = time.monotonic() + REST_S

    async def _renewed(self) -> Ticket:
        while (stored := await self._stored()) is None:
            if await self._may_fetch():
                ticket = await self._stored() or await self._fetch()  # one may have come after the first look
                await self._store(ticket)
                return ticket
            await asyncio.sleep(LOOKS_AGAIN_AFTER_S)
        return stored

    async def _fetch(self) -> Ticket:
        asked_at = int(time.time())
        asked = {"grant_type": "client_credential", "appid": self._app_id, "secret": self._secret}
        token = _read_token(await self._client.post(f"{self._base}/cgi-bin/stable_token", _encode(asked)))
        parameters = {"access_token": token, "type": "jsapi"}
        return _read_ticket(await self._client.get(f"{self._base}/cgi-bin/ticket/getticket", parameters), asked_at)

    async def _stored(self) -> Ticket | None:
        """The ticket that all share, if it is good for long enough."""
        try:
            told = await self._redis.get(self._key)
            ticket = None if told is None else _decode_ticket(told)
        except (RedisError, OSError, *_NOT_UNDERSTOOD):
            return None
        return ticket if ticket is not None and ticket.serves(RENEWED_BEFORE_S) else None

    async def _may_fetch(self) -> bool:
        """Whether nobody else is fetching; without Redis each process fetches its own."""
        try:
            return bool(await self._redis.set(self._lock_key, b"1", nx=True, ex=FETCHING_S_MAX))
        except (RedisError, OSError):
            return True

    async def _store(self, ticket: Ticket) -> None:
        lifetime_s = ticket.until - int(time.time())
        try:
            if lifetime_s > 0:
                await self._redis.set(self._key, _encode(ticket), ex=lifetime_s)
            await self._redis.delete(self._lock_key)
        except (RedisError, OSError):
            return  # this process has it


def _read_token(body: bytes) -> str:
    try:
        told = _decode_token_answer(body)
    except _NOT_UNDERSTOOD:
        raise ProviderUnavailable("WeChat's answer cannot be understood") from None
    if told.errcode or told.access_token is None:
        raise ProviderUnavailable(f"WeChat gives no access token: {told.errcode}")
    return told.access_token


def _read_ticket(body: bytes, asked_at: int) -> Ticket:
    try:
        told = _decode_ticket_answer(body)
    except _NOT_UNDERSTOOD:
        raise ProviderUnavailable("WeChat's answer cannot be understood") from None
    if told.errcode or told.ticket is None:
        raise ProviderUnavailable(f"WeChat gives no ticket: {told.errcode}")
    return Ticket(told.ticket, asked_at, asked_at + told.expires_in)
