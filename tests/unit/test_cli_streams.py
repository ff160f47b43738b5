"""What a command answers stands on stdout, alone; what it logs and says besides on stderr."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.house import guardian


def test_migrate_answers_in_one_sentence_and_logs_beside_it(tmp_path: Path) -> None:
    run = guardian("migrate", "--home", str(tmp_path))
    assert run.returncode == 0
    assert re.fullmatch(r"The records went from version none to \w+\.\n", run.stdout)
    assert "records.migrated" in run.stderr
    again = guardian("migrate", "--home", str(tmp_path))
    assert re.fullmatch(r"The records are up to date \(version \w+\)\.\n", again.stdout)


def test_a_link_is_all_that_is_answered_to_who_asks_for_one(tmp_path: Path) -> None:
    run = guardian("access", "link", "林佳穎", "--home", str(tmp_path))
    assert re.fullmatch(r"/enter#token=\S+\n", run.stdout), "ready for $(…)"
    assert "records.migrated" in run.stderr


def test_each_line_of_the_doctors_json_is_an_object(tmp_path: Path) -> None:
    guardian("migrate", "--home", str(tmp_path))
    run = guardian("doctor", "--json", "--home", str(tmp_path))
    assert run.stdout
    assert all("verdict" in json.loads(line) for line in run.stdout.splitlines())


def test_what_went_wrong_is_no_answer(tmp_path: Path) -> None:
    for words in (
        ("read",),
        ("doctor", "--config", str(tmp_path / "none.toml")),
        ("access", "link", "甲", "--role", "x"),
    ):
        run = guardian(*words, HOME=str(tmp_path))
        assert run.returncode != 0
        assert run.stdout == ""
        assert run.stderr
