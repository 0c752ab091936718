"""What a page shows in a browser, and all that is wrong with it there."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page

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
_AXE: Final = """async (more) => (await axe.run({ resultTypes: ["violations"], ...more })).violations.flatMap((rule) =>
  rule.nodes.map((node) => [rule.impact, rule.id, node.target.join(" "), node.failureSummary]))"""
_RULES: Final[dict[Scheme, dict[str, Any]]] = {"light": {}, "dark": {"runOnly": ["color-contrast"]}}
"""In the other scheme only colours are others."""
_OVERFLOW: Final = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


class Window:
    """A page with everything it complained of."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.set_default_timeout(WAITS_MS)
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    async def check_fit(self) -> None:
        """It is no wider than the screen, and nothing was refused or went wrong so far."""
        assert await self.page.evaluate(_OVERFLOW) <= 0, f"{self.page.url} is wider than the screen"
        assert self.complaints == []

    async def check_use(self) -> None:
        """Everybody can use it, in both schemes."""
        await self.check_fit()
        await self.page.evaluate(_axe_source())  # as a debugger does, which no policy forbids
        for scheme in SCHEMES:
            await self.page.emulate_media(color_scheme=scheme)
            found = await self.page.evaluate(_AXE, _RULES[scheme])
            assert [one for one in found if one[0] in SERIOUS] == [], (scheme, self.page.url)

    async def colours(self) -> dict[Scheme, Any]:
        """Text and paper, by scheme."""
        seen = {}
        for scheme in SCHEMES:
            await self.page.emulate_media(color_scheme=scheme)
            seen[scheme] = await self.page.evaluate(
                "(({ color, backgroundColor }) => [color, backgroundColor])(getComputedStyle(document.body))"
            )
        return seen


@asynccontextmanager
async def window(browser: Browser, width: int = PHONE, *, scripts: bool = True) -> AsyncIterator[Window]:
    """A new profile's window; at its end nothing has been complained of."""
    async with AsyncExitStack() as closing:
        context = await _profile(closing, browser, width, scripts=scripts)
        await context.add_init_script(_TELL_VIOLATIONS)
        opened = Window(await context.new_page())
        yield opened
        assert opened.complaints == []


async def _profile(closing: AsyncExitStack, browser: Browser, width: int, *, scripts: bool) -> BrowserContext:
    context = await browser.new_context(
        viewport={"width": width, "height": HEIGHT},
        java_script_enabled=scripts,
        locale="en-GB",
        timezone_id="Europe/London",
        permissions=["clipboard-read", "clipboard-write"],
    )
    closing.push_async_callback(context.close)
    return context


@cache
def _axe_source() -> str:
    return (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
