"""Labelled folders: what is taken, and which lines are refused by file and number."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from guardian.evaluation.labels import LabelError, load_labels, series_named
from tests.evaluation.made import Folder, quad


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "plates")


def test_scenes_crops_and_films_of_a_folder_are_read_with_their_sets(folder: Folder) -> None:
    folder.lines("scenes_street.jsonl", folder.scene("i/a.png", "ABC1235", None, complete=False))
    folder.lines("crops_cuts.jsonl", folder.crop("c/a.png", "366TBM", split="train"))
    folder.picture("v/a.mp4.png")
    passed = {"text": "ABC1235", "from_s": 1.0, "to_s": 2.5, "vehicle": "car"}
    folder.lines("videos.jsonl", {"file": "v/a.mp4.png", "split": "test", "vehicles": [passed]})
    labels = load_labels(folder.path)
    assert labels.sets == ("street", "cuts")
    (scene,), (crop,), (film,) = labels.scenes, labels.crops, labels.films
    assert (scene.complete, [p.text for p in scene.plates], scene.plates[0].height_px) == (False, ["ABC1235", None], 20)
    assert (crop.set, crop.light, film.vehicles[0].to_s) == ("cuts", "not said", 2.5)
    assert not labels.part(split="test").crops
    assert labels.part(split="all", sets=("cuts",)).scenes == ()


def bad(plate: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A good line of a scene with something wrong in it or in its plate."""
    good = {"text": "ABC1235", "corners": quad(10, 40, 40, 20), "vehicle": "car", **(plate or {})}
    return {"file": "i/a.png", "width": 160, "height": 120, "split": "test", "plates": [good], **more}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{not json", "line 2"),
        (bad(width="wide"), r"line 2: Expected `int`"),
        ({"file": "i/a.png"}, "line 2: .*missing required field"),
        (bad(file="i/none.png"), r"line 2: i/none\.png is not there"),
        (bad(file="../i/a.png"), "line 2: .* outside the folder"),
        (bad({"text": "ABC-1235"}), "line 2, plate 1: 'ABC-1235' is no plate in normal form"),
        (bad({"text": "abc1235"}), "line 2, plate 1: 'abc1235'"),
        (bad({"text": ""}), "line 2, plate 1: ''"),
        (bad({"corners": quad(10, 40, 40, 20)[:3]}), "line 2: .*length 4"),
        (bad({"corners": quad(10, 40, 0, 20)}), "plate 1: its corners enclose nothing"),
        (bad({"corners": quad(10, 40, 40, 20)[::-1]}), "plate 1: its corners do not run clockwise"),
        (bad({"corners": quad(500, 40, 40, 20)}), "plate 1: it lies outside the picture of 160x120"),
        (bad(file="i/b.png"), r"i/b\.png is labelled twice"),
    ],
)
def test_a_bad_line_is_refused_by_file_and_number(folder: Folder, line: dict[str, Any] | str, says: str) -> None:
    folder.picture("i/a.png")
    folder.lines("scenes_street.jsonl", folder.scene("i/b.png", "XYZ9876"), line)
    with pytest.raises(LabelError, match=says) as caught:
        load_labels(folder.path)
    assert "scenes_street.jsonl" in caught.value.sentence or "twice" in caught.value.sentence


def test_a_vehicle_that_ends_before_it_begins_is_refused(folder: Folder) -> None:
    folder.picture("v.mp4.png")
    passed = {"text": "ABC1235", "from_s": 3.0, "to_s": 2.5}
    folder.lines("videos.jsonl", {"file": "v.mp4.png", "split": "test", "vehicles": [passed]})
    with pytest.raises(LabelError, match=r"videos\.jsonl line 1, vehicle 1: it passes from 3 s to 2\.5 s"):
        load_labels(folder.path)


def test_a_byte_order_mark_and_blank_lines_are_no_trouble(folder: Folder) -> None:
    folder.lines("scenes_street.jsonl", folder.scene("i/a.png", "ABC1235"), "", folder.scene("i/bb.png", "XYZ9876"))
    path = folder.path / "scenes_street.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(load_labels(folder.path).scenes) == 2


def test_a_folder_without_labels_a_missing_one_and_an_unknown_set_are_refused(folder: Folder) -> None:
    with pytest.raises(LabelError, match="holds no labels"):
        load_labels(folder.path)
    with pytest.raises(LabelError, match="nothere is no folder"):
        load_labels(folder.path / "nothere")
    folder.lines("scenes_street.jsonl", folder.scene("i/a.png", "ABC1235"))
    labels = load_labels(folder.path)
    with pytest.raises(LabelError, match="no set 'yard'") as caught:
        labels.part(sets=("yard",))
    assert "street" in caught.value.hint
    with pytest.raises(LabelError, match="nothing in its split 'hidden'"):
        labels.part(split="hidden")


def test_where_no_split_is_named_all_that_is_not_for_training_is_shown(folder: Folder) -> None:
    bare = folder.scene("i/d.png", "366TBM")
    del bare["split"]
    lines = [folder.scene(f"i/{split}.png", "ABC1235", split=split) for split in ("train", "test", "hidden")]
    folder.lines("scenes_street.jsonl", *lines, bare)
    labels = load_labels(folder.path)
    assert [s.file for s in labels.part(split="").scenes] == ["i/test.png", "i/hidden.png", "i/d.png"]
    folder.lines("scenes_street.jsonl", lines[0])
    with pytest.raises(LabelError, match="nothing beside its training split"):
        load_labels(folder.path).part(split="")


def test_one_name_for_scenes_and_crops_is_refused(folder: Folder) -> None:
    folder.lines("scenes_street.jsonl", folder.scene("i/a.png", "ABC1235"))
    folder.lines("crops_street.jsonl", folder.crop("c/a.png", "XYZ9876"))
    with pytest.raises(LabelError, match="'street' names a set of scenes and a set of crops"):
        load_labels(folder.path)


def test_the_dash_of_the_layout_tells_the_series() -> None:
    assert series_named("AB1235", "AB-1235") == "1992-car-2+4"
    assert series_named("AB1235", "AB1-235") == "1992-moto-3+3b"
    assert series_named("THISISNONE") == "no known series"
