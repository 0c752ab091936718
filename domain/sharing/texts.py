"""What a sharer says of a group: made from how it stands, so that every number in it is the schedule's."""

from dataclasses import dataclass
from typing import Final

from domain.groupbuy.group import GroupStatus
from domain.sharing.amounts import amount_text, count_text
from domain.sharing.language import Language
from domain.sharing.saying import in_a_row
from domain.sharing.situation import Situation
from domain.sharing.titles import shown_title
from domain.sharing.wording import WORDINGS, Wording

TITLE_IN_A_CHAT_CHARACTERS_MAX: Final = 120
TITLE_IN_A_LINE_CHARACTERS_MAX: Final = 60
SHORT_CHARACTERS_MAX: Final = 200
SHORT_WEIGHT_MAX: Final = 256
"""As X counts, where a post may have 280 and a link takes 23 and the blank before it 1."""
SUBJECT_CHARACTERS_MAX: Final = 150
LONG_CHARACTERS_MAX: Final = 500
PLACES_COUNTED_MAX: Final = 20
"""More places than that are no reason to hurry: their number is not told."""


@dataclass(frozen=True, slots=True)
class ShareTexts:
    """The same in three lengths, without the link.

    `short` is for X and text messages, `long` for chats (a line for the title, one for the news), `subject` for mails.
    """

    short: str
    long: str
    subject: str


def share_texts(group: Situation, language: Language) -> ShareTexts:
    """What is said of a group as it stands now."""
    wording = WORDINGS[language]
    short_title, news = shown_title(group.title, TITLE_IN_A_LINE_CHARACTERS_MAX), news_of(group, language)
    line = wording.line.format(title=short_title, news=news)
    if not group.can_be_joined:
        title = shown_title(group.title, TITLE_IN_A_CHAT_CHARACTERS_MAX)
        fate = _places(group, wording, language) if group.is_open else news
        return ShareTexts(line, f"{title}\n{news}", wording.line.format(title=short_title, news=fate))
    greeting = wording.greeting.format(title=shown_title(group.title, TITLE_IN_A_CHAT_CHARACTERS_MAX))
    told = in_a_row((_people(group, wording, language), news, _price_now(group, language)), language)
    subject = wording.subject if group.is_tipped or group.is_next_in_reach else wording.greeting
    return ShareTexts(line, f"{greeting}\n{told}", subject.format(title=short_title, **_amounts(group, language)))


def news_of(group: Situation, language: Language) -> str:
    """The one thing to know: what more people are worth, how few places are left, or what became of the group."""
    wording = WORDINGS[language]
    match group.status:
        case GroupStatus.OPEN:
            told = (_worth(group, language), _counted_in(group, wording), _places(group, wording, language))
            return in_a_row(told, language)
        case GroupStatus.SUCCEEDED:
            return wording.succeeded.said(group.participants, language, **_amounts(group, language))
        case GroupStatus.FAILED:
            return wording.failed
        case GroupStatus.CANCELLED:
            return wording.cancelled


def _worth(group: Situation, language: Language) -> str:
    """What the next people are worth to everybody, if so many can come; at the lowest price, that it is."""
    wording, amounts = WORDINGS[language], _amounts(group, language)
    needed = group.still_needed
    if needed is None or group.next_at is None:
        return wording.at_lowest.format(**amounts)
    if not group.is_next_in_reach:
        return wording.now.format(**amounts) if group.is_tipped else ""
    if not needed:
        return wording.to_be_paid.format(**amounts)
    if not group.is_tipped:
        return wording.to_tip.said(needed, language, **amounts)
    if group.next_at == 2:
        return wording.to_be_two.format(**amounts)
    return wording.to_next.said(needed, language, all=count_text(group.next_at, language), **amounts)


def _counted_in(group: Situation, wording: Wording) -> str:
    """That places are counted which may still be given up, where they are."""
    return wording.unpaid_count if group.reserved and group.still_needed and group.is_next_in_reach else ""


def _places(group: Situation, wording: Wording, language: Language) -> str:
    """How many places are left, where that is few or nothing else is to be said."""
    if group.is_sold_out:
        return wording.sold_out
    if not group.seats_left:
        return wording.no_place
    if not group.is_next_in_reach and group.seats_left > PLACES_COUNTED_MAX:
        return wording.many_places
    if not group.is_next_in_reach or group.seats_left == 1:
        return wording.places.said(group.seats_left, language)
    return ""


def _people(group: Situation, wording: Wording, language: Language) -> str:
    if not group.participants:
        return wording.nobody_is_in
    return wording.people.said(group.participants, language)


def _price_now(group: Situation, language: Language) -> str:
    """What it costs already, where the news only tells what can still be saved."""
    if not group.is_next_in_reach or not group.is_tipped:
        return ""
    return WORDINGS[language].now.format(**_amounts(group, language))


def _amounts(group: Situation, language: Language) -> dict[str, str]:
    amounts = {
        "price": group.unit_price,
        "alone": group.solo_price,
        "next": group.next_unit_price,
        "saving": group.saving_each,
    }
    return {
        name: amount_text(amount_minor, group.currency, language)
        for name, amount_minor in amounts.items()
        if amount_minor is not None
    }
