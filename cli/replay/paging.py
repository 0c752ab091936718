"""Lists of the API, read to their end."""

from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from cli.api_client import ApiClient

PAGE_ITEMS = 100

Item = TypeVar("Item")


class Page(msgspec.Struct, Generic[Item]):
    """A page of a list."""

    items: list[Item]
    next_cursor: str | None


async def every_item(
    client: ApiClient, kind: str, path: str, token: str, decode: Callable[[bytes], Page[Item]]
) -> list[Item]:
    """All of a list, page by page; raises `ApiRefused`."""
    items: list[Item] = []
    cursor = ""
    while True:
        page = decode(await client.ask(kind, "GET", f"{path}?limit={PAGE_ITEMS}{cursor}", token=token))
        items += page.items
        if page.next_cursor is None:
            return items
        cursor = f"&cursor={page.next_cursor}"
