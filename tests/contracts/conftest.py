"""Every engine by URL; those that need a real server are started once per run (`tests/servers.py`)."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(params=["sqlite"])
def records_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/records.sqlite"


@pytest.fixture(params=["files"])
def photos_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return (tmp_path / "photos").as_uri()


@pytest.fixture(params=["memory"])
def events_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return "memory:"
