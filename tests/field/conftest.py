"""Fixtures of the console in a real browser (tests/browser/console_fixtures.py)."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "browser"))

from console_fixtures import (
    console,
    console_browser,
    console_site,
    full_console,
    mock_site,
    silent_browser_console,
    timed_console,
)

__all__ = [
    "console",
    "console_browser",
    "console_site",
    "full_console",
    "mock_site",
    "silent_browser_console",
    "timed_console",
]
