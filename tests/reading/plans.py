"""How PostgreSQL runs a statement on a connection that has run it so often that it keeps the plan."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, TextClause
from sqlalchemy.ext.asyncio import AsyncConnection


async def plan_of(
    connection: AsyncConnection, statement: Select[Any] | TextClause, **parameters: object
) -> tuple[str, int]:
    """The plan kept for whatever parameters come, and how many blocks it touches with these."""
    compiled = statement.compile(dialect=connection.dialect)
    given = compiled.construct_params(parameters)
    arguments = ", ".join(_literal(given[name]) for name in compiled.positiontup or ())
    await connection.exec_driver_sql("SET plan_cache_mode = force_generic_plan")
    await connection.exec_driver_sql(f"PREPARE asked AS {compiled}")
    execute = f"EXECUTE asked ({arguments})" if arguments else "EXECUTE asked"
    explained = await connection.exec_driver_sql(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {execute}")
    await connection.exec_driver_sql("DEALLOCATE asked")
    plan = explained.scalar_one()[0]["Plan"]
    return json.dumps(plan, indent=1), plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]


def _literal(value: object) -> str:
    if isinstance(value, list):
        return f"ARRAY[{', '.join(_literal(item) for item in value)}]"
    return f"'{value}'" if isinstance(value, str | UUID | datetime) else str(value)
