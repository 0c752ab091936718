"""One limiter for all processes: exact in Redis, near enough in memory while Redis is away."""
