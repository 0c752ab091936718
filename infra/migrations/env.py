"""What alembic runs: the migrations, on the connection that infra.migrate opened."""

from alembic import context

from infra.every_table import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
