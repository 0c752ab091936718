"""Pushes to iPhones through Apple's service, over HTTP/2.

https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns
https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns
"""

import re
import time
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

import msgspec

from infra.push.apple_tokens import ProviderTokens
from infra.push.line import Answer, Line, NoAnswer
from infra.push.port import (
    BODY_BYTES_MAX,
    PAYLOAD_BYTES_MAX,
    TITLE_BYTES_MAX,
    Gone,
    Later,
    Outcome,
    Push,
    Refused,
    Sent,
    shortened,
)

APNS_ORIGIN: Final = "https://api.push.apple.com"
URGENT: Final = "10"
CONSIDERATE: Final = "5"
"""Of the phone's battery."""

_TOKEN: Final = re.compile(r"[0-9A-Fa-f]{2,400}")
_NO_DEVICE: Final = "BadDeviceToken"
"""That comes with 400; whatever comes with 410 is of a token that has been good. `DeviceTokenNotForTopic` is neither:
where our topic is wrong it is said of every device."""
_OF_ONE_DEVICE: Final = "TooManyRequests"
_OURS_TO_SET_RIGHT: Final = frozenset({"BadTopic", "MissingTopic", "TopicDisallowed", "IdleTimeout"})
"""Of those that come with 400: nothing is the matter with the push itself."""
_REFUSING: Final = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.METHOD_NOT_ALLOWED,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    }
)


class _Failure(msgspec.Struct, frozen=True):
    reason: str
    timestamp: int | None = None


_decode_failure: Final = msgspec.json.Decoder(_Failure).decode


class ApnsPush:
    """The pushes of one app: `topic` is its bundle id."""

    def __init__(self, topic: str, tokens: ProviderTokens, line: Line) -> None:
        self._topic = topic
        self._tokens = tokens
        self._line = line

    async def send(self, push: Push) -> Outcome:
        """A provider token that is said to be old is renewed, once."""
        if not _TOKEN.fullmatch(push.token):
            return Gone()
        content = _payload(push)
        if len(content) > PAYLOAD_BYTES_MAX:
            return Refused("the push is too large")
        try:
            token = self._tokens.get()
            answer = await self._post(push, content, token)
            is_expired = _failure(answer.body).reason == "ExpiredProviderToken"
            if is_expired and (other := self._tokens.after(token)) is not None:
                answer = await self._post(push, content, other)
        except NoAnswer as error:
            return Later(str(error))
        return outcome_of(answer)

    async def close(self) -> None:
        await self._line.close()

    async def _post(self, push: Push, content: bytes, token: str) -> Answer:
        headers = {
            "authorization": f"bearer {token}",
            "apns-id": str(push.id),
            "apns-topic": self._topic,
            "apns-push-type": "alert",
            "apns-priority": URGENT if push.is_urgent else CONSIDERATE,
            "apns-collapse-id": push.collapse_id,
            "apns-expiration": str(int(time.time()) + push.good_for_s),
            "content-type": "application/json",
        }
        return await self._line.post(f"/3/device/{push.token}", content, headers)


def _payload(push: Push) -> bytes:
    alert = {"title": shortened(push.title, TITLE_BYTES_MAX), "body": shortened(push.body, BODY_BYTES_MAX)}
    return msgspec.json.encode({**push.data, "aps": {"alert": alert, "badge": push.unread, "sound": "default"}})


def outcome_of(answer: Answer) -> Outcome:
    """What an answer means: where we are let in no more, pushes wait for whoever sets us up right."""
    if answer.status == HTTPStatus.OK:
        return Sent()
    failure = _failure(answer.body)
    why = f"Apple says {answer.status} {failure.reason}".rstrip()
    if failure.reason == _NO_DEVICE or answer.status == HTTPStatus.GONE:
        return Gone(_moment(failure.timestamp))
    if answer.status in _REFUSING and failure.reason not in _OURS_TO_SET_RIGHT:
        return Refused(why)
    return Later(why, answer.retry_after_s, is_of_one=failure.reason == _OF_ONE_DEVICE)


def _failure(body: bytes) -> _Failure:
    try:
        said = _decode_failure(body)
    except msgspec.DecodeError:
        return _Failure("")
    return said if re.fullmatch(r"[A-Za-z]{1,64}", said.reason) else _Failure("")


def _moment(timestamp_ms: int | None) -> datetime | None:
    try:
        return None if timestamp_ms is None else datetime.fromtimestamp(timestamp_ms / 1000, UTC)
    except (OverflowError, OSError, ValueError):
        return None
