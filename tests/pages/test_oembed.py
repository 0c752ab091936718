"""oEmbed: other sites show our links, and nobody else's."""

from domain.sharing.language import Language
from infra.ids import new_invite_code
from infra.runtime import Runtime
from tests.api.people import Town, fields, problem
from tests.pages.reading import Read
from tests.pages.sharing import shared

FOREIGN = (
    "",
    "https://evil.example/i/abc",
    "{origin}.evil.example/i/abc",
    "{origin}@evil.example/i/abc",
    "{origin}/v1/groups/01997b3e-7f5a-7cc0-8d6a-2f0c1f6a9b10",
    "{origin}/i/",
    "{origin}/i/../g/abc",
    "{origin}/g/abc",
    "//evil.example/i/abc",
    "/i/abc",
    "javascript:alert(1)",
)


async def test_a_site_that_was_given_a_link_learns_what_to_show(town: Town, runtime: Runtime) -> None:
    """The address that the page names answers a title, who shared it and the card, as oEmbed 1.0 says for a link."""
    link = await shared(town, title='Tea </script> & "more"')
    page = Read((await town.nobody.get(link.path)).text)
    found = page.one("link", type="application/json+oembed").get("href", "")
    answer = await town.nobody.get(found.removeprefix(runtime.settings.origin))
    told = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert (told["version"], told["type"], told["author_name"]) == ("1.0", "link", "Mia")
    assert told["title"].startswith('Tea </script> & "more" · ')
    assert told["thumbnail_url"] == page.metas["og:image"][0]
    assert (told["thumbnail_width"], told["thumbnail_height"]) == (1200, 630)
    assert told["provider_url"] == runtime.settings.origin
    of_group = await town.nobody.get(
        "/oembed", params={"url": f"{runtime.settings.origin}{link.own_path}?lang=de#join"}
    )
    assert of_group.json()["author_name"] is None


async def test_addresses_that_are_not_ours_are_refused(town: Town, runtime: Runtime) -> None:
    """Nobody is sent anywhere else under our name; a link that leads nowhere is said to."""
    for url in FOREIGN:
        given = url.format(origin=runtime.settings.origin)
        assert fields(await town.nobody.get("/oembed", params={"url": given})) == {"url"}, given
    assert fields(await town.nobody.get("/oembed")) == {"url"}
    assert fields(await town.nobody.get("/oembed", params={"url": "x", "format": "xml"})) == {"format"}
    nowhere = {"url": f"{runtime.settings.origin}/i/{new_invite_code()}"}
    problem(await town.nobody.get("/oembed", params=nowhere), 404, "invite-not-found")


async def test_it_speaks_the_asking_sites_language(town: Town, runtime: Runtime) -> None:
    """As the page does."""
    link = await shared(town)
    for language in Language:
        given = {"url": f"{runtime.settings.origin}{link.path}", "lang": language}
        assert f"/card/{language}-" in (await town.nobody.get("/oembed", params=given)).json()["thumbnail_url"]
