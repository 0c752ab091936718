"""Pictures of the page for the docs: `make pictures` walks through a Tuan and writes docs/pictures/page-*.png."""

import asyncio
import os
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import Final

import httpx
from playwright.async_api import Browser, async_playwright

from infra import migrate
from infra.embedded.throwaway import throwaway_place, throwaway_servers
from infra.settings import read_settings
from tests.api.people import Town
from tests.browser.chromium import ARGUMENTS, CHROMIUM, MISSING
from tests.browser.looking import HEIGHT, PHONE, SCHEMES, Scheme
from tests.cards.draw_samples import tin
from tests.system.programs import Api

FOLDER: Final = Path(__file__).parents[2] / "docs" / "pictures"
BYTES_MAX: Final = 300 * 1024
PRODUCT_URL: Final = "https://pictures.tuan.example/tea.jpg"
DEAL: Final = {
    "title": "Jasmine tea, 250 g",
    "description": "From the hills of Fuding. Picked in April.",
    "image_url": PRODUCT_URL,
    "solo_price": 1_200,
    "tiers": [
        {"participants": 2, "unit_price": 900},
        {"participants": 4, "unit_price": 700},
        {"participants": 8, "unit_price": 600},
    ],
    "currency": "USD",
    "group_size_max": 12,
}
FRIENDS: Final = ("Mia", "Jonas", "Xiaoyan")
HOST: Final = "tuan.example"
"""What links begin with in the pictures."""


async def _walk(port: int, town: Town, fonts: Path) -> None:
    arguments = [*ARGUMENTS, f"--host-resolver-rules=MAP {HOST} 127.0.0.1:{port}"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=arguments, env=_with_fonts(fonts))
        for scheme in SCHEMES:
            leader, *others = (town.shopper(name) for name in FRIENDS)
            group = await town.open_group(leader, **DEAL)
            invite = (await leader.post(f"/v1/groups/{group['id']}/invites")).json()
            for one in others:
                await one.post(f"/v1/groups/{group['id']}/participants")
            await _take(browser, f"http://{HOST}/i/{invite['code']}", scheme)
        await browser.close()


def _with_fonts(written: Path) -> dict[str, str | float | bool]:
    """The environment of a browser that finds our own Chinese font beside those of the machine."""
    ours = Path(str(files("justmytype_intl_cjk")))
    written.write_text(
        f"<fontconfig><include ignore_missing='yes'>/etc/fonts/fonts.conf</include><dir>{ours}</dir></fontconfig>"
    )
    return {**os.environ, "FONTCONFIG_FILE": str(written)}


async def _take(browser: Browser, link: str, scheme: Scheme) -> None:
    """The page as it opens, and as it is for somebody who has joined."""
    context = await browser.new_context(
        viewport={"width": PHONE, "height": HEIGHT}, color_scheme=scheme, locale="en-GB", device_scale_factor=2
    )
    await context.route(PRODUCT_URL, lambda asked: asked.fulfill(body=tin(), content_type="image/jpeg"))
    page = await context.new_page()
    await page.goto(link)
    await page.locator("[data-live]").wait_for(state="visible")
    await page.screenshot(path=_checked(f"page-open-{scheme}.png"))
    await page.get_by_role("button", name="Join the group").click()
    await page.get_by_role("button", name="Join as a guest").click()
    await page.get_by_role("button", name="Join and pay").click()
    await page.get_by_role("link", name="Pay").click()
    await page.get_by_role("button", name="Approve").click()
    await page.get_by_text("You are in").wait_for()
    await page.get_by_text(f"{len(FRIENDS) + 1} people are in").wait_for()
    await page.locator("[data-live]").wait_for(state="visible")
    await page.locator("#join").evaluate(
        "(join) => scrollBy({ top: join.getBoundingClientRect().top - 16, behavior: 'instant' })"
    )
    await page.screenshot(path=_checked(f"page-joined-{scheme}.png"))
    await context.close()


def _checked(name: str) -> Path:
    FOLDER.mkdir(parents=True, exist_ok=True)
    return FOLDER / name


def main() -> None:
    """Start, walk, and see that no picture is too large for a README."""
    if CHROMIUM is None:
        raise SystemExit(MISSING)
    with tempfile.TemporaryDirectory() as folder, throwaway_place() as place, throwaway_servers(place):
        migrate.upgrade(place.database_url)
        environment = {
            "DATABASE_URL": place.database_url,
            "REDIS_URL": place.redis_url,
            "TUAN_DATA_DIR": f"{folder}/data",
            "TUAN_PUBLIC_URL": f"http://{HOST}",
        }
        api = Api(Path(folder) / "api.log", environment)
        api.start_answering()
        try:
            asyncio.run(_with_town(api.port, environment, Path(folder) / "fonts.conf"))
        finally:
            api.stop()
    for picture in FOLDER.glob("page-*.png"):
        assert picture.stat().st_size <= BYTES_MAX, f"{picture.name} is too large"


async def _with_town(port: int, environment: dict[str, str], fonts: Path) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        await _walk(port, Town(client, read_settings(environment)), fonts)


if __name__ == "__main__":
    main()
