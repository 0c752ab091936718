"""The share kit over the API: what an app gets with a link, in whose language, and to whom it is shown."""

from urllib.parse import parse_qsl, urlsplit

from litestar import Litestar

from api.answers import encode
from api.invites import InviteBody
from domain.sharing.channels import CHATS
from tests.api.people import Town, fields, problem
from tests.identity.members import signed_in, signed_in_as_guest

IN_WORDS = {
    "en": "One more and everybody pays $9.00 instead of $12.00.",
    "zh": "再来1人，每人只付US$9.00，单买US$12.00。",
    "de": "Kommt noch jemand dazu, zahlen alle 9,00 $ statt 12,00 $.",
    "es": "Con una persona más, pagamos 9,00 US$ cada uno en vez de 12,00 US$.",
}

HOSTILE = (
    '"><script>alert(1)</script>',
    "&text=x&url=https://evil.example",
    "%0d%0aBcc: all@evil.example",
    "{news} {0} %s ${x}",
    "\u05e9\u05dc\u05d5\u05dd 100%",
    "茶" * 200,
    "\U0001f469\u200d\U0001f467" * 60,
)


async def test_a_link_comes_with_all_it_takes_to_share_it(town: Town, app: Litestar) -> None:
    """In four languages: texts, an address for every chat, and pictures; later the same is told to its sharer alone."""
    mei, origin = town.shopper(), app.state.runtime.settings.origin
    group = await town.open_group(mei)
    path = f"/v1/groups/{group['id']}/invites"
    made = (await mei.post(path)).json()
    assert set(made) - {"share"} == set((await town.nobody.get(f"/v1/invites/{made['code']}")).json())
    for language, words in IN_WORDS.items():
        invite = (await mei.post(path, {"language": language})).json()
        kit, code = invite["share"], invite["code"]
        assert kit["language"] == language
        assert kit["link"] == f"{origin}/i/{code}"
        assert words in plain(kit["texts"]["short"])
        assert words in plain(kit["texts"]["long"])
        assert kit["texts"]["subject"]
        assert [way["channel"] for way in kit["channels"]] == list(CHATS)
        by_whatsapp = dict(parse_qsl(urlsplit(kit["channels"][0]["address"]).query))
        assert by_whatsapp == {"text": f"{kit['texts']['long']}\n{kit['link']}"}
        assert kit["card_url"].startswith(f"{kit['link']}/card/{language}-")
        assert kit["poster_url"].startswith(f"{kit['link']}/poster/{language}-")
        assert kit["qr_url"] == f"{kit['link']}/qr.svg"
        assert kit["wechat"] is None
        told = await mei.get(f"/v1/invites/{code}/share?language={language}")
        assert told.json() == kit
        assert told.headers["cache-control"] == "private, no-cache"


async def test_texts_are_in_the_language_somebody_reads(town: Town) -> None:
    """What is asked for goes before what the account says, and that before what the phone says; else it is English."""
    mei = await signed_in(town)
    path = f"/v1/groups/{(await town.open_group())['id']}/invites"

    async def language(body: object = None, phone: str = "fr") -> str:
        kit = (await mei.post(path, body, headers={"accept-language": phone})).json()["share"]
        assert (await mei.get(f"/v1/invites/{kit['link'][-16:]}/share", headers={"accept-language": phone})).json()
        return str(kit["language"])

    assert [await language(), await language(phone="fr, de;q=0.8")] == ["en", "de"]
    assert (await mei.ask("PATCH", "/v1/me", {"locale": "zh-Hant-HK"})).status_code == 200
    assert [await language(phone="de"), await language({"language": "es"}, "de")] == ["zh", "es"]
    assert fields(await mei.post(path, {"language": "fr"})) == {"language"}
    assert fields(await mei.get(f"/v1/invites/{'a' * 16}/share?language=fr")) == {"language"}


async def test_each_channel_has_a_link_of_its_own(town: Town) -> None:
    """So that its visits can be told apart; a channel nobody knows has a text and no address."""
    mei = town.shopper()
    path = f"/v1/groups/{(await town.open_group())['id']}/invites"
    invites = [(await mei.post(path, {"channel": name})).json() for name in ("link", "whatsapp", "poster", "kakao")]
    assert len({invite["code"] for invite in invites}) == 4
    for invite in invites[1:]:
        (way,) = invite["share"]["channels"]
        assert way["channel"] == invite["channel"]
        assert way["text"].endswith(invite["share"]["link"])
        assert (way["address"] is not None) == (invite["channel"] == "whatsapp")
        assert (await mei.get(f"/v1/invites/{invite['code']}/share")).json() == invite["share"]


async def test_a_repeat_is_the_first_answer_and_a_new_question_the_present_state(town: Town) -> None:
    """With its key a request has its answer byte for byte; without one the kit follows the group."""
    mei, key = town.shopper(), {"idempotency-key": "share-1"}
    group = await town.open_group()
    path = f"/v1/groups/{group['id']}/invites"
    first = await mei.post(path, headers=key)
    assert first.status_code == 201
    assert (await town.shopper().post(f"/v1/groups/{group['id']}/participants")).status_code == 201
    again = await mei.post(path, headers=key)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    problem(await mei.post(path, {"language": "de"}, headers=key), 422, "idempotency-key-reused")
    now = (await mei.post(path)).json()["share"]
    assert "2 more and all 4 of us save $2.00 each." in now["texts"]["long"]
    assert now["link"] == first.json()["share"]["link"]
    assert now["card_url"] != first.json()["share"]["card_url"]


def test_a_key_from_before_texts_had_a_language_stays_good() -> None:
    """What decides whether a request is the same says nothing of a language that was not asked for."""
    assert encode(InviteBody(channel="sms")) == b'{"channel":"sms"}'


async def test_a_closed_group_says_what_became_of_it(town: Town) -> None:
    """No new link leads there; the one there is tells the outcome."""
    mei = town.shopper()
    group = await town.open_group(mei, tiers=[{"participants": 2, "unit_price": 900}], group_size_max=2)
    path = f"/v1/groups/{group['id']}/invites"
    code = (await mei.post(path)).json()["code"]
    assert (await town.shopper().post(f"/v1/groups/{group['id']}/participants")).status_code == 201
    problem(await mei.post(path, {"channel": "sms"}), 409, "group-closed")
    kept = await mei.post(path)
    assert kept.status_code == 200
    assert kept.json()["share"]["texts"]["short"].endswith("Done! All 2 pay $9.00 instead of $12.00.")
    assert (await mei.get(f"/v1/invites/{code}/share")).json() == kept.json()["share"]


async def test_a_kit_is_its_sharers_alone(town: Town) -> None:
    """Guests share too, and keep their links when they become somebody known; to others there is no such link."""
    mei, guest = await signed_in(town), await signed_in_as_guest(town)
    group = await town.open_group()
    path = f"/v1/groups/{group['id']}/invites"
    shared = await guest.post(path)
    assert shared.status_code == 201
    kit = f"/v1/invites/{shared.json()['code']}/share"
    assert (await guest.get(kit)).json() == shared.json()["share"]
    known = await signed_in(town, mei.phone, guest)
    assert (await known.get(kit)).json() == shared.json()["share"]
    problem(await town.shopper().get(kit), 404, "invite-not-found")
    problem(await town.shopper().get(f"/v1/invites/{'a' * 16}/share"), 404, "invite-not-found")
    problem(await town.shopper().get("/v1/invites/%00/share"), 404, "invite-not-found")
    problem(await town.nobody.get(kit), 401, "not-authenticated")
    problem(await known.post("/v1/groups/01997b40-03c1-7b7e-a5d0-6e1f0c9d3a42/invites"), 404, "group-not-found")


async def test_a_kit_is_sent_again_only_when_it_changed(town: Town) -> None:
    """The sheet that an app opens again costs nothing while the group stands still."""
    mei = town.shopper()
    group = await town.open_group()
    code = (await mei.post(f"/v1/groups/{group['id']}/invites")).json()["code"]
    tag = (await mei.get(f"/v1/invites/{code}/share")).headers["etag"]
    unchanged = await mei.get(f"/v1/invites/{code}/share", headers={"if-none-match": tag})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    in_german = {"if-none-match": tag, "accept-language": "de"}
    assert (await mei.get(f"/v1/invites/{code}/share", headers=in_german)).status_code == 200
    assert (await town.shopper().post(f"/v1/groups/{group['id']}/participants")).status_code == 201
    changed = await mei.get(f"/v1/invites/{code}/share", headers={"if-none-match": tag})
    assert changed.status_code == 200


async def test_hostile_titles_go_nowhere_they_should_not(town: Town) -> None:
    """What opens a chat carries our text and our link, in the fields that are meant for them."""
    mei = town.shopper()
    for title in HOSTILE:
        group = await town.open_group(title=title)
        kit = (await mei.post(f"/v1/groups/{group['id']}/invites")).json()["share"]
        for way in kit["channels"]:
            if way["address"] is None:
                continue
            found = dict(parse_qsl(urlsplit(way["address"]).query, keep_blank_values=True, errors="strict"))
            assert set(found) <= {"text", "url", "link", "subject", "body"}
            assert kit["link"] in " ".join(found.values())
            assert "evil.example" not in " ".join(found.values())


def plain(text: str) -> str:
    """With blanks that break between numbers and currencies."""
    return text.replace("\u00a0", " ")
