"""Where the pictures of a group are: each under a key made of what it shows, because chats keep pictures for ever."""

from infra.cards.subject import Kind, Subject, subject_of
from infra.sharing.landing import Landing

CARD_WIDTH, CARD_HEIGHT = 1200, 630
POSTER_WIDTH, POSTER_HEIGHT = 1080, 1920


def card_address(origin: str, landing: Landing, language: str) -> str:
    """The picture that chats show beside the link, a JPEG of `CARD_WIDTH` x `CARD_HEIGHT`."""
    return origin + picture_path(pictured(origin, "card", landing, language), landing)


def poster_address(origin: str, landing: Landing, language: str) -> str:
    """The picture to print or post, a JPEG of `POSTER_WIDTH` x `POSTER_HEIGHT` with a QR code of the link."""
    return origin + picture_path(pictured(origin, "poster", landing, language), landing)


def qr_address(origin: str, code: str) -> str:
    """The link of an invite as a QR code, an SVG."""
    return f"{origin}/i/{code}/qr.svg"


def pictured(origin: str, kind: Kind, landing: Landing, language: str) -> Subject:
    """What a picture of the group shows now."""
    return subject_of(kind, landing, language, origin + page_path(landing))


def picture_path(subject: Subject, landing: Landing) -> str:
    """Where a picture is, without the origin."""
    return f"{page_path(landing)}/{subject.kind}/{subject.key}.jpg"


def page_path(landing: Landing) -> str:
    """The page that the pictures belong to: the link it was reached by, or the group's own."""
    return f"/g/{landing.group.id}" if landing.invite is None else f"/i/{landing.invite.code}"
