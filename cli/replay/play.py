"""Playing a log: its items are put up as deals, each line opens a group, and friends come by its initiator's link."""

import asyncio
import time
from collections.abc import Callable

import msgspec

from cli.api_client import ApiRefused
from cli.crew import in_parallel
from cli.replay.plan import Item
from cli.replay.run import Replay
from infra.cannot_start import CannotStart

CHANNEL = "replay"
PAYMENT_LIMIT_S = 60
ASK_AGAIN_AFTER_S = 0.5


class NotPlayable(CannotStart):
    """No deal could be put up, so nothing was played."""


class Made(msgspec.Struct):
    """Whatever was created."""

    id: str


class Published(msgspec.Struct):
    """A deal as publishing answers it."""

    takes_payment: bool


class Place(msgspec.Struct):
    """A shopper's own place: it counts, or its payment is awaited."""

    order_id: str
    status: str


class Joined(msgspec.Struct):
    """A group as opening and joining answer it."""

    id: str
    participants: int
    you: Place


class Payment(msgspec.Struct):
    """How a payment stands."""

    status: str


class Invite(msgspec.Struct):
    """A sharer's link."""

    code: str


_made = msgspec.json.Decoder(Made)
_published = msgspec.json.Decoder(Published)
_joined = msgspec.json.Decoder(Joined)
_payment = msgspec.json.Decoder(Payment)
_invite = msgspec.json.Decoder(Invite)


async def put_up_deals(replay: Replay, advance: Callable[[], None]) -> None:
    """Create and publish a deal for each item; raises NotPlayable when the API does not let us."""
    client, token = replay.client, replay.cast.merchant_token

    async def put_up(item: Item) -> None:
        body = item.deal(replay.group_lifetime_s)
        key = f"{replay.cast.run_id.hex}-item-{item.number}"
        answer = await client.ask("create a deal", "POST", "/v1/deals", token=token, body=body, idempotency_key=key)
        deal_id = _made.decode(answer).id
        answer = await client.ask("publish it", "POST", f"/v1/deals/{deal_id}/publish", token=token)
        replay.takes_money = _published.decode(answer).takes_payment
        replay.deal_ids[item.number] = deal_id
        advance()

    try:
        await in_parallel(replay.items.values(), replay.concurrency, put_up)
    except ApiRefused as refusal:
        raise NotPlayable(f"{client.address.text} refuses the deals: {refusal}{refusal.hint}.") from refusal
    except msgspec.DecodeError as error:
        raise NotPlayable(f"What answers at {client.address.text} is not Tuan's API: {error}.") from error


async def play_groups(replay: Replay, advance: Callable[[], None]) -> None:
    """Play every line of the log; whoever opens a group brings its friends in before the next line is begun."""

    async def play(line: int) -> None:
        try:
            await _play_group(replay, line)
        except ApiRefused as refusal:
            replay.note_mismatch(line, f"the API refused to play it: {refusal}")
        advance()

    await in_parallel(range(len(replay.log)), replay.concurrency, play)


async def _play_group(replay: Replay, line: int) -> None:
    group, client, cast = replay.log[line], replay.client, replay.cast
    opened = await client.ask(
        "open a group",
        "POST",
        f"/v1/deals/{replay.deal_ids[group.item]}/groups",
        token=cast.token(group.initiator),
        idempotency_key=f"{cast.run_id.hex}-{line}",
    )
    made = _joined.decode(opened)
    group_id = replay.group_ids[line] = made.id
    await _is_in_at_once(replay, line, group.initiator, made.you)
    if not group.friends:
        return
    code = await _share(replay, group_id, group.initiator)  # whose group they joined is all that the log says of it
    for already_in, friend in enumerate(group.friends, start=1):
        answer = await client.ask(
            "join a group",
            "POST",
            f"/v1/groups/{group_id}/participants",
            token=cast.token(friend),
            body={"invite_code": code},
        )
        replay.joins += 1
        joined = _joined.decode(answer)
        if await _is_in_at_once(replay, line, friend, joined.you) and joined.participants != already_in + 1:
            replay.note_mismatch(line, f"participant {already_in + 1} was told that {joined.participants} are in")


async def _is_in_at_once(replay: Replay, line: int, shopper: int, you: Place) -> bool:
    """Whether the place counted when it was answered; where its payment was awaited, returns when it is approved."""
    give_up_at = time.monotonic() + PAYMENT_LIMIT_S
    path, status = f"/v1/orders/{you.order_id}/payment", you.status
    while status == "awaiting_payment":  # the gateway's answer was lost: an app asks until it is there
        if time.monotonic() > give_up_at:
            replay.note_mismatch(line, f"shopper {shopper} waits for the gateway for {PAYMENT_LIMIT_S} s")
            break
        await asyncio.sleep(ASK_AGAIN_AFTER_S)
        answer = await replay.client.ask("ask for the payment", "POST", path, token=replay.cast.token(shopper))
        status = _payment.decode(answer).status
    return you.status == "joined"


async def _share(replay: Replay, group_id: str, sharer: int) -> str:
    path, token = f"/v1/groups/{group_id}/invites", replay.cast.token(sharer)
    answer = await replay.client.ask("share an invite", "POST", path, token=token, body={"channel": CHANNEL})
    return _invite.decode(answer).code
