"""What a notice says to one person; the title of the deal stands beside it, never in it."""

from dataclasses import dataclass
from enum import Enum

from domain.notices.facts import Facts
from domain.notices.kinds import OF_PAYMENTS, Kind
from domain.notices.wording import NOTICE_WORDINGS, NoticeWording
from domain.sharing.amounts import amount_text
from domain.sharing.language import Language
from domain.sharing.saying import in_a_row
from domain.sharing.situation import Situation
from domain.sharing.texts import news_of
from domain.sharing.wording import WORDINGS


class Money(Enum):
    """Where the money is of somebody who has nothing to pay."""

    NEVER_TAKEN = "never_taken"
    COMING_BACK = "coming_back"
    BACK = "back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """What a text is made of; `money` is where it is now, whenever the notice was made.

    `is_alone`: it is about an order of somebody who buys without a group.
    """

    kind: Kind
    title: str
    currency: str
    facts: Facts
    money: Money
    is_alone: bool = False


def notice_text(told: Telling, language: Language) -> str:
    """One to three sentences."""
    return in_a_row(_sentences(told, language), language)


def _sentences(told: Telling, language: Language) -> tuple[str, ...]:
    if told.kind in OF_PAYMENTS:
        return _of_payment(told, language)
    wording, facts = NOTICE_WORDINGS[language], told.facts
    group = None if facts.standing is None else facts.standing.situation(told.title, told.currency)
    match told.kind:
        case Kind.FAILED:
            return (wording.failed, _money(wording, told.money))
        case Kind.CANCELLED:
            return (wording.cancelled, _money(wording, told.money))
        case Kind.SUCCEEDED:
            return (wording.succeeded, _pays(told, group, language))
    return () if group is None else _of_open_group(told.kind, facts, group, language)


def _of_payment(told: Telling, language: Language) -> tuple[str, ...]:
    wording, is_alone = NOTICE_WORDINGS[language], told.is_alone
    amount = amount_text(told.facts.amount_minor or 0, told.currency, language)
    match told.kind:
        case Kind.PAYMENT_NEEDED:
            return (wording.payment_needed.of(is_alone=is_alone).format(amount=amount),)
        case Kind.PAYMENT_LATE:
            late = wording.payment_late.of(is_alone=is_alone).format(amount=amount)
            return (late, _money(wording, told.money), wording.other_groups)
        case Kind.PAYMENT_MISSED:
            return (wording.payment_missed.of(is_alone=is_alone), wording.nothing_to_pay)
        case _:
            return (wording.payment_refused.of(is_alone=is_alone), wording.nothing_to_pay)


def _of_open_group(kind: Kind, facts: Facts, group: Situation, language: Language) -> tuple[str, ...]:
    wording = NOTICE_WORDINGS[language]
    worth = "" if group.needed is None else news_of(group, language)
    match kind:
        case Kind.JOINED:
            people = WORDINGS[language].people.said(group.participants, language)
            return (wording.joined.said(facts.joined or 1, language), people, worth)
        case Kind.PRICE_DROPPED:
            price = amount_text(group.unit_price, group.currency, language)
            return (wording.price_dropped.format(price=price), worth or wording.lowest)
        case Kind.TWO_PLACES_LEFT:
            return (wording.places.said(group.seats_left, language), "" if group.seats_left == 1 else worth)
        case _:
            return (wording.one_hour_left, worth)


def _pays(told: Telling, group: Situation | None, language: Language) -> str:
    if group is None or told.facts.pays_minor is None:
        return ""
    return NOTICE_WORDINGS[language].you_pay.said(
        told.facts.quantity or 1,
        language,
        pays=amount_text(told.facts.pays_minor, told.currency, language),
        alone=amount_text(group.solo_price, told.currency, language),
        price=amount_text(group.unit_price, told.currency, language),
    )


def _money(wording: NoticeWording, money: Money) -> str:
    match money:
        case Money.NEVER_TAKEN:
            return wording.nothing_to_pay
        case Money.COMING_BACK:
            return wording.money_comes_back
        case Money.BACK:
            return wording.money_is_back
