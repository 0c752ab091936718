"""A visitor in a real browser: from a link in a chat to a place of their own, paid for and shared on."""

import re
from typing import NamedTuple

import pytest
from playwright.async_api import Browser, expect

from api.pages.speaking import JOIN_WORDS, WORDS
from domain.sharing.language import Language
from tests.api.people import Town
from tests.browser.looking import NARROW, PHONE, Window, window
from tests.browser.visiting import Running, heading, join, sent_code, shared_group

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Way(NamedTuple):
    """How somebody comes along."""

    width: int
    phone: str
    language: Language
    scripts: bool = True


WAYS = (
    Way(PHONE, "+447911123456", Language.EN),
    Way(NARROW, "+447911123457", Language.DE),
    Way(NARROW, "+447911123458", Language.ES, scripts=False),
)


@pytest.mark.parametrize("way", WAYS, ids=["phone", "narrow", "without-scripts"])
async def test_a_visitor_joins_pays_and_shares_on(browser: Browser, town: Town, running: Running, way: Way) -> None:
    """By phone and code, whatever the language and width, without scripts too; nothing is too wide or hard to use."""
    group, link = await shared_group(town, running)
    words = WORDS[way.language]
    async with window(browser, way.width, scripts=way.scripts) as seen:
        await seen.page.goto(f"{link}?lang={way.language}")
        await join(seen.page, town, way.phone, way.language, seen.check_use)
        own = await seen.page.get_by_label(words.link).input_value()
        assert own != link
        invite = (await town.nobody.get(f"/v1/invites/{own.rpartition('/')[2]}")).json()
        assert (invite["group_id"], invite["sharer_name"]) == (group["id"], "Ben")
        assert invite["parent_code"] == link.rpartition("/")[2]
        if way.scripts:
            await seen.page.get_by_role("button", name=words.copy_link).click()
            await expect(seen.page.get_by_role("button", name=words.copied)).to_be_visible()
            assert await seen.page.evaluate("navigator.clipboard.readText()") == own


async def test_the_price_drops_before_the_eyes_of_a_visitor_when_somebody_else_joins(
    browser: Browser, town: Town, running: Running
) -> None:
    group, link = await shared_group(town, running)
    async with window(browser) as seen:
        page = seen.page
        await page.goto(link)
        await expect(page.locator("#live .price strong")).to_have_text("$9.00")
        await page.evaluate("window.isStillThisPage = true")
        await expect(page.locator("[data-live]")).to_be_visible()
        for name in ("Ana", "Bo"):
            await town.shopper(name).post(f"/v1/groups/{group['id']}/participants")
        await expect(page.locator("#live .price strong")).to_have_text("$7.00")
        await expect(page.locator("#live")).to_contain_text("3 people are in")
        assert await page.evaluate("window.isStillThisPage")


async def test_the_way_in_can_be_gone_with_the_keyboard_alone(browser: Browser, town: Town, running: Running) -> None:
    """Tab and Enter; what comes next has the focus, so nobody has to look for it, and whatever has it is seen."""
    _, link = await shared_group(town, running)
    async with window(browser) as seen:
        page = seen.page
        await page.emulate_media(reduced_motion="reduce")  # what has the focus is there at once
        await page.goto(link)
        await tab_to(seen, "Join the group", "button")
        await page.keyboard.press("Enter")
        await heading(page, "Who is joining?")
        await expect(page.locator("#join-title")).to_be_focused()
        await tab_to(seen, "", "input")
        await page.keyboard.type("+447911123459")
        await page.keyboard.press("Enter")
        await heading(page, "Enter the code")
        await expect(page.locator("#join-title")).to_be_focused()
        await tab_to(seen, "", "input")
        await page.keyboard.type(await sent_code(town, "+447911123459"))
        await page.keyboard.press("Enter")
        await heading(page, "Your place")
        await tab_to(seen, "Join and pay", "button")
        await page.keyboard.press("Enter")
        await heading(page, "Your place is kept")
        await tab_to(seen, "Pay $9.00", "a")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("button", name="Approve")).to_be_visible()
        await tab_to(seen, "Approve", "button")
        await page.keyboard.press("Enter")
        await heading(page, "You are in")


async def tab_to(seen: Window, words: str, kind: str) -> None:
    """Press Tab until a thing of this kind has the focus, the first one where no words are said; all are seen."""
    for _ in range(60):
        focused = await seen.tab()
        assert focused.is_seen or focused.kind == "body", focused
        if focused.kind == kind and (not words or focused.words == words):
            return
    raise AssertionError(f"no {kind} {words!r} to be reached")


async def test_a_mistake_is_said_beside_its_field_and_what_was_typed_stays(
    browser: Browser, town: Town, running: Running
) -> None:
    _, link = await shared_group(town, running)
    said = JOIN_WORDS[Language.DE]
    async with window(browser) as seen:
        page = seen.page
        await page.goto(f"{link}?lang=de")
        await page.get_by_role("button", name=WORDS[Language.DE].join_the_group).click()
        field = page.get_by_label(said.phone)
        await field.fill("12")
        await page.get_by_role("button", name=said.send_code).click()
        await expect(field).to_have_accessible_description(re.compile(said.check_phone.partition("{")[0]))
        await expect(field).to_be_focused()
        assert await field.input_value() == "12"
        seen.complaints.clear()  # a browser notes every refusal in its console
        await seen.check_use()


WIDE = "W" * 50
DEAR = (("USD", 49_999_999_999, Language.ES), ("IDR", 99_800_000_000, Language.ZH))


@pytest.mark.parametrize("dear", DEAR, ids=["dollars", "rupiahs"])
async def test_nothing_is_too_long_for_a_narrow_screen(
    browser: Browser, town: Town, running: Running, dear: tuple[str, int, Language]
) -> None:
    """Words that never end and prices of many digits: all is seen, no amount is broken, every button can be pressed."""
    currency, price, language = dear
    deal = await town.live_deal(
        title=WIDE,
        description=WIDE,
        currency=currency,
        solo_price=2 * price,
        tiers=[{"participants": 2, "unit_price": price}, {"participants": 3, "unit_price": price - 100}],
        variants=[{"title": WIDE, "stock": 5}, {"title": "\u7ea2" * 50, "stock": 5}],
        stock=...,
    )
    taken = {"variant_id": deal["variants"][0]["id"]}
    group, _ = [(await town.shopper(WIDE).post(f"/v1/deals/{deal['id']}/groups", taken)).json() for _ in range(2)]
    words, said = WORDS[language], JOIN_WORDS[language]
    async with window(browser, NARROW) as seen:
        page = seen.page
        await page.goto(f"{running.origin}/g/{group['id']}?lang={language}")
        await seen.check_fit()
        await page.get_by_label(WIDE).check()
        await page.get_by_role("button", name=words.join_the_group).click()
        await seen.check_fit()
        await page.get_by_role("button", name=said.guest).click()
        await heading(page, said.place_title)
        await seen.check_fit()
        await page.get_by_role("button", name=said.join_and_pay).click()
        await heading(page, said.pay_title)
        await seen.check_fit()
        await town.merchant.post(f"/v1/groups/{group['id']}/cancel")
        await expect(page.get_by_text(said.missed)).to_be_visible()
        await expect(page.locator("#join-title")).to_be_hidden()
        await expect(page.locator("#more .cards").first).to_be_visible()
        await seen.check_fit()


async def test_a_payment_step_out_of_the_browsers_memory_looks_again(
    browser: Browser, town: Town, running: Running
) -> None:
    """Whoever goes back after paying sees that they are in."""
    _, link = await shared_group(town, running)
    async with window(browser) as seen:
        page, said = seen.page, JOIN_WORDS[Language.EN]
        await page.goto(link)
        await page.get_by_role("button", name=WORDS[Language.EN].join_the_group).click()
        await page.get_by_role("button", name=said.guest).click()
        await page.get_by_role("button", name=said.join_and_pay).click()
        await heading(page, said.pay_title)
        gateways = await page.context.new_page()
        await gateways.goto(await page.get_by_role("link", name="Pay $9.00").get_attribute("href") or "")
        await gateways.get_by_role("button", name="Approve").click()
        await page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
        await heading(page, said.in_title)


async def test_a_group_that_closes_under_a_form_leaves_what_was_typed(
    browser: Browser, town: Town, running: Running
) -> None:
    """It is said at once, and a group of one's own is opened with what is there."""
    group, link = await shared_group(town, running, group_size_max=2, tiers=[{"participants": 2, "unit_price": 900}])
    async with window(browser) as seen:
        page = seen.page
        await page.goto(link)
        await expect(page.locator("[data-live]")).to_be_visible()
        await page.get_by_role("button", name="Join the group").click()
        await page.get_by_role("button", name="Join as a guest").click()
        await heading(page, "Your place")
        await page.get_by_label("How many").fill("3")
        await town.shopper("Ana").post(f"/v1/groups/{group['id']}/participants")
        await expect(page.locator(".once-closed")).to_contain_text("This group is closed.")
        await expect(page.get_by_role("button", name="Join and pay")).to_be_hidden()
        await expect(page.get_by_label("How many")).to_have_value("3")
        await page.get_by_role("button", name="Open your own group").click()
        await heading(page, "Your place is kept")
        await expect(page.locator("#join")).to_contain_text("3 \u00d7")
