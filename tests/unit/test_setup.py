"""The set-up of a bare machine: what it trusts, and what it says while one waits."""

from __future__ import annotations

import importlib.util
import io
import sys
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parent.parent.parent / "scripts" / "setup.py"


@pytest.fixture
def setup():  # type: ignore[no-untyped-def]
    spec = importlib.util.spec_from_file_location("guardian_scripts_setup", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_an_office_certificate_of_the_system_is_trusted_by_node_as_well(setup, tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    bundle = tmp_path / "bundle.crt"
    bundle.write_text("made up")
    monkeypatch.setattr(setup, "CERTIFICATES", (str(tmp_path / "none.crt"), str(bundle)))
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("NODE_EXTRA_CA_CERTS", raising=False)
    assert setup.trusted("NODE_EXTRA_CA_CERTS") == {"NODE_EXTRA_CA_CERTS": str(bundle)}
    monkeypatch.setenv("NODE_EXTRA_CA_CERTS", "/their/own.crt")
    assert setup.trusted("NODE_EXTRA_CA_CERTS") == {}, "what somebody has set stays"


def test_where_the_system_keeps_no_certificates_the_programs_keep_their_own(setup, tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(setup, "CERTIFICATES", (str(tmp_path / "none.crt"),))
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("NODE_EXTRA_CA_CERTS", raising=False)
    assert setup.trusted("NODE_EXTRA_CA_CERTS") == {}


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_long_step_counts_its_seconds_on_a_terminal_and_keeps_a_log_to_one_line(setup, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    terminal, log = _Terminal(), io.StringIO()
    for stream in (terminal, log):
        monkeypatch.setattr(sys, "stdout", stream)
        with setup.ticking("[2/5] packages"):
            time.sleep(1.3)
    assert "[2/5] packages … 1 s" in terminal.getvalue()
    assert log.getvalue() == "[2/5] packages …"


def test_every_python_gets_the_versions_that_were_tested() -> None:
    locks = sorted((SCRIPT.parent.parent / "requirements").glob("*.txt"))
    assert locks
    forks = [
        f"{lock.name}: {line}"
        for lock in locks
        for line in lock.read_text("utf-8").splitlines()
        if "==" in line and ("python_version" in line or "python_full_version" in line)
    ]
    assert forks == [], "another Python would run what no test has seen"
