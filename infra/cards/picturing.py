"""Finding the words of a picture: what a group shows now, in few words, coarse where it would change all the time."""

from typing import Final

from domain.groupbuy.group import GroupStatus
from domain.pricing.schedule import Tier
from domain.sharing.amounts import amount_text, count_text
from domain.sharing.language import Language
from domain.sharing.picture_words import PICTURE_WORDS, PictureWords
from domain.sharing.situation import Situation
from infra.cards.picture import Kind, Mood, Picture, Rung
from infra.sharing.landing import Landing, situation_on
from infra.views import GroupView, NextTier

EXACT_UP_TO: Final = 5
_ROUND: Final = (5, 10, 20, 30, 50, 100, 200, 300, 500, 1_000, 2_000, 5_000, 10_000, 50_000, 100_000, 1_000_000)
"""What is told instead of a larger number ("20+ more"): a picture of every count would be seen by nobody."""
RUNGS_MAX: Final = 4

_MOODS: Final = {GroupStatus.OPEN: Mood.OPEN, GroupStatus.SUCCEEDED: Mood.GOOD}


def picture_of(kind: Kind, landing: Landing, language: Language, link: str) -> Picture:
    """A group's picture for readers of a language; `link` is what its QR code leads to, where it has one."""
    words, group = PICTURE_WORDS[language], landing.group
    status = GroupStatus(group.status)
    headline, aside = _said(words, situation_on(landing.deal, group), language)
    tiers = landing.terms.schedule.tiers
    reached = sum(tier.participants <= group.participants for tier in tiers)
    return Picture(
        kind=kind,
        language=language.value,
        link=link if kind is not Kind.CARD else "",  # all links of a group share its card
        image_url=landing.deal.image_url,
        title=landing.deal.title,
        merchant=landing.merchant_name or "",
        mood=_MOODS.get(status, Mood.OVER),
        price=amount_text(group.unit_price, group.currency, language),
        price_label=words.each,
        alone=amount_text(group.solo_price, group.currency, language),
        alone_label=words.alone,
        rungs=_rungs(words, group, tiers, reached, language),
        climbed=_climbed(tiers, reached, group.next_tier),
        headline=headline,
        aside=aside,
        slogan=words.slogan,
        invitation=words.scan_to_join if status is GroupStatus.OPEN else words.scan_to_open,
    )


def qr_of(link: str) -> Picture:
    """The picture of a bare QR code."""
    return Picture(
        kind=Kind.QR,
        language="",
        link=link,
        image_url=None,
        title="",
        merchant="",
        mood=Mood.OPEN,
        price="",
        price_label="",
        alone="",
        alone_label="",
        rungs=(),
        climbed=0.0,
        headline="",
        aside="",
        slogan="",
        invitation="",
    )


def _said(words: PictureWords, group: Situation, language: Language) -> tuple[str, str]:
    """What matters most now, and what else there is to say."""
    if not group.is_open:
        price = amount_text(group.unit_price, group.currency, language)
        return words.fate(group.status, price), "" if group.status is GroupStatus.SUCCEEDED else words.nobody_paid
    places = _places(words, group, language)
    if group.needed is None:
        return words.at_lowest, places
    if group.is_next_in_reach:
        return _missing(words, group, language), places
    return places or words.people.said(group.participants, language), ""


def _missing(words: PictureWords, group: Situation, language: Language) -> str:
    needed, price = group.still_needed, amount_text(group.next_unit_price or 0, group.currency, language)
    if not needed:
        return words.to_be_paid.format(price=price)
    number = about(needed)
    is_exact = number == needed <= EXACT_UP_TO
    forms = words.needed if group.is_tipped else words.needed_to_tip
    form = forms.of(number) if is_exact else forms.many
    return form.format(count=count_text(number, language), price=price)


def _places(words: PictureWords, group: Situation, language: Language) -> str:
    """How many places are left, where that is few."""
    if group.is_sold_out:
        return words.sold_out
    if not group.seats_left:
        return words.no_place
    return words.places.said(group.seats_left, language) if group.seats_left <= EXACT_UP_TO else ""


def about(number: int) -> int:
    """A small number itself; of a larger one the largest round number below it."""
    return number if number <= EXACT_UP_TO else max(step for step in _ROUND if step < number)


def _climbed(tiers: tuple[Tier, ...], reached: int, coming: NextTier | None) -> float:
    if coming is None or not tiers:
        return 0.0
    below = tiers[reached - 1].participants if reached else 0
    way = max(coming.participants - below, 1)
    return round(max(way - about(coming.participants_needed), 0) / way, 2) if way > 1 else 0.0


def _rungs(
    words: PictureWords, group: GroupView, tiers: tuple[Tier, ...], reached: int, language: Language
) -> tuple[Rung, ...]:
    return tuple(
        Rung(
            people=words.people.said(tiers[at].participants, language),
            price=amount_text(tiers[at].unit_price, group.currency, language),
            is_reached=at < reached,
        )
        for at in chosen(len(tiers), reached)
    )


def chosen(tiers: int, reached: int) -> list[int]:
    """Which of so many tiers are shown: the last one reached, those to come, and always the lowest price."""
    if tiers <= RUNGS_MAX:
        return list(range(tiers))
    first = min(max(reached - 1, 0), tiers - RUNGS_MAX)
    return [*range(first, first + RUNGS_MAX - 1), tiers - 1]
