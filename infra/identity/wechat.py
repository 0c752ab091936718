"""WeChat: the app has a code, and only the server, with the app's secret, can learn whose it is.

https://developers.weixin.qq.com/doc/oplatform/en/Mobile_App/WeChat_Login/Development_Guide.html
A person has an `openid` with each app, and one `unionid` with all apps of an owner, told only where these are bound
together. So the `unionid` is who somebody is, where there is one, and the `openid` else, or before there was one.
"""

from typing import Annotated, Final

import msgspec
import structlog

from infra.identity.accounts import Proof, Provider
from infra.identity.fetching import ProviderClient, ProviderUnavailable, refuse_in_the_clear
from infra.identity.id_tokens import ProviderNotOffered
from infra.secret_files import read_secret
from infra.settings import Settings

API_BASE: Final = "https://api.weixin.qq.com"
CODE_CHARACTERS_MAX: Final = 512
OF_THE_CODE: Final = frozenset({40029, 40163, 41008, 42003})
"""Invalid, used before, missing, expired."""

_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=128, pattern="^[!-~]+$")]

_log = structlog.get_logger(__name__)


class WeChatCodeRefused(Exception):  # noqa: N818 - named after what happened
    """WeChat says that the code is of no use."""

    def __init__(self) -> None:
        super().__init__("WeChat says this code is wrong, too old or used. Let the app ask WeChat for a new one.")


class _Told(msgspec.Struct):
    """What WeChat answers, of either kind; its tokens are of no interest here."""

    errcode: int = 0
    openid: _Id | None = None
    unionid: _Id | None = None


_decode: Final = msgspec.json.Decoder(_Told).decode


class WeChat:
    """One app there."""

    def __init__(self, settings: Settings, client: ProviderClient) -> None:
        self._app_id = settings.wechat_app_id
        self._client = client
        self._url = f"{(settings.wechat_api_base or API_BASE).rstrip('/')}/sns/oauth2/access_token"
        self._secret = ""
        if self._app_id:
            refuse_in_the_clear("TUAN_WECHAT_API_BASE", self._url)
            self._secret = read_secret("TUAN_WECHAT_SECRET_FILE", settings.wechat_secret_file, "WeChat's app secret")

    async def exchange(self, code: str) -> tuple[Proof, ...]:
        """Who the code is of, the better proof first; it is used then.

        Raises `ProviderNotOffered`, `ProviderUnavailable` or `WeChatCodeRefused`.
        """
        if not self._app_id:
            raise ProviderNotOffered(Provider.WECHAT)
        asked = {
            "appid": self._app_id,
            "secret": self._secret,
            "code": code,
            "grant_type": "authorization_code",
        }
        told = _read(await self._client.get(self._url, asked))
        assert told.openid is not None
        of_app = Proof(Provider.WECHAT, f"{self._app_id}:{told.openid}")
        return (of_app,) if told.unionid is None else (Proof(Provider.WECHAT, told.unionid), of_app)


def _read(body: bytes) -> _Told:
    try:
        told = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ProviderUnavailable("WeChat's answer cannot be understood") from None
    if told.errcode in OF_THE_CODE:
        raise WeChatCodeRefused
    if told.errcode or told.openid is None:
        _log.warning("wechat_says_no", errcode=told.errcode)  # busy, or what only an operator can mend
        raise ProviderUnavailable(f"WeChat answers {told.errcode}")
    return told
