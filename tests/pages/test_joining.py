"""Joining on the web without JavaScript: from a link to a place, with a phone or as a guest, paid and shared on."""

import pytest

from infra.settings import Settings
from tests.api.people import Town
from tests.pages.browser import Browser, a_link

PHONE = "+447911123456"


async def code_sent(town: Town, to: str = PHONE) -> str:
    newest = (await town.nobody.get("/dev/inbox")).json()["items"][0]
    assert newest["to"] == to
    return str(newest["code"])


async def pay(browser: Browser, button: str = "Approve") -> None:
    """Take the gateway's step, which leads back."""
    await browser.open(browser.link("Pay $9.00").removeprefix("http://127.0.0.1:8000"))
    form, _ = browser.form_with(button)
    form.set("action", str(browser.response.url.path))
    await browser.send(button)


async def test_somebody_who_opens_a_link_joins_with_a_phone_and_a_code_pays_and_shares_on(town: Town) -> None:
    group, link = await a_link(town)
    browser = Browser.of(town)
    await browser.open(link)
    await browser.send("Join the group")
    assert browser.title == "Who is joining?"
    await browser.send("Send me a code", phone="07911 123456")
    assert PHONE in browser.page.text()
    await browser.send("Continue", code=await code_sent(town), name="Ben")
    assert browser.title == "Your place"
    await browser.send("Join and pay")
    assert browser.title == "Your place is kept"
    await pay(browser)
    assert browser.title == "You are in"
    own = browser.page.one("input", id="link").get("value", "").rpartition("/")[2]
    assert own != link.rpartition("/")[2]
    invite = (await town.nobody.get(f"/v1/invites/{own}")).json()
    assert (invite["group_id"], invite["sharer_name"]) == (group["id"], "Ben")
    assert invite["parent_code"] == link.rpartition("/")[2]
