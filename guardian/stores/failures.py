"""What the engines' errors mean in the house's words.

One place knows the codes: SQLite's names and PostgreSQL's SQLSTATEs become `DiskFullError`, `NeighbourUnreachableError`,
`StoreBusyError`, `ReadCutOffError` or, for a value that no column holds, `InputRefusedError`. What is none of these (a
broken constraint, a bug in a statement) stays as it came.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path

import psycopg
import psycopg.errors
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from guardian.domain.errors import DiskFullError, GuardianError, InputRefusedError, NeighbourUnreachableError

FREE_BYTES_NONE = 256 * 1024
"""Below this much free space an I/O error of SQLite is taken for a full disk (it reports some of them as plain IOERR)."""


class StoreBusyError(NeighbourUnreachableError):
    """More work waits than the store's bound allows; nothing was begun. HTTP 503, try again."""

    reference = "store-busy"


class ReadCutOffError(GuardianError):
    """A read took longer than its limit and was ended, so that the others and the log are not held up. HTTP 504."""

    reference = "read-cut-off"


def disk_full(what: str) -> DiskFullError:
    return DiskFullError(
        f"No room is left for {what}; nothing of this write was kept.",
        hint="Free space; writes then go on by themselves.",
    )


def read_cut_off(limit_s: float) -> ReadCutOffError:
    return ReadCutOffError(
        f"The read was cut off after {limit_s:g} s.",
        hint="Ask for less: a shorter time, a narrower pattern, a smaller page.",
    )


def value_refused() -> InputRefusedError:
    return InputRefusedError(
        "A number or text is outside what the records can hold; nothing was kept.", reference="value-out-of-range"
    )


def unreachable(what: str) -> NeighbourUnreachableError:
    return NeighbourUnreachableError(
        f"{what} does not answer.", hint="It is tried again by itself; `guardian doctor` says more."
    )


def translate(error: BaseException, *, limit_s: float = 0, folder: Path | None = None) -> BaseException:
    """The house's error for an engine's, or `error` itself where there is none.

    Args:
        limit_s: the limit that a cut-off read had; 0 for a write.
        folder: where SQLite's file lies, to tell a full disk from a broken one.
    """
    if isinstance(error, OverflowError):  # of SQLite's driver, which gives whole numbers 64 bits
        return value_refused()
    if isinstance(error, PoolTimeoutError):
        return StoreBusyError("All connections to the records are in use.", hint="Try again.")
    if not isinstance(error, DBAPIError) or isinstance(error, IntegrityError):
        return error
    original = error.orig
    if isinstance(original, sqlite3.Error):
        return _of_sqlite(original, limit_s, folder) or error
    if isinstance(original, psycopg.Error):
        return _of_postgresql(original, error.connection_invalidated, limit_s) or error
    return error


def _of_sqlite(error: sqlite3.Error, limit_s: float, folder: Path | None) -> GuardianError | None:
    name = getattr(error, "sqlite_errorname", "") or ""
    if name == "SQLITE_FULL":
        return disk_full("the records")
    if name.startswith(("SQLITE_IOERR", "SQLITE_CANTOPEN")) and folder is not None:
        return disk_full("the records") if is_full(folder) else unreachable("The folder of the records")
    if name == "SQLITE_INTERRUPT":
        return read_cut_off(limit_s)
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return StoreBusyError("Another process is writing to the records.", hint="Try again.")
    return None


def _of_postgresql(error: psycopg.Error, invalidated: bool, limit_s: float) -> GuardianError | None:
    if isinstance(error, psycopg.DataError):  # a zero character, a number beyond its column
        return value_refused()
    if isinstance(error, psycopg.errors.DiskFull):
        return disk_full("the records")
    if isinstance(error, psycopg.errors.QueryCanceled | psycopg.errors.IdleInTransactionSessionTimeout):
        if limit_s:
            return read_cut_off(limit_s)
        return StoreBusyError(
            "The write took too long and was ended; nothing of it was kept.", hint="Try again with less."
        )
    if isinstance(
        error, psycopg.errors.LockNotAvailable | psycopg.errors.DeadlockDetected | psycopg.errors.SerializationFailure
    ):
        return StoreBusyError("Another process is writing to the records.", hint="Try again.")
    state = error.sqlstate or ""
    # 08: connection; 57P: shut down or starting; 53300: too many connections; no state: the socket itself.
    if invalidated or state.startswith(("08", "57P")) or state == "53300":
        return unreachable("The database of the records")
    if isinstance(error, psycopg.OperationalError) and not state:
        # The library gives no SQLSTATE for a connection that never came about; only the server's words tell these two apart.
        if "authentication failed" in str(error) or "no password supplied" in str(error):
            return NeighbourUnreachableError(
                "The database of the records answers, and refuses our user or password.",
                hint="Mend it in the settings (stores.records).",
                reference="login-refused",
            )
        return unreachable("The database of the records")
    return None


def is_full(folder: Path) -> bool:
    """Whether the disk under `folder` has practically no room left."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return False
    return found.f_bavail * found.f_frsize < FREE_BYTES_NONE


def is_disk_full(error: OSError) -> bool:
    """Whether the file system said "no room" (space, quota, or the size that a process may write)."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
