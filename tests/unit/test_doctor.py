"""`guardian doctor` says what was seen, and nothing that must not be seen."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from guardian.domain.event import Event
from guardian.stores import StoreSettings, close_stores, open_stores
from guardian.stores.doctor import DISK_FREE_BYTES_LOW, Finding, examine, shown
from guardian.stores.migrate import migrate
from guardian.stores.outbox import Outbox

pytestmark = pytest.mark.anyio


def of(findings: list[Finding], subject: str) -> list[Finding]:
    return [finding for finding in findings if finding.subject == subject]


async def make(settings: StoreSettings) -> None:
    stores = open_stores(settings, lambda: 0)
    await migrate(stores.records)
    stores.secrets.get_or_create("key", lambda: b"valuable")
    await close_stores(stores)


async def test_a_station_in_order_is_ok_in_every_part(tmp_path: Path) -> None:
    settings = StoreSettings(data=str(tmp_path / "data"))
    await make(settings)
    findings = await examine(settings)
    assert {finding.subject for finding in findings} == {"records", "photos", "events", "secrets"}
    assert {finding.verdict for finding in findings} == {"ok"}, findings
    assert "SQLite" in of(findings, "records")[0].sentence
    assert int(of(findings, "records")[0].figures["bytes"]) > 10_000


async def test_looking_before_the_first_start_makes_nothing(tmp_path: Path) -> None:
    findings = await examine(StoreSettings(data=str(tmp_path / "data")))
    assert [finding.verdict for finding in findings] == ["look"]
    assert await asyncio.to_thread(lambda: list(tmp_path.iterdir())) == []


async def test_a_secret_open_to_others_is_wrong_by_name(tmp_path: Path) -> None:
    settings = StoreSettings(data=str(tmp_path / "data"))
    await make(settings)
    (tmp_path / "data" / "secrets" / "key").chmod(0o640)
    (found,) = of(await examine(settings), "secrets")
    assert found.verdict == "wrong" and "key" in found.sentence and "valuable" not in found.sentence


async def test_events_that_were_set_aside_are_counted(tmp_path: Path) -> None:
    settings = StoreSettings(data=str(tmp_path / "data"))
    await make(settings)
    stores = open_stores(settings, lambda: 0)
    await Outbox(stores.records).put_aside("hits", Event("e1", "reads.stored", 0, b""), 6, "ValueError", 0)
    await close_stores(stores)
    found = of(await examine(settings), "events")
    assert [(each.verdict, each.figures) for each in found[1:]] == [("look", {"set_aside": 1})]


async def test_servers_that_do_not_answer_are_wrong_and_passwords_stay_hidden(tmp_path: Path) -> None:
    settings = StoreSettings(
        data=str(tmp_path),
        records="postgresql://guardian:hunter2@127.0.0.1:1/guardian",
        events="nats://user:hunter2@127.0.0.1:1",
    )
    async with asyncio.timeout(30):
        findings = await examine(settings)
    assert [finding.verdict for finding in of(findings, "records") + of(findings, "events")] == ["wrong", "wrong"]
    assert "hunter2" not in str(findings) and "127.0.0.1:1" in str(findings)


@pytest.mark.real("postgres", "nats", "s3")
async def test_real_servers_are_named_with_their_versions(
    tmp_path: Path, postgres_url: str, nats_url: str, s3_url: str
) -> None:
    settings = StoreSettings(data=str(tmp_path), records=postgres_url, photos=s3_url, events=nats_url)
    await make(settings)
    findings = await examine(settings)
    assert {finding.verdict for finding in findings} == {"ok"}, findings
    said = " ".join(finding.sentence for finding in findings)
    assert "PostgreSQL" in said and "JetStream" in said and "object store answers" in said


def test_an_address_without_a_password_is_shown_as_it_is() -> None:
    assert shown("sqlite:////data/records.sqlite") == "sqlite:////data/records.sqlite"
    assert shown("postgresql://a:b@host/db") == "postgresql://…@host/db"


async def test_a_data_folder_without_records_is_said_and_none_are_made(tmp_path: Path) -> None:
    findings = await examine(StoreSettings(data=str(tmp_path)))
    assert [(each.verdict, "guardian migrate" in each.sentence) for each in of(findings, "records")] == [("look", True)]
    assert {each.subject for each in findings} == {"records", "photos", "events", "secrets"}, "the others are looked at"
    assert await asyncio.to_thread(lambda: list(tmp_path.iterdir())) == []


async def test_a_folder_of_secrets_open_to_others_is_wrong(tmp_path: Path) -> None:
    settings = StoreSettings(data=str(tmp_path / "data"))
    await make(settings)
    (tmp_path / "data" / "secrets").chmod(0o750)
    (found,) = of(await examine(settings), "secrets")
    assert found.verdict == "wrong" and "the folder itself" in found.sentence


async def test_tables_of_another_version_are_wrong_with_the_command_that_mends_them(tmp_path: Path) -> None:
    settings = StoreSettings(data=str(tmp_path / "data"))
    stores = open_stores(settings, lambda: 0)
    await stores.records.write(lambda connection: connection.execute(text("CREATE TABLE lonely (id INTEGER)")))
    await close_stores(stores)
    findings = await examine(settings)
    (wrong,) = [each for each in findings if each.verdict == "wrong"]
    assert wrong.subject == "records" and "version none" in wrong.sentence and "guardian migrate" in wrong.sentence
    assert [each.sentence for each in of(findings, "events")] == ["Events stay within the process."]


@pytest.mark.parametrize(("staged", "found"), [(3, []), (4, [("look", {"behind": 4})])])
async def test_a_consumer_far_behind_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, staged: int, found: list[object]
) -> None:
    monkeypatch.setattr("guardian.stores.doctor.OUTBOX_LAG_HIGH", 3)
    settings = StoreSettings(data=str(tmp_path / "data"))
    await make(settings)
    stores = open_stores(settings, lambda: 0)
    box = Outbox(stores.records)
    await box.position("slow", "kept")
    for n in range(staged):
        event = Event(f"e{n}", "reads.stored", n, b"")
        await stores.records.write(lambda connection, event=event: box.stage(connection, event))
    await box.remember({"quick": staged})
    await close_stores(stores)
    said = of(await examine(settings), "events")[1:]
    assert [(each.verdict, each.figures) for each in said] == found
    assert all("slow" in each.sentence for each in said)


async def test_a_disk_that_is_nearly_full_is_to_be_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = StoreSettings(data=str(tmp_path / "data"))
    await make(settings)
    for free, verdict in ((DISK_FREE_BYTES_LOW, "look"), (DISK_FREE_BYTES_LOW + 1, "ok")):
        monkeypatch.setattr("shutil.disk_usage", lambda _folder, free=free: SimpleNamespace(free=free))
        findings = await examine(settings)
        disks = [each for each in findings if "free_bytes" in each.figures]
        assert [(each.subject, each.verdict) for each in disks] == [("records", verdict), ("photos", verdict)]


async def test_whatever_a_neighbour_s_library_raises_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_url: str) -> list[Finding]:
        raise ZeroDivisionError("hunter2")

    settings = StoreSettings(data=str(tmp_path / "data"))
    await make(settings)
    monkeypatch.setattr("guardian.stores.doctor._photos", fail)
    findings = await examine(settings)
    (found,) = of(findings, "photos")
    assert found.verdict == "wrong" and "ZeroDivisionError" in found.sentence and "hunter2" not in found.sentence
    assert {each.verdict for each in findings if each.subject != "photos"} == {"ok"}


async def test_records_on_a_server_that_is_away_hide_nothing_of_the_others_before_the_first_start(
    tmp_path: Path,
) -> None:
    away = StoreSettings(data=str(tmp_path / "data"), records="postgresql://guardian@127.0.0.1:1/guardian")
    async with asyncio.timeout(30):
        findings = await examine(away)
    assert [(each.subject, each.verdict) for each in findings] == [
        ("data", "look"), ("records", "wrong"), ("photos", "look"), ("events", "ok"), ("secrets", "look"),
    ]  # fmt: skip
