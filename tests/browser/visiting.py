"""What visitors do in a browser, step by step, in any language."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from playwright.async_api import Page, expect

from api.pages.speaking import JOIN_WORDS, WORDS
from domain.sharing.amounts import amount_text
from domain.sharing.language import Language
from infra.settings import Settings
from tests.api.people import Town
from tests.browser.looking import WAITS_MS

expect.set_options(timeout=WAITS_MS)
TEA: Final[dict[str, Any]] = {
    "tiers": [{"participants": 2, "unit_price": 900}, {"participants": 3, "unit_price": 700}],
    "group_size_max": 9,
}


@dataclass(frozen=True, slots=True)
class Running:
    """A Tuan at work."""

    origin: str
    settings: Settings


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


async def join(page: Page, town: Town, phone: str, language: Language, look: Callable[[], Awaitable[None]]) -> None:
    """From the open page to a place as Ben, looked at in every state."""
    words, said = WORDS[language], JOIN_WORDS[language]
    await look()
    await page.get_by_role("button", name=words.join_the_group).click()
    await heading(page, said.who_title)
    await look()
    await page.get_by_label(said.phone).fill(phone)
    await page.get_by_role("button", name=said.send_code).click()
    await heading(page, said.code_title)
    await look()
    await page.get_by_label(said.code, exact=True).fill(await sent_code(town, phone))
    await page.get_by_label(said.name).fill("Ben")
    await page.get_by_role("button", name=said.go_on).click()
    await heading(page, said.place_title)
    await look()
    await page.get_by_role("button", name=said.join_and_pay).click()
    await heading(page, said.pay_title)
    await look()
    await page.get_by_role("link", name=said.pay_now.format(price=amount_text(900, "USD", language))).click()
    await page.get_by_role("button", name="Approve").click()
    await heading(page, said.in_title)
    await look()
