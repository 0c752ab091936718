"""Servers for the length of a test run or a check, in a temporary directory that goes with them."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from infra.embedded.directory import make_folders, taken
from infra.embedded.place import Place, place_for
from infra.embedded.postgres import EmbeddedPostgres
from infra.embedded.valkey import EmbeddedValkey


@contextmanager
def throwaway_place() -> Iterator[Place]:
    """A data directory that is removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="tuan-"))
    try:
        folder.chmod(0o711)  # the service user passes through when we are root
        place = place_for(folder / "data")
        with taken(place):
            make_folders(place)
            yield place
    finally:
        shutil.rmtree(folder)


@contextmanager
def throwaway_servers(place: Place, *, durable: bool = False) -> Iterator[tuple[EmbeddedPostgres, EmbeddedValkey]]:
    """PostgreSQL and Valkey of this place, stopped at the end."""
    postgres = EmbeddedPostgres(place, connections_max=200, durable=durable)
    valkey = EmbeddedValkey(place)
    with ExitStack() as stopping:
        for server in (postgres, valkey):
            stopping.callback(server.stop)
            server.start()
        yield postgres, valkey
