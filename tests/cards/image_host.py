"""A web host on loopback that sends images, or does its worst."""

import asyncio
import io
import struct
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from PIL import Image

HEAD: Final = b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\nconnection: close\r\n"


@dataclass
class ImageHost:
    """Answers by path, and remembers which paths and hosts it was asked for."""

    port: int = 0
    answers: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    release: asyncio.Event = field(default_factory=asyncio.Event)

    def address(self, path: str, host: str = "pictures.example") -> str:
        return f"http://{host}:{self.port}{path}"

    async def resolve(self, host: str, port: int) -> list[str]:  # noqa: ARG002 - as resolvers are asked
        """Every name leads here, numeric addresses to themselves."""
        return [host] if host[0].isdigit() or ":" in host else ["127.0.0.1"]

    def may_reach(self, address: str, port: int) -> bool:
        """This host counts as a public one, and nothing else does."""
        return (address, port) == ("127.0.0.1", self.port)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = request.split(" ")[1]
        host = next(line[6:] for line in request.split("\r\n") if line.lower().startswith("host: "))
        self.asked.append((path, host))
        try:
            await self._send(path, writer)
        except OSError:
            pass  # whoever asked has seen enough
        finally:
            writer.close()

    async def _send(self, path: str, writer: asyncio.StreamWriter) -> None:
        match path:
            case "/drip":
                writer.write(HEAD + b"\r\n" + png()[:8])
                while not writer.is_closing():
                    writer.write(b"\0")
                    await writer.drain()
                    await asyncio.sleep(0.02)
            case "/endless":
                writer.write(HEAD + b"\r\n" + png())
                while not writer.is_closing():
                    writer.write(b"\0" * 65_536)
                    await writer.drain()
            case "/silent":
                await self.release.wait()
            case "/late":
                await self.release.wait()
                writer.write(self.answers["/tea.png"])
            case "/endless-head":
                writer.write(b"HTTP/1.1 200 OK\r\n")
                while not writer.is_closing():
                    writer.write(b"x: " + b"y" * 4_000 + b"\r\n")
                    await writer.drain()
            case _:
                writer.write(self.answers[path])
        await writer.drain()


@asynccontextmanager
async def image_host() -> AsyncIterator[ImageHost]:
    host = ImageHost()
    server = await asyncio.start_server(host.answer, "127.0.0.1", 0)
    host.port = server.sockets[0].getsockname()[1]
    host.answers = {
        "/tea.png": sent(png()),
        "/page": sent(b"<html>not an image</html>"),
        "/tea.svg": sent(b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        "/gone": b"HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n",
        "/nonsense": b"\x00\x01\x02\r\n\r\n",
        "/large": HEAD + b"content-length: 6000000\r\n\r\n" + png() + b"\0" * 6_000_000,
        "/loop": moved("/loop"),
    }
    try:
        yield host
    finally:
        host.release.set()
        server.close()


def sent(content: bytes) -> bytes:
    return HEAD + b"content-length: %d\r\n\r\n" % len(content) + content


def moved(to: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nlocation: {to}\r\nconnection: close\r\n\r\n".encode()


def png(size: tuple[int, int] = (64, 48), colour: str = "#2f5d50") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()


def endless(scans: int = 4_000) -> bytes:
    """A JPEG of some sixty kilobytes that takes many seconds: it has passes, and the last one again and again."""
    file = io.BytesIO()
    Image.new("L", (2_000, 2_000)).save(file, "JPEG", progressive=True)
    begin, end = file.getvalue()[:-2], file.getvalue()[-2:]
    return begin + begin[begin.rfind(b"\xff\xda") :] * scans + end


def bomb(side: int = 30_000) -> bytes:
    """A PNG of a few hundred bytes that says it has 900 million pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 90_000))
        + chunk(b"IEND", b"")
    )
