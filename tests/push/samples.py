"""A push to try gateways with, and what it must leave no trace of."""

from typing import Any, Final
from uuid import UUID

from infra.push.port import Push

IPHONE: Final = "0a1b2c3d" * 8
ANDROID: Final = "dQw4:APA91b-secret_token"
PUSH: Final = Push(
    id=UUID("01997b3e-7f5a-7cc0-8d6a-2f0c1f6a9b10"),
    token=IPHONE,
    title="Oat milk, 团购 1 l",
    body="One more person joined.",
    collapse_id="01997b3e-0000-7000-8000-000000000001:joined",
    data={"kind": "joined", "link": "https://tuan.example/g/1"},
    good_for_s=3_600,
    unread=2,
)


def push(**changes: Any) -> Push:
    return PUSH._replace(**changes)
