"""What a page shows in a browser, and all that is wrong with it there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from importlib.resources import files
from typing import Final, Literal, NamedTuple

from playwright.async_api import Browser, CDPSession, ConsoleMessage, Page

Scheme = Literal["light", "dark"]
SCHEMES: Final[tuple[Scheme, Scheme]] = ("light", "dark")
WAITS_MS: Final = 20_000
SERIOUS: Final = frozenset({"serious", "critical"})
PHONE: Final = 390
NARROW: Final = 320
HEIGHT: Final = 844

_TELL_VIOLATIONS: Final = """
document.addEventListener("securitypolicyviolation", (violation) =>
  console.error(`policy: ${violation.violatedDirective} ${violation.blockedURI}`));
"""
_AXE: Final = """async () => {
  const options = { resultTypes: ["violations"], preload: false, rules: { "target-size": { enabled: true } } };
  return (await axe.run(options)).violations.flatMap((rule) =>
    rule.nodes.map((node) => [rule.impact, rule.id, node.target.join(" "), node.failureSummary]));
}"""
_CUT_OFF: Final = """[...document.querySelectorAll("html, body *")]
  .filter((one) => one.localName === "html" || getComputedStyle(one).overflowX !== "visible")
  .filter((one) => one.localName !== "input" && one.scrollWidth > one.clientWidth)
  .map((one) => `${one.localName} ${one.className}`)"""
"""What is wider than its place; only what is typed may be longer than its field."""
_BROKEN: Final = """[...document.querySelectorAll(".cost, .cards strong, .price strong")]
  .filter((one) => one.offsetHeight > 2.2 * parseFloat(getComputedStyle(one).fontSize))
  .map((one) => one.textContent)"""
"""Amounts that do not stand on one line."""
_BRIGHTNESS: Final = """(({ color, backgroundColor }) => [color, backgroundColor].map((colour) =>
  colour.match(/[0-9]+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0)))(getComputedStyle(document.body))"""
_FOCUSED: Final = """() => {
  const one = document.activeElement, { outlineStyle, outlineWidth } = getComputedStyle(one);
  const { x, y, width, height } = one.getBoundingClientRect();
  const isOnTop = one.contains(document.elementFromPoint(x + width / 2, y + height / 2));
  const isOutlined = outlineStyle === "auto" || (outlineStyle === "solid" && parseFloat(outlineWidth) >= 2);
  return [one.localName, one.textContent.trim(), isOnTop && isOutlined];
}"""


class Focused(NamedTuple):
    """What has the focus; `is_seen`: nothing lies on it, and something goes around it."""

    kind: str
    words: str
    is_seen: bool


class Window:
    """A page with everything it complained of."""

    def __init__(self, page: Page, session: CDPSession, width: int, *, scripts: bool) -> None:
        self.page = page
        self.width = width
        self.session = session
        self.scripts = scripts
        self.complaints: list[str] = []
        page.set_default_timeout(WAITS_MS)
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    async def check_fit(self) -> None:
        """Nothing is wider than its place or the screen, no amount is broken, and nothing was refused or went wrong."""
        for fault in (_CUT_OFF, _BROKEN):
            found = await self.page.evaluate(fault)
            assert found == [], (found, self.page.url)
        assert self.complaints == []

    async def check_use(self) -> None:
        """Everybody can use it: colours are looked at with most room, sizes with least, where no script helps."""
        await self.check_fit()
        if self.width != PHONE and self.scripts:
            return
        await self.switch_scripts(is_on=True)  # what looks at it is one, too
        await self.page.evaluate(_axe_source())  # as a debugger does, which no policy forbids
        for scheme in SCHEMES if self.width == PHONE else SCHEMES[:1]:
            await self.page.emulate_media(color_scheme=scheme)
            async with asyncio.timeout(WAITS_MS / 1000):
                found = await self.page.evaluate(_AXE)
            assert [one for one in found if one[0] in SERIOUS] == [], (scheme, self.page.url)
        await self.switch_scripts(is_on=self.scripts)

    async def brightness(self) -> dict[Scheme, tuple[int, int]]:
        """Of text and paper, by scheme."""
        seen = {}
        for scheme in SCHEMES:
            await self.page.emulate_media(color_scheme=scheme)
            ink, paper = await self.page.evaluate(_BRIGHTNESS)
            seen[scheme] = (ink, paper)
        return seen

    async def tab(self) -> Focused:
        """Press Tab once."""
        await self.page.keyboard.press("Tab")
        return Focused(*await self.page.evaluate(_FOCUSED))

    async def switch_scripts(self, *, is_on: bool) -> None:
        """Let scripts run, or let none; a page that was read without them stays without."""
        await self.session.send("Emulation.setScriptExecutionDisabled", {"value": not is_on})


@asynccontextmanager
async def window(browser: Browser, width: int = PHONE, *, scripts: bool = True) -> AsyncIterator[Window]:
    """A new profile's window; at its end nothing has been complained of."""
    context = await browser.new_context(
        viewport={"width": width, "height": HEIGHT},
        locale="en-GB",
        timezone_id="Europe/London",
        permissions=["clipboard-read", "clipboard-write"],
    )
    async with context:
        await context.add_init_script(_TELL_VIOLATIONS)
        page = await context.new_page()
        opened = Window(page, await context.new_cdp_session(page), width, scripts=scripts)
        await opened.switch_scripts(is_on=scripts)
        yield opened
        assert opened.complaints == []


@cache
def _axe_source() -> str:
    return (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
