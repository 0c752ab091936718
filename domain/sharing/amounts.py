"""Amounts of money and counts of people, written as people who read a language write them.

Signs, marks and their places are those of Unicode's CLDR for `en`, `zh`, `de` and `es`.
"""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from domain.pricing.currency import MINOR_DIGITS
from domain.sharing.language import Language, by_language

NO_BREAK: Final = "\u00a0"
"""Between a number and its currency: the two stay on one line."""

_ABROAD: Final = {
    "EUR": "€",
    "GBP": "£",
    "INR": "₹",
    "BRL": "R$",
    "AUD": "AU$",
    "CAD": "CA$",
    "CNY": "CN¥",
    "HKD": "HK$",
    "ILS": "₪",
    "KRW": "₩",
    "MXN": "MX$",
    "NZD": "NZ$",
    "TWD": "NT$",
    "VND": "₫",
}
"""Signs of currencies where a language has none shorter of its own."""


@dataclass(frozen=True, slots=True)
class _Manner:
    """How a language writes numbers; groups of three begin where a number has `grouped_from` digits."""

    point: str
    group: str
    grouped_from: int
    currency_first: bool
    signs: MappingProxyType[str, str]


def _signs(**signs: str) -> MappingProxyType[str, str]:
    return MappingProxyType(signs)


_MANNERS: Final = by_language(
    en=_Manner(
        ".",
        ",",
        4,
        currency_first=True,
        signs=_signs(**_ABROAD | {"USD": "$", "JPY": "¥", "AUD": "A$", "PHP": "₱"}),
    ),
    zh=_Manner(".", ",", 4, currency_first=True, signs=_signs(**_ABROAD | {"CNY": "¥", "USD": "US$", "JPY": "JP¥"})),
    de=_Manner(",", ".", 4, currency_first=False, signs=_signs(**_ABROAD | {"USD": "$", "JPY": "¥", "THB": "฿"})),
    es=_Manner(",", ".", 5, currency_first=False, signs=_signs(EUR="€", USD="US$", THB="฿", VND="₫")),
)


def amount_text(amount_minor: int, currency: str, language: Language) -> str:
    """An amount without any rounding: 400 of USD is `$4.00` in English and `4,00 $` in German."""
    manner = _MANNERS[language]
    sign = manner.signs.get(currency, currency)
    minus = "-" if amount_minor < 0 else ""
    number = _decimal(abs(amount_minor), MINOR_DIGITS[currency], manner)
    if manner.currency_first:
        gap = NO_BREAK if sign[-1].isalpha() else ""
        return f"{minus}{sign}{gap}{number}"
    return f"{minus}{number}{NO_BREAK}{sign}"


def count_text(count: int, language: Language) -> str:
    """A whole number, its digits grouped: `12,345` in English."""
    return _grouped(str(count), _MANNERS[language])


def _decimal(amount_minor: int, digits: int, manner: _Manner) -> str:
    whole, rest = divmod(amount_minor, 10**digits)
    fraction = f"{manner.point}{rest:0{digits}d}" if digits else ""
    return _grouped(str(whole), manner) + fraction


def _grouped(digits: str, manner: _Manner) -> str:
    if len(digits) < manner.grouped_from:
        return digits
    first = len(digits) % 3 or 3
    threes = (digits[at : at + 3] for at in range(first, len(digits), 3))
    return manner.group.join((digits[:first], *threes))
