"""Joining on the web with whatever anybody sends: text stays text, nobody is led elsewhere or asks for ever."""

from dataclasses import replace

from api.app import create_app
from infra.settings import Settings
from tests.api.conftest import connected
from tests.api.people import Town
from tests.pages.browser import FROM_OUR_PAGE, PHONE, a_link, as_guest
from tests.pages.reading import Read


async def test_what_is_typed_stays_text(town: Town) -> None:
    """In every field and hidden part of every step: no element more than for plain words."""
    group, _ = await a_link(town)
    path, hostile = f"/g/{group['id']}/join", "\"'><script>x</script><img src=x onerror=y>{{7*7}}\u202e"
    fields = ("variant", "quantity", "own", "phone", "dial", "code", "name", "full_name", "city", "country", "key")
    browser = await as_guest(town, f"/g/{group['id']}")
    usual: list[object] = []
    for words in ("plain", hostile):
        skeletons: list[object] = []
        for step in ("", "/code", "/sign-in"):
            typed = dict.fromkeys(fields, words) | {"phone": PHONE if step == "/sign-in" else words}
            answer = await browser.client.post(path + step, data=typed, headers=FROM_OUR_PAGE)
            assert answer.status_code == 422
            skeletons.append(Read(answer.text).skeleton())
        answer = await browser.client.get(path, params={"variant": words, "quantity": words, "own": words})
        skeletons.append(Read(answer.text).skeleton())
        usual = usual or skeletons
        assert skeletons == usual, words


async def test_what_is_chosen_goes_into_an_address_as_what_it_is(town: Town) -> None:
    """It ends no header and names no other host; what no choice is as long as stays behind."""
    group, _ = await a_link(town)
    typed = {"variant": "\r\nSet-Cookie: a=b#//evil.example", "quantity": "9" * 1_000, "phone": PHONE, "own": "1"}
    answer = await town.client.post(f"/g/{group['id']}/join/guest?lang=de", data=typed, headers=FROM_OUR_PAGE)
    assert answer.status_code == 303
    kept = "lang=de&variant=Set-Cookie%3A+a%3Db%23%2F%2Fevil.example&own=1"
    assert answer.headers["location"] == f"/g/{group['id']}/join?{kept}#join"


async def test_the_sandbox_leads_back_to_our_own_page_alone(town: Town) -> None:
    """Whoever sends somebody to the step with another address to go back to leads them nowhere, taken or not."""
    _, link = await a_link(town)
    browser = await as_guest(town, link)
    await browser.send("Join and pay")
    await browser.open(browser.link("Pay $9.00").removeprefix("http://127.0.0.1:8000").partition("&back=")[0])
    form, _ = browser.form_with("Approve")
    fields, step = browser.fields_of(form) | {"approve": "true"}, browser.response.url
    statuses = []
    for back in ("https://elsewhere.example/", "//elsewhere.example", "/g/../v1", "javascript:alert(1)"):
        answer = await browser.client.post(step, data=fields | {"back": back})
        statuses.append(answer.status_code)
        assert Read(answer.text).all("a") == []
    assert statuses == [200, 409, 409, 409]  # once approved, there is no step any more


async def test_too_many_codes_are_refused_in_the_page_and_what_was_typed_stays(settings: Settings) -> None:
    """It is the step again, which says how long to wait."""
    async with connected(create_app(replace(settings, rate_limits=True))) as client:
        town = Town(client, settings)
        group, _ = await a_link(town)
        path = f"/g/{group['id']}/join/code"
        headers = {"accept": "text/html", "x-forwarded-for": "203.0.113.9"} | FROM_OUR_PAGE
        answers = [await client.post(path, data={"phone": PHONE}, headers=headers) for _ in range(6)]
        assert [answers[0].status_code, answers[-1].status_code] == [200, 429]
        answer = answers[-1]
        assert "That was a lot at once" in answer.text
        assert int(answer.headers["retry-after"]) > 0
        assert f'value="{PHONE}"' in answer.text
