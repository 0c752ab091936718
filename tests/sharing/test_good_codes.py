"""Codes that have led somewhere: known without a look, so that no limit is in the way, and only so many."""

import pytest

from infra.ids import new_id, new_invite_code
from infra.sharing import links
from infra.sharing.links import Links
from tests.reading.shop import Shop
from tests.sharing.circle import Circle


async def test_so_many_good_codes_are_known_and_no_more(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one seen longest ago is forgotten first; one of nobody's is never among them."""
    monkeypatch.setattr(links, "GOOD_CODES_MAX", 2)
    circle, known = Circle(shop, await shop.live()), Links(shop.engine)
    sharer_id = new_id()
    group_id = await circle.opens(sharer_id)
    codes = [await circle.shares(sharer_id, group_id, channel) for channel in ("chat", "poster", "sms")]
    for code in (*codes, new_invite_code()):
        assert not known.has_been_good(code)
        await known.get(code)
    assert [known.has_been_good(code) for code in codes] == [False, True, True]
    assert len(known._good) == 2
