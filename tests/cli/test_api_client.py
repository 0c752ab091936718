"""The client of `tuan replay` and `tuan demo`, against a server that answers whatever a test wants."""

import pytest

from cli import api_client
from cli.api_client import Address, ApiGone, ApiRefused
from infra.cannot_start import ServerMissing, WrongSetting
from tests.cli.answering import HANG_UP, answering

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"
LIMITED = BUSY.replace(b"503 Service Unavailable", b"429 Too Many Requests")


async def test_an_overloaded_server_is_asked_again() -> None:
    """503 with Retry-After is no failure: it costs time and is counted."""
    async with answering([BUSY, BUSY, OK]) as (client, _):
        assert await client.ask("look", "GET", "/") == b"{}"
        assert client.retries == 2


async def test_a_server_that_limits_is_asked_again_later() -> None:
    """429 costs time like 503: a replay that puts up deals faster than a merchant may is only slower."""
    async with answering([LIMITED, OK]) as (client, _):
        assert await client.ask("look", "GET", "/") == b"{}"
        assert client.retries == 1


async def test_a_lost_connection_is_made_again() -> None:
    """A server that hangs up without an answer is asked again: every request may be repeated."""
    async with answering([HANG_UP, OK]) as (client, host):
        assert await client.ask("look", "GET", "/") == b"{}"
        assert client.retries == 1
        assert len(host.handlers) == 2


async def test_there_is_an_end_to_asking_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that stays overloaded ends the work with one line that says so."""
    monkeypatch.setattr(api_client, "RETRY_LIMIT_S", 0)
    async with answering([BUSY.replace(b"Retry-After: 0", b"Retry-After: 5")]) as (client, _):
        with pytest.raises(ApiGone, match="overloaded"):
            await client.ask("look", "GET", "/")


async def test_a_connection_is_used_again() -> None:
    """Requests one after another share a connection, as long as the server keeps it."""
    async with answering([OK]) as (client, host):
        for _ in range(3):
            await client.ask("look", "GET", "/")
        assert len(host.handlers) == 1


@pytest.mark.parametrize("piece_bytes", [1, 7, 1000])
async def test_answers_arrive_in_any_pieces(piece_bytes: int) -> None:
    """Answers with a length and answers in chunks are read the same, however the network cuts them."""
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n[1,\r\n2;x=y\r\n2]\r\n0\r\n\r\n"
    async with answering([chunked, OK], piece_bytes) as (client, _):
        assert [await client.ask("look", "GET", "/") for _ in range(2)] == [b"[1,2]", b"{}"]
        assert client.retries == 0


async def test_a_refusal_names_its_problem() -> None:
    """4xx is the caller's: it is not asked again, and the problem's type and detail are told."""
    body = b'{"type": "/problems/group-full", "title": "Full", "detail": "Every place is taken."}'
    refusal = b"HTTP/1.1 409 Conflict\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    async with answering([refusal, OK]) as (client, _):
        with pytest.raises(ApiRefused, match=r"409 group-full: Every place is taken\.") as refused:
            await client.ask("look", "GET", "/")
    assert (refused.value.status, refused.value.type) == (409, "group-full")


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", HANG_UP])
async def test_something_else_that_listens_there_is_no_api(answer: bytes) -> None:
    """What does not speak HTTP is found out at the first question."""
    async with answering([answer]) as (client, _):
        with pytest.raises(ServerMissing):
            await client.reach()


@pytest.mark.parametrize(
    "url", ["127.0.0.1:8000", "ftp://x", "http://", "http://x:99999", "http://x/?a=b", "http://[::1"]
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    """A wrong --url is one clear line."""
    with pytest.raises(WrongSetting, match="--url is"):
        Address.read(url)
