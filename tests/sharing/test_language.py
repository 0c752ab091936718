"""Languages: whoever says what they read gets it, as far as it is one of ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.sharing.language import Language, first_fitting, fitting, language_of

EN, ZH, DE, ES = Language


@pytest.mark.parametrize(
    ("wish", "language"),
    [
        (None, EN),
        ("", EN),
        ("de", DE),
        ("DE-at", DE),
        ("zh-Hant-TW", ZH),
        ("zh_Hans_CN", ZH),
        ("es-419", ES),
        ("fr", EN),
        ("fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5", EN),
        ("fr;q=0.9,de;q=0.3,es;q=0.5", ES),
        ("es , de", ES),
        ("de;q=0.5, zh;q=0.5", DE),
        ("de;q=0", EN),
        ("de;q=0, es;q=0.001", ES),
        ("*", EN),
        ("*;q=0.9, de;q=0.8", EN),
        ("en;q=0, *, de;q=0.1", DE),
        ("de; q = 1", EN),
        ("german, des", EN),
        ("de;q=1.5, es;q=0.2", ES),
        (";;;,,,q=1,es", ES),
    ],
)
def test_the_best_of_ours_is_taken(wish: str | None, language: Language) -> None:
    """Weights count, then the order; what cannot be read is as if it had not been said."""
    assert language_of(wish) is language


@pytest.mark.parametrize(
    ("wishes", "language"),
    [(("fr", "de", "es"), DE), ((None, "", "zh-TW"), ZH), (("pt", None), EN), ((), EN), (("en", "de"), EN)],
)
def test_a_stronger_wish_goes_first(wishes: tuple[str | None, ...], language: Language) -> None:
    """A wish that names none of ours leaves it to the next one."""
    assert first_fitting(*wishes) is language


@given(st.text(max_size=2_000))
def test_anything_may_be_sent(wish: str) -> None:
    """Nobody is refused for a header; who says nothing readable gets English."""
    assert language_of(wish) is (fitting(wish) or EN)


def test_only_so_much_of_a_header_is_read() -> None:
    """The first ranges count, so that no header costs more than a sensible one."""
    assert language_of(",".join(["fr"] * 40) + ",de") is EN
    assert language_of("x" * 100_000 + ",de") is EN
