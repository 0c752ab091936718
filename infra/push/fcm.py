"""Pushes to Android through Firebase Cloud Messaging, HTTP v1.

https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages/send
https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode
"""

from http import HTTPStatus
from typing import Any, Final

import msgspec

from infra.push.google_tokens import AccessTokens
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

FCM_ORIGIN: Final = "https://fcm.googleapis.com"
QUOTA_REST_S: Final = 60.0
"""What Google asks for where it names no time."""

_REFUSALS: Final = frozenset({"INVALID_ARGUMENT", "SENDER_ID_MISMATCH"})
_ERROR_TYPE: Final = "type.googleapis.com/google.firebase.fcm.v1.FcmError"


class _Detail(msgspec.Struct, frozen=True):
    type: str = msgspec.field(name="@type", default="")
    error_code: str = msgspec.field(name="errorCode", default="")


class _Error(msgspec.Struct, frozen=True):
    status: str = ""
    details: list[_Detail] = []


class _Failure(msgspec.Struct, frozen=True):
    error: _Error


_decode_failure: Final = msgspec.json.Decoder(_Failure).decode


class FcmPush:
    """One project's pushes."""

    def __init__(self, project_id: str, tokens: AccessTokens, line: Line) -> None:
        self._path = f"/v1/projects/{project_id}/messages:send"
        self._tokens = tokens
        self._line = line

    async def send(self, push: Push) -> Outcome:
        """A token of ours that is not taken is renewed, once."""
        message = _message(push)
        if len(msgspec.json.encode(message)) > PAYLOAD_BYTES_MAX:
            return Refused("the push is too large")
        content = msgspec.json.encode({"message": {"token": push.token, **message}})
        try:
            answer = await self._post(content)
            if answer.status == HTTPStatus.UNAUTHORIZED:
                answer = await self._post(content)
        except NoAnswer as error:
            return Later(str(error))
        return outcome_of(answer)

    async def close(self) -> None:
        await self._tokens.close()
        await self._line.close()

    async def _post(self, content: bytes) -> Answer:
        token = await self._tokens.get()
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        answer = await self._line.post(self._path, content, headers)
        if answer.status == HTTPStatus.UNAUTHORIZED:
            self._tokens.forget(token)
        return answer


def _message(push: Push) -> dict[str, Any]:
    """The collapse key is for what has not been delivered; with the tag a phone shows the later in place of it."""
    return {
        "notification": {
            "title": shortened(push.title, TITLE_BYTES_MAX),
            "body": shortened(push.body, BODY_BYTES_MAX),
        },
        "data": dict(push.data),
        "android": {
            "collapse_key": push.collapse_id,
            "priority": "HIGH" if push.is_urgent else "NORMAL",
            "ttl": f"{push.good_for_s}s",
            "notification": {"tag": push.collapse_id, "notification_count": push.unread},
        },
    }


def outcome_of(answer: Answer) -> Outcome:
    """What an answer means: where we are let in no more, pushes wait for whoever sets us up right."""
    if answer.status == HTTPStatus.OK:
        return Sent()
    code = _code(answer.body)
    why = f"Google says {answer.status} {code}".rstrip()
    match code:
        case "UNREGISTERED":
            return Gone()
        case "QUOTA_EXCEEDED":
            return Later(why, answer.retry_after_s or QUOTA_REST_S)
    if code in _REFUSALS or answer.status == HTTPStatus.BAD_REQUEST:
        return Refused(why)
    return Later(why, answer.retry_after_s)


def _code(body: bytes) -> str:
    """Of Firebase's own error, else the status of Google's."""
    try:
        error = _decode_failure(body).error
    except msgspec.DecodeError:
        return ""
    own = [detail.error_code for detail in error.details if detail.type == _ERROR_TYPE]
    code = (own or [error.status])[0]
    return code if code.replace("_", "").isalpha() and code.isascii() and len(code) <= 64 else ""
