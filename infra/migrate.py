"""Bringing a database to the tables of this program; several processes may try at once."""

import asyncio

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from infra.cannot_start import NotMigrated
from infra.schema_version import VERSIONS

MIGRATIONS_LOCK = 7_482_617  # any number, the same for every process that migrates


def upgrade(database_url: str) -> None:
    """Apply what is missing, in one transaction; raises NotMigrated where PostgreSQL refuses, with nothing changed."""
    try:
        asyncio.run(_upgrade(database_url))
    except DBAPIError as refused:
        reason = str((refused.orig and refused.orig.__cause__) or refused.orig).splitlines()[0]
        raise NotMigrated(
            f"PostgreSQL refuses the migration and nothing was changed: {reason}. "
            "The role in DATABASE_URL must own the database or may create tables in it."
        ) from refused


def alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(VERSIONS.parent).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return config


async def _upgrade(database_url: str) -> None:
    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(database_url), poolclass=NullPool
    )
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_upgrade_on)
    finally:
        await engine.dispose()


def _upgrade_on(connection: Connection) -> None:
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATIONS_LOCK})
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
