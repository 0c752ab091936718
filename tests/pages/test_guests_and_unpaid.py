"""Who may lose what they have is told so: guests who sign out, and whoever has a place reserved and not paid for."""

from sqlalchemy import text

from domain.groupbuy.commands import LapsePayment
from domain.groupbuy.payment import LapsedBecause
from infra.runtime import Runtime
from tests.api.people import Town
from tests.pages.browser import PHONE, Browser, a_link, as_guest, code_sent, pay

_TIME_IS_OVER = text("""
UPDATE payments SET pay_by = clock_timestamp() WHERE status = 'awaiting'
RETURNING deal_id, group_id, shopper_id, order_id""")


async def test_whoever_had_not_paid_when_the_group_closed_is_told_that_they_are_not_in(town: Town) -> None:
    """The open page says it once the closing comes live, and whenever it is opened; late money goes back."""
    group, link = await a_link(town)
    browser = await as_guest(town, link)
    await browser.send("Join and pay")
    [overtaken] = [one for one in browser.page.all("div") if "once-closed" in one.get("class", "")]
    assert "You are not in" in "".join(overtaken.itertext())
    step = browser.link("Pay $9.00").removeprefix("http://127.0.0.1:8000")
    await town.merchant.post(f"/v1/groups/{group['id']}/cancel")
    await browser.open(link)
    _is_not_in(browser, "The group closed before your place was paid for, so you pay nothing.")
    await browser.open(step)
    await browser.send("Approve")
    for _ in range(2):
        _is_not_in(browser, "The payment came after the place was gone. All of it goes back.")
        await browser.open(f"/g/{group['id']}")
    await browser.send("Open your own group")
    assert browser.title == "Your own group"


async def test_a_reservation_that_lapsed_is_said_to_whoever_comes_back(town: Town, runtime: Runtime) -> None:
    """While the group is open the form is there again; once it is closed they are told that they are not in."""
    group, link = await a_link(town)
    browser = await as_guest(town, link)
    await browser.send("Join and pay")
    async with runtime.engine.begin() as connection:
        reserved = (await connection.execute(_TIME_IS_OVER)).mappings().one()
    await runtime.tell(LapsePayment(because=LapsedBecause.DEADLINE, **reserved))
    await browser.open(link)
    assert (browser.title, browser.problem) == (
        "Your place",
        "Nothing was paid in time, so the place is free again.",
    )
    await town.merchant.post(f"/v1/groups/{group['id']}/cancel")
    await browser.open(link)
    _is_not_in(browser, "The group closed before your place was paid for, so you pay nothing.")


async def test_a_guest_who_has_a_place_is_asked_before_signing_out_and_can_add_a_phone_instead(town: Town) -> None:
    """The place becomes that of whoever has the phone, and is there in any other browser."""
    _, link = await a_link(town)
    browser = await as_guest(town, link)
    await browser.send("Join and pay")
    assert "Add a phone number" in browser.buttons
    await pay(browser)
    await browser.send("Sign out")
    assert browser.title == "Sign out as a guest?"
    assert "you cannot get back to them" in browser.page.text()
    assert (browser.page.errors, browser.page.faults()) == ([], [])
    await browser.open(browser.link("Stay signed in"))
    assert browser.title == "You are in"
    await browser.send("Add a phone number")
    assert "Join as a guest" not in browser.buttons
    await browser.send("Send me a code", phone="07911 123456")
    await browser.send("Continue", code=await code_sent(town), name="Ben")
    assert (browser.title, "Add a phone number" in browser.buttons) == ("You are in", False)
    await browser.send("Sign out")
    assert browser.title == "Join"
    other = Browser.of(town)
    await other.open(link)
    await other.send("Join the group")
    await other.send("Send me a code", phone=PHONE)
    await other.send("Continue", code=await code_sent(town))
    assert other.title == "You are in"


async def test_a_guest_may_sign_out_all_the_same(town: Town) -> None:
    _, link = await a_link(town)
    browser = await as_guest(town, link)
    await browser.send("Join and pay")
    await browser.send("Sign out")
    await browser.send("Sign out all the same")
    assert (browser.title, set(browser.client.cookies)) == ("Join", {"tuan_via"})


def _is_not_in(browser: Browser, why: str) -> None:
    assert (browser.page.errors, browser.page.faults()) == ([], [])
    assert (browser.title, browser.problem) == ("You are not in", f"{why} Join another one, or open your own.")
