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
_TOKEN_FIELD: Final = "message.token"  # noqa: S105 - its name
_ERROR_TYPE: Final = "type.googleapis.com/google.firebase.fcm.v1.FcmError"


class _Violation(msgspec.Struct, frozen=True):
    field: str = ""


class _Detail(msgspec.Struct, frozen=True):
    type: str = msgspec.field(name="@type", default="")
    error_code: str = msgspec.field(name="errorCode", default="")
    violations: list[_Violation] = msgspec.field(name="fieldViolations", default_factory=list)


class _Error(msgspec.Struct, frozen=True):
    status: str = ""
    details: list[_Detail] = []


class _Failure(msgspec.Struct, frozen=True):
    error: _Error = _Error()

    @property
    def code(self) -> str:
        """Of Firebase's own error, else the status of Google's."""
        own = [detail.error_code for detail in self.error.details if detail.type == _ERROR_TYPE]
        code = (own or [self.error.status])[0]
        return code if code.replace("_", "").isalpha() and code.isascii() and len(code) <= 64 else ""

    @property
    def is_of_token(self) -> bool:
        """Whether what was wrong is what we took for a token."""
        return any(each.field == _TOKEN_FIELD for detail in self.error.details for each in detail.violations)


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
            token = await self._tokens.get()
            answer = await self._post(content, token)
            is_refused = answer.status == HTTPStatus.UNAUTHORIZED
            if is_refused and (other := await self._tokens.after(token)) is not None:
                answer = await self._post(content, other)
        except NoAnswer as error:
            return Later(str(error))
        return outcome_of(answer)

    async def close(self) -> None:
        await self._tokens.close()
        await self._line.close()

    async def _post(self, content: bytes, token: str) -> Answer:
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        return await self._line.post(self._path, content, headers)


def _message(push: Push) -> dict[str, Any]:
    """With the tag a phone shows the later in the place of the earlier; the key may be ignored (ADR 0028)."""
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
    failure = _failure(answer.body)
    why = f"Google says {answer.status} {failure.code}".rstrip()
    is_bad_request = answer.status == HTTPStatus.BAD_REQUEST
    if failure.code == "UNREGISTERED" or (is_bad_request and failure.is_of_token):
        return Gone()
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        return Later(why, answer.retry_after_s or QUOTA_REST_S)
    if failure.code in _REFUSALS or is_bad_request:
        return Refused(why)
    return Later(why, answer.retry_after_s)


def _failure(body: bytes) -> _Failure:
    try:
        return _decode_failure(body)
    except msgspec.DecodeError:
        return _Failure()
