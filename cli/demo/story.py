"""The story told: a deal, a leader who shares a link, and friends who come one after another, all through the API."""

import asyncio
import uuid
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from cli.api_client import ApiClient, ApiRefused
from cli.demo.scene import Deal, Group, Receipt, Scene, Take
from cli.http_reply import BrokenReply
from cli.live_stream import follow
from infra.cannot_start import CannotStart
from infra.settings import Settings
from infra.tokens import TokenIssuer

GROUP_LIFETIME_S = 30
TOKEN_LIFETIME_S = 3600
RECONNECTIONS_MAX = 50
RECONNECT_AFTER_S = 0.3
SETTLING_LIMIT_S = 15.0
SETTLING_LOOK_EVERY_S = 0.1
NAMES_MAX = 100

OFFER: dict[str, object] = {
    "title": "Pour-over coffee set",
    "description": "Glass dripper, 600 ml server and 40 filters. Made for `tuan demo`.",
    "currency": "USD",
    "solo_price": 3400,
    "tiers": [
        {"participants": participants, "unit_price": unit_price}
        for participants, unit_price in ((2, 2990), (4, 2690), (7, 2390), (10, 2090), (12, 1890))
    ],
    "grouping": "team",
    "group_size_max": 12,
    "group_lifetime_s": GROUP_LIFETIME_S,
    "units_per_shopper_max": 1,
    "stock": 100,
}


@dataclass(frozen=True, slots=True)
class Friend:
    """Somebody who joins: by whose link, and after how many seconds of thinking."""

    name: str
    invited_by: str
    pause_s: float


LEADER = "Lin"
LEADER_PAUSE_S = 2.5
FRIENDS = (
    Friend("Mateo", LEADER, 2.6),
    Friend("Aisha", LEADER, 2.2),
    Friend("Noah", "Mateo", 1.6),
    Friend("Yuki", LEADER, 2.4),
    Friend("Priya", "Aisha", 1.0),
    Friend("Kofi", "Priya", 2.6),
    Friend("Emma", "Noah", 1.8),
    Friend("Omar", "Aisha", 0.8),
    Friend("Sofía", "Mateo", 2.6),
    Friend("Hana", "Yuki", 1.4),
    Friend("Léo", "Emma", 3.2),
)

Shape = TypeVar("Shape")


class NotShown(CannotStart):
    """The demonstration cannot go on; says why."""


class _Made(msgspec.Struct):
    id: str


class _Invite(msgspec.Struct):
    code: str


class _Participant(msgspec.Struct):
    display_name: str | None


class _Participants(msgspec.Struct):
    items: list[_Participant]


class _You(msgspec.Struct):
    hold: int
    pays: int | None


class _OwnView(msgspec.Struct):
    you: _You


class _Order(msgspec.Struct):
    status: str
    captured: int


class _Orders(msgspec.Struct):
    items: list[_Order]


class Story:
    """Its people, new ones in every run, and their doings; `pace` stretches the pauses (0 for none)."""

    def __init__(self, settings: Settings, client: ApiClient, pace: float) -> None:
        issuer, run_id = TokenIssuer(settings), uuid.uuid4()

        def token(role: str, name: str) -> str:
            return issuer.issue(uuid.uuid5(run_id, name), frozenset({role}), TOKEN_LIFETIME_S, name)

        self._client = client
        self._pace = pace
        self._merchant_token = token("merchant", "Hearth & Table")
        self._tokens = {name: token("shopper", name) for name in (LEADER, *(friend.name for friend in FRIENDS))}

    async def put_up_deal(self) -> Scene:
        """The merchant creates and publishes the deal; raises NotShown when the API does not let us."""
        try:
            made = await self._ask("POST", "/v1/deals", self._merchant_token, _Made, OFFER)
            await self._client.ask("", "POST", f"/v1/deals/{made.id}/publish", token=self._merchant_token)
            deal = await self._ask("GET", f"/v1/deals/{made.id}", self._merchant_token, Deal)
        except ApiRefused as refusal:
            raise NotShown(f"{self._client.address.text} refuses the deal: {refusal}{refusal.hint}.") from refusal
        except msgspec.DecodeError as error:
            raise NotShown(f"What answers at {self._client.address.text} is not Tuan's API: {error}.") from error
        return Scene(deal, {LEADER: None} | {friend.name: friend.invited_by for friend in FRIENDS})

    async def open_group(self, scene: Scene, take: Take) -> str:
        """The leader opens the group; answers its id."""
        group = await self._ask("POST", f"/v1/deals/{scene.deal.id}/groups", self._tokens[LEADER], Group)
        scene.opened_at = scene.clock()
        take(group, [LEADER])
        return group.id

    async def let_friends_join(self, group_id: str) -> None:
        """Each friend gets a link from whoever invites them, thinks, and joins; nobody can once it is closed."""
        await asyncio.sleep(LEADER_PAUSE_S * self._pace)
        for friend in FRIENDS:
            await asyncio.sleep(friend.pause_s * self._pace)
            try:
                await self._join(group_id, friend)
            except ApiRefused as refusal:
                if refusal.type in {"group-closed", "group-full"}:
                    return
                raise NotShown(f"{friend.name} could not join: {refusal}.") from refusal

    async def watch(self, group_id: str, take: Take) -> None:
        """Follow the group's live stream until it is closed, through broken connections."""
        for _ in range(RECONNECTIONS_MAX):
            try:
                async with aclosing(follow(self._client.address, f"/v1/groups/{group_id}/live")) as events:
                    async for event in events:
                        group = msgspec.json.decode(event, type=Group)
                        take(group, await self._names(group_id))
                        if group.status != "open":
                            return
            except (OSError, TimeoutError, BrokenReply):
                pass  # what was missed meanwhile comes with the first event of the next connection
            await asyncio.sleep(RECONNECT_AFTER_S)
        raise NotShown(f"The live stream of group {group_id} breaks off again and again.")

    async def watch_money(self, group_id: str, take: Take) -> None:
        """Look on while the closed group's money is taken and given back, as long as that takes a moment only."""
        for _ in range(round(SETTLING_LIMIT_S / SETTLING_LOOK_EVERY_S)):
            group = await self._ask("GET", f"/v1/groups/{group_id}", self._tokens[LEADER], Group)
            take(group, await self._names(group_id))
            if group.is_final:
                return
            await asyncio.sleep(SETTLING_LOOK_EVERY_S)

    async def receipts(self, scene: Scene, group_id: str) -> list[Receipt]:
        """What the API tells each of them, asked with their own token."""

        async def receipt(name: str) -> Receipt:
            token = self._tokens[name]
            you = (await self._ask("GET", f"/v1/groups/{group_id}", token, _OwnView)).you
            orders = (await self._ask("GET", "/v1/me/orders?limit=1", token, _Orders)).items
            is_over = bool(orders) and orders[0].status != "settling"
            return Receipt(name, you.hold, you.pays or 0, orders[0].captured if is_over else None)

        return list(await asyncio.gather(*(receipt(arrival.name) for arrival in scene.arrivals)))

    async def _join(self, group_id: str, friend: Friend) -> None:
        sharer_token = self._tokens[friend.invited_by]
        invite = await self._ask("POST", f"/v1/groups/{group_id}/invites", sharer_token, _Invite, {"channel": "chat"})
        body = {"invite_code": invite.code}
        path = f"/v1/groups/{group_id}/participants"
        await self._client.ask("", "POST", path, token=self._tokens[friend.name], body=body)

    async def _names(self, group_id: str) -> list[str]:
        path = f"/v1/groups/{group_id}/participants?limit={NAMES_MAX}"
        found = await self._ask("GET", path, self._tokens[LEADER], _Participants)
        return [participant.display_name or "somebody" for participant in found.items]

    async def _ask(self, method: str, path: str, token: str, shape: type[Shape], body: object = None) -> Shape:
        key = uuid.uuid4().hex if method == "POST" else None
        answer = await self._client.ask("", method, path, token=token, body=body, idempotency_key=key)
        return msgspec.json.decode(answer, type=shape)
