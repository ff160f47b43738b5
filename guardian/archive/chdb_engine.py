# ruff: noqa: S608 - every value in a statement comes through the three functions of `sql.py`
"""The archive on chDB: ClickHouse in this process.

Measured rules it keeps (archive page, section 5): one path a process; one connection a thread, heavy questions on their
own with one thread; never used in a forked child; results as bytes.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import secrets
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import structlog

from guardian.archive import chdb_layout as layout
from guardian.archive.model import ArchivedRead, is_alive
from guardian.archive.ports import Counted, Page
from guardian.archive.question import (
    PLATES_LISTED_MAX,
    Cursor,
    Question,
    QuestionCutOffError,
    refuse_many_plates,
)
from guardian.archive.sql import (
    after_conditions,
    alive,
    pattern_condition,
    plate_source,
    region_conditions,
    sql_int,
    sql_text,
    sql_texts,
    time_conditions,
)
from guardian.domain.errors import NeighbourUnreachableError
from guardian.domain.plate import PlatePattern
from guardian.domain.read import parse_read_id

log = structlog.get_logger(__name__)

LIMIT_S = 5.0
"""A question is cut off after this; the person hears it in words."""
KILL_AGAIN_S = 0.05
MERGE_NICE = 10
NEWER_MAX = 1000
ORDER = "ts DESC, ms DESC, device DESC, boot DESC, sequence DESC"


class ChdbArchive:
    """Made by `open_archive(path)`; one a process."""

    def __init__(
        self,
        path: Path,
        *,
        now_ms: Callable[[], int],
        readers: int = 2,
        limit_s: float = LIMIT_S,
        query_threads: int = 2,
    ) -> None:
        self._path = path
        self._now_ms = now_ms
        self._limit_s = limit_s
        self._query_threads = query_threads
        self._drop = path / "drop"
        self._drop.mkdir(parents=True, exist_ok=True)
        for left in self._drop.glob("*.native"):  # of a crash; the journal holds the rows
            left.unlink()
        self._connections: list[Any] = []
        self._local = threading.local()
        self._lock = threading.Lock()
        self._quick = ThreadPoolExecutor(readers, thread_name_prefix="archive-ask")
        self._heavy = ThreadPoolExecutor(1, thread_name_prefix="archive-heavy")
        self._insert = ThreadPoolExecutor(1, thread_name_prefix="archive-insert")
        self._end = ThreadPoolExecutor(1, thread_name_prefix="archive-end")
        self._insert.submit(self._create).result()

    # The engine's door.

    def _connection(self) -> Any:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            import chdb  # 170 MB of library: only where an archive is opened

            with self._lock:
                connection = chdb.connect(str(self._path / "store"))
                self._connections.append(connection)
            self._local.connection = connection
        return connection

    def _run(self, sql: str) -> bytes:
        try:
            result = self._connection().query(sql, "JSONCompactEachRow")
            return bytes(result.bytes() or b"")
        except Exception as error:
            raise _translate(error, self._limit_s) from error

    def _create(self) -> None:
        for statement in layout.TABLES:
            self._run(statement)

    async def _ask(self, sql: str, *, heavy: bool = False) -> list[list[Any]]:
        threads = 1 if heavy else self._query_threads
        text = (
            f"{sql} SETTINGS max_threads={threads}, max_execution_time={self._limit_s:g}, max_query_size=4000000, "
            "output_format_json_quote_64bit_integers=0, query_plan_optimize_lazy_materialization=0"
        )
        name = f"/* {secrets.token_hex(8)} */"
        job = (self._heavy if heavy else self._quick).submit(self._run, f"{name} {text}")
        try:
            body = await asyncio.wrap_future(job)
        except asyncio.CancelledError:
            if not job.cancel():  # it runs already: the engine is told, or it would go on to its limit for nobody
                self._end.submit(self._kill, name, job)
            raise
        return msgspec.json.decode(b"[" + b",".join(body.splitlines()) + b"]", type=list[list[Any]])

    def _kill(self, name: str, job: Future[bytes]) -> None:
        """End a running question; asked again until it has ended, since it may only be about to begin."""
        while not wait([job], timeout=KILL_AGAIN_S).done:
            try:
                self._run(f"KILL QUERY WHERE startsWith(query, {sql_text(name)}) ASYNC")
            except NeighbourUnreachableError:
                return

    async def close(self) -> None:
        for pool in (self._insert, self._quick, self._heavy, self._end):
            await asyncio.to_thread(pool.shutdown, wait=True)
        for connection in self._connections:
            connection.close()
        self._connections.clear()

    # Filling.

    async def insert(self, rows: Sequence[ArchivedRead], bodies: Sequence[bytes], *, token: str) -> None:
        if rows:
            await asyncio.get_running_loop().run_in_executor(
                self._insert, partial(self._insert_now, rows, bodies, token)
            )

    def _insert_now(self, rows: Sequence[ArchivedRead], bodies: Sequence[bytes], token: str) -> None:
        path = self._drop / f"{secrets.token_hex(8)}.native"
        path.write_bytes(layout.native_block(rows, bodies))
        try:
            self._run(
                f"INSERT INTO inbox SELECT * FROM file({sql_text(str(path))}, 'Native') "
                f"SETTINGS insert_deduplication_token={sql_text(token)}, {layout.INSERT_SETTINGS}"
            )
        finally:
            path.unlink()
        _let_merges_give_way()

    # Asking.

    async def _where(self, question: Question, as_of: int | None) -> tuple[str, list[str]]:
        """The copy that answers fastest, and the conditions; None for `as_of` means all arrivals."""
        now_ms = self._now_ms()
        conditions = [alive(now_ms)]
        if as_of is not None:
            conditions.append(f"batch <= {sql_int(as_of)}")
        table = "sight"
        if question.texts is not None:
            table = "reads"
            texts = question.texts if len(question.texts) == 1 else await self._known(question.texts)
            conditions.append(f"plate IN {sql_texts(texts)}" if texts else "0")
        elif question.pattern is not None:
            plates = await self._plates_of(question, question.pattern)
            if plates is not None:
                table = "reads"
                conditions.append(f"plate IN {sql_texts(plates)}" if plates else "0")
            elif question.is_short(now_ms):
                conditions.append(pattern_condition(question) or "1")
            else:
                raise refuse_many_plates(question.pattern)
        conditions += time_conditions(question.from_ms, question.until_ms, by_hour=table == "sight")
        if question.region is not None:
            conditions += region_conditions(question.region)
        if question.device_ids:
            conditions.append(f"device IN {sql_texts(question.device_ids)}")
        if question.units:
            conditions.append(f"unit IN {sql_texts(question.units)}")
        if question.colours:
            conditions.append(f"colour IN {sql_texts(question.colours)}")
        if question.kinds:
            conditions.append(f"kind IN {sql_texts(question.kinds)}")
        return table, conditions

    async def _known(self, texts: Iterable[str]) -> list[str]:
        """Which of the candidates were ever read."""
        rows = await self._ask(f"SELECT plate FROM plates WHERE plate IN {sql_texts(texts)}")
        return list({row[0] for row in rows})

    async def _plates_of(self, question: Question, pattern: PlatePattern) -> list[str] | None:
        """The plates that fit a pattern, or None where they are more than PLATES_LISTED_MAX."""
        if question.classes is not None:
            table, column, condition = "plates", "plate", f"match(plate, {sql_text(question.classes)})"
        else:
            table, column, like = plate_source(pattern)
            condition = f"{column} LIKE {sql_text(like)}"
        # A plate may stand in several parts until they are merged. Sorting that out here costs less than DISTINCT there.
        rows_max = 3 * PLATES_LISTED_MAX
        rows = await self._ask(f"SELECT {column} FROM {table} WHERE {condition} LIMIT {sql_int(rows_max)}")
        found = {row[0] for row in rows}
        if len(rows) == rows_max and len(found) <= PLATES_LISTED_MAX:
            rows = await self._ask(
                f"SELECT DISTINCT {column} FROM {table} WHERE {condition} LIMIT {sql_int(PLATES_LISTED_MAX + 1)}"
            )
            found = {row[0] for row in rows}
        if len(found) > PLATES_LISTED_MAX:
            return None
        return [text if column == "plate" else text[::-1] for text in found]

    async def page(self, question: Question, *, cursor: Cursor | None, limit: int, as_of: int) -> Page:
        table, conditions = await self._where(question, as_of)
        if cursor is not None:
            conditions += after_conditions(cursor, by_hour=table == "sight")
        order = f"hour DESC, {ORDER}" if table == "sight" else ORDER
        rows = await self._ask(
            f"SELECT toUnixTimestamp(ts), ms, device, boot, sequence FROM {table} WHERE {' AND '.join(conditions)} "
            f"ORDER BY {order} LIMIT {sql_int(limit + 1)}"
        )
        found = await self._load(rows[:limit])
        return Page(tuple(found), Cursor(*found[-1].key) if len(rows) > limit and found else None)

    async def _load(self, keys: Sequence[Sequence[Any]]) -> list[ArchivedRead]:
        """Whole reads by (seconds, ms, device, boot, sequence), in that order; their time has been looked at."""
        if not keys:
            return []
        ids = [f"{device}.{boot}.{sequence}" for _, _, device, boot, sequence in keys]
        months = {datetime.fromtimestamp(key[0], UTC).strftime("%Y%m") for key in keys}
        held = await self._fetch(ids, f"month IN ({','.join(sorted(months))})")
        return [held[read_id] for read_id in ids if read_id in held]

    async def _fetch(self, ids: Sequence[str], condition: str = "1") -> dict[str, ArchivedRead]:
        rows = await self._ask(f"SELECT hex(body) FROM whole PREWHERE id IN {sql_texts(ids)} WHERE {condition}")
        reads = [layout.unpack_body(bytes.fromhex(body)) for (body,) in rows]
        return {held.read.id: held for held in reads}

    async def count(self, question: Question, *, as_of: int, count_max: int = 10_000) -> Counted:
        table, conditions = await self._where(question, as_of)
        rows = await self._ask(
            f"SELECT count() FROM (SELECT 1 FROM {table} WHERE {' AND '.join(conditions)} LIMIT {sql_int(count_max + 1)})"
        )
        found = int(rows[0][0])
        return Counted(min(found, count_max), found <= count_max)

    async def newer(self, question: Question, *, as_of: int) -> int:
        table, conditions = await self._where(question, None)
        rows = await self._ask(
            f"SELECT count() FROM (SELECT 1 FROM {table} WHERE {' AND '.join(conditions)} AND batch > {sql_int(as_of)} "
            f"LIMIT {sql_int(NEWER_MAX)})"
        )
        return int(rows[0][0])

    async def histogram(self, question: Question, *, as_of: int, from_ms: int, bin_ms: int) -> list[tuple[int, int]]:
        table, conditions = await self._where(question, as_of)
        conditions += time_conditions(from_ms, None, by_hour=table == "sight")
        at = f"(toInt64(toUnixTimestamp(ts)) * 1000 + ms - {sql_int(from_ms)})"
        rows = await self._ask(
            f"SELECT toUInt32(intDiv({at}, {sql_int(bin_ms)})) AS bin, count() FROM {table} "
            f"WHERE {' AND '.join(conditions)} GROUP BY bin ORDER BY bin",
            heavy=True,
        )
        return [(from_ms + int(place) * bin_ms, int(reads)) for place, reads in rows]

    async def plates(self, question: Question, *, as_of: int, limit: int = 20) -> list[tuple[str, int]]:
        table, conditions = await self._where(question, as_of)
        rows = await self._ask(
            f"SELECT plate, count() AS n FROM {table} WHERE {' AND '.join(conditions)} "
            f"GROUP BY plate ORDER BY n DESC, plate LIMIT {sql_int(limit)}",
            heavy=True,
        )
        return [(plate, int(reads)) for plate, reads in rows]

    async def find_many(self, ids: Iterable[str]) -> dict[str, ArchivedRead]:
        wanted = list(ids)
        for read_id in wanted:
            parse_read_id(read_id)
        if not wanted:
            return {}
        held = await self._fetch(wanted)
        now_ms = self._now_ms()
        return {read_id: row for read_id, row in held.items() if is_alive(row.ts_ms, now_ms)}

    async def recent(self, limit: int) -> list[ArchivedRead]:
        rows = await self._ask(
            f"SELECT toUnixTimestamp(ts), ms, device, boot, sequence FROM sight WHERE doubtful = 0 AND {alive(self._now_ms())} "
            f"ORDER BY hour DESC, {ORDER} LIMIT {sql_int(limit)}"
        )
        return await self._load(rows)

    async def find_by_texts(self, texts: Sequence[str], since_ms: int, *, limit: int = 1000) -> list[ArchivedRead]:
        if not texts:
            return []
        conditions = [
            f"plate IN {sql_texts(texts)}",
            alive(self._now_ms()),
            *time_conditions(since_ms, None, by_hour=False),
        ]
        rows = await self._ask(
            f"SELECT toUnixTimestamp(ts), ms, device, boot, sequence FROM reads WHERE {' AND '.join(conditions)} "
            f"ORDER BY {ORDER} LIMIT {sql_int(limit)}"
        )
        return await self._load(rows)

    # Destroying what is due.

    async def newest_ms(self) -> int | None:
        rows = await self._ask("SELECT toUnixTimestamp(max(ts)), count() FROM sight WHERE doubtful = 0")
        newest, count = rows[0]
        return newest * 1000 if count else None

    async def list_due(self, before_ms: int, *, after: Cursor | None, limit: int) -> list[ArchivedRead]:
        conditions = time_conditions(None, before_ms, by_hour=True)
        if after is not None:
            seconds, rest = divmod(after.ts_ms, 1000)
            conditions += time_conditions(seconds * 1000, None, by_hour=True)
            conditions.append(
                f"(toUnixTimestamp(ts), ms, device, boot, sequence) > ({sql_int(seconds)}, {sql_int(rest)}, "
                f"{sql_text(after.device_id)}, {sql_int(after.boot)}, {sql_int(after.sequence)})"
            )
        rows = await self._ask(
            f"SELECT toUnixTimestamp(ts), ms, device, boot, sequence FROM sight WHERE {' AND '.join(conditions)} "
            f"ORDER BY ts, ms, device, boot, sequence LIMIT {sql_int(limit)}",
            heavy=True,
        )
        return await self._load(rows)

    async def destroy(self, before_ms: int) -> int:
        return await asyncio.get_running_loop().run_in_executor(self._insert, partial(self._destroy_now, before_ms))

    def _destroy_now(self, before_ms: int) -> int:
        """In the thread that inserts, so that nothing comes in between. `sight` says what is due and goes last: killed
        anywhere, the next try finds the rest."""
        due = " AND ".join(time_conditions(None, before_ms, by_hour=True))
        count = int(msgspec.json.decode(self._run(f"SELECT toString(count()) FROM sight WHERE {due}"))[0])
        if not count:
            return 0
        ids = f"SELECT concat(device, '.', toString(boot), '.', toString(sequence)) FROM sight WHERE {due}"
        plates = f"SELECT plate FROM sight WHERE {due}"
        left = f"SELECT plate FROM reads WHERE plate IN ({plates})"
        for table, condition in (
            ("reads", " AND ".join(time_conditions(None, before_ms, by_hour=False))),
            ("plates", f"plate IN ({plates}) AND plate NOT IN ({left})"),
            ("plates_rev", f"reverse(rev) IN ({plates}) AND reverse(rev) NOT IN ({left})"),
            ("whole", f"id IN ({ids})"),
            ("sight", due),
        ):
            self._run(f"ALTER TABLE {table} DELETE WHERE {condition} SETTINGS mutations_sync=1")
        return count

    async def reach(self) -> tuple[int | None, int | None]:
        rows = await self._ask(
            f"SELECT toUnixTimestamp(min(ts)), toUnixTimestamp(max(ts)), count() FROM sight WHERE {alive(self._now_ms())}"
        )
        oldest, newest, count = rows[0]
        return (oldest * 1000, newest * 1000) if count else (None, None)


def _let_merges_give_way() -> None:
    """The library's threads that merge parts run when nobody else needs the processor; they can wait, batches cannot.

    By their name, since they have no other door; not by the thread that begins them, for askers' threads come from the
    same pool and would wait too.
    """
    if sys.platform != "linux":
        return
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):
            if (task / "comm").read_text().strip() == "MergeMutate":
                os.setpriority(os.PRIO_PROCESS, int(task.name), MERGE_NICE)


_CUT_OFF = re.compile(r"TIMEOUT_EXCEEDED|Code: 159")


def _translate(error: Exception, limit_s: float) -> Exception:
    """The house's error; the engine's text (it quotes the question) stays in the cause only."""
    if _CUT_OFF.search(str(error)):
        return QuestionCutOffError(
            f"The question took longer than {limit_s:g} s and was cut off; nothing was answered.",
            hint="Narrow it: more of the plate, a shorter time, or a smaller area.",
        )
    if "Cannot lock file" in str(error):
        return NeighbourUnreachableError(
            "Another process holds the archive.", hint="A running cloud does; end it first.", reference="archive-held"
        )
    return NeighbourUnreachableError("The archive did not answer.", reference="archive-unreachable")
