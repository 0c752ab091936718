"""A visitor in a real browser: from a link in a chat to a place of their own, paid for and shared on."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from api.pages.words_de import GERMAN
from api.pages.words_join_de import GERMAN as AUF_DEUTSCH
from api.pages.words_join_zh import CHINESE as ZH
from api.pages.words_zh import CHINESE
from infra.settings import Settings, read_settings
from tests.api.people import Town
from tests.browser.chromium import ARGUMENTS, CHROMIUM
from tests.browser.looking import NARROW, PHONE, SCHEMES, WAITS_MS, Window, window
from tests.conftest import Servers
from tests.system.programs import Api

pytestmark = pytest.mark.asyncio(loop_scope="module")
expect.set_options(timeout=WAITS_MS)
TEA = {"tiers": [{"participants": 2, "unit_price": 900}, {"participants": 3, "unit_price": 700}], "group_size_max": 9}


class Way(NamedTuple):
    """How somebody comes along."""

    width: int
    phone: str
    scripts: bool = True


WAYS = (Way(PHONE, "+447911123456"), Way(NARROW, "+447911123457"), Way(NARROW, "+447911123458", scripts=False))


@dataclass(frozen=True, slots=True)
class Running:
    """A Tuan at work."""

    origin: str
    settings: Settings


@pytest.fixture(scope="module")
def running(servers: Servers, module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder: Path = tmp_path_factory.mktemp("browser")
    environment = {
        "DATABASE_URL": module_database_url,
        "REDIS_URL": servers.place.redis_url,
        "TUAN_DATA_DIR": str(folder / "data"),
    }
    api = Api(folder / "api.log", environment)
    api.start_answering()
    try:
        yield Running(f"http://127.0.0.1:{api.port}", read_settings(environment))
    finally:
        api.stop()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def town(running: Running) -> AsyncIterator[Town]:
    async with httpx.AsyncClient(base_url=running.origin) as client:
        yield Town(client, running.settings)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield launched
        await launched.close()


async def shared_group(town: Town, running: Running, **changes: Any) -> tuple[dict[str, Any], str]:
    """A group of a new deal, and the address its leader shared."""
    leader = town.shopper("Mia")
    group = await town.open_group(leader, **{**TEA, **changes})
    invite = (await leader.post(f"/v1/groups/{group['id']}/invites")).json()
    return group, f"{running.origin}/i/{invite['code']}"


async def sent_code(town: Town, to: str) -> str:
    items = (await town.nobody.get("/dev/inbox")).json()["items"]
    return str(next(item["code"] for item in items if item["to"] == to))


async def heading(page: Page, words: str) -> None:
    await expect(page.locator("#join-title")).to_have_text(words)


async def join(seen: Window, town: Town, phone: str, look: Callable[[], Awaitable[None]]) -> None:
    """From the open page to a place, looked at in every state."""
    page = seen.page
    await look()
    await page.get_by_role("button", name="Join the group").click()
    await heading(page, "Who is joining?")
    await look()
    await page.get_by_label("Phone number").fill(phone)
    await page.get_by_role("button", name="Send me a code").click()
    await heading(page, "Enter the code")
    await look()
    await page.get_by_label("Code", exact=True).fill(await sent_code(town, phone))
    await page.get_by_label("Your name").fill("Ben")
    await page.get_by_role("button", name="Continue").click()
    await heading(page, "Your place")
    await look()
    await page.get_by_role("button", name="Join and pay").click()
    await heading(page, "Your place is kept")
    await look()
    await page.get_by_role("link", name="Pay $9.00").click()
    await page.get_by_role("button", name="Approve").click()
    await heading(page, "You are in")
    await look()


@pytest.mark.parametrize("way", WAYS, ids=["phone", "narrow", "without-scripts"])
async def test_a_visitor_joins_pays_and_shares_on(browser: Browser, town: Town, running: Running, way: Way) -> None:
    """By phone and code, whatever the width and without scripts too; nothing is refused, too wide or hard to use."""
    group, link = await shared_group(town, running)
    async with window(browser, way.width, scripts=way.scripts) as seen:
        await seen.page.goto(link)
        await join(seen, town, way.phone, seen.check_use if way.width == PHONE else seen.check_fit)
        own = await seen.page.get_by_label("The link").input_value()
        assert own != link
        invite = (await town.nobody.get(f"/v1/invites/{own.rpartition('/')[2]}")).json()
        assert (invite["group_id"], invite["sharer_name"]) == (group["id"], "Ben")
        assert invite["parent_code"] == link.rpartition("/")[2]
        if way.scripts:
            await seen.page.get_by_role("button", name="Copy link").click()
            await expect(seen.page.get_by_role("button", name="Copied")).to_be_visible()
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
    """Tab and Enter; what comes next has the focus, so nobody has to look for it."""
    _, link = await shared_group(town, running)
    async with window(browser) as seen:
        page = seen.page
        await page.goto(link)
        await tab_to(page, "Join the group", "button")
        await page.keyboard.press("Enter")
        await heading(page, "Who is joining?")
        await expect(page.locator("#join-title")).to_be_focused()
        await tab_to(page, "", "input")
        await page.keyboard.type("+447911123459")
        await page.keyboard.press("Enter")
        await heading(page, "Enter the code")
        await expect(page.locator("#join-title")).to_be_focused()
        await tab_to(page, "", "input")
        await page.keyboard.type(await sent_code(town, "+447911123459"))
        await page.keyboard.press("Enter")
        await heading(page, "Your place")
        await tab_to(page, "Join and pay", "button")
        await page.keyboard.press("Enter")
        await heading(page, "Your place is kept")
        await tab_to(page, "Pay $9.00", "a")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("button", name="Approve")).to_be_visible()
        await tab_to(page, "Approve", "button")
        await page.keyboard.press("Enter")
        await heading(page, "You are in")


async def tab_to(page: Page, words: str, kind: str) -> None:
    """Press Tab until a thing of this kind has the focus; the first one where no words are said."""
    for _ in range(60):
        await page.keyboard.press("Tab")
        found = await page.evaluate("[document.activeElement.localName, document.activeElement.textContent.trim()]")
        if found[0] == kind and (not words or found[1] == words):
            return
    raise AssertionError(f"no {kind} {words!r} to be reached")


async def test_a_mistake_is_said_beside_its_field_and_what_was_typed_stays(
    browser: Browser, town: Town, running: Running
) -> None:
    _, link = await shared_group(town, running)
    async with window(browser) as seen:
        page = seen.page
        await page.goto(f"{link}?lang=de")
        await page.get_by_role("button", name=GERMAN.join_the_group).click()
        field = page.get_by_label(AUF_DEUTSCH.phone)
        await field.fill("12")
        await page.get_by_role("button", name=AUF_DEUTSCH.send_code).click()
        await expect(field).to_have_accessible_description(re.compile(AUF_DEUTSCH.check_phone.partition("{")[0]))
        await expect(field).to_be_focused()
        assert await field.input_value() == "12"
        seen.complaints.clear()  # a browser notes every refusal in its console
        await seen.check_use()


async def test_at_night_the_page_is_dark(browser: Browser, town: Town, running: Running) -> None:
    _, link = await shared_group(town, running)
    async with window(browser) as seen:
        await seen.page.goto(link)
        colours = await seen.colours()
        light, dark = (colours[scheme] for scheme in SCHEMES)
        assert light == dark[::-1] or (light[0] != dark[0] and light[1] != dark[1])


WIDE = "W" * 50
DEAR = {"USD": 12_345_600, "IDR": 1_250_000_000}


@pytest.mark.parametrize("currency", DEAR)
async def test_nothing_is_too_long_for_a_narrow_screen(
    browser: Browser, town: Town, running: Running, currency: str
) -> None:
    """Words that never end and prices of many digits: all of it is seen, and every button can be pressed."""
    price = DEAR[currency]
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
    group = (await town.shopper(WIDE).post(f"/v1/deals/{deal['id']}/groups", taken)).json()
    async with window(browser, NARROW) as seen:
        page = seen.page
        await page.goto(f"{running.origin}/g/{group['id']}?lang=zh")
        await seen.check_fit()
        await page.get_by_label(WIDE).check()
        await page.get_by_role("button", name=CHINESE.join_the_group).click()
        await seen.check_fit()
        await page.get_by_role("button", name=ZH.guest).click()
        await heading(page, ZH.place_title)
        await seen.check_fit()
        await page.get_by_role("button", name=ZH.join_and_pay).click()
        await heading(page, ZH.pay_title)
        await seen.check_fit()


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
