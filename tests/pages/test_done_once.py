"""Joining on the web by people who press twice, go back and load again: what was done is done once."""

from sqlalchemy import text

from infra.runtime import Runtime
from tests.api.people import Town, problem
from tests.pages.browser import FROM_OUR_PAGE, Browser, a_link, as_guest, pay
from tests.pages.reading import Read


async def test_pressing_twice_takes_one_place(town: Town) -> None:
    """The form has a key of its own: whoever opens a group twice with it has opened one.

    A link that leads nowhere, or another one opened meanwhile, makes no other request of it.
    """
    group, link = await a_link(town)
    browser = Browser.of(town)
    await browser.open(link)
    await browser.send("Open your own group")
    await browser.send("Join as a guest")
    assert browser.title == "Your own group"
    form, _ = browser.form_with("Open and pay")
    fields, action = browser.fields_of(form), form.get("action", "")
    answers = []
    for code in ("nobodyscode12345", "anothercode12345"):
        browser.client.cookies.set("tuan_via", f"{group['deal_id'].replace('-', '')}.{code}", domain="localhost.local")
        answers.append(await browser.client.post(action, data=fields, headers=FROM_OUR_PAGE))
    assert [answer.status_code for answer in answers] == [303, 303]
    first, second = (answer.headers["location"].partition("?")[0] for answer in answers)
    assert first == second != f"/g/{group['id']}"


async def test_both_buttons_of_a_form_do_what_they_say(town: Town) -> None:
    """Whoever joins, goes back and opens a group of their own has both: the form's key is for each button alone."""
    group, link = await a_link(town)
    browser = await as_guest(town, link)
    form, _ = browser.form_with("Join and pay")
    fields, action = browser.fields_of(form), form.get("action", "")
    joined = await browser.client.post(action, data=fields, headers=FROM_OUR_PAGE)
    opened = await browser.client.post(action, data=fields | {"own": "1"}, headers=FROM_OUR_PAGE)
    assert (joined.status_code, opened.status_code) == (303, 303)
    assert joined.headers["location"].startswith(f"/g/{group['id']}?")
    assert not opened.headers["location"].startswith(f"/g/{group['id']}?")


async def test_what_comes_after_signing_in_may_be_loaded_again(town: Town) -> None:
    """It has an address of its own, with what was chosen and nothing that says who somebody is."""
    group, link = await a_link(town)
    browser = await as_guest(town, link, quantity="3")
    address = browser.response.url
    assert (browser.response.request.method, address.path) == ("GET", f"/g/{group['id']}/join")
    assert dict(address.params) == {"lang": "en", "quantity": "3"}
    await browser.open(str(address))
    form, _ = browser.form_with("Join and pay")
    assert browser.fields_of(form)["quantity"] == "3"


async def test_whoever_has_a_place_and_asks_for_another_is_told_what_they_have(town: Town) -> None:
    """A form that was left open in another tab changes nothing, and does not look as if it had."""
    _, link = await a_link(town)
    browser = await as_guest(town, link)
    form, _ = browser.form_with("Join and pay")
    fields, action = browser.fields_of(form), form.get("action", "")
    await browser.send("Join and pay", quantity="2")
    await pay(browser, price="Pay $18.00")
    fields |= {"quantity": "5", "key": "anotherkeyofanothertab"}
    answer = await browser.client.post(action, data=fields, headers=FROM_OUR_PAGE)
    assert answer.status_code == 409
    assert "You are in already, with 2 \u00d7." in Read(answer.text).text()
    same = fields | {"quantity": "2", "key": "athirdkeyofathirdtab12"}
    assert (await browser.client.post(action, data=same, headers=FROM_OUR_PAGE)).is_redirect


async def test_the_address_of_a_form_leads_to_its_page(town: Town) -> None:
    """Enter in the address bar, or a tab that is opened again: a person gets the page, a program its problem.

    So does whoever asks with what no form sends: the group is there, and nobody is told that it is not.
    """
    group, _ = await a_link(town)
    for wrong in ("own=%ff", "own=1&own=1", "&".join(f"a{number}=1" for number in range(100))):
        path = f"/g/{group['id']}/join?lang=de&{wrong}"
        answer = await Browser.of(town).client.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/g/{group['id']}?lang=de#join")
        problem(await town.nobody.get(path), 422, "invalid-request")
    for step in ("join/code", "join/sign-in", "join/guest", "leave", "sign-out"):
        path = f"/g/{group['id']}/{step}"
        answer = await Browser.of(town).client.get(f"{path}?lang=de")
        assert (answer.status_code, answer.headers["location"]) == (303, f"/g/{group['id']}?lang=de#join")
        problem(await town.nobody.get(path), 405, "method-not-allowed")


async def test_going_back_to_a_payment_that_is_made_shows_a_way_on(town: Town) -> None:
    """The sandbox's page says so to people, whether it is opened or its form is sent again."""
    _, link = await a_link(town)
    browser = await as_guest(town, link)
    await browser.send("Join and pay")
    step = browser.link("Pay $9.00").removeprefix("http://127.0.0.1:8000")
    await browser.open(step)
    form, _ = browser.form_with("Approve")
    fields = browser.fields_of(form) | {"approve": "true"}
    await browser.send("Approve")
    for again in (await browser.client.get(step), await browser.client.post(step, data=fields)):
        assert (again.status_code, again.headers["content-type"]) == (409, "text/html; charset=utf-8")
        [way] = Read(again.text).all("a")
        await browser.open(way.get("href", ""))
        assert browser.title == "You are in"
    problem(await town.nobody.get(step), 409, "gateway-refused")


async def test_whoever_is_in_sees_their_place_while_no_commands_are_taken(town: Town, runtime: Runtime) -> None:
    """In a rush a page tells nothing: one's own link is shown where it was made before, else the page goes without."""
    group, link = await a_link(town)
    people = [await as_guest(town, link) for _ in range(2)]
    own = []
    for person in people:
        await person.send("Join and pay")
        await pay(person)
        own.append(person.page.one("input", id="link").get("value", ""))
    async with runtime.engine.begin() as connection:
        await connection.execute(text("DELETE FROM invites WHERE code = :code"), {"code": own[1].rpartition("/")[2]})
    await runtime.batcher.stop()
    shown = []
    for person in people:
        await person.open(f"/g/{group['id']}")
        assert (person.response.status_code, person.title) == (200, "You are in")
        shown.append(person.page.one("input", id="link").get("value", ""))
    assert shown == [own[0], f"{runtime.settings.origin}/g/{group['id']}"]


async def test_a_payment_that_the_gateway_never_heard_of_is_asked_for_anew(town: Town, runtime: Runtime) -> None:
    """It was away when the place was taken: to look again leads to the payment, not to the same words for ever."""
    group, link = await a_link(town)
    browser = await as_guest(town, link)
    shopper = {"authorization": f"Bearer {browser.client.cookies['tuan_access']}"}
    body = {"payment_method": "sandbox_unavailable"}
    await browser.client.post(f"/v1/groups/{group['id']}/participants", json=body, headers=shopper)
    await browser.open(link)
    assert "The payment is not ready yet." in browser.page.text()
    async with runtime.engine.begin() as connection:
        await connection.execute(text("UPDATE payments SET created_at = created_at - interval '1 minute'"))
    await browser.open(browser.link("Look again"))
    await pay(browser)
    assert browser.title == "You are in"
