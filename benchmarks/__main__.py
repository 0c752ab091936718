"""`python -m benchmarks [PART,...]`: measure all of it or some parts; a whole run is written to docs/benchmarks.md."""

import argparse
import signal
import sys
import time
from collections.abc import Callable, Mapping

from benchmarks import (
    cards,
    closing,
    deadlines,
    joins,
    live,
    lone,
    memory,
    pages,
    paid_joins,
    reads,
    refusals,
    settling,
    signing_in,
    stack,
    verifying,
)
from benchmarks.cannot_measure import CannotMeasure
from benchmarks.figures import Figure
from benchmarks.machine import Neighbours, of_this_machine
from benchmarks.report import print_table, write_page
from benchmarks.stack import Stack
from benchmarks.wrk import require_wrk
from infra.cannot_start import CannotStart

# What fills tables or closes many groups comes last, so that it cannot disturb the rest.
PARTS: Mapping[str, Callable[[Stack], Figure]] = {
    "hot": joins.hot,
    "hot-bare": joins.hot_bare,
    "spread": joins.spread,
    "spread-bare": joins.spread_bare,
    "paid": paid_joins.hot,
    "paid-bare": paid_joins.hot_bare,
    "paid-many": paid_joins.hot_many,
    "slow-gateway": paid_joins.slow,
    "locking": joins.locking,
    "get": reads.anonymous,
    "get-shopper": reads.shopper,
    "sign-in": signing_in.by_code,
    "refresh": signing_in.refreshing,
    "verify": verifying.new_tokens,
    "verify-known": verifying.known_tokens,
    "lone": lone.lone,
    "full": refusals.refusals,
    "deadline": deadlines.deadline,
    "live": live.live,
    "page": pages.page,
    "open-pages": pages.open_pages,
    "card": cards.card,
    "poster": cards.poster,
    "card-kept": cards.kept,
    "memory": memory.memory,
    "settling": settling.settlements,
    "closing": closing.bulk,
    "million": joins.million,
}
CANNOT_MEASURE = 2
STOPPED = 128 + signal.SIGTERM


def main() -> int:
    wanted = _wanted()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(STOPPED))  # leave in order: the servers go with us
    try:
        require_wrk()
        figures = _measure(wanted)
    except (CannotMeasure, CannotStart) as reason:
        print(f"bench: {reason}", file=sys.stderr)
        return CANNOT_MEASURE
    print_table(list(figures.values()))
    if len(wanted) == len(PARTS):
        write_page(list(figures.values()), of_this_machine())
    return 0


def _wanted() -> list[str]:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("parts", nargs="?", default=",".join(PARTS), help=f"some of {','.join(PARTS)}")
    names = [name for name in parser.parse_args().parts.split(",") if name]
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        parser.error(f"there is no part {unknown[0]!r}; there are {', '.join(PARTS)}")
    return names


def _measure(names: list[str]) -> dict[str, Figure]:
    figures: dict[str, Figure] = {}
    print("Starting PostgreSQL, Valkey, the API and the worker, and minting tokens", flush=True)
    with stack.started() as measured:
        for number, name in enumerate(names, 1):
            begun_at = time.monotonic()
            print(f"[{number}/{len(names)}] {name} ...", end=" ", flush=True)
            neighbours = Neighbours()
            figure = PARTS[name](measured)
            taken_s, others = time.monotonic() - begun_at, neighbours.share()
            figures[name] = figure = figure.with_notes(f"others used {others:.0%} of the machine")
            print(f"{figure.shown_value} ({taken_s:.0f} s; others used {others:.0%} of the machine)", flush=True)
    return figures


if __name__ == "__main__":
    sys.exit(main())
