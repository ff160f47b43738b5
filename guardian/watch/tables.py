"""The tables of lists and hits.

Entries in force lie in `watch_entry`; every change of one is also a line of `watch_change`, which is never altered: it is
the history, the source of deltas and of undo. Hits are a copy of the read and the entry as they were, and facts; the
columns of `watch_hit` that say where a hit stands repeat what its facts say (`model.derive`), so that queues can be asked
for quickly.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, LargeBinary, Table, Text

from guardian.stores.metadata import SerialNumber, metadata

lists = Table(
    "watch_list",
    metadata,
    Column("list_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("place", Integer, nullable=False),  # order on screens
    Column("version", BigInteger, nullable=False),  # the national version that last changed it
    Column("changed_ms", BigInteger, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("closed_ms", BigInteger),  # nothing is put on it since then; NULL: open
)

versions = Table(
    "watch_version",
    metadata,
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("issued_ms", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),  # save | import | undo | expiry | close
    Column("list_id", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("author_id", Text, nullable=False),
    Column("put", Integer, nullable=False),
    Column("removed", Integer, nullable=False),
    Column("digest", Text, nullable=False),
    Column("undoes", BigInteger, nullable=False),  # the version that this one takes back, or 0
)

entries = Table(
    "watch_entry",
    metadata,
    Column("entry_id", Text, primary_key=True),
    Column("list_id", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("case_number", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("expires_ms", BigInteger),
    Column("version", BigInteger, nullable=False),
    Column("added_ms", BigInteger, nullable=False),
    Column("added_by", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),  # WatchEntry
    Index(None, "text"),
    Index(None, "case_number"),
    Index(None, "list_id", "version", "entry_id"),
    Index(None, "expires_ms"),
)

changes = Table(
    "watch_change",
    metadata,
    Column("number", SerialNumber, primary_key=True, autoincrement=True),
    Column("version", BigInteger, nullable=False),
    Column("entry_id", Text, nullable=False),
    Column("list_id", Text, nullable=False),
    Column("before", LargeBinary),  # WatchEntry, or nothing where it was not on the list
    Column("after", LargeBinary),  # WatchEntry, or nothing where it was removed
    Column("added_ms", BigInteger, nullable=False),
    Column("added_by", Text, nullable=False),
    Index(None, "version"),
    Index(None, "entry_id", "number"),
)

staged = Table(
    "watch_staged",
    metadata,
    Column("job_id", Text, primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("entry_id", Text, nullable=False),
    Column("list_id", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("case_number", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("expires_ms", BigInteger),
    Column("before", LargeBinary),
    Column("after", LargeBinary),
    Column("added_ms", BigInteger, nullable=False),
    Column("added_by", Text, nullable=False),
    Column("staged_ms", BigInteger, nullable=False),
)
"""A large change on its way in: laid down in pieces, in force in one statement each (`large_change`); empty else."""

imports = Table(
    "watch_import",
    metadata,
    Column("import_id", Text, primary_key=True),
    Column("list_id", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("author_id", Text, nullable=False),
    Column("base_version", BigInteger, nullable=False),  # of the list when the plan was made
    Column("state", Text, nullable=False),  # planned | applying | applied | undone
    Column("version", BigInteger, nullable=False),
    Column("plan", LargeBinary, nullable=False),  # ImportPlan
    Column("deeds", LargeBinary, nullable=False),  # what applying does: csv_import.Deeds
    Index(None, "state", "created_ms"),
)

hits = Table(
    "watch_hit",
    metadata,
    Column("hit_id", Text, primary_key=True),
    Column("read_id", Text, nullable=False),
    Column("entry_id", Text, nullable=False),
    Column("device_id", Text, nullable=False),
    Column("read_text", Text, nullable=False),
    Column("strength", Text, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("likelihood_prob", Float, nullable=False),
    Column("captured_ms", BigInteger, nullable=False),
    Column("raised_ms", BigInteger, nullable=False),
    Column("list_version", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),  # hits.HitBody
    Column("sightings", Integer, nullable=False),
    # What the facts say, for queues:
    Column("standing", LargeBinary, nullable=False),  # model.Standing, as if no claim ever lapsed
    Column("state", Text, nullable=False),
    Column("is_open", Boolean, nullable=False),
    Column("checker_id", Text, nullable=False),
    Column("kept_ms", BigInteger, nullable=False),  # last sign of the checker; 0 where none
    Column("closed_ms", BigInteger, nullable=False),  # 0 while open
    Column("fact_number", Integer, nullable=False),
    Index(None, "is_open", "priority", "captured_ms"),
    Index(None, "is_open", "closed_ms"),
    Index(None, "entry_id", "captured_ms"),
    Index(None, "strength", "state"),
)

facts = Table(
    "watch_hit_fact",
    metadata,
    Column("hit_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("value", Text, nullable=False),
    Column("note", Text, nullable=False),
)

sightings = Table(
    "watch_sighting",
    metadata,
    Column("read_id", Text, primary_key=True),
    Column("entry_id", Text, primary_key=True),
    Column("hit_id", Text, nullable=False),
    Index(None, "hit_id"),
)

answers = Table(
    "watch_answer",
    metadata,
    Column("read_id", Text, primary_key=True),
    Column("entry_id", Text, primary_key=True),
    Column("at_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("answer", Text, nullable=False),
)
"""What officers pressed on their cards, as it came; becomes a fact of the hit when there is one."""

opinions = Table(
    "watch_opinion",
    metadata,
    Column("read_id", Text, primary_key=True),
    Column("reader", Text, primary_key=True),  # empty where nobody was asked
    Column("at_ms", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),  # SecondOpinion
)
"""What a second reader says of a would-be hit's read, as it came; may come before the read does."""
