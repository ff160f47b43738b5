"""`guardian --help` is a page to be shown to a friend, quick, and exit codes tell the cause."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from rich.cells import cell_len

from guardian.cli import build_app, exit_code_of, main
from guardian.domain.errors import GuardianError, InputRefusedError, NeighbourUnreachableError, NotAllowedError


def test_every_line_of_the_first_page_fits_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    page = capsys.readouterr().out
    assert max(len(line) for line in page.splitlines()) <= 80
    assert "guardian read photo.jpg" in page
    assert "[red]" not in page and "╭" not in page


def test_the_page_of_read_has_examples_and_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["read", "--help"]) == 0
    page = capsys.readouterr().out
    for part in ("--json", "--show", "--crops", "Examples:", "FILE_OR_FOLDER"):
        assert part in page
    assert max(len(line) for line in page.splitlines()) <= 80


def test_help_does_not_load_the_reading_engine() -> None:
    code = "import sys, guardian.cli as c; c.main(['--help']); print([m for m in ('cv2', 'onnxruntime', 'numpy', 'litestar') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_every_noun_says_one_sentence() -> None:
    app = build_app()
    assert "read" in list(app)


def test_exit_codes_tell_the_cause(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code_of(InputRefusedError("x")) == 3
    assert exit_code_of(NeighbourUnreachableError("x")) == 4
    assert exit_code_of(NotAllowedError("x")) == 5
    assert exit_code_of(GuardianError("x")) == 1
    assert main(["read"]) == 2
    assert main(["fly"]) == 2
    (tmp_path / "file").touch()
    assert main(["read", str(tmp_path / "file"), "--show", str(tmp_path / "file")]) == 3
    assert "show-folder" in capsys.readouterr().err


def test_a_fault_of_ours_says_so_and_ends_with_70(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import guardian.vision.engine

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("wires crossed")

    monkeypatch.setattr(guardian.vision.engine, "open_engine", broken)
    assert main(["read", "x.jpg"]) == 70
    assert "fault of guardian" in capsys.readouterr().err


def _pages(app: object, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The path of every command and group, from the root down."""
    found = [path]
    for name in app:  # type: ignore[attr-defined]
        if not name.startswith("-"):
            found += _pages(app[name], (*path, name))  # type: ignore[index]
    return found


PAGES = _pages(build_app())


def test_the_walk_finds_the_commands_of_groups_as_well() -> None:
    assert {("read",), ("device", "run"), ("archive", "destroy-expired"), ("access", "link")} <= set(PAGES)


@pytest.mark.parametrize("path", PAGES, ids=" ".join)
def test_every_page_fits_a_terminal_explains_every_parameter_and_has_an_example(
    path: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*path, "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if cell_len(line) > 80] == [], "a Chinese sign takes two columns"
    assert [
        line for line in lines if line.startswith("  --") and line.split("   ")[-1].strip()[:1] in ("", "[", "-")
    ] == []
    assert [line for line in lines if "--no-" in line and "no-browser" not in line] == [], "noise"
    if not any(line == "Commands:" for line in lines):
        assert any("guardian " + " ".join(path) in line for line in lines[1:]), "no example"
