"""Price schedules: what one would mean, for an editor that draws it while a merchant types."""

from typing import Final

import msgspec

from api.answers import NOT_KEPT, Answer, answered
from api.bodies import read_json
from api.deal_bodies import PreviewBody
from api.deal_making import schedule_previewed
from api.requests import AnyRequest
from api.routing import route
from domain.pricing.quote import Quote, quotes

ROWS_MAX = 100
"""Larger groups are quoted at 1, around each tier and at their full size."""


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """Prices and totals at each count of participants, in minor units of `currency`."""

    currency: str
    solo_price: int
    ceiling_price: int
    group_size_max: int
    quantity: int
    items: list[Quote]


_preview_body: Final = msgspec.json.Decoder(PreviewBody)


@route("POST", "/v1/price-schedules/preview")
async def preview(request: AnyRequest) -> Answer:
    body = await read_json(request, _preview_body)
    schedule = schedule_previewed(body)
    shown = Preview(
        currency=body.currency,
        solo_price=schedule.solo_price,
        ceiling_price=schedule.ceiling_price,
        group_size_max=body.group_size_max,
        quantity=body.quantity,
        items=list(quotes(schedule, body.group_size_max, body.quantity, ROWS_MAX)),
    )
    return answered(shown, headers=NOT_KEPT)
