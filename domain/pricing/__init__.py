"""Money in, money out: price schedules, quotes and settlement sums; knows nothing of groups."""
