"""Run by Alembic for every command. The connection comes from the caller: there is no alembic.ini and no URL of its own."""

from alembic import context

from archive.catalogue.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
context.run_migrations()
