"""Alembic's entry: migrations run on the connection, and in the transaction, that `Store.migrate` gives."""

from alembic import context

from service.store.tables import METADATA

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=METADATA, render_as_batch=True)
context.run_migrations()
