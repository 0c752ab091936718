"""What is said when several notices reach somebody at once, and around those that come as a letter."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from domain.sharing.language import Language, by_language
from domain.sharing.saying import Forms

LINES_SHOWN_MAX: Final = 3
"""More a phone does not show of one push."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleWording:
    """One language's sentences: `{count}` counts notices, `{link}` is where the letters are ended."""

    happened: Forms
    line: str
    why: str
    no_more: str


_WORDINGS: Final = by_language(
    en=BundleWording(
        happened=Forms("News from your group", "{count} things happened in your groups"),
        line="{title}: {text}",
        why="You get this e-mail because you take part in a group.",
        no_more="To get no more e-mails like this: {link}",
    ),
    zh=BundleWording(
        happened=Forms("您的拼团有新动态", "您的拼团有{count}条新动态"),
        line="{title}：{text}",
        why="您收到此邮件，是因为您参加了拼团。",
        no_more="不再接收此类邮件：{link}",
    ),
    de=BundleWording(
        happened=Forms("Neues aus deiner Gruppe", "{count} Neuigkeiten aus deinen Gruppen"),
        line="{title}: {text}",
        why="Du bekommst diese E-Mail, weil du bei einer Gruppe mitmachst.",
        no_more="Keine solchen E-Mails mehr: {link}",
    ),
    es=BundleWording(
        happened=Forms("Novedades de tu grupo", "{count} novedades en tus grupos"),
        line="{title}: {text}",
        why="Recibes este correo porque participas en un grupo.",
        no_more="Para no recibir más correos como este: {link}",
    ),
)


@dataclass(frozen=True, slots=True)
class Item:
    """One notice in words; `title` names its deal, `link` leads to its group."""

    title: str
    text: str
    link: str | None = None


def headline(items: Sequence[Item], language: Language) -> str:
    """What stands above all of them: the deal they are about, else how many there are."""
    titles = {item.title for item in items}
    if len(titles) == 1:
        return items[0].title
    return _WORDINGS[language].happened.said(len(items), language)


def push_text(items: Sequence[Item], language: Language) -> str:
    """The newest first, each on a line of its own; `items` have the oldest first."""
    newest = list(reversed(items))[:LINES_SHOWN_MAX]
    if len({item.title for item in items}) == 1:
        return "\n".join(item.text for item in newest)
    line = _WORDINGS[language].line
    return "\n".join(line.format(title=item.title, text=item.text) for item in newest)


def letter_text(items: Sequence[Item], language: Language, no_more_link: str) -> str:
    """All of them, the oldest first, with where to go on; then why it came, and how no more of them do."""
    wording = _WORDINGS[language]
    parts = ["\n".join(filter(None, (item.title, item.text, item.link))) for item in items]
    return "\n\n".join([*parts, f"{wording.why}\n{wording.no_more.format(link=no_more_link)}"])
