"""The device's own log: JSON lines in two files that never grow beyond a bound (field case G16), and never a plate."""

from __future__ import annotations

import contextlib
from pathlib import Path

import structlog

BYTES_MAX = 2 << 20


class BoundedLog:
    """A text file that moves aside when it is full; the one before it is overwritten. A full disk silences it."""

    def __init__(self, path: Path, bytes_max: int = BYTES_MAX) -> None:
        self._path = path
        self._bytes_max = bytes_max
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)

    def write(self, text: str) -> int:
        """Append; gives the characters taken."""
        with contextlib.suppress(OSError):
            if self._path.exists() and self._path.stat().st_size + len(text) > self._bytes_max:
                self._path.replace(self._path.with_suffix(".1.log"))
            with self._path.open("a", encoding="utf-8") as file:
                file.write(text)
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""


def open_log(home: Path) -> None:
    """Send the house's log lines of this process into the device's file."""
    log: object = BoundedLog(home / "log" / "device.log")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(file=log),  # type: ignore[arg-type]
        cache_logger_on_first_use=False,
    )
