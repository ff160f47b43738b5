# ruff: noqa: S608 - the statements are constants
"""How the column store lays reads out, and the bytes of one insert.

Two copies with the same columns, sorted for the two kinds of question: `reads` by (plate, ts), `sight` by (hour, cell,
ts). `whole` holds each read with its arrival in MessagePack by its id: pages and details are built from it, fifty rows at a time, so the
two copies stay narrow. `plates` and `plates_rev` hold every plate once, for wildcards. All are filled by views on one
inbox, so that a block is parsed once and its token counts for all of them.

DDL is the part that differs by engine: this is the `modern` dialect.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import msgspec

from guardian.archive.area import NO_PLACE, cell_of, units
from guardian.archive.model import ArchivedRead
from guardian.domain.read import Read

COLUMNS = "plate, ts, ms, hour, device, boot, sequence, unit, lon5, lat5, cell, kind, colour, batch"

_NARROW = """(
  plate String CODEC(ZSTD(1)), ts DateTime('UTC') CODEC(T64, ZSTD(1)), ms UInt16 CODEC(T64, ZSTD(1)),
  hour DateTime('UTC') CODEC(Delta, ZSTD(1)), device LowCardinality(String) CODEC(ZSTD(1)), boot UInt64 CODEC(T64, ZSTD(1)),
  sequence UInt64 CODEC(T64, ZSTD(1)), unit LowCardinality(String) CODEC(ZSTD(1)), lon5 Int32 CODEC(Delta, ZSTD(1)),
  lat5 Int32 CODEC(Delta, ZSTD(1)), cell UInt32 CODEC(ZSTD(1)), kind LowCardinality(String) CODEC(ZSTD(1)),
  colour LowCardinality(String) CODEC(ZSTD(1)), batch UInt64 CODEC(T64, ZSTD(1)), doubtful UInt8 CODEC(ZSTD(1)))"""

# fsync: the journal lets a batch go a day after the insert said "done", so "done" must mean "on disk".
_DURABLE = "non_replicated_deduplication_window=1000, fsync_after_insert=1, fsync_part_directory=1"

INBOX = (
    "plate String, ts DateTime('UTC'), ms UInt16, hour DateTime('UTC'), device String, boot UInt64, sequence UInt64, "
    "unit String, lon5 Int32, lat5 Int32, cell UInt32, kind String, colour String, batch UInt64, doubtful UInt8, "
    "body String"
)

TABLES: tuple[str, ...] = (
    f"CREATE TABLE IF NOT EXISTS inbox ({INBOX}) ENGINE=Null",
    # A wildcard's plates lie in hundreds of places. Measured at ten million reads, 37 plates: 129 ms of CPU with granules of
    # 2,048 rows, 50 with these; the table grows by 2 %.
    f"CREATE TABLE IF NOT EXISTS reads {_NARROW} ENGINE=MergeTree PARTITION BY toYYYYMM(ts) ORDER BY (plate, ts) "
    f"SETTINGS index_granularity=256, min_compress_block_size=8192, max_compress_block_size=65536, {_DURABLE}",
    f"CREATE TABLE IF NOT EXISTS sight {_NARROW} ENGINE=MergeTree PARTITION BY toYYYYMM(ts) ORDER BY (hour, cell, ts) "
    f"SETTINGS index_granularity=1024, min_compress_block_size=16384, max_compress_block_size=65536, {_DURABLE}",
    # Small granules and blocks: fifty reads of a page lie in fifty places. Measured at a million reads, fifty rows by id:
    # 56 ms with (device, boot, sequence) as key and seven columns, 12 ms like this (bodies grow by 5 %).
    "CREATE TABLE IF NOT EXISTS whole (id String CODEC(ZSTD(1)), month UInt32 CODEC(ZSTD(1)), body String CODEC(ZSTD(3))) "
    "ENGINE=MergeTree PARTITION BY month ORDER BY id SETTINGS index_granularity=64, min_compress_block_size=16384, "
    f"max_compress_block_size=65536, {_DURABLE}",
    # Wildcards without a given end read all of it. Measured over six million plates: 203 ms of CPU in ZSTD with granules of
    # 256, 60 like this, for 1.5 bytes a read more.
    "CREATE TABLE IF NOT EXISTS plates (plate String CODEC(LZ4), n UInt64 CODEC(T64, ZSTD(1))) "
    f"ENGINE=SummingMergeTree ORDER BY plate SETTINGS index_granularity=8192, {_DURABLE}",
    "CREATE TABLE IF NOT EXISTS plates_rev (rev String CODEC(ZSTD(1)), n UInt64 CODEC(T64, ZSTD(1))) "
    f"ENGINE=SummingMergeTree ORDER BY rev SETTINGS index_granularity=256, {_DURABLE}",
    f"CREATE MATERIALIZED VIEW IF NOT EXISTS mv_reads TO reads AS SELECT {COLUMNS}, doubtful FROM inbox",
    f"CREATE MATERIALIZED VIEW IF NOT EXISTS mv_sight TO sight AS SELECT {COLUMNS}, doubtful FROM inbox",
    "CREATE MATERIALIZED VIEW IF NOT EXISTS mv_whole TO whole AS SELECT concat(device, '.', toString(boot), '.', "
    "toString(sequence)) AS id, toYYYYMM(ts) AS month, body FROM inbox",
    "CREATE MATERIALIZED VIEW IF NOT EXISTS mv_plates TO plates AS SELECT plate, count() AS n FROM inbox GROUP BY plate",
    "CREATE MATERIALIZED VIEW IF NOT EXISTS mv_plates_rev TO plates_rev AS SELECT reverse(plate) AS rev, count() AS n "
    "FROM inbox GROUP BY rev",
)

INSERT_SETTINGS = (
    "deduplicate_blocks_in_dependent_materialized_views=1, insert_deduplicate=1, max_threads=1, max_insert_threads=1, "
    "input_format_parallel_parsing=0, max_block_size=1000000, min_insert_block_size_rows=1000000, max_insert_block_size=1000000"
)


class Held(msgspec.Struct, frozen=True, array_like=True):
    """What a body of `whole` holds."""

    received_ms: int
    number: int
    time_doubtful: bool
    read: Read


_decode = msgspec.msgpack.Decoder(Held).decode


def pack_arrival(row: ArchivedRead) -> bytes:
    """The beginning of a body: an array of four whose last is the read's own MessagePack."""
    return b"\x94\xcf%b\xcf%b%b" % (
        row.received_ms.to_bytes(8, "big"),
        row.number.to_bytes(8, "big"),
        b"\xc3" if row.time_doubtful else b"\xc2",
    )


def unpack_body(body: bytes) -> ArchivedRead:
    """A body of `whole` as a read."""
    held = _decode(body)
    return ArchivedRead(held.read, held.received_ms, held.number, held.time_doubtful)


def native_block(rows: Sequence[ArchivedRead], bodies: Sequence[bytes]) -> bytes:
    """The rows in ClickHouse's Native format, column by column: about 2 microseconds a read.

    Source: ClickHouse documentation, formats, Native: per block the number of columns and of rows (varint), then for
    each column its name, its type and its values; texts are a varint length and UTF-8, numbers little-endian.
    """
    reads = [row.read for row in rows]
    times = [row.ts_ms for row in rows]
    seconds = [ms // 1000 for ms in times]
    lons, lats, cells = [], [], []
    for read in reads:
        position = read.position
        if position is None:
            lons.append(NO_PLACE)
            lats.append(NO_PLACE)
            cells.append(0)
        else:
            lon, lat = units(position.lon_deg), units(position.lat_deg)
            lons.append(lon)
            lats.append(lat)
            cells.append(cell_of(lon, lat))
    columns: tuple[tuple[str, str, bytes], ...] = (
        ("plate", "String", _texts([read.text for read in reads])),
        ("ts", "DateTime('UTC')", array("I", seconds).tobytes()),
        ("ms", "UInt16", array("H", [ms % 1000 for ms in times]).tobytes()),
        ("hour", "DateTime('UTC')", array("I", [s - s % 3600 for s in seconds]).tobytes()),
        ("device", "String", _texts([read.device_id for read in reads])),
        ("boot", "UInt64", array("Q", [read.boot for read in reads]).tobytes()),
        ("sequence", "UInt64", array("Q", [read.sequence for read in reads]).tobytes()),
        ("unit", "String", _texts([read.unit for read in reads])),
        ("lon5", "Int32", array("i", lons).tobytes()),
        ("lat5", "Int32", array("i", lats).tobytes()),
        ("cell", "UInt32", array("I", cells).tobytes()),
        ("kind", "String", _texts([read.look.kind for read in reads])),
        ("colour", "String", _texts([read.look.colour for read in reads])),
        ("batch", "UInt64", array("Q", [row.number for row in rows]).tobytes()),
        ("doubtful", "UInt8", bytes(row.time_doubtful for row in rows)),
        ("body", "String", _blobs([pack_arrival(row) + body for row, body in zip(rows, bodies, strict=True)])),
    )
    out = [_varint(len(columns)), _varint(len(rows))]
    for name, kind, values in columns:
        out += [_varint(len(name)), name.encode(), _varint(len(kind)), kind.encode(), values]
    return b"".join(out)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


_LENGTHS = tuple(_varint(length) for length in range(4096))


def _blobs(values: Sequence[bytes]) -> bytes:
    out: list[bytes] = []
    for value in values:
        size = len(value)
        out.append(_LENGTHS[size] if size < 4096 else _varint(size))
        out.append(value)
    return b"".join(out)


def _texts(values: Sequence[str]) -> bytes:
    """Texts repeat (devices, units, colours): each different one is encoded once."""
    packed: dict[str, bytes] = {}
    for value in set(values):
        raw = value.encode()
        packed[value] = _varint(len(raw)) + raw
    return b"".join([packed[value] for value in values])
