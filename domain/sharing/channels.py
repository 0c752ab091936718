"""Where a link can be shared, and the addresses that open each place with the text already written.

What the places say of their addresses: https://faq.whatsapp.com/5913398998672934 (WhatsApp),
https://core.telegram.org/widgets/share (Telegram), https://developers.line.biz/en/docs/line-login/using-line-url-scheme
(LINE), https://developers.facebook.com/docs/sharing/reference/send-dialog (Messenger), https://docs.x.com/x-for-websites
(X), RFC 6068 (mail) and RFC 5724 (text messages).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from domain.sharing.texts import ShareTexts

_UNRESERVED: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
_ENCODED: Final = tuple(chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in range(256))


class Channel(StrEnum):
    """The channels that are known here; an invite may name any other. `LINK` is wherever its sharer pastes it."""

    LINK = "link"
    WHATSAPP = "whatsapp"
    MESSENGER = "messenger"
    TELEGRAM = "telegram"
    LINE = "line"
    X = "x"
    EMAIL = "email"
    SMS = "sms"
    WECHAT = "wechat"
    QR = "qr"
    POSTER = "poster"


CHATS: Final = (
    Channel.WHATSAPP,
    Channel.MESSENGER,
    Channel.TELEGRAM,
    Channel.LINE,
    Channel.X,
    Channel.EMAIL,
    Channel.SMS,
    Channel.WECHAT,
)
"""Those that a text is sent by, in the order they are offered in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WayToShare:
    """How to share by a channel: `address` opens it on a phone, `web_address` in a computer's browser.

    `text` is the whole message, link included, to copy where there is no address or it does not open.
    """

    channel: str
    text: str
    address: str | None = None
    web_address: str | None = None


def ways_to_share(channel: str, texts: ShareTexts, link: str, messenger_app_id: str = "") -> list[WayToShare]:
    """By the channel an invite was made for, whatever that is called; by every chat for a link of no channel."""
    channels = CHATS if channel == Channel.LINK else (channel,)
    return [way_to_share(one, texts, link, messenger_app_id) for one in channels]


def way_to_share(channel: str, texts: ShareTexts, link: str, messenger_app_id: str = "") -> WayToShare:
    """What is sent by a channel, and what opens it."""
    text = f"{texts.short} {link}" if channel in {Channel.X, Channel.SMS} else f"{texts.long}\n{link}"
    address, web_address = None, None
    match channel:
        case Channel.WHATSAPP:
            address = web_address = _with("https://wa.me/", text=text)
        case Channel.TELEGRAM:
            address = web_address = _with("https://t.me/share/url", url=link, text=texts.long)
        case Channel.LINE:  # there is no LINE in a computer's browser
            address = _with("https://line.me/R/share", text=text)
        case Channel.X:
            address = web_address = _with("https://x.com/intent/post", text=texts.short, url=link)
        case Channel.MESSENGER:
            address, web_address = _by_messenger(link, messenger_app_id)
        case Channel.EMAIL:
            address = web_address = _with("mailto:", subject=texts.subject, body=text.replace("\n", "\r\n"))
        case Channel.SMS:  # Android reads what follows the `?`, iOS what follows the `&`
            address = f"sms:?&body={percent_encoded(text)}"
        case _:
            pass
    return WayToShare(channel=channel, text=text, address=address, web_address=web_address)


def percent_encoded(text: str) -> str:
    """Text as a part of an address (RFC 3986, 2.1): UTF-8, all but unreserved characters as `%XX`."""
    return "".join(map(_ENCODED.__getitem__, text.encode(errors="replace")))


def _by_messenger(link: str, app_id: str) -> tuple[str, str | None]:
    """Messenger takes a link and no text; in a browser only from an app that it knows."""
    if not app_id:
        return _with("fb-messenger://share/", link=link), None
    dialog = _with("https://www.facebook.com/dialog/send", app_id=app_id, link=link, redirect_uri=link)
    return _with("fb-messenger://share/", link=link, app_id=app_id), dialog


def _with(address: str, **fields: str) -> str:
    return f"{address}?{'&'.join(f'{name}={percent_encoded(value)}' for name, value in fields.items())}"
