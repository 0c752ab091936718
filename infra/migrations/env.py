"""What alembic runs: the migrations, on the connection that infra.migrate opened."""

from alembic import context

import infra.tables_identity
import infra.tables_money
import infra.tables_sandbox  # noqa: F401 - its tables belong to the metadata too
from infra.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
