"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "access_device_keys",
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("enrolled_ms", sa.BigInteger(), nullable=False),
        sa.Column("counter_ceiling", sa.BigInteger(), nullable=False),
        sa.Column("revoked_ms", sa.BigInteger(), nullable=True),
        sa.Column("revoked_by", sa.Text(), nullable=False),
        sa.Column("revoked_reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_access_device_keys")),
    )
    op.create_table(
        "access_links",
        sa.Column("token_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.Column("used_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_access_links")),
    )
    op.create_table(
        "access_sessions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("token_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("opened_ms", sa.BigInteger(), nullable=False),
        sa.Column("seen_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.Column("closed_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_sessions")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_access_sessions_token_sha256")),
    )
    op.create_table(
        "audit_rows",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("case_number", sa.Text(), nullable=False),
        sa.Column("lookup_id", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_rows")),
    )
    op.create_index("ix_audit_rows_kind", "audit_rows", ["kind", "number"], unique=False)
    op.create_index("ix_audit_rows_lookup_id", "audit_rows", ["lookup_id"], unique=False)
    op.create_index("ix_audit_rows_subject_id", "audit_rows", ["subject_id", "number"], unique=False)
    op.create_table(
        "batch_bodies",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_batch_bodies")),
    )
    op.create_table(
        "batch_journal",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("boot_min", sa.BigInteger(), nullable=False),
        sa.Column("boot_max", sa.BigInteger(), nullable=False),
        sa.Column("sequence_min", sa.BigInteger(), nullable=False),
        sa.Column("sequence_max", sa.BigInteger(), nullable=False),
        sa.Column("time_doubtful", sa.Boolean(), nullable=False),
        sa.Column("fill", sa.BigInteger(), nullable=True),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_batch_journal")),
        sa.UniqueConstraint("batch_id", name=op.f("uq_batch_journal_batch_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_batch_journal_archived_number"), "batch_journal", ["archived", "number"], unique=False)
    op.create_index(
        op.f("ix_batch_journal_device_id_sequence_min"), "batch_journal", ["device_id", "sequence_min"], unique=False
    )
    op.create_table(
        "delivered_photos",
        sa.Column("lookup_id", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("lookup_id", name=op.f("pk_delivered_photos")),
    )
    op.create_index(op.f("ix_delivered_photos_at_ms"), "delivered_photos", ["at_ms"], unique=False)
    op.create_table(
        "event_outbox",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_event_outbox")),
        sa.UniqueConstraint("id", name=op.f("uq_event_outbox_id")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "event_position",
        sa.Column("consumer_name", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("consumer_name", name=op.f("pk_event_position")),
    )
    op.create_table(
        "event_set_aside",
        sa.Column("consumer_name", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("set_aside_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("consumer_name", "id", name=op.f("pk_event_set_aside")),
    )
    op.create_index(op.f("ix_event_set_aside_set_aside_ms"), "event_set_aside", ["set_aside_ms"], unique=False)
    op.create_table(
        "fleet_codes",
        sa.Column("code_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.Column("used_ms", sa.BigInteger(), nullable=True),
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("key_sha256", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("code_sha256", name=op.f("pk_fleet_codes")),
    )
    op.create_table(
        "fleet_devices",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("software", sa.Text(), nullable=False),
        sa.Column("enrolled_ms", sa.BigInteger(), nullable=False),
        sa.Column("enrolled_by", sa.Text(), nullable=False),
        sa.Column("revoked_ms", sa.BigInteger(), nullable=True),
        sa.Column("revoked_reason", sa.Text(), nullable=False),
        sa.Column("forked_ms", sa.BigInteger(), nullable=True),
        sa.Column("seen_ms", sa.BigInteger(), nullable=True),
        sa.Column("heartbeat", sa.LargeBinary(), nullable=True),
        sa.Column("position", sa.LargeBinary(), nullable=True),
        sa.Column("list_version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fleet_devices")),
    )
    op.create_table(
        "fleet_hours",
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("reads", sa.Integer(), nullable=False),
        sa.Column("chars_per_read", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("device_id", "hour", name=op.f("pk_fleet_hours")),
    )
    op.create_table(
        "loose_photos",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_loose_photos")),
    )
    op.create_index(op.f("ix_loose_photos_at_ms"), "loose_photos", ["at_ms"], unique=False)
    op.create_index(op.f("ix_loose_photos_device_id"), "loose_photos", ["device_id"], unique=False)
    op.create_table(
        "named_photos",
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("prefixes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("batch_id", name=op.f("pk_named_photos")),
    )
    op.create_index(
        op.f("ix_named_photos_device_id_received_ms"), "named_photos", ["device_id", "received_ms"], unique=False
    )
    op.create_index(op.f("ix_named_photos_received_ms"), "named_photos", ["received_ms"], unique=False)
    op.create_table(
        "quarantine",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_ms", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine")),
    )
    op.create_index(op.f("ix_quarantine_device_id_state"), "quarantine", ["device_id", "state"], unique=False)
    op.create_index(
        op.f("ix_quarantine_state_reason_received_ms"), "quarantine", ["state", "reason", "received_ms"], unique=False
    )
    op.create_table(
        "read_spans",
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("boot", sa.BigInteger(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("device_id", "boot", "first", name=op.f("pk_read_spans")),
    )
    op.create_table(
        "searches",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("as_of", sa.BigInteger(), nullable=False),
        sa.Column("question", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_searches")),
    )
    op.create_index(op.f("ix_searches_owner_created_ms"), "searches", ["owner", "created_ms"], unique=False)
    op.create_table(
        "watch_answer",
        sa.Column("read_id", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("read_id", "entry_id", "at_ms", name=op.f("pk_watch_answer")),
    )
    op.create_table(
        "watch_change",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("list_id", sa.Text(), nullable=False),
        sa.Column("before", sa.LargeBinary(), nullable=True),
        sa.Column("after", sa.LargeBinary(), nullable=True),
        sa.Column("added_ms", sa.BigInteger(), nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_watch_change")),
    )
    op.create_index(op.f("ix_watch_change_entry_id_number"), "watch_change", ["entry_id", "number"], unique=False)
    op.create_index(op.f("ix_watch_change_version"), "watch_change", ["version"], unique=False)
    op.create_table(
        "watch_entry",
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("list_id", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("case_number", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("added_ms", sa.BigInteger(), nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_watch_entry")),
    )
    op.create_index(op.f("ix_watch_entry_case_number"), "watch_entry", ["case_number"], unique=False)
    op.create_index(op.f("ix_watch_entry_expires_ms"), "watch_entry", ["expires_ms"], unique=False)
    op.create_index(
        op.f("ix_watch_entry_list_id_version_entry_id"), "watch_entry", ["list_id", "version", "entry_id"], unique=False
    )
    op.create_index(op.f("ix_watch_entry_text"), "watch_entry", ["text"], unique=False)
    op.create_table(
        "watch_hit",
        sa.Column("hit_id", sa.Text(), nullable=False),
        sa.Column("read_id", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("read_text", sa.Text(), nullable=False),
        sa.Column("strength", sa.Text(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("likelihood_prob", sa.Float(), nullable=False),
        sa.Column("captured_ms", sa.BigInteger(), nullable=False),
        sa.Column("raised_ms", sa.BigInteger(), nullable=False),
        sa.Column("list_version", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("sightings", sa.Integer(), nullable=False),
        sa.Column("standing", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("checker_id", sa.Text(), nullable=False),
        sa.Column("kept_ms", sa.BigInteger(), nullable=False),
        sa.Column("closed_ms", sa.BigInteger(), nullable=False),
        sa.Column("fact_number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("hit_id", name=op.f("pk_watch_hit")),
    )
    op.create_index(op.f("ix_watch_hit_entry_id_captured_ms"), "watch_hit", ["entry_id", "captured_ms"], unique=False)
    op.create_index(op.f("ix_watch_hit_is_open_closed_ms"), "watch_hit", ["is_open", "closed_ms"], unique=False)
    op.create_index(
        op.f("ix_watch_hit_is_open_priority_captured_ms"),
        "watch_hit",
        ["is_open", "priority", "captured_ms"],
        unique=False,
    )
    op.create_index(op.f("ix_watch_hit_strength_state"), "watch_hit", ["strength", "state"], unique=False)
    op.create_table(
        "watch_hit_fact",
        sa.Column("hit_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("hit_id", "number", name=op.f("pk_watch_hit_fact")),
    )
    op.create_table(
        "watch_import",
        sa.Column("import_id", sa.Text(), nullable=False),
        sa.Column("list_id", sa.Text(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("author_id", sa.Text(), nullable=False),
        sa.Column("base_version", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("plan", sa.LargeBinary(), nullable=False),
        sa.Column("deeds", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("import_id", name=op.f("pk_watch_import")),
    )
    op.create_index(op.f("ix_watch_import_state_created_ms"), "watch_import", ["state", "created_ms"], unique=False)
    op.create_table(
        "watch_list",
        sa.Column("list_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("closed_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("list_id", name=op.f("pk_watch_list")),
    )
    op.create_table(
        "watch_sighting",
        sa.Column("read_id", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("hit_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("read_id", "entry_id", name=op.f("pk_watch_sighting")),
    )
    op.create_index(op.f("ix_watch_sighting_hit_id"), "watch_sighting", ["hit_id"], unique=False)
    op.create_table(
        "watch_staged",
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("list_id", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("case_number", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=True),
        sa.Column("before", sa.LargeBinary(), nullable=True),
        sa.Column("after", sa.LargeBinary(), nullable=True),
        sa.Column("added_ms", sa.BigInteger(), nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column("staged_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("job_id", "place", name=op.f("pk_watch_staged")),
    )
    op.create_table(
        "watch_version",
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("issued_ms", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("list_id", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Text(), nullable=False),
        sa.Column("put", sa.Integer(), nullable=False),
        sa.Column("removed", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("undoes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_watch_version")),
    )
