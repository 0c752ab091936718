"""Forms ask for what the group was opened with, whatever its deal asks for now."""

from typing import Any

from tests.api.people import Town
from tests.pages.browser import PHONE, as_guest, code_sent

HOME = {"name": "Mia", "line1": "2 High Street", "city": "Leeds", "country": "GB"}


async def test_a_group_takes_what_it_was_opened_with_and_a_new_one_what_the_deal_says_now(town: Town) -> None:
    """Promise 4 on the page: an address, guests and the price held are asked for as they were frozen."""
    deal = await town.live_deal()
    path = f"/v1/deals/{deal['id']}/groups"
    plain = (await town.shopper().post(path)).json()
    strict = {"needs_shipping": True, "guests_may_buy": False, "tiers": [{"participants": 2, "unit_price": 1_100}]}
    await _edit(town, deal, strict)
    shipped = (await town.shopper().post(path, {"address": HOME})).json()
    browser = await as_guest(town, f"/g/{plain['id']}")
    form, _ = browser.form_with("Join and pay")
    assert "full_name" not in browser.fields_of(form)
    assert "$9.00 each is held now." in browser.page.text()
    assert "$11.00" not in browser.page.text()  # the ladder is the group's, too
    await browser.open(f"/g/{plain['id']}/join?own=1&lang=en")
    assert browser.title == "Your own group"
    assert "Join as a guest" not in browser.buttons
    await _edit(town, deal, {"needs_shipping": False, "guests_may_buy": True})
    await browser.open(f"/g/{plain['id']}")
    await browser.send("Join and pay")
    assert browser.title == "Your place is kept"
    await browser.open(f"/g/{shipped['id']}")
    assert (browser.title, "Join as a guest" in browser.buttons) == ("Who is joining?", False)
    await browser.send("Send me a code", phone=PHONE)
    await browser.send("Continue", code=await code_sent(town))
    form, _ = browser.form_with("Join and pay")
    assert "full_name" in browser.fields_of(form)
    assert "$11.00 each is held now." in browser.page.text()


async def _edit(town: Town, deal: dict[str, Any], changes: dict[str, Any]) -> None:
    path = f"/v1/deals/{deal['id']}"
    await town.merchant.post(f"{path}/pause")
    assert (await town.merchant.ask("PATCH", path, changes)).status_code == 200
    await town.merchant.post(f"{path}/resume")
