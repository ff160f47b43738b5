"""Our models' files: what is listed is opened, anything else is refused and says what to do."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import pytest

from guardian.vision.weights import FOLDER, LIST_NAME, WeightFile, WeightsError, content_of, listed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    content = b"a model"
    (tmp_path / "finder.onnx").write_bytes(content)
    entry = WeightFile("finder.onnx", hashlib.sha256(content).hexdigest(), len(content), "1")
    (tmp_path / LIST_NAME).write_bytes(msgspec.json.encode({"finder": entry}))
    listed.cache_clear()
    yield tmp_path  # type: ignore[misc]
    listed.cache_clear()


def test_a_listed_file_is_given(folder: Path) -> None:
    content, entry = content_of("finder", folder)
    assert content == b"a model"
    assert entry.version == "1"


def test_a_file_with_one_other_byte_is_refused_and_says_what_to_do(folder: Path) -> None:
    (folder / "finder.onnx").write_bytes(b"a modem")
    with pytest.raises(WeightsError) as caught:
        content_of("finder", folder)
    assert caught.value.reference == "weights-refused"
    assert "finder.onnx" in caught.value.sentence
    assert "guardian train" in caught.value.hint


@pytest.mark.parametrize("broken", ["file", "list", "name", "damaged"])
def test_what_is_not_there_is_said(folder: Path, broken: str) -> None:
    if broken == "file":
        (folder / "finder.onnx").unlink()
    elif broken == "list":
        (folder / LIST_NAME).unlink()
    elif broken == "damaged":
        (folder / LIST_NAME).write_bytes(b'{"finder": 3}')
    with pytest.raises(WeightsError) as caught:
        content_of("other" if broken == "name" else "finder", folder)
    assert caught.value.hint


def test_all_our_models_are_whole_and_small_enough_for_a_phone() -> None:
    entries = listed()
    for name, entry in entries.items():
        content, _ = content_of(name)
        assert len(content) == entry.bytes
    assert {"detector", "reader"} <= set(entries)
    assert sum(entry.bytes for entry in entries.values()) <= 12_000_000
    assert {f.name for f in FOLDER.iterdir()} == {LIST_NAME, *(entry.file for entry in entries.values())}
