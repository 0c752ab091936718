"""A browser without JavaScript: it opens pages, fills in their forms as a person does, and keeps cookies."""

from collections.abc import Mapping
from typing import Any, Self
from xml.etree.ElementTree import Element

import httpx

from tests.api.people import Town
from tests.pages.reading import Read

ORIGIN = "http://localhost"
PHONE = "+447911123456"
HEADERS = {"accept": "text/html,*/*;q=0.8", "accept-language": "en-GB"}
FROM_OUR_PAGE = {"sec-fetch-site": "same-origin"}


class Browser:
    """What is shown now is `page`, the last answer `response`."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.response = httpx.Response(204)
        self.page = Read("<!doctype html><title>nothing</title>")

    @classmethod
    def of(cls, town: Town, **headers: str) -> Self:
        """A new one, with no cookies; the town's API answers it."""
        transport = town.client._transport
        return cls(httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=HEADERS | headers))

    async def open(self, path: str, **headers: str) -> Read:
        """Go to an address, wherever it leads on to."""
        return self._read(await self.client.get(path, follow_redirects=True, headers=headers))

    async def send(self, button: str, sent_from: Mapping[str, str] = FROM_OUR_PAGE, /, **typed: str) -> Read:
        """Fill in the form that has this button and press it."""
        form, pressed = self.form_with(button)
        fields = self.fields_of(form)
        unknown = set(typed) - set(fields)
        assert not unknown, f"no such fields: {unknown}; there are {set(fields)}"
        fields |= typed
        if pressed.get("name"):
            fields[pressed.get("name", "")] = pressed.get("value", "")
        action = form.get("action") or str(self.response.url)
        if form.get("method") == "get":
            answer = await self.client.get(action, params=fields, follow_redirects=True)
        else:
            answer = await self.client.post(action, data=fields, headers=sent_from, follow_redirects=True)
        return self._read(answer)

    def form_with(self, button: str) -> tuple[Element, Element]:
        """The one form with a button of these words, and the button."""
        found = [
            (form, one)
            for form in self.page.all("form")
            for one in form.iter("button")
            if "".join(one.itertext()).strip() == button
        ]
        assert len(found) == 1, f"{len(found)} buttons {button!r}; there are {self.buttons}"
        return found[0]

    @staticmethod
    def fields_of(form: Element) -> dict[str, str]:
        """What the form would send untouched."""
        fields = {}
        for one in form.iter("input"):
            if one.get("type") != "radio" or "checked" in one.attrib:
                fields[one.get("name", "")] = one.get("value", "")
            else:
                fields.setdefault(one.get("name", ""), "")
        for one in form.iter("select"):
            options = list(one.iter("option"))
            chosen = next((option for option in options if "selected" in option.attrib), options[0])
            fields[one.get("name", "")] = chosen.get("value", "")
        return fields

    @property
    def buttons(self) -> list[str]:
        return ["".join(one.itertext()).strip() for one in self.page.all("button")]

    @property
    def title(self) -> str:
        """The heading of the way in."""
        return "".join(self.page.one("h2", id="join-title").itertext())

    @property
    def problem(self) -> str:
        return "".join(self.page.one("div", id="join-problem").itertext()).strip()

    def wrong(self, field: str) -> str:
        """What is said of a field, which must name where that stands."""
        shown = next(one for kind in ("input", "select") for one in self.page.all(kind, id=field))
        assert shown.get("aria-invalid") == "true"
        where = (shown.get("aria-describedby") or "").split()[0]
        return "".join(self.page.one("p", id=where).itertext())

    def link(self, words: str) -> str:
        """Where a link leads."""
        [found] = [one for one in self.page.all("a") if "".join(one.itertext()).strip() == words]
        return found.get("href", "")

    def _read(self, response: httpx.Response) -> Read:
        self.response = response
        self.page = Read(response.text)
        return self.page


async def a_link(town: Town, **deal: Any) -> tuple[dict[str, Any], str]:
    """A group of a new deal, and the path of its leader's link."""
    leader = town.shopper("Mia")
    group = await town.open_group(leader, **deal)
    invite = (await leader.post(f"/v1/groups/{group['id']}/invites")).json()
    return group, f"/i/{invite['code']}"


async def code_sent(town: Town, to: str = PHONE) -> str:
    newest = (await town.nobody.get("/dev/inbox")).json()["items"][0]
    assert newest["to"] == to
    return str(newest["code"])


async def pay(browser: Browser, button: str = "Approve", price: str = "Pay $9.00") -> None:
    """Take the gateway's step, which leads back."""
    await browser.open(browser.link(price).removeprefix("http://127.0.0.1:8000"))
    await browser.send(button)


async def as_guest(town: Town, link: str, **typed: str) -> Browser:
    """Somebody at the step where the place is taken."""
    browser = Browser.of(town)
    await browser.open(link)
    await browser.send("Join the group", **typed)
    await browser.send("Join as a guest")
    assert browser.title == "Your place"
    return browser
