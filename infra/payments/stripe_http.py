"""The HTTP client under stripe-python: an answer the library would stumble over is no answer."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
import stripe

logging.getLogger("stripe").setLevel(logging.WARNING)  # at debug it writes bodies, the shoppers' client secrets in them


class CarefulClient(stripe.HTTPXClient):
    """The library takes for granted that an error has an `error` object in it; proxies answer otherwise."""

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: object = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        body, status, answered = await super().request_async(method, url, headers, post_data)
        try:
            msgspec.json.decode(body, type=_Failed if status >= HTTPStatus.BAD_REQUEST else _Done)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise stripe.APIError("The answer is not Stripe's.", http_status=status) from None
        return body, status, answered


class _Done(msgspec.Struct):
    object: str


class _Failed(msgspec.Struct):
    error: dict[str, Any]
