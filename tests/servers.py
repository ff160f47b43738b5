"""Fixtures of real servers, started once per run by `scripts/servers.py` and ended by their id.

`postgres_server`, `nats_server` and `s3_server` are shared and must be left running; a test that stops and starts one
takes `own_postgres_server` or `own_nats_server`. `postgres_url`, `nats_url` and `s3_url` are each test's own database,
stream or bucket on the shared servers. Where the program is missing the test is skipped and the skip names it.
"""

from __future__ import annotations

import importlib.util
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def _load(path: Path) -> ModuleType:
    name = f"guardian_{path.parent.name}_{path.stem}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


programs = _load(Path(__file__).resolve().parent.parent / "scripts" / "servers.py")


def _running(kind: str, **options: Any) -> Iterator[Any]:
    try:
        server = programs.KINDS[kind](**options)
    except FileNotFoundError as error:
        pytest.skip(str(error))
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    yield from _running("postgres", durable=False)  # shared by hundreds of small databases that nobody needs tomorrow


@pytest.fixture(scope="session")
def nats_server() -> Iterator[Any]:
    yield from _running("nats")


@pytest.fixture(scope="session")
def s3_server() -> Iterator[Any]:
    yield from _running("s3")


@pytest.fixture
def own_postgres_server() -> Iterator[Any]:
    yield from _running("postgres")


@pytest.fixture
def own_nats_server() -> Iterator[Any]:
    yield from _running("nats")


@pytest.fixture
def postgres_url(postgres_server: Any) -> Iterator[str]:
    """A fresh database."""
    import psycopg  # a device's checkout has none

    name = f"t{secrets.token_hex(6)}"
    with psycopg.connect(postgres_server.url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    yield postgres_server.database(name)
    with psycopg.connect(postgres_server.url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def nats_url(nats_server: Any) -> str:
    """A stream of its own."""
    return f"{nats_server.url}/t{secrets.token_hex(6)}"


@pytest.fixture
def s3_url(s3_server: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """A bucket of its own, and the keys in the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", programs.S3_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", programs.S3_SECRET)
    return str(s3_server.bucket(f"t{secrets.token_hex(6)}"))
