"""Pages as everybody gets them: with little room, at night, in large letters, without motion, without scripts."""

from typing import Final
from uuid import uuid4

import pytest
from playwright.async_api import Browser, expect

from api.pages.speaking import JOIN_WORDS, WORDS
from domain.notices.kinds import Kind
from domain.sharing.language import Language
from infra.notices.unsubscribing import UnsubscribeTokens
from tests.api.people import Town
from tests.browser.looking import NARROW, PHONE, window
from tests.browser.visiting import TEA, Running, heading, shared_group
from tests.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")
FROM_RIGHT = "شاي الياسمين، 250 غ"
WEIGHT_BYTES_MAX = 60 * 1024
SHIFT_MAX = 0.1
"""Of the layout while a page opens; less is good, says Lighthouse."""
LAYOUT_SHIFT: Final = """
window.shift = 0;
new PerformanceObserver((list) => list.getEntries().forEach((one) => { window.shift += one.value; }))
  .observe({ type: "layout-shift", buffered: true });
"""
MEASURED: Final = """() => {
  const loaded = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  const blocking = loaded.filter((one) => one.renderBlockingStatus === "blocking").map((one) => one.name);
  return [blocking, loaded.reduce((sum, one) => sum + one.transferSize, 0), window.shift];
}"""
MOVING: Final = """[getComputedStyle(document.documentElement).scrollBehavior,
  getComputedStyle(document.querySelector("progress"), "::-webkit-progress-value").transitionDuration]"""


async def test_pages_without_a_way_in_can_be_used_too(browser: Browser, town: Town, running: Running) -> None:
    """Whatever became of a group, wherever an address leads: in the longest words they fit, without scripts too."""
    addresses = await other_pages(town, running)
    for width, languages, scripts in ((PHONE, [Language.EN], True), (NARROW, [Language.DE], False)):
        async with window(browser, width, scripts=scripts) as seen:
            for address in addresses:
                for language in languages:
                    await seen.page.goto(f"{address}?lang={language}")
                    seen.complaints = [one for one in seen.complaints if "status of 404" not in one]
                    await seen.check_fit()
                await seen.check_use()


async def other_pages(town: Town, running: Running) -> list[str]:
    """Of groups that succeeded and failed, of a link that leads nowhere, of no link at all, and to end letters."""
    late, failed = await shared_group(town, running, title=FROM_RIGHT, group_lifetime_s=1)
    full, succeeded = await shared_group(town, running, group_size_max=2, tiers=TEA["tiers"][:1])
    await town.shopper("Ana").post(f"/v1/groups/{full['id']}/participants")

    async def both_are_closed() -> bool:
        groups = [(await town.nobody.get(f"/v1/groups/{group['id']}")).json() for group in (late, full)]
        return [group["status"] for group in groups] == ["failed", "succeeded"]

    await eventually(both_are_closed, "the end of both groups")
    token = UnsubscribeTokens(running.settings).make(uuid4(), [Kind.JOINED])
    origin = running.origin
    return [succeeded, failed, f"{origin}/i/nobodys", f"{origin}/", f"{origin}/unsubscribe/{token}"]


async def test_a_title_from_right_to_left_turns_nothing_else(browser: Browser, town: Town, running: Running) -> None:
    """It begins at the right; price, ladder and the way in stay where they are."""
    _, link = await shared_group(town, running, title=FROM_RIGHT)
    async with window(browser, NARROW) as seen:
        await seen.page.goto(link)
        directions = {
            name: await seen.page.locator(name).first.evaluate("(one) => getComputedStyle(one).direction")
            for name in ("h1", ".price", ".ladder", "#join")
        }
        assert directions == {"h1": "rtl", ".price": "ltr", ".ladder": "ltr", "#join": "ltr"}
        await seen.check_use()


async def test_text_of_twice_the_size_fits(browser: Browser, town: Town, running: Running) -> None:
    """In the language of the longest words, with little room, in the steps as well."""
    _, link = await shared_group(town, running)
    words, said = WORDS[Language.DE], JOIN_WORDS[Language.DE]
    async with window(browser, NARROW) as seen:
        page = seen.page
        await page.goto(f"{link}?lang=de")
        await page.evaluate("document.documentElement.style.fontSize = '200%'")
        await seen.check_fit()
        await page.get_by_role("button", name=words.join_the_group).click()
        await heading(page, said.who_title)
        await seen.check_fit()
        await page.get_by_role("button", name=said.guest).click()
        await heading(page, said.place_title)
        await seen.check_fit()


async def test_at_night_the_page_is_dark(browser: Browser, town: Town, running: Running) -> None:
    _, link = await shared_group(town, running)
    async with window(browser) as seen:
        await seen.page.goto(link)
        brightness = await seen.brightness()
        ink, paper = brightness["light"]
        assert ink < paper
        ink, paper = brightness["dark"]
        assert ink > paper


async def test_the_first_paint_needs_one_answer(browser: Browser, town: Town, running: Running) -> None:
    """Nothing is asked of other hosts, nothing holds painting up, all weighs little, and nothing jumps meanwhile."""
    _, link = await shared_group(town, running)
    asked: list[str] = []
    async with window(browser) as seen:
        await seen.page.add_init_script(LAYOUT_SHIFT)
        seen.page.on("request", lambda request: asked.append(request.url))
        await seen.page.goto(link)
        await expect(seen.page.locator("[data-live]")).to_be_visible()
        blocking, weight_bytes, shift = await seen.page.evaluate(MEASURED)
    assert [one for one in asked if not one.startswith(running.origin)] == []
    assert blocking == []
    assert 0 < weight_bytes < WEIGHT_BYTES_MAX
    assert shift < SHIFT_MAX


async def test_nothing_moves_for_whoever_wants_no_motion(browser: Browser, town: Town, running: Running) -> None:
    """What is scrolled to is there at once, and so is the way to the next price."""
    _, link = await shared_group(town, running)
    async with window(browser) as seen:
        await seen.page.goto(link)
        assert await seen.page.evaluate(MOVING) == ["smooth", "0s"]
        await seen.page.emulate_media(reduced_motion="reduce")
        assert await seen.page.evaluate(MOVING) == ["auto", "0s"]


async def test_a_link_is_copied_as_often_as_anybody_likes(browser: Browser, town: Town, running: Running) -> None:
    """The button says that it is done, and what it does again afterwards, however fast it was pressed."""
    _, link = await shared_group(town, running)
    async with window(browser) as seen:
        await seen.page.clock.install()
        await seen.page.goto(link)
        button = seen.page.locator("[data-copies]")
        for _ in range(2):
            await button.click()
            await expect(button).to_have_text("Copied")
            assert await seen.page.evaluate("navigator.clipboard.readText()") == link
        for _ in range(2):
            await seen.page.clock.run_for(5_000)
        await expect(button).to_have_text("Copy link")
