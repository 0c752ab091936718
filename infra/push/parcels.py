"""What is sent of a parcel: one push for a phone, or one letter, in the language of whoever gets it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

from domain.notices.bundles import Item, headline, letter_text, push_text
from domain.notices.kinds import FATES, GATHERED, Kind
from infra.identity.codes import Channel as Way
from infra.identity.codes import Recipient
from infra.messages.port import Message
from infra.notices.deliveries import Device, Parcel
from infra.notices.told import NoticeRow
from infra.push.port import Push

GOOD_FOR_S: Final = 7 * 24 * 3_600
"""How long a push waits for a phone that is off, where nothing else ends its use."""
GOOD_FOR_AT_LEAST_S: Final = 60


def push_of(parcel: Parcel, device: Device, origin: str, now: datetime) -> Push:
    """One push, however many notices; one that is sent again is made of the same and has the same ids."""
    items, newest = _items(parcel, origin), parcel.notices[-1]
    return Push(
        id=_id(parcel),
        token=device.push_token,
        title=headline(items, parcel.language),
        body=push_text(items, parcel.language),
        collapse_id=_collapse_id(parcel.notices),
        data=_data(newest, origin),
        good_for_s=max(_good_for_s(notice, now) for notice in parcel.notices),
        unread=parcel.unread,
        is_urgent=any(notice.kind not in GATHERED for notice in parcel.notices),
    )


def letter_of(parcel: Parcel, address: str, origin: str, no_more_link: str) -> Message:
    """One letter."""
    items = _items(parcel, origin)
    return Message(
        recipient=Recipient(Way.EMAIL, address),
        text=letter_text(items, parcel.language, no_more_link),
        subject=headline(items, parcel.language),
        id=str(_id(parcel)),
        no_more_link=no_more_link,
    )


def _items(parcel: Parcel, origin: str) -> list[Item]:
    return [Item(notice.shown_title(), notice.text(parcel.language), notice.link(origin)) for notice in parcel.notices]


def _id(parcel: Parcel) -> UUID:
    """The same for the same news to the same target; one that was brought up to date since is another."""
    told = ",".join(f"{notice.id}@{notice.at.timestamp()}" for notice in parcel.notices)
    return uuid5(parcel.target, told)


def _collapse_id(notices: Sequence[NoticeRow]) -> str:
    """That of the oldest: what is sent again, with more that came meanwhile, takes the place of what was shown.

    Later news of the same kind of the same group do, too.
    """
    oldest = min(notices, key=lambda notice: (notice.created_at, notice.id))  # `at` moves when it is brought up to date
    return f"{oldest.group_id or oldest.order_id or oldest.deal_id}:{oldest.kind}"


def _data(notice: NoticeRow, origin: str) -> dict[str, str]:
    ids = {"notice_id": notice.id, "deal_id": notice.deal_id, "group_id": notice.group_id, "order_id": notice.order_id}
    told = {name: str(value) for name, value in ids.items() if value is not None}
    link = notice.link(origin)
    return {"kind": notice.kind.value, **told, **({"link": link} if link else {})}


def _good_for_s(notice: NoticeRow, now: datetime) -> int:
    """Until the payment is due, or an open group's time is up."""
    ends_at = now + timedelta(seconds=GOOD_FOR_S)
    if notice.kind is Kind.PAYMENT_NEEDED and notice.facts.pay_by is not None:
        ends_at = min(ends_at, notice.facts.pay_by)
    elif notice.kind not in FATES and notice.facts.standing is not None:
        ends_at = min(ends_at, notice.facts.standing.expires_at)
    return max(int((ends_at - now).total_seconds()), GOOD_FOR_AT_LEAST_S)
