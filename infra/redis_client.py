"""The way to Redis or Valkey: a bounded pool whose answers are awaited for a bounded time."""

from redis.asyncio import BlockingConnectionPool, Redis

from infra.settings import Settings

CONNECTIONS_MAX = 32
CONNECT_TIMEOUT_S = 1.0
# Redis answers in well under a millisecond or is as good as gone; everything it tells PostgreSQL knows too.
ANSWER_TIMEOUT_S = 1.0


def make_redis(settings: Settings) -> Redis:
    """A client that connects at its first use and again after the server was away; answers are bytes."""
    pool = BlockingConnectionPool.from_url(
        settings.redis_url,
        max_connections=CONNECTIONS_MAX,
        timeout=ANSWER_TIMEOUT_S,
        socket_timeout=ANSWER_TIMEOUT_S,
        socket_connect_timeout=CONNECT_TIMEOUT_S,
    )
    return Redis.from_pool(pool)  # which closes the pool with the client
