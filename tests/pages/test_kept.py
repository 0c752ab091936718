"""Kept pages: made once for what they show, and no more of them than may be."""

from api.pages.kept import PAGES_MAX, Kept, Pages
from domain.sharing.language import Language


class Maker:
    """Makes pages, and counts them."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self) -> Kept:
        self.made += 1
        return Kept(b"a page", Language.EN, self.made, is_for_search=False)


def test_a_page_is_made_anew_only_when_it_shows_something_else() -> None:
    """By path and language; equal values are the same, whichever object says so."""
    pages, make = Pages(), Maker()
    first = pages.get("/i/a", Language.EN, [1], make)
    assert pages.get("/i/a", Language.EN, [1], make) is first
    assert pages.get("/i/a", Language.EN, [2], make) is not first
    pages.get("/i/a", Language.DE, [2], make)
    pages.get("/i/b", Language.EN, [2], make)
    assert make.made == 4


def test_of_too_many_pages_those_opened_longest_ago_go() -> None:
    """One that is opened again stays."""
    pages, make = Pages(), Maker()
    for number in range(PAGES_MAX):
        pages.get(f"/i/{number}", Language.EN, 1, make)
    pages.get("/i/0", Language.EN, 1, make)
    pages.get("/i/one-more", Language.EN, 1, make)
    assert make.made == PAGES_MAX + 1
    pages.get("/i/0", Language.EN, 1, make)
    assert make.made == PAGES_MAX + 1
    pages.get("/i/1", Language.EN, 1, make)
    assert make.made == PAGES_MAX + 2
