"""Reading HTTP/1.1 answers from bytes as they arrive (RFC 9112, as much of it as servers of JSON send)."""

from typing import NamedTuple

HEAD_BYTES_MAX = 64 * 1024
BODY_BYTES_MAX = 16 * 1024 * 1024
RETRY_AFTER_DEFAULT_S = 1.0
_BODILESS = frozenset({204, 304})
_END_OF_HEAD = b"\r\n\r\n"


class BrokenReply(Exception):  # noqa: N818  what happened
    """The other side does not speak HTTP/1.1."""


class Reply(NamedTuple):
    """An answer with its whole body."""

    status: int
    head: bytes
    body: bytes

    @property
    def keeps_alive(self) -> bool:
        """Whether the connection may carry another request."""
        return header(self.head, b"connection") != b"close"

    @property
    def retry_after_s(self) -> float:
        """When the server wants to be asked again."""
        said = header(self.head, b"retry-after")
        return float(said) if said is not None and said.isdigit() else RETRY_AFTER_DEFAULT_S


def take_reply(received: bytearray) -> Reply | None:
    """Take one answer out of what was received; None until it is whole, BrokenReply if it never will be."""
    end_of_head = received.find(_END_OF_HEAD)
    if end_of_head < 0:
        if len(received) > HEAD_BYTES_MAX:
            raise BrokenReply("the head of the answer does not end")
        return None
    head = bytes(received[: end_of_head + 2]).lower()
    status, body_from = status_of(head), end_of_head + 4
    if header(head, b"transfer-encoding") == b"chunked":
        return _take_chunked(received, status, head, body_from)
    body_to = body_from + (0 if status in _BODILESS else _content_length(head))
    if len(received) < body_to:
        return None
    reply = Reply(status, head, bytes(received[body_from:body_to]))
    del received[:body_to]
    return reply


def status_of(head: bytes) -> int:
    """The status code of an answer's head (lower case)."""
    if not head.startswith(b"http/1.") or not head[9:12].isdigit():
        raise BrokenReply("the answer is not HTTP/1.1")
    return int(head[9:12])


def header(head: bytes, name: bytes) -> bytes | None:
    """A header's value out of a head in lower case; None where it is not given."""
    found = head.find(b"\r\n" + name + b":")
    if found < 0:
        return None
    value_from = found + len(name) + 3
    return head[value_from : head.index(b"\r\n", value_from)].strip()


def _content_length(head: bytes) -> int:
    said = header(head, b"content-length")
    if said is None or not said.isdigit() or int(said) > BODY_BYTES_MAX:
        raise BrokenReply("the answer has no usable Content-Length")
    return int(said)


def _take_chunked(received: bytearray, status: int, head: bytes, position: int) -> Reply | None:
    body = bytearray()
    while True:
        end_of_size = received.find(b"\r\n", position)
        if end_of_size < 0:
            return None
        size = chunk_size(received[position:end_of_size])
        position = end_of_size + 2
        if size == 0:
            end = received.find(b"\r\n", position)  # no trailers
            if end < 0:
                return None
            del received[: end + 2]
            return Reply(status, head, bytes(body))
        if len(received) < position + size + 2:
            return None
        body += received[position : position + size]
        position += size + 2


def chunk_size(line: bytes | bytearray) -> int:
    """The size that a chunk's first line states; extensions are ignored."""
    try:
        size = int(line.partition(b";")[0].strip(), 16)
    except ValueError as error:
        raise BrokenReply("a chunk of the answer has no size") from error
    if size > BODY_BYTES_MAX:
        raise BrokenReply("a chunk of the answer is too large")
    return size
