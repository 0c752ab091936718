"""Following a live stream, however it is cut and wherever it breaks."""

import pytest

from cli.api_client import ApiRefused
from cli.http_reply import BrokenReply
from cli.live_stream import follow
from tests.cli.answering import answering

EVENTS = b'retry: 2000\n\nid: 1\nevent: group\ndata: {"a":1}\n\n: still here\n\ndata: {"a":\ndata: 2}\n\n'
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunks(content: bytes, size: int) -> bytes:
    """Content in HTTP chunks, without the one that ends it."""
    parts = (content[start : start + size] for start in range(0, len(content), size))
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)


@pytest.mark.parametrize("size", [1, 5, 1000])
async def test_every_event_comes_whole(size: int) -> None:
    """Events cut anywhere are put together, comments are left out, and the end of the stream is the end."""
    async with answering([CHUNKED + chunks(EVENTS, size) + b"0\r\n\r\n"], size) as (client, _):
        assert [event async for event in follow(client.address, "/live")] == [b'{"a":1}', b'{"a":\n2}']


async def test_a_stream_without_chunks_ends_with_its_connection() -> None:
    """As from a proxy that speaks HTTP/1.0 to us."""
    async with answering([b"HTTP/1.0 200 OK\r\n\r\n" + EVENTS], once=True) as (client, _):
        assert [event async for event in follow(client.address, "/live")] == [b'{"a":1}', b'{"a":\n2}']


async def test_a_stream_that_breaks_off_says_so() -> None:
    """What came before is told, half an event is not, and whoever follows may connect again."""
    async with answering([CHUNKED + chunks(EVENTS[:-10], 7)], once=True) as (client, _):
        stream = follow(client.address, "/live")
        assert await anext(stream) == b'{"a":1}'
        with pytest.raises(BrokenReply):
            await anext(stream)


async def test_no_such_stream_is_a_refusal() -> None:
    """404 for a group that is not there."""
    async with answering([b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"]) as (client, _):
        with pytest.raises(ApiRefused, match="404"):
            await anext(follow(client.address, "/live"))
