"""`guardian train`: what it cannot do is said in a sentence, before hours are spent."""

from __future__ import annotations

from pathlib import Path

import pytest

from guardian.cli import main


@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        (["reader", "--fold", "9/8"], 3, "fold"),
        (["reader", "--fold", "x"], 3, "fold"),
        (["reader", "--start", "nowhere.pt"], 3, "no-start"),
        (["reader", "--second", "nowhere.pt"], 3, "no-second"),
        (["detector", "--width", "1"], 3, "only-readers"),
        (["reader", "--width", "9"], 3, "width"),
        (["reader", "--device", "tpu"], 2, "misused"),
        (["car"], 2, "misused"),
        ([], 2, "misused"),
    ],
)
def test_what_cannot_be_trained_is_refused_at_once(
    asked: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", *asked]) == code
    assert capsys.readouterr().err.startswith(f"{said}:")


@pytest.mark.real("torch")
def test_a_folder_without_labels_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "detector", "--data", str(tmp_path), "--out", str(tmp_path / "run")]) == 3
    assert "scenes_" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.real("torch")
def test_a_second_reader_that_is_none_is_refused_before_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other.pt").write_bytes(b"no weights")
    run = tmp_path / "run"
    assert main(["train", "reader", "--steps", "1", "--second", str(tmp_path / "other.pt"), "--out", str(run)]) == 3
    assert capsys.readouterr().err.startswith("no-reader:")
    assert not run.exists()
