"""Operations of sharing a link, for their callers."""

from datetime import UTC, datetime
from typing import Final

import msgspec

from api.contract.examples import INVITE, INVITE_CODE
from api.contract.operation import Operation, Sent
from api.refused import NothingHere
from api.share_kit import ShareKit
from domain.groupbuy.errors import InviteNotFound
from domain.sharing.channels import Channel, ways_to_share
from domain.sharing.language import Language
from domain.sharing.situation import situation_of
from domain.sharing.texts import share_texts
from infra.sharing.wechat_js import WeChatAway, WeChatSignature

_LINK: Final = f"https://tuan.example/i/{INVITE_CODE}"
_TEXTS: Final = share_texts(
    situation_of(
        title="Jasmine tea, 250 g",
        currency="USD",
        status="open",
        participants=8,
        reserved=0,
        seats_left=4,
        unit_price=1_200,
        solo_price=1_800,
        ceiling_price=1_200,
        next_at=9,
        next_unit_price=800,
        expires_at=datetime(2027, 5, 3, 9, 30, tzinfo=UTC),
    ),
    Language.EN,
)
_SIGNATURE: Final = WeChatSignature(
    app_id="wx0123456789abcdef",
    timestamp=1_809_250_500,
    nonce="5f1d0c9a7be34426",
    signature="0f9de62fce790f9a083d5c99e95740ceb90c27ed",
    url=_LINK,
)
_KIT: Final = ShareKit(
    language=Language.EN,
    link=_LINK,
    texts=_TEXTS,
    channels=ways_to_share(Channel.WECHAT, _TEXTS, _LINK),
    card_url=f"{_LINK}/card/en-9a1f0c2b7d3e4f5a6b7c.jpg",
    poster_url=f"{_LINK}/poster/en-1b2c3d4e5f6a7b8c9d0e.jpg",
    qr_url=f"{_LINK}/qr.svg",
    wechat=_SIGNATURE,
)
_KIT_EXAMPLE: Final = msgspec.to_builtins(_KIT)
SHARED_INVITE: Final = INVITE | {"share": _KIT_EXAMPLE}

SHARE_KIT: Final[dict[str, Operation]] = {
    "GET /v1/invites/{code}/share": Operation(
        "read_share_kit",
        summary="Get what a link of yours is shared with, as the group stands now",
        description="Only for whoever made the link. Ask again before sharing: texts and pictures move with the group.",
        query=("language",),
        answers={200: Sent("The kit.", ShareKit, _KIT_EXAMPLE, ("ETag",))},
        problems=(InviteNotFound,),
    ),
    "GET /v1/share/wechat-signature": Operation(
        "sign_for_wechat",
        summary="Sign an address of ours for the JS-SDK of WeChat",
        description="What `wx.config` takes on that page; 404 where no official account is set up.",
        query=("signed_url",),
        answers={200: Sent("The signature.", WeChatSignature, _KIT_EXAMPLE["wechat"])},
        problems=(NothingHere, WeChatAway),
        needs_database=False,
    ),
}
