"""The stores' pure rules: which text may be kept, and what the engines' errors mean in the house's words."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

import psycopg
import psycopg.errors
import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from guardian.domain.errors import GuardianError
from guardian.stores import failures, text_problem
from guardian.stores.doctor import _size
from guardian.stores.failures import is_disk_full, is_full, translate
from guardian.stores.text import clean_text


def test_a_text_is_kept_to_its_bound_without_zeros_and_halves_of_signs() -> None:
    assert text_problem("字" * 5, chars_max=5) is None and text_problem("字" * 6, chars_max=5) == "text-too-long"
    assert text_problem("a\x00b") == "text-has-nul" and text_problem("a\ud800b") == "text-not-unicode"
    assert text_problem("") is None and text_problem("\x85\x1f") is None, "other control characters are kept"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a\x00b", "ab"),
        ("a\ud800b\udfffc", "a\ufffdb\ufffdc"),
        ("\x00" * 9 + "12345", "12345"),
        ("123456", "12345"),
        ("好🚓", "好🚓"),
    ],
)
def test_the_nearest_text_that_can_be_kept_has_no_problem(text: str, kept: str) -> None:
    assert clean_text(text, chars_max=5) == kept
    assert text_problem(kept, chars_max=5) is None


def of_sqlite(name: str, *, folder: Path | None = None, limit_s: float = 0) -> BaseException:
    original = sqlite3.OperationalError("x")
    original.sqlite_errorname = name
    return translate(DBAPIError("SELECT", {}, original), folder=folder, limit_s=limit_s)


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("SQLITE_FULL", "disk-full"), ("SQLITE_INTERRUPT", "read-cut-off"), ("SQLITE_BUSY", "store-busy"),
        ("SQLITE_BUSY_SNAPSHOT", "store-busy"), ("SQLITE_LOCKED", "store-busy"), ("SQLITE_IOERR_WRITE", "neighbour-unreachable"),
        ("SQLITE_CANTOPEN", "neighbour-unreachable"), ("SQLITE_CORRUPT", ""), ("", ""),
    ],
)  # fmt: skip
def test_what_sqlite_says_in_the_words_of_the_house(name: str, reference: str, tmp_path: Path) -> None:
    said = of_sqlite(name, folder=tmp_path, limit_s=2)
    assert (said.reference if isinstance(said, GuardianError) else "") == reference


def test_an_error_of_writing_on_a_full_disk_is_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failures, "FREE_BYTES_NONE", 2**62)
    said = of_sqlite("SQLITE_IOERR_WRITE", folder=tmp_path)
    assert isinstance(said, GuardianError) and said.reference == "disk-full"
    assert is_full(tmp_path) and not is_full(tmp_path / "none"), "what cannot be asked is not called full"
    assert not isinstance(of_sqlite("SQLITE_IOERR_WRITE"), GuardianError), "without a folder nobody can tell"


def of_postgresql(original: psycopg.Error, state: str | None = None, *, gone: bool = False, limit_s: float = 0) -> str:
    if state is not None:
        original.sqlstate = state
    said = translate(DBAPIError("SELECT", {}, original, connection_invalidated=gone), limit_s=limit_s)
    return said.reference if isinstance(said, GuardianError) else ""


def test_what_postgresql_says_in_the_words_of_the_house() -> None:
    errors = psycopg.errors
    assert of_postgresql(errors.NumericValueOutOfRange("x")) == "value-out-of-range"
    assert of_postgresql(errors.DiskFull("x")) == "disk-full"
    assert of_postgresql(errors.QueryCanceled("x"), limit_s=5) == "read-cut-off"
    assert of_postgresql(errors.QueryCanceled("x")) == "store-busy", "a write that took too long may be tried again"
    for busy in (errors.LockNotAvailable, errors.DeadlockDetected, errors.SerializationFailure):
        assert of_postgresql(busy("x")) == "store-busy"
    for state in ("08006", "57P01", "57P03", "53300"):
        assert of_postgresql(psycopg.OperationalError("x"), state) == "neighbour-unreachable"
    assert of_postgresql(psycopg.OperationalError("x"), gone=True) == "neighbour-unreachable"
    assert of_postgresql(psycopg.OperationalError("connection refused")) == "neighbour-unreachable"
    for words in ('FATAL: password authentication failed for user "x"', "fe_sendauth: no password supplied"):
        assert of_postgresql(psycopg.OperationalError(words)) == "login-refused"
    assert (
        of_postgresql(errors.UndefinedTable("x")) == "" and of_postgresql(psycopg.OperationalError("x"), "42601") == ""
    )


def test_a_broken_constraint_and_what_is_no_engines_error_stay_as_they_came() -> None:
    for error in (IntegrityError("INSERT", {}, sqlite3.IntegrityError("x")), ValueError("x"),
                  OperationalError("SELECT", {}, RuntimeError("x"))):  # fmt: skip
        assert translate(error) is error
    assert getattr(translate(OverflowError()), "reference", "") == "value-out-of-range"
    assert getattr(translate(PoolTimeoutError()), "reference", "") == "store-busy"


@pytest.mark.parametrize(
    ("number", "full"), [(errno.ENOSPC, True), (errno.EDQUOT, True), (errno.EFBIG, True), (errno.EACCES, False)]
)
def test_no_room_is_told_from_no_leave(number: int, full: bool) -> None:
    assert is_disk_full(OSError(number, "x")) is full


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (1_500_000, "1.5 MB"), (2 * 10**9, "2.0 GB"), (3 * 10**12, "3.0 TB")],
)  # fmt: skip
def test_sizes_are_said_in_units_that_people_read(count: int, said: str) -> None:
    assert _size(count) == said
