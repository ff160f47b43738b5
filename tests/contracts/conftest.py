"""Every engine by URL: each contract test runs once per engine, on real servers (`tests/servers.py`)."""

from __future__ import annotations

from pathlib import Path

import pytest


def _real(engine: str) -> object:
    return pytest.param(engine, marks=pytest.mark.real(engine))


@pytest.fixture(params=["sqlite", _real("postgres")])
def records_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/records.sqlite"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture(params=["files", _real("s3")])
def photos_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "files":
        return (tmp_path / "photos").as_uri()
    return str(request.getfixturevalue("s3_url"))


@pytest.fixture(
    params=[
        ("memory", "sqlite"),
        pytest.param(("memory", "postgres"), marks=pytest.mark.real("postgres")),
        pytest.param(("nats", "postgres"), marks=pytest.mark.real("nats", "postgres")),
    ],
    ids="-".join,
)
def bus_urls(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """A bus and the records that hold its outbox, in the pairs that people run."""
    bus, records = request.param
    return (
        "memory:" if bus == "memory" else str(request.getfixturevalue("nats_url")),
        f"sqlite:///{tmp_path}/records.sqlite" if records == "sqlite" else str(request.getfixturevalue("postgres_url")),
    )
