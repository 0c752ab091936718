"""Whether the migrations make the tables that are declared, compared as PostgreSQL itself dumps them."""

import asyncio
import difflib
import os
import subprocess

import asyncpg
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from infra import migrate
from infra.embedded.binaries import postgres_programs
from infra.embedded.place import Place
from infra.embedded.postgres import EmbeddedPostgres
from infra.embedded.throwaway import throwaway_place
from infra.every_table import metadata

DUMP_LIMIT_S = 60


def differences() -> list[str]:
    """Lines of a unified diff from what is declared to what the migrations make; empty when they agree.

    Constraints, defaults and indexes are compared too. New columns come last in a table, as ALTER TABLE puts them.
    """
    with throwaway_place() as place:
        server = EmbeddedPostgres(place, durable=False)
        try:
            server.start()
            declared = _dump_after(place, "declared")
            migrated = _dump_after(place, "migrated")
        finally:
            server.stop()
    return list(difflib.unified_diff(declared, migrated, "infra/tables.py", "migrations", lineterm=""))


def _dump_after(place: Place, name: str) -> list[str]:
    asyncio.run(_create(place.database_url, name))
    url = place.database_url_of(name)
    if name == "migrated":
        migrate.upgrade(url)
    else:
        asyncio.run(_create_declared(url))
    return _dump(place, url)


async def _create(database_url: str, name: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()


async def _create_declared(database_url: str) -> None:
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(database_url), poolclass=NullPool
    )
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    await engine.dispose()


def _dump(place: Place, database_url: str) -> list[str]:
    command = [
        str(postgres_programs(place) / "pg_dump"),
        "--schema-only",
        "--exclude-table=alembic_version",
        database_url,
    ]
    dump = subprocess.run(  # noqa: S603  a fixed program from our own wheels
        command,
        check=True,
        capture_output=True,
        text=True,
        timeout=DUMP_LIMIT_S,
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
    )
    # pg_dump ties its output to itself with a random word per run.
    return [line for line in dump.stdout.splitlines() if not line.startswith(("\\restrict", "\\unrestrict"))]
