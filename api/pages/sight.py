"""What the page of a group shows of it, in a reader's language: values ready to be put into sentences."""

import zlib
from dataclasses import dataclass
from typing import Final

from api.pages.speaking import WORDS
from api.pages.words import Words
from domain.groupbuy.group import GroupStatus
from domain.sharing.amounts import amount_text
from domain.sharing.language import Language
from domain.sharing.saying import in_a_row
from domain.sharing.situation import Situation
from domain.sharing.texts import news_of
from domain.sharing.titles import clipped
from infra.reading.deals import DealView
from infra.reading.groups import ParticipantView
from infra.sharing.landing import Landing, situation_on
from infra.views import GroupView

TONES: Final = 6
FREE_PLACES_SHOWN_MAX: Final = 3
DESCRIPTION_SHOWN_MAX: Final = 2_000
SECURE: Final = "https://"


@dataclass(frozen=True, slots=True)
class ShownTier:
    """A tier; `state` is `reached`, `now`, `next` or `later`, and `state_text` what is said of it."""

    people: str
    price: str
    state: str
    state_text: str


@dataclass(frozen=True, slots=True)
class Face:
    """Somebody who is in; `tone` is one of `TONES`, the same wherever that name is shown."""

    name: str
    initial: str
    avatar_url: str | None
    tone: int
    is_leader: bool


@dataclass(frozen=True, slots=True)
class Card:
    """A group elsewhere, to go to."""

    address: str
    title: str
    price: str
    news: str


@dataclass(frozen=True, slots=True)
class Sight:
    """A group with all that is told of it; `progress` is how many of how many are there for the next tier."""

    situation: Situation
    news: str
    price: str
    price_label: str | None
    solo_price: str
    ceiling_price: str
    less_percent: int
    tiers: tuple[ShownTier, ...]
    progress: tuple[int, int] | None
    faces: tuple[Face, ...]
    more_people: int
    and_more: str
    free_places: int
    people_in: str
    places_left: str
    fate: str | None
    outcome: str
    description: str
    image_url: str | None


def sight_of(landing: Landing, language: Language) -> Sight:
    """A group for readers of a language."""
    group, deal, words = landing.group, landing.deal, WORDS[language]
    situation = situation_on(deal, group)
    faces = tuple(map(_face, landing.people))
    more_people = max(group.participants - len(faces), 0)
    return Sight(
        situation=situation,
        news=news_of(situation, language),
        price=amount_text(group.unit_price, group.currency, language),
        price_label=_price_label(landing, words, language),
        solo_price=amount_text(group.solo_price, group.currency, language),
        ceiling_price=amount_text(group.ceiling_price, group.currency, language),
        less_percent=100 * (group.solo_price - group.unit_price) // group.solo_price,  # never more than is saved
        tiers=_tiers(landing, situation, words, language),
        progress=_progress(situation),
        faces=faces,
        more_people=more_people,
        and_more=words.and_more.said(more_people, language),
        free_places=min(situation.seats_left, FREE_PLACES_SHOWN_MAX) if group.participants <= len(faces) else 0,
        people_in=words.people_in.said(group.participants, language) if group.participants else words.nobody_in,
        places_left=_places_left(situation, words, language),
        fate=_fates(words).get(situation.status),
        outcome=_outcome(group, words, language),
        description=clipped(deal.description.strip(), DESCRIPTION_SHOWN_MAX),
        image_url=_secure(deal.image_url),
    )


def card_of(deal: DealView, group: GroupView, language: Language) -> Card:
    """A group as another page shows it."""
    situation = situation_on(deal, group)
    price = amount_text(group.unit_price, group.currency, language)
    return Card(f"/g/{group.id}?lang={language}", deal.title, price, news_of(situation, language))


def _secure(url: str | None) -> str | None:
    """A picture's address, where it can be shown without a warning."""
    return url if url is not None and url.lower().startswith(SECURE) else None


def _price_label(landing: Landing, words: Words, language: Language) -> str | None:
    """What the price is: before the first tier the one that so many people will have; None where nobody pays it."""
    group = landing.group
    if group.status == GroupStatus.SUCCEEDED:
        return words.price_final
    if group.is_closed:
        return None
    coming = group.next_tier
    return words.price_now if group.tipped or not coming else words.from_people.said(coming.participants, language)


def _tiers(landing: Landing, situation: Situation, words: Words, language: Language) -> tuple[ShownTier, ...]:
    group, tiers = landing.group, landing.terms.schedule.tiers
    there = sum(tier.participants <= group.participants for tier in tiers)
    shown = []
    for number, tier in enumerate(tiers, 1):
        state, state_text = _state(number, there, words, situation)
        people = words.from_people.said(tier.participants, language)
        shown.append(ShownTier(people, amount_text(tier.unit_price, group.currency, language), state, state_text))
    return tuple(shown)


def _state(number: int, there: int, words: Words, situation: Situation) -> tuple[str, str]:
    """What a tier is, by its number and that of the one the group stands at; and what is said of it."""
    if number < there:
        return "reached", words.tier_reached
    if number == there:
        return "now", words.tier_now if situation.is_open else words.tier_reached
    if situation.is_next_in_reach and number == there + 1:
        return "next", words.tier_next
    return "later", ""


def _fates(words: Words) -> dict[GroupStatus, str]:
    return {
        GroupStatus.SUCCEEDED: words.succeeded,
        GroupStatus.FAILED: words.failed,
        GroupStatus.CANCELLED: words.cancelled,
    }


def _outcome(group: GroupView, words: Words, language: Language) -> str:
    """What became of a closed group, and what everybody pays."""
    if not group.is_closed:
        return ""
    price = amount_text(group.unit_price, group.currency, language)
    pays = words.everyone_pays.format(price=price) if group.status == GroupStatus.SUCCEEDED else words.nobody_pays
    return in_a_row((words.because(group.closed_by), pays), language)


def _progress(situation: Situation) -> tuple[int, int] | None:
    coming = situation.next_at
    return (situation.participants, coming) if coming is not None and situation.is_next_in_reach else None


def _places_left(situation: Situation, words: Words, language: Language) -> str:
    left = situation.seats_left
    return words.places_left.said(left, language) if left else words.no_place_left


def _face(person: ParticipantView) -> Face:
    name = person.display_name
    initial = next((character for character in name if character.isalnum()), name[:1]).upper()
    tone = (zlib.crc32(name.encode(errors="replace")) >> 8) % TONES
    return Face(name, initial, _secure(person.avatar_url), tone, person.is_leader)
