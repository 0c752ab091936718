"""Letters: all that is due in one, well set, never twice, and ended by a link in it, without signing in."""

import base64
import re
from uuid import UUID, uuid4

import httpx
import pytest

from domain.notices.kinds import Channel, Kind
from infra.notices.unsubscribing import TOKEN_CHARACTERS_MAX, UnsubscribeTokens, Unwanted, stop_letters
from infra.settings import Settings
from tests.api.conftest import app, client
from tests.pages.reading import Read
from tests.push.conftest import ORIGIN, Post

__all__ = ["app", "client"]

STOPPED = frozenset({Kind.SUCCEEDED})


async def mia_is_told(post: Post, locale: str = "en", **changes: object) -> UUID:
    """Somebody with a mailbox and no phone, in a group that succeeded."""
    mia = await post.square.person(phones=0, email=True, locale=locale)
    await post.closed_group(mia, **changes)
    return mia


def link_in(text: str) -> str:
    (token,) = re.findall(rf"{ORIGIN}/unsubscribe/([\w-]+)", text)
    return f"/unsubscribe/{token}"


async def test_a_letter_says_what_happened_where_to_go_on_and_how_it_ends(post: Post) -> None:
    """In the language of whoever gets it; mail programs find the way out by the headers (RFC 8058)."""
    mia = await mia_is_told(post, "de")
    await post.deliver()
    (letter,) = post.mail.letters
    text = letter.read.get_content().replace("\r\n", "\n")
    (told,) = await post.square.inbox(mia)
    assert letter.read["Subject"] == told.title
    assert text.startswith(f"{told.title}\n{told.text}\n{ORIGIN}/g/")
    assert "Keine solchen E-Mails mehr" in text
    assert letter.read["List-Unsubscribe"] == f"<{ORIGIN}{link_in(text)}>"
    assert f"List-Unsubscribe: <{ORIGIN}{link_in(text)}>\r\n".encode() in letter.raw
    assert letter.read["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert letter.read["Auto-Submitted"] == "auto-generated"


async def test_what_is_due_at_once_is_one_letter(post: Post) -> None:
    """Each group with its own lines, the oldest first."""
    mia = await mia_is_told(post, title="Tea")
    await post.closed_group(mia, title="Rice\r\nBcc: <evil@example.com>".replace("\r\n", " "))
    await post.deliver()
    (letter,) = post.mail.letters
    assert letter.read["Subject"] == "2 things happened in your groups"
    assert letter.read["Bcc"] is None
    assert letter.recipients == [f"{mia.hex}@example.com"]
    text = letter.read.get_content()
    assert text.index("Tea") < text.index("Rice")


async def test_a_letter_sent_again_is_the_same_letter(post: Post) -> None:
    """By its Message-ID: mailboxes keep one of two."""
    await mia_is_told(post)
    post.mail.says["DATA"] = "451 later"
    await post.deliver()
    assert await post.states() == {"pending": 1}
    del post.mail.says["DATA"]
    await post.square.wait(60)
    await post.deliver()
    first = post.mail.letters[0].read["Message-ID"]
    await post.square.shop.make("UPDATE deliveries SET state = 'pending', ended_at = NULL, due_at = now()")
    await post.deliver()
    assert [letter.read["Message-ID"] for letter in post.mail.letters] == [first, first]


@pytest.mark.parametrize(
    ("verb", "answer", "state"),
    [
        ("RCPT", "550 no such mailbox", "dead"),
        ("RCPT", "451 greylisted", "pending"),
        ("DATA", "554 no", "dead"),
        ("MAIL", "550 not you", "pending"),
        ("CONNECT", "554 go away", "pending"),
    ],
)
async def test_a_mailbox_that_is_no_more_is_not_tried_again(post: Post, verb: str, answer: str, state: str) -> None:
    """What is wrong with us, or for a moment, is tried again; what is wrong with this letter is not."""
    await mia_is_told(post)
    post.mail.says[verb] = answer
    await post.deliver()
    assert await post.states() == {state: 1}
    assert "@" not in str(await post.square.value("SELECT last_error FROM deliveries"))


async def test_a_link_ends_what_it_came_with_and_nothing_else(post: Post, client: httpx.AsyncClient) -> None:
    """Opening it asks; the button, or a mail program's own, ends letters of these kinds, and phones stay told."""
    mia = await mia_is_told(post)
    await post.add_phone(mia, "ios", "0a1b")
    await post.deliver()
    path = link_in(post.mail.letters[0].read.get_content())
    choices = f"SELECT notifications::text FROM accounts WHERE id = '{mia}'"
    page = await client.get(path)
    assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
    assert "<form" in page.text
    assert "<script" not in page.text
    assert await post.square.value(choices) == "{}"
    for _ in range(2):
        done = await client.post(path, data={"List-Unsubscribe": "One-Click"})
        assert done.status_code == 200
        assert "no more e-mails like this" in done.text
    assert await post.square.value(choices) == '{"kinds": {"succeeded": {"email": false}}}'
    await post.closed_group(mia)
    await post.deliver()
    assert (len(post.mail.letters), len(post.apple.pushed)) == (1, 1)


@pytest.mark.parametrize(
    ("language", "says"), [("en", "No more"), ("de", "Keine solchen"), ("zh", "不再接收"), ("es", "No recibir")]
)
async def test_the_page_speaks_their_language(post: Post, client: httpx.AsyncClient, language: str, says: str) -> None:
    """The browser's, as all pages do; both are valid HTML within the policy of pages."""
    path = f"/unsubscribe/{post.context.runtime.unsubscribing.make(uuid4(), STOPPED)}"
    for method in ("GET", "POST"):
        page = await client.request(method, path, headers={"accept-language": language})
        read = Read(page.text)
        assert (read.errors, read.faults()) == ([], [])
        assert read.style_source in page.headers["content-security-policy"]
        assert (read.one("html").get("lang"), method == "POST" or says in page.text) == (language, True)


async def test_what_others_chose_stays(post: Post) -> None:
    """Ending letters changes no other choice; a guest who became somebody is them, and who is gone is no fault."""
    quiet = {"begin": "22:00", "end": "07:00", "time_zone": "Europe/Berlin"}
    before = {
        "marketing": False,
        "quiet_hours": quiet,
        "kinds": {"succeeded": {"push": False}, "failed": {"push": True}},
    }
    mia, guest = await post.square.person(choices=before), await post.square.person()
    merge = "UPDATE accounts SET status = 'merged', merged_into = :into WHERE id = :guest"
    await post.square.shop.make(merge, into=mia, guest=guest)
    for account_id in (guest, uuid4()):
        async with post.square.shop.engine.begin() as connection:
            await stop_letters(connection, Unwanted(account_id, STOPPED))
    kept = await post.square.value(f"SELECT notifications FROM accounts WHERE id = '{mia}'")
    assert kept == {**before, "kinds": {"succeeded": {"push": False, Channel.EMAIL: False}, "failed": {"push": True}}}
    assert await post.square.value(f"SELECT version FROM accounts WHERE id = '{mia}'") == 2


def test_nobody_makes_a_link_but_we(settings: Settings) -> None:
    """Any other token, and any bit of a good one changed, says nothing; one of kinds that are no more neither."""
    tokens, mia = UnsubscribeTokens(settings), uuid4()
    good = tokens.make(mia, [Kind.FAILED, Kind.SUCCEEDED])
    assert len(good) <= TOKEN_CHARACTERS_MAX
    assert len(tokens.make(mia, Kind)) <= TOKEN_CHARACTERS_MAX
    assert tokens.read(good) == Unwanted(mia, frozenset({Kind.FAILED, Kind.SUCCEEDED}))
    for at in range(len(good)):
        other = good[:at] + ("A" if good[at] != "A" else "B") + good[at + 1 :]
        assert tokens.read(other) is None
    for bad in ("", "A", "=", "ä", "A" * 10_000, good[:-4], good + "AAAA", good + "=", "A" * 44, good.upper()):
        assert tokens.read(bad) is None
    what = mia.bytes + b"weather"
    assert UnsubscribeTokens(settings).read(_signed(tokens, what)) is None
    assert tokens.read(_signed(tokens, what + b",failed")) == Unwanted(mia, frozenset({Kind.FAILED}))


async def test_a_link_that_is_not_ours_is_nothing(client: httpx.AsyncClient) -> None:
    """As any address where nothing is, whoever asks how; in a browser it is a page."""
    for method in ("GET", "POST"):
        answer = await client.request(method, "/unsubscribe/AAAA")
        assert (answer.status_code, answer.json()["type"]) == (404, (await client.get("/nowhere")).json()["type"])
    page = await client.get("/unsubscribe/AAAA", headers={"accept": "text/html"})
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")


def _signed(tokens: UnsubscribeTokens, what: bytes) -> str:
    return base64.urlsafe_b64encode(tokens._mac(what) + what).rstrip(b"=").decode()
