"""Amounts in words of four languages: the digits are the amount's own, the rest is how people write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.pricing.currency import MINOR_DIGITS
from domain.sharing.amounts import amount_text, count_text
from domain.sharing.language import Language

EN, ZH, DE, ES = Language


@pytest.mark.parametrize(
    ("amount_minor", "currency", "texts"),
    [
        (400, "USD", ("$4.00", "US$4.00", "4,00 $", "4,00 US$")),
        (400, "EUR", ("€4.00", "€4.00", "4,00 €", "4,00 €")),
        (400, "CNY", ("CN¥4.00", "¥4.00", "4,00 CN¥", "4,00 CNY")),
        (400, "JPY", ("¥400", "JP¥400", "400 ¥", "400 JPY")),
        (400, "GBP", ("£4.00", "£4.00", "4,00 £", "4,00 GBP")),
        (400, "CHF", ("CHF 4.00", "CHF 4.00", "4,00 CHF", "4,00 CHF")),
        (400, "KWD", ("KWD 0.400", "KWD 0.400", "0,400 KWD", "0,400 KWD")),
        (123_456, "EUR", ("€1,234.56", "€1,234.56", "1.234,56 €", "1234,56 €")),
        (1_234_567, "USD", ("$12,345.67", "US$12,345.67", "12.345,67 $", "12.345,67 US$")),
        (100_000_000, "JPY", ("¥100,000,000", "JP¥100,000,000", "100.000.000 ¥", "100.000.000 JPY")),
        (-5, "USD", ("-$0.05", "-US$0.05", "-0,05 $", "-0,05 US$")),
        (0, "EUR", ("€0.00", "€0.00", "0,00 €", "0,00 €")),
    ],
)
def test_people_read_amounts_as_they_write_them(amount_minor: int, currency: str, texts: tuple[str, ...]) -> None:
    """Sign, point and groups are those of the language; number and currency stay on one line."""
    for language, text in zip(Language, texts, strict=True):
        assert amount_text(amount_minor, currency, language) == text.replace(" ", "\u00a0")


@given(st.integers(-(10**15), 10**15), st.sampled_from(sorted(MINOR_DIGITS)), st.sampled_from(Language))
def test_nothing_is_rounded(amount_minor: int, currency: str, language: Language) -> None:
    """The digits of a text, in any currency and language, are those of the amount."""
    text = amount_text(amount_minor, currency, language)
    assert int("".join(filter(str.isdigit, text))) == abs(amount_minor)
    assert text.startswith("-") == (amount_minor < 0)


@pytest.mark.parametrize(
    ("count", "texts"),
    [(0, ("0",) * 4), (999, ("999",) * 4), (1_234, ("1,234", "1,234", "1.234", "1234")), (10**7, ("10,000,000",) * 2)],
)
def test_counts_are_grouped_like_amounts(count: int, texts: tuple[str, ...]) -> None:
    """A million people are not counted in one row of digits."""
    for language, text in zip(Language, texts, strict=False):
        assert count_text(count, language) == text
