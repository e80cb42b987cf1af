"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "batch",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("accession", sa.Text(), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("started", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_batch_accession"), "batch", ["accession"], unique=False)
    op.create_index(op.f("ix_batch_folder"), "batch", ["folder"], unique=False)
    op.create_table(
        "donation",
        sa.Column("accession", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("accession", name=op.f("pk_donation")),
        sqlite_strict=True,
    )
    op.create_table(
        "event",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_event")),
        sa.UniqueConstraint("digest", name=op.f("uq_event_digest")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_event_object_at"), "event", ["object", "at"], unique=False)
    op.create_index(op.f("ix_event_type_at"), "event", ["type", "at"], unique=False)
    op.create_table(
        "fixity",
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("sound", sa.Integer(), nullable=False),
        sa.Column("problems", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("item", name=op.f("pk_fixity")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_fixity_at"), "fixity", ["at"], unique=False)
    op.create_table(
        "item",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("accession", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("date", sa.Text(), nullable=False),
        sa.Column("year_first", sa.Integer(), nullable=True),
        sa.Column("year_last", sa.Integer(), nullable=True),
        sa.Column("batch", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("described_at", sa.Text(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("until", sa.Integer(), nullable=True),
        sa.Column("after", sa.Integer(), nullable=True),
        sa.Column("changes", sa.Integer(), nullable=True),
        sa.Column("withdrawn_at", sa.Text(), nullable=True),
        sa.Column("withdrawn_reason", sa.Text(), nullable=True),
        sa.Column("withdrawn_rank", sa.Integer(), nullable=True),
        sa.Column("to_describe", sa.Integer(), nullable=False),
        sa.Column("n_pages", sa.Integer(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_item_accession_key"), "item", ["accession", "key"], unique=False)
    op.create_index(op.f("ix_item_batch"), "item", ["batch"], unique=False)
    op.create_index(op.f("ix_item_changes"), "item", ["changes"], unique=False)
    op.create_table(
        "note",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_note")),
        sqlite_strict=True,
    )
    op.create_table(
        "outbox",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_outbox")),
        sa.UniqueConstraint("item", name=op.f("uq_outbox_item")),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_table(
        "probe",
        sa.Column("sha512", sa.Text(), nullable=False),
        sa.Column("recipe", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sha512", "recipe", name=op.f("pk_probe")),
        sqlite_strict=True,
    )
    op.create_table(
        "reserved",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reserved")),
        sqlite_strict=True,
    )
    op.create_table(
        "seen",
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("mtime_ns", sa.Integer(), nullable=False),
        sa.Column("sha512", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("path", name=op.f("pk_seen")),
        sqlite_strict=True,
    )
    op.create_table(
        "tally",
        sa.Column("reader", sa.Integer(), nullable=False),
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("recordings", sa.Integer(), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("reader", "collection", "kind", "day", name=op.f("pk_tally")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "task",
        sa.Column("batch", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("batch", "key", name=op.f("pk_task")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_task_item"), "task", ["item"], unique=False)
    op.create_table(
        "file",
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("sha512", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("personal", sa.Integer(), nullable=False),
        sa.Column("placed", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("until", sa.Integer(), nullable=True),
        sa.Column("after", sa.Integer(), nullable=True),
        sa.Column("record", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["item"], ["item.id"], name=op.f("fk_file_item_item"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("item", "id", name=op.f("pk_file")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_file_item_placed_position"), "file", ["item", "placed", "position"], unique=False)
    op.create_index(op.f("ix_file_sha512"), "file", ["sha512"], unique=False)
    op.create_table(
        "page",
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("file", sa.Text(), nullable=True),
        sa.Column("part", sa.Integer(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("until", sa.Integer(), nullable=True),
        sa.Column("after", sa.Integer(), nullable=True),
        sa.Column("image_rank", sa.Integer(), nullable=False),
        sa.Column("image_until", sa.Integer(), nullable=True),
        sa.Column("image_after", sa.Integer(), nullable=True),
        sa.Column("text_rank", sa.Integer(), nullable=False),
        sa.Column("text_until", sa.Integer(), nullable=True),
        sa.Column("text_after", sa.Integer(), nullable=True),
        sa.Column("texts", sa.Integer(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["item"], ["item.id"], name=op.f("fk_page_item_item"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("item", "position", name=op.f("pk_page")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_page_item_file_part"), "page", ["item", "file", "part"], unique=False)
    op.create_index(op.f("ix_page_item_id"), "page", ["item", "id"], unique=True)
    op.create_table(
        "page_text",
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("page", sa.Text(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["item"], ["item.id"], name=op.f("fk_page_text_item_item"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("item", "page", name=op.f("pk_page_text")),
        sqlite_strict=True,
    )
    op.create_table(
        "shown",
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("low", sa.Integer(), nullable=False),
        sa.Column("from_day", sa.Integer(), nullable=False),
        sa.Column("high", sa.Integer(), nullable=False),
        sa.Column("to_day", sa.Integer(), nullable=False),
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sort_title", sa.LargeBinary(), nullable=False),
        sa.Column("sort_year", sa.Integer(), nullable=False),
        sa.Column("sort_added", sa.Text(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("recordings", sa.Integer(), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=True),
        sa.Column("thumb", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["item"], ["item.id"], name=op.f("fk_shown_item_item"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("item", "low", "from_day", name=op.f("pk_shown")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_shown_added", "shown", ["sort_added", "item", "low", "high", "from_day", "to_day", "kind", "collection"], unique=False
    )
    op.create_index(
        "ix_shown_collection_title",
        "shown",
        ["collection", "sort_title", "item", "low", "high", "from_day", "to_day", "kind"],
        unique=False,
    )
    op.create_index("ix_shown_title", "shown", ["sort_title", "item", "low", "high", "from_day", "to_day", "kind"], unique=False)
    op.create_index(
        "ix_shown_year", "shown", ["sort_year", "item", "low", "high", "from_day", "to_day", "kind", "collection"], unique=False
    )
    op.create_table(
        "track",
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("until", sa.Integer(), nullable=True),
        sa.Column("after", sa.Integer(), nullable=True),
        sa.Column("record", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["item"], ["item.id"], name=op.f("fk_track_item_item"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("item", "id", name=op.f("pk_track")),
        sqlite_strict=True,
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("track")
    op.drop_index("ix_shown_year", table_name="shown")
    op.drop_index("ix_shown_title", table_name="shown")
    op.drop_index("ix_shown_collection_title", table_name="shown")
    op.drop_index("ix_shown_added", table_name="shown")
    op.drop_table("shown")
    op.drop_table("page_text")
    op.drop_index(op.f("ix_page_item_id"), table_name="page")
    op.drop_index(op.f("ix_page_item_file_part"), table_name="page")
    op.drop_table("page")
    op.drop_index(op.f("ix_file_sha512"), table_name="file")
    op.drop_index(op.f("ix_file_item_placed_position"), table_name="file")
    op.drop_table("file")
    op.drop_index(op.f("ix_task_item"), table_name="task")
    op.drop_table("task")
    op.drop_table("tally")
    op.drop_table("seen")
    op.drop_table("reserved")
    op.drop_table("probe")
    op.drop_table("outbox")
    op.drop_table("note")
    op.drop_index(op.f("ix_item_changes"), table_name="item")
    op.drop_index(op.f("ix_item_batch"), table_name="item")
    op.drop_index(op.f("ix_item_accession_key"), table_name="item")
    op.drop_table("item")
    op.drop_index(op.f("ix_fixity_at"), table_name="fixity")
    op.drop_table("fixity")
    op.drop_index(op.f("ix_event_type_at"), table_name="event")
    op.drop_index(op.f("ix_event_object_at"), table_name="event")
    op.drop_table("event")
    op.drop_table("donation")
    op.drop_index(op.f("ix_batch_folder"), table_name="batch")
    op.drop_index(op.f("ix_batch_accession"), table_name="batch")
    op.drop_table("batch")
