"""The main job on `guardian serve` with PostgreSQL, NATS JetStream and S3, set up as an operator would: migrate, doctor, serve."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.house import guardian, running_cloud
from tests.stories import tell_main_job

pytestmark = pytest.mark.real("postgres", "nats", "s3")


def test_the_main_job_runs_on_postgresql_nats_and_s3(
    tmp_path: Path, postgres_url: str, nats_url: str, s3_url: str
) -> None:
    home = tmp_path / "home"
    stores = {
        "GUARDIAN_STORES__RECORDS": postgres_url,
        "GUARDIAN_STORES__EVENTS": nats_url,
        "GUARDIAN_STORES__PHOTOS": s3_url,
    }
    migrated = guardian("migrate", "--home", str(home), **stores)
    assert migrated.returncode == 0, migrated.stderr
    assert "went from version none" in migrated.stdout
    with running_cloud(home, **stores) as cloud:
        tell_main_job(cloud, cloud.sign_in("operator", "值勤員甲"))
        seen = guardian("doctor", "--home", str(home), **stores)
        assert seen.returncode == 0, seen.stdout
        for answers in ("PostgreSQL", "JetStream answers", "object store answers", "readable by us alone"):
            assert answers in seen.stdout
    assert not (home / "records.sqlite").exists() and not (home / "photos").exists(), "nothing went beside the servers"


def test_doctor_names_what_does_not_let_us_in_and_prints_no_password(
    tmp_path: Path, nats_url: str, s3_url: str, own_postgres_server_with_password: str
) -> None:
    server = urlsplit(own_postgres_server_with_password)
    wrong = f"postgresql://guardian:hunter2-wrong@127.0.0.1:{server.port}/postgres"
    stores = {"GUARDIAN_STORES__EVENTS": nats_url, "GUARDIAN_STORES__PHOTOS": s3_url}
    home = tmp_path / "home"
    (home / "secrets").mkdir(mode=0o700, parents=True)
    seen = guardian("doctor", "--home", str(home), GUARDIAN_STORES__RECORDS=wrong, **stores)
    assert seen.returncode == 1
    assert "wrong records" in " ".join(seen.stdout.split())
    assert "refuses our user or password" in seen.stdout
    assert "JetStream answers" in seen.stdout and "object store answers" in seen.stdout
    assert "hunter2" not in seen.stdout + seen.stderr
    right = guardian(
        "doctor", "--home", str(home), GUARDIAN_STORES__RECORDS=own_postgres_server_with_password, **stores
    )
    assert "PostgreSQL" in right.stdout and "guardian migrate" in right.stdout, "let in, and told what to do next"


@pytest.fixture
def own_postgres_server_with_password(own_postgres_server) -> str:  # type: ignore[no-untyped-def]
    """The URL of a server that asks for a password; loopback is trusted no more."""
    import psycopg

    with psycopg.connect(own_postgres_server.url, autocommit=True) as connection:
        connection.execute("ALTER USER guardian PASSWORD 'hunter2'")
    (own_postgres_server.data / "pg_hba.conf").write_text("host all all 127.0.0.1/32 scram-sha-256\n")
    with psycopg.connect(own_postgres_server.url, autocommit=True) as connection:
        connection.execute("SELECT pg_reload_conf()")
    return f"postgresql://guardian:hunter2@127.0.0.1:{own_postgres_server.port}/postgres"
