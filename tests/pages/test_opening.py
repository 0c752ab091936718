"""Opening a link: the page in the visitor's language, sent small, kept only while it is right, and counted."""

import gzip
from datetime import UTC, datetime

from sqlalchemy import text

from api.pages.showing import POLICY
from domain.sharing.language import Language
from infra.runtime import Runtime
from tests.api.people import Town, problem
from tests.pages.reading import Read
from tests.pages.sharing import HTML, join, shared
from tests.waiting import eventually

A_SECOND = 2.0
"""And what a busy machine takes to ask and to be asked."""
WEIGHT_BYTES_MAX = 30_000
"""It was 22 KB."""


async def test_a_link_shows_its_group_and_follows_it_within_a_second(town: Town) -> None:
    """Promise 7: a kept page is never older; the group's own page shows the same without the sharer."""
    link = await shared(town)
    first = Read((await town.nobody.get(link.path)).text)
    assert "Mia invites you" in first.text()
    assert "Mia invites you" not in Read((await town.nobody.get(link.own_path)).text).text()
    await join(town, link, "Ada")

    async def both_follow() -> bool:
        pages = [(await town.nobody.get(path)).text for path in (link.path, link.own_path)]
        return all("2 people are in" in page and ">Ada</bdi>" in page for page in pages)

    await eventually(both_follow, "the join on both pages", A_SECOND)


async def test_a_page_is_sent_small_and_only_when_it_has_changed(town: Town) -> None:
    """Packed for whoever takes that, 304 for who has it, the head alone for HEAD; caches are told what it goes by."""
    link = await shared(town)
    plain = await town.nobody.get(link.path, headers={"accept-encoding": "identity"})
    packed = await town.nobody.get(link.path, headers={"accept-encoding": "br, gzip;q=0.5"})
    assert (packed.headers["content-encoding"], packed.text) == ("gzip", plain.text)
    assert "content-encoding" not in plain.headers
    refused = await town.nobody.get(link.path, headers={"accept-encoding": "gzip;q=0, *;q=0.1"})
    assert "content-encoding" not in refused.headers
    assert plain.headers["vary"] == packed.headers["vary"] == "Accept-Language, Accept-Encoding"
    head = await town.nobody.ask("HEAD", link.path)
    assert (head.content, head.headers["etag"]) == (b"", plain.headers["etag"])
    known = await town.nobody.get(link.path, headers={"if-none-match": plain.headers["etag"]})
    assert (known.status_code, known.content) == (304, b"")
    german = await town.nobody.get(link.path, headers={"if-none-match": plain.headers["etag"], "accept-language": "de"})
    assert german.status_code == 200


async def test_the_first_visit_weighs_little(town: Town) -> None:
    """The page and all it loads but pictures: under 30 KB as sent, and the first paint needs the page alone."""
    link = await shared(town)
    page = await town.nobody.get(link.path)
    read = Read(page.text)
    loaded = [one.get("src", "") for one in read.all("script") if one.get("src")]
    assert len(loaded) == 2
    assert all("defer" in one.attrib for one in read.all("script") if one.get("src"))
    assert read.all("link", rel="stylesheet") == []
    weight = len(gzip.compress(page.content, 6))
    for path in loaded:
        answer = await town.nobody.get(path)
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        weight += len(gzip.compress(answer.content, 9))
    assert weight < WEIGHT_BYTES_MAX


async def test_what_a_page_says_of_itself(town: Town) -> None:
    """Its policy is the strict one, once; links are not for search engines, groups are."""
    link = await shared(town)
    answer = await town.nobody.get(link.path)
    assert answer.headers.get_list("content-security-policy") == [POLICY.decode()]
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["x-robots-tag"] == "noindex"
    assert "x-robots-tag" not in (await town.nobody.get(link.own_path)).headers


async def test_no_cache_gives_one_visitors_cookie_to_others(town: Town) -> None:
    """A page that comes with a cookie is its visitor's, also where they have it already; without one anybody's."""
    link = await shared(town)
    first = await town.nobody.get(link.path)
    assert (first.headers["cache-control"], "set-cookie" in first.headers) == ("private, no-cache", True)
    known = await town.nobody.get(link.path, headers={"if-none-match": first.headers["etag"], "cookie": "none=1"})
    assert (known.status_code, known.headers["cache-control"], "set-cookie" in known.headers) == (
        304,
        "private, no-cache",
        True,
    )
    again = await town.nobody.get(link.path)
    assert (again.headers["cache-control"], "set-cookie" in again.headers) == ("no-cache", False)


async def test_a_page_speaks_the_visitors_language(town: Town, runtime: Runtime) -> None:
    """What was chosen, else what the browser asks for, else what the sharer speaks."""
    link = await shared(town)
    async with runtime.engine.begin() as connection:
        await connection.execute(
            text("INSERT INTO accounts (id, status, locale) VALUES (:id, 'full', 'es-MX')"), {"id": link.leader.subject}
        )
    for query, asked, language in (
        ("", None, "es"),
        ("", "de-AT,de;q=0.9,en;q=0.5", "de"),
        ("", "fr, zh-Hant-TW;q=0.5", "zh"),
        ("?lang=zh", "de", "zh"),
        ("?lang=tlh", "de", "de"),
        ("?lang=%00%ff&lang=zh&x", "\xff, en", "en"),
        (f"?lang={'x' * 5_000}", "de", "de"),
    ):
        headers = {} if asked is None else {"accept-language": asked.encode("latin-1")}
        answer = await town.nobody.get(f"{link.path}{query}", headers=headers)
        read = Read(answer.text)
        assert answer.headers["content-language"] == read.one("html").get("lang") == language
        assert f"?lang={language}" in read.one("div", id="live").get("data-hx-sse:connect", "")


async def test_openings_are_counted_and_previews_apart(town: Town, runtime: Runtime) -> None:
    """Each opening is noted with the link; a chat that fetches a preview is no visitor; unknown codes are nothing."""
    link = await shared(town)
    for agent in ("Mozilla/5.0 (iPhone)", "Mozilla/5.0 (iPhone)", "WhatsApp/2.23"):
        await town.nobody.get(link.path, headers={"user-agent": agent})
    await town.nobody.get("/i/nobodys", headers={"user-agent": "Mozilla/5.0"})
    await runtime.visits.flush()
    async with runtime.engine.connect() as connection:
        counted = (await connection.execute(text("SELECT code, people, previews FROM visits"))).all()
    assert [tuple(row) for row in counted] == [(link.code, 1, 1)]


async def test_a_renamed_and_a_deleted_sharer(town: Town, runtime: Runtime) -> None:
    """What others are shown of somebody follows the account within a second, also on a page that was kept."""
    link = await shared(town)
    await town.nobody.get(link.path)

    async def is_called(name: str) -> bool:
        return f"<bdi>{name}</bdi>" in (await town.nobody.get(link.path)).text

    async with runtime.engine.begin() as connection:
        given = {"id": link.leader.subject, "now": datetime.now(UTC)}
        await connection.execute(
            text("INSERT INTO accounts (id, status, display_name) VALUES (:id, 'full', 'Maria')"), given
        )
    await eventually(lambda: is_called("Maria"), "the new name", A_SECOND)
    async with runtime.engine.begin() as connection:
        await connection.execute(
            text("UPDATE accounts SET status = 'deleted', display_name = NULL, deleted_at = :now WHERE id = :id"), given
        )
    await eventually(lambda: _lacks(town, link.path, "Maria"), "no name", A_SECOND)
    assert "Mia" not in (await town.nobody.get(link.path)).text


async def test_old_addresses_of_files_answer_the_present_one(town: Town) -> None:
    """A page from before an update loads what there is, and does not keep it; a picture says what it is."""
    old = await town.nobody.get("/static/0000000000000000/page.js")
    assert (old.status_code, old.headers["cache-control"]) == (200, "no-cache")
    icon = await town.nobody.get("/static/0000000000000000/icon.svg")
    assert icon.headers["content-type"] == "image/svg+xml"
    assert (await town.nobody.get("/static/0000000000000000/secrets.js")).status_code == 404


async def _lacks(town: Town, path: str, words: str) -> bool:
    return words not in (await town.nobody.get(path, headers=HTML)).text


async def test_whoever_has_no_link_is_told_what_this_is(town: Town) -> None:
    """At `/`: deals to join and the way to the API's description; programs find nothing there."""
    link = await shared(town)
    for language in Language:
        answer = await town.nobody.get("/", headers=HTML | {"accept-language": language})
        read = Read(answer.text)
        assert (answer.status_code, answer.headers["content-language"]) == (200, language)
        assert (read.errors, read.faults()) == ([], [])
        addresses = [one.get("href", "") for one in read.all("a")]
        assert "/schema" in addresses
        assert any(link.own_path in address for address in addresses)
    problem(await town.nobody.get("/"), 404, "no-such-route")
