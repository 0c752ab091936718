"""Where the pictures of a group are: each under a key made of what it shows, because chats keep pictures for ever."""

from domain.sharing.language import Language
from infra.cards.picture import Kind, Picture
from infra.cards.picturing import picture_of
from infra.sharing.landing import Landing


def card_address(origin: str, landing: Landing, language: Language) -> str:
    """The picture that chats show beside the link, a JPEG of 1200 x 630 pixels."""
    return address_of(origin, landing, pictured(origin, Kind.CARD, landing, language))


def poster_address(origin: str, landing: Landing, language: Language) -> str:
    """The picture to print or post, a JPEG of 1080 x 1920 pixels with a QR code of the link."""
    return address_of(origin, landing, pictured(origin, Kind.POSTER, landing, language))


def qr_address(origin: str, code: str) -> str:
    """The link of an invite as a QR code, an SVG."""
    return f"{origin}/i/{code}/qr.svg"


def pictured(origin: str, kind: Kind, landing: Landing, language: Language) -> Picture:
    """What a picture of the group shows now."""
    return picture_of(kind, landing, language, origin + page_path(landing))


def address_of(origin: str, landing: Landing, picture: Picture) -> str:
    """Where a picture of the group is."""
    return f"{origin}{page_path(landing)}/{picture.kind}/{picture.key}.jpg"


def page_path(landing: Landing) -> str:
    """The page that the pictures belong to: the link it was reached by, or the group's own."""
    return f"/g/{landing.group.id}" if landing.invite is None else f"/i/{landing.invite.code}"
