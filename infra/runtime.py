"""Everything a process needs at work, wired together once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import NamedTuple

from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.groupbuy.commands import Command, JoinGroup
from infra.batch import Idempotency
from infra.batching import Batcher
from infra.cards.pictures import Pictures
from infra.closed_groups import ClosedGroups
from infra.counters import Counters
from infra.database import ALWAYS_BY_INDEX, WRITES, make_engine
from infra.ending import end
from infra.group_views import GroupViews
from infra.identity.audit import Deed
from infra.identity.evidence import Vouching
from infra.identity.key_verifier import KeyVerifier
from infra.identity.revocations import Revocations
from infra.identity.sign_in import SignIn
from infra.identity.suspensions import Suspensions
from infra.key_ring import KeyRing
from infra.lane import Answer, Committed
from infra.limits.limiter import Limiter
from infra.live import Hub
from infra.messages.gateways import Messages, open_messages
from infra.notices.unsubscribing import UnsubscribeTokens
from infra.payments.checkout import Checkout
from infra.payments.gateways import NONE, Gateways
from infra.payments.payment_rows import PaymentRows
from infra.places import PlaceFinder
from infra.push.gateways import Pushes, open_pushes
from infra.redis_client import make_redis
from infra.settings import Settings
from infra.sharing.landings import Landings
from infra.sharing.visits import Visits
from infra.sharing.wechat_js import WeChatJs
from infra.side_lanes import SIDE_LANES
from infra.tokens import TokenVerifier
from infra.views import group_view

SPARE_LOOK_UP_CONNECTIONS = 2
SIGN_IN_CONNECTIONS = 4
LISTENING_CONNECTIONS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """What handlers and duties work with; `engine` is for reads of any shape, writes go through `tell`.

    Each of `after_commit` is called after every commit of this process; it must not block.
    """

    settings: Settings
    engine: AsyncEngine
    redis: Redis
    batcher: Batcher
    counters: Counters
    groups: GroupViews
    places: PlaceFinder
    closed_groups: ClosedGroups
    hub: Hub
    landings: Landings
    visits: Visits
    pictures: Pictures
    gateways: Gateways
    payments: PaymentRows
    checkout: Checkout
    keys: KeyRing
    tokens: TokenVerifier
    revocations: Revocations
    api_keys: KeyVerifier
    suspensions: Suspensions
    sign_in: SignIn
    vouching: Vouching
    messages: Messages
    pushes: Pushes
    unsubscribing: UnsubscribeTokens
    limiter: Limiter
    wechat_js: WeChatJs
    after_commit: list[Callable[[Committed], None]]

    async def tell(self, command: Command, idempotency: Idempotency | None = None, deed: Deed | None = None) -> Answer:
        """The way of every write, as `Batcher.tell`; a join that can no longer succeed is refused before it."""
        if isinstance(command, JoinGroup):
            await self.closed_groups.refuse_join(command.group_id, command.shopper_id)
        return await self.batcher.tell(command, idempotency, deed)


@asynccontextmanager
async def started(settings: Settings, application: str = "tuan") -> AsyncIterator[Runtime]:
    """A runtime at work, and its orderly end: commands that wait are answered, then connections are closed."""
    async with _connected(settings, application) as to, AsyncExitStack() as leaving:
        counters, groups, hub = _showing(to)
        after_commit: list[Callable[[Committed], None]] = [_offering_to(groups, hub, counters)]
        suspensions = Suspensions(to.by_key)
        batcher = _batcher(settings, to.by_key, after_commit, suspensions)
        keys, gateways, payments = KeyRing(settings), _gateways(settings), PaymentRows(to.by_key)
        messages, vouching, visits = open_messages(settings, to.redis), Vouching(settings), Visits(to.engine)
        wechat_js, pushes, pictures = WeChatJs(settings, to.redis), open_pushes(settings, messages.console), Pictures()
        closing = (gateways.close, vouching.close, messages.close, pushes.close, wechat_js.close, pictures.stop)
        _at_the_end(leaving, counters.stop, visits.stop, *closing, batcher.stop, hub.stop)
        revocations = Revocations(to.listening)
        api_keys = KeyVerifier(to.engine, revocations)
        await revocations.begin()
        at_work = [asyncio.create_task(part.run()) for part in (revocations, api_keys, suspensions, visits)]
        leaving.push_async_callback(end, *at_work)
        yield Runtime(
            settings=settings,
            engine=to.engine,
            redis=to.redis,
            batcher=batcher,
            counters=counters,
            groups=groups,
            places=PlaceFinder(to.by_key),
            closed_groups=ClosedGroups(to.by_key, groups),
            hub=hub,
            landings=Landings(to.engine, groups),
            visits=visits,
            pictures=pictures,
            gateways=gateways,
            payments=payments,
            checkout=Checkout(batcher.tell, gateways, payments),
            keys=keys,
            tokens=TokenVerifier(settings, keys),
            revocations=revocations,
            api_keys=api_keys,
            suspensions=suspensions,
            sign_in=SignIn(settings, to.signing_in, messages, keys),
            vouching=vouching,
            messages=messages,
            pushes=pushes,
            unsubscribing=UnsubscribeTokens(settings),
            limiter=Limiter(to.redis),
            wechat_js=wechat_js,
            after_commit=after_commit,
        )


class _Connections(NamedTuple):
    """Ways to the servers: sign-ins and the word of what was revoked wait for no join, nor any join for them."""

    engine: AsyncEngine
    by_key: AsyncEngine
    signing_in: AsyncEngine
    listening: AsyncEngine
    redis: Redis


@asynccontextmanager
async def _connected(settings: Settings, application: str) -> AsyncIterator[_Connections]:
    writes_max = SIDE_LANES + SPARE_LOOK_UP_CONNECTIONS + 1  # the common lane's
    engines = (
        make_engine(settings, application),
        make_engine(settings, f"{application} writes", connections_max=writes_max, planner=WRITES),
        make_engine(
            settings, f"{application} signing in", connections_max=SIGN_IN_CONNECTIONS, planner=ALWAYS_BY_INDEX
        ),
        make_engine(settings, f"{application} listening", connections_max=LISTENING_CONNECTIONS),
    )
    redis = make_redis(settings)
    try:
        yield _Connections(*engines, redis)
    finally:
        for engine in engines:
            await engine.dispose()
        await redis.aclose()


def _showing(to: _Connections) -> tuple[Counters, GroupViews, Hub]:
    """What groups look like: in Redis, here, and to whoever watches them."""
    counters = Counters(to.redis)
    groups = GroupViews(to.by_key, counters)
    return counters, groups, Hub(to.redis, groups)


def _at_the_end(leaving: AsyncExitStack, *stops: Callable[[], Awaitable[None]]) -> None:
    """What is done at the end, the last one first."""
    for stop in stops:
        leaving.push_async_callback(stop)


def _gateways(settings: Settings) -> Gateways:
    """The payment gateways; what the one in use lacks is said at the start."""
    gateways = Gateways(settings)
    if settings.payment_gateway != NONE:
        gateways.get(settings.payment_gateway)
    return gateways


def _batcher(
    settings: Settings, by_key: AsyncEngine, after_commit: list[Callable[[Committed], None]], suspensions: Suspensions
) -> Batcher:
    return Batcher(
        by_key,
        batch_commands_max=settings.batch_commands_max,
        queue_commands_max=settings.queue_commands_max,
        on_commit=lambda committed: _tell_all(after_commit, committed),
        suspended=lambda: suspensions.merchant_ids,
    )


def _offering_to(groups: GroupViews, hub: Hub, counters: Counters) -> Callable[[Committed], None]:
    """What this process shows of groups follows every commit at once."""

    def offer(committed: Committed) -> None:
        views = [group_view(group) for group in committed.groups]
        groups.offer(views)
        hub.offer(views)
        counters.offer(views)

    return offer


def _tell_all(listeners: list[Callable[[Committed], None]], committed: Committed) -> None:
    for listen in listeners:
        listen(committed)
