"""Who is signed in in a browser: cookies that only pages read, kept alive by the server, and whatever else is sent."""

from dataclasses import replace
from itertools import product

import httpx
from sqlalchemy import text

from api.app import create_app
from api.pages.via import DEALS_MAX
from api.pages.web_cookies import HEADER_BYTES_MAX
from api.who_may import WHO_MAY
from domain.identity.limits import POLICIES, RouteClass, Whose
from infra.runtime import Runtime
from infra.settings import Settings
from tests.api.conftest import connected
from tests.api.people import Town, problem
from tests.pages.browser import FROM_OUR_PAGE, PHONE, Browser, a_link, as_guest
from tests.pages.sharing import cut_off

GARBAGE = ("x", "..", "a.b.c", "%00", '"', "é", "x" * 5_000, "x" * (HEADER_BYTES_MAX + 1), "0" * 43, "~".join("abc"))


ELSEWHERE: tuple[dict[str, str], ...] = (
    {},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "none"},
    {"sec-fetch-site": "cross-site", "origin": "http://localhost"},
    {"origin": "https://elsewhere.example"},
    {"origin": "null"},
    {"origin": "http://localhost.elsewhere.example"},
    {"origin": "http://["},
)


def cookies_of(response: httpx.Response) -> dict[str, str]:
    """Each cookie that an answer sets, with its attributes."""
    written = response.headers.get_list("set-cookie")
    return {one.partition("=")[0]: one for one in written}


async def test_cookies_are_for_pages_alone(town: Town) -> None:
    """No script reads them, no other site's form sends them along, and the API does not look at them."""
    group, link = await a_link(town)
    browser = Browser.of(town)
    await browser.open(link)
    answer = await browser.client.post(f"/g/{group['id']}/join/guest", headers=FROM_OUR_PAGE)
    written = cookies_of(answer)
    assert {"tuan_access", "tuan_refresh"} <= set(written)
    for one in written.values():
        assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(one.split("; "))
    assert answer.headers["cache-control"] == "no-store"
    assert (await browser.client.get("/v1/me")).status_code == 401
    joining = await browser.client.post(f"/v1/groups/{group['id']}/participants", headers=FROM_OUR_PAGE)
    assert joining.status_code == 401


async def test_the_last_links_to_a_few_deals_are_remembered(town: Town) -> None:
    """The latest first, one for each deal, and no more than there is room for."""
    browser = Browser.of(town)
    links = [await a_link(town) for _ in range(DEALS_MAX + 1)]
    for _, link in [*links, links[3]]:
        await browser.open(link)
    kept = [entry.partition(".")[0] for entry in browser.client.cookies["tuan_via"].split("~")]
    deals = [group["deal_id"].replace("-", "") for group, _ in links]
    assert kept == [deals[3], *(deal for deal in reversed(deals[1:]) if deal != deals[3])]


async def test_over_tls_cookies_are_of_this_host_alone(settings: Settings) -> None:
    """And what comes in the clear is none of our pages."""
    async with connected(create_app(replace(settings, public_url="https://tuan.example"))) as client:
        town = Town(client, settings)
        group, link = await a_link(town)
        written = cookies_of(await client.get(link, headers={"accept": "text/html"}))
        assert set(written) == {"__Host-tuan_via"}
        answer = await client.post(f"/g/{group['id']}/join/guest", headers=FROM_OUR_PAGE)
        assert all(name.startswith("__Host-") and one.endswith("; Secure") for name, one in cookies_of(answer).items())
        for origin, status in (("https://localhost", 303), ("https://tuan.example", 303), ("http://localhost", 403)):
            sent = await client.post(f"/g/{group['id']}/join/guest", headers={"accept": "text/html", "origin": origin})
            assert sent.status_code == status, origin


async def test_the_server_refreshes_what_has_run_out_for_two_tabs_at_once_too(town: Town) -> None:
    """Without its access token a browser is who it was; the same refresh token from a second tab is no theft."""
    _, link = await a_link(town)
    browser = await as_guest(town, link)
    old = dict(browser.client.cookies)
    tabs = [Browser.of(town), Browser.of(town)]
    for tab in tabs:
        tab.client.cookies.set("tuan_refresh", old["tuan_refresh"], domain="localhost.local")
        await tab.open(link)
        assert tab.title == "Your place"
    first, second = (tab.client.cookies["tuan_refresh"] for tab in tabs)
    assert first == second != old["tuan_refresh"]


async def test_a_page_that_was_broken_off_signs_nobody_out(town: Town, runtime: Runtime) -> None:
    """The new tokens never came, and the spent one is shown again hours later; once they were used that is a theft."""
    _, link = await a_link(town)
    browser = await as_guest(town, link)
    spent = browser.client.cookies["tuan_refresh"]
    asked = {"accept": "text/html", "cookie": f"tuan_refresh={spent}"}
    lost = cookies_of(await town.client.get(link, headers=asked))["tuan_refresh"]
    await _hours_go_by(runtime)
    heard = cookies_of(await town.client.get(link, headers=asked))["tuan_refresh"]
    assert heard == lost
    newest = {"accept": "text/html", "cookie": heard.partition(";")[0]}
    assert "Your place" in (await town.client.get(link, headers=newest)).text
    await _hours_go_by(runtime)
    for late in (asked, newest):
        answer = await town.client.get(link, headers=late)
        assert "Max-Age=0" in cookies_of(answer)["tuan_refresh"]


async def test_an_apps_spent_token_in_a_cookie_is_a_theft(town: Town, runtime: Runtime) -> None:
    """What spares a browser spares nobody who puts an app's token where a browser has its own."""
    _, link = await a_link(town)
    app = (await town.client.post("/v1/sign-in/guest", json={"device": "Pixel"})).json()
    spent = app["refresh_token"]
    newest = (await town.client.post("/v1/sign-in/refresh", json={"refresh_token": spent})).json()["refresh_token"]
    await _hours_go_by(runtime)
    await town.client.get(link, headers={"accept": "text/html", "cookie": f"tuan_refresh={spent}"})
    problem(await town.client.post("/v1/sign-in/refresh", json={"refresh_token": newest}), 403, "refresh-token-refused")


async def _hours_go_by(runtime: Runtime) -> None:
    async with runtime.engine.begin() as connection:
        await connection.execute(text("UPDATE refresh_tokens SET spent_at = spent_at - interval '3 hours'"))


async def test_new_tokens_come_with_whatever_answers(town: Town, runtime: Runtime, settings: Settings) -> None:
    """Though it is a fault, for people or programs: were they lost, the spent one would look like a theft."""
    group, link = await a_link(town)
    browser = await as_guest(town, link)
    async with cut_off(settings, runtime.places):
        for accepted in ("text/html", "application/json"):
            refresh = browser.client.cookies["tuan_refresh"]
            headers = {"accept": accepted, "cookie": f"tuan_refresh={refresh}"}
            answer = await town.client.get(f"/g/{group['id']}/join", headers=headers)
            assert (answer.status_code, "no-store" in answer.headers["cache-control"]) == (503, True)
            assert {"tuan_access", "tuan_refresh"} <= set(cookies_of(answer))
            assert refresh not in cookies_of(answer)["tuan_refresh"]


async def test_pages_count_by_who_is_signed_in_as_the_api_does(settings: Settings) -> None:
    """One account has its allowance, whichever way it asks; another at the same address has its own."""
    async with connected(create_app(replace(settings, rate_limits=True))) as client:
        town = Town(client, settings)
        group, _ = await a_link(town)
        people = [Browser.of(town, **{"x-forwarded-for": "203.0.113.9"}) for _ in range(2)]
        path, [policy] = (
            f"/g/{group['id']}/join/guest",
            [one for one in POLICIES[RouteClass.SIGN_IN] if one.whose is Whose.ACCOUNT],
        )
        for person in people:
            assert (await person.client.post(path, headers=FROM_OUR_PAGE)).status_code == 303
        statuses = [
            (await people[0].client.post(path, headers=FROM_OUR_PAGE)).status_code for _ in range(policy.quota + 1)
        ]
        assert statuses == [303] * policy.quota + [429]
        refused = await people[1].client.post(f"/g/{group['id']}/join", data={"quantity": "x"}, headers=FROM_OUR_PAGE)
        [of_joins] = [one for one in POLICIES[RouteClass.JOIN] if one.whose is Whose.ACCOUNT]
        assert f'"{of_joins.name}";r={of_joins.quota - 1};' in refused.headers["ratelimit"]  # counted once
        assert (await people[1].client.post(path, headers=FROM_OUR_PAGE)).status_code == 303


async def test_signing_out_ends_the_session_and_takes_the_cookies_away(town: Town) -> None:
    _, link = await a_link(town)
    browser = await as_guest(town, link)
    kept = dict(browser.client.cookies)
    await browser.send("Sign out")
    assert browser.title == "Join"
    assert set(browser.client.cookies) == {"tuan_via"}
    thief = Browser.of(town)
    for name, value in kept.items():
        thief.client.cookies.set(name, value, domain="localhost.local")
    await thief.open(link)
    assert thief.title == "Join"


async def test_cookies_that_are_none_of_ours_are_nobody(town: Town) -> None:
    """Whatever is in them: the page is shown as to anybody, and joining begins with who it is."""
    group, link = await a_link(town)
    for name, value in product(("tuan_access", "tuan_refresh", "tuan_via"), GARBAGE):
        headers = [(b"accept", b"text/html"), (b"cookie", f"{name}={value}".encode())]
        for path in (link, f"/g/{group['id']}", f"/g/{group['id']}/join"):
            assert (await town.client.get(path, headers=headers)).status_code == 200, value
        headers.append((b"sec-fetch-site", b"same-origin"))
        assert (await town.client.post(f"/g/{group['id']}/join", headers=headers)).status_code == 401, value


async def test_a_refresh_token_that_is_good_no_more_is_taken_away(town: Town) -> None:
    """So that it is not looked up again with every page."""
    _, link = await a_link(town)
    for value in ("x", "0" * 43):
        answer = await town.client.get(link, headers={"accept": "text/html", "cookie": f"tuan_refresh={value}"})
        assert "Max-Age=0" in cookies_of(answer)["tuan_refresh"]


async def test_a_token_that_is_no_sessions_is_nobody(town: Town) -> None:
    """An operator's token, a merchant's and one that has run out sign nobody in."""
    _, link = await a_link(town)
    for person in (town.merchant, town.person("shopper", lifetime_s=-1)):
        browser = Browser.of(town)
        browser.client.cookies.set("tuan_access", person.token or "", domain="localhost.local")
        await browser.open(link)
        assert browser.title == "Join"


async def test_a_form_that_did_not_come_from_our_page_does_nothing(town: Town) -> None:
    """Though the browser is signed in: no place is taken, nobody signs out, and the page says so."""
    group, link = await a_link(town)
    browser = await as_guest(town, link)
    for sent_from in ELSEWHERE:
        await browser.send("Join and pay", sent_from)
        assert browser.response.status_code == 403, sent_from
        assert browser.problem.startswith("This form did not come from this page")
        await browser.send("Sign out", sent_from)
        assert browser.title == "Your place", sent_from
    assert (await town.nobody.get(f"/v1/groups/{group['id']}")).json()["awaiting_payment"] == 0


async def test_no_other_site_signs_anybody_in_or_sends_them_codes(town: Town) -> None:
    """Every form of the pages, the ones that are there before anybody is signed in as well."""
    group, _ = await a_link(town)
    forms = [operation.removeprefix("POST ") for operation in WHO_MAY if operation.startswith("POST /g/")]
    assert len(forms) >= 6
    for form in forms:
        path, typed = form.format(group_id=group["id"]), {"phone": PHONE, "code": "123456"}
        answer = await town.client.post(path, data=typed, headers={"sec-fetch-site": "cross-site"})
        assert (answer.status_code, cookies_of(answer)) == (403, {}), form
    assert (await town.nobody.get("/dev/inbox")).json()["items"] == []


async def test_an_older_browser_says_by_origin_that_the_form_is_ours(town: Town) -> None:
    _, link = await a_link(town)
    browser = await as_guest(town, link)
    await browser.send("Join and pay", {"origin": "http://localhost"})
    assert browser.title == "Your place is kept"


async def test_what_is_no_form_is_refused_and_changes_nothing(town: Town) -> None:
    group, link = await a_link(town)
    browser = await as_guest(town, link)
    path = f"/g/{group['id']}/join"
    bodies = [b"%ff", b"a" * 20_000, b"&".join(b"a=1" for _ in range(50)), b"\xff\xfe", b"variant=x", b"quantity=%00"]
    form = {"content-type": "application/x-www-form-urlencoded"}
    for body in bodies:
        answer = await browser.client.post(path, content=body, headers=FROM_OUR_PAGE | form)
        assert answer.status_code == 422, body
    answer = await browser.client.post(path, json={}, headers=FROM_OUR_PAGE)
    assert answer.status_code == 422
    assert (await town.nobody.get(f"/v1/groups/{group['id']}")).json()["awaiting_payment"] == 0
