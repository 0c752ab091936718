"""Ending letters by the link that each of them has: a page that asks, as programs open links too, and one that says so.

A mail program's own button sends the same form without showing a page (RFC 8058). Nobody has to sign in.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from api.answers import Answer
from api.pages.kept import VARY
from api.pages.showing import page
from api.pages.speaking import WORDS, spoken_to
from api.refused import NothingHere
from api.requests import AnyRequest, runtime_of
from api.routing import route
from domain.sharing.language import Language
from infra.notices.unsubscribing import Unwanted, stop_letters


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsubscribeWords:
    """What the two pages say."""

    question: str
    what_stays: str
    yes: str
    done: str
    where: str


_WORDS: Final = MappingProxyType(
    {
        Language.EN: UnsubscribeWords(
            question="No more e-mails like this one?",
            what_stays="Your groups and orders stay as they are, and the news is in the app all the same.",
            yes="No more of these e-mails",
            done="You get no more e-mails like this one.",
            where="In the app you can choose what you are told, and how, at any time.",
        ),
        Language.ZH: UnsubscribeWords(
            question="不再接收此类邮件？",
            what_stays="您的拼团和订单不受影响，消息仍可在应用中查看。",
            yes="不再接收",
            done="您不会再收到此类邮件。",
            where="您可以随时在应用中选择接收哪些消息以及接收方式。",
        ),
        Language.DE: UnsubscribeWords(
            question="Keine solchen E-Mails mehr?",
            what_stays="Deine Gruppen und Bestellungen bleiben, wie sie sind, und was es Neues gibt, steht in der App.",
            yes="Keine solchen E-Mails mehr",
            done="Du bekommst keine solchen E-Mails mehr.",
            where="In der App kannst du jederzeit wählen, was du erfährst und wie.",
        ),
        Language.ES: UnsubscribeWords(
            question="¿No recibir más correos como este?",
            what_stays="Tus grupos y pedidos siguen como están, y las novedades están en la aplicación.",
            yes="No recibir más estos correos",
            done="No recibirás más correos como este.",
            where="En la aplicación puedes elegir en cualquier momento qué se te avisa y cómo.",
        ),
    }
)


@route("GET", "/unsubscribe/{token}")
async def ask_whether(request: AnyRequest) -> Answer:
    """Nothing is ended yet: programs that look through mail open its links."""
    unwanted_of(request)
    return _shown(request, is_done=False)


@route("POST", "/unsubscribe/{token}")
async def end_letters(request: AnyRequest) -> Answer:
    """Whatever the form says: who has the link has the letter. Sending it again is safe."""
    unwanted = unwanted_of(request)
    async with runtime_of(request).engine.begin() as connection:
        await stop_letters(connection, unwanted)
    return _shown(request, is_done=True)


def unwanted_of(request: AnyRequest) -> Unwanted:
    """What the link is for; raises `NothingHere` for one that is not from us."""
    unwanted = runtime_of(request).unsubscribing.read(request.scope["path_params"]["token"])
    if unwanted is None:
        raise NothingHere
    return unwanted


def _shown(request: AnyRequest, *, is_done: bool) -> Answer:
    language = spoken_to(request)
    headers = (
        (b"cache-control", b"no-store"),
        (b"vary", VARY),
        (b"content-language", language.encode()),
    )
    said = _WORDS[language]
    return page("unsubscribe.html", headers, words=WORDS[language], language=language, said=said, is_done=is_done)
