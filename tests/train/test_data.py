"""What may teach a model, and what never."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from guardian.domain.errors import InputRefusedError
from guardian.evaluation.labels import LabelError, load_labels
from guardian.evaluation.mends import load_mends, mended
from train.data import MENDS, SplitLeakError, load, without_fold


def _plate(text: str | None) -> dict[str, Any]:
    return {
        "text": text,
        "box": [10, 10, 70, 40],
        "corners": [[10, 10], [70, 10], [70, 40], [10, 40]],
        "corners_quality": "fitted",
        "vehicle": "car",
    }


def _scene(folder: Path, name: str, split: str, *texts: str | None) -> dict[str, Any]:
    cv2.imwrite(str(folder / name), np.zeros((60, 90, 3), np.uint8))
    return {
        "file": name,
        "width": 90,
        "height": 60,
        "split": split,
        "light": "day",
        "plates": [_plate(t) for t in texts],
    }


def _crop(folder: Path, name: str, split: str, text: str) -> dict[str, Any]:
    cv2.imwrite(str(folder / name), np.zeros((60, 90, 3), np.uint8))
    return {"file": name, "width": 90, "height": 60, "text": text, "layout": text, "legend": None, "split": split}


def _write(folder: Path, scenes: list[dict[str, Any]], crops: list[dict[str, Any]]) -> Path:
    (folder / "scenes_a.jsonl").write_text("\n".join(json.dumps(s) for s in scenes) + "\n")
    (folder / "crops_b.jsonl").write_text("\n".join(json.dumps(c) for c in crops) + "\n")
    return folder


def test_only_the_training_part_is_given(tmp_path: Path) -> None:
    folder = _write(
        tmp_path,
        [_scene(tmp_path, "1.jpg", "train", "ABC1235"), _scene(tmp_path, "2.jpg", "test", "BKD8869")],
        [_crop(tmp_path, "3.jpg", "train", "MKQ7783"), _crop(tmp_path, "4.jpg", "test", "NHP3320")],
    )
    labels = load(folder)
    assert [s.file for s in labels.scenes] == ["1.jpg"]
    assert [c.file for c in labels.crops] == ["3.jpg"]


@pytest.mark.parametrize("where", ["scene", "crop"])
def test_a_plate_in_the_training_part_and_in_another_refuses_the_folder(tmp_path: Path, where: str) -> None:
    scenes = [_scene(tmp_path, "1.jpg", "train", "ABC1235")]
    crops = [_crop(tmp_path, "3.jpg", "train", "MKQ7783")]
    if where == "scene":
        scenes.append(_scene(tmp_path, "2.jpg", "test", None, "MKQ7783"))
    else:
        crops.append(_crop(tmp_path, "4.jpg", "hidden", "ABC1235"))
    with pytest.raises(SplitLeakError) as caught:
        load(_write(tmp_path, scenes, crops))
    assert caught.value.reference == "text-in-two-splits"
    assert "MKQ" not in str(caught.value) and "ABC" not in str(caught.value)  # plates are people


def test_one_plate_in_two_parts_of_which_none_teaches_is_no_matter(tmp_path: Path) -> None:
    scenes = [
        _scene(tmp_path, "1.jpg", "train", "ABC1235"),
        _scene(tmp_path, "2.jpg", "test", "BKD8869"),
        _scene(tmp_path, "5.jpg", "hidden", "BKD8869"),
    ]
    assert len(load(_write(tmp_path, scenes, [_crop(tmp_path, "3.jpg", "train", "MKQ7783")])).scenes) == 1


def test_a_broken_line_is_refused_by_file_and_number(tmp_path: Path) -> None:
    folder = _write(
        tmp_path, [_scene(tmp_path, "1.jpg", "train", "ABC1235")], [_crop(tmp_path, "3.jpg", "train", "MKQ7783")]
    )
    with (folder / "crops_b.jsonl").open("a") as file:
        file.write('{"file": \n')
    with pytest.raises(LabelError, match=r"crops_b\.jsonl.*2"):
        load(folder)


def test_pictures_of_one_plate_are_on_one_side_of_a_fold(tmp_path: Path) -> None:
    texts = [f"BKD{n:04d}".replace("4", "5") for n in range(30)]
    scenes = [_scene(tmp_path, f"{i}.jpg", "train", text) for i, text in enumerate(texts)]
    crops = [_crop(tmp_path, f"c{i}.jpg", "train", text) for i, text in enumerate(texts)]
    labels = load(_write(tmp_path, scenes, crops))
    seen = set()
    for fold in range(5):
        learnt, looked_at = without_fold(labels, fold, 5)
        inside = {p.text for s in looked_at.scenes for p in s.plates} | {c.text for c in looked_at.crops}
        outside = {p.text for s in learnt.scenes for p in s.plates} | {c.text for c in learnt.crops}
        assert not inside & outside
        assert len(inside) + len(outside) == len(set(texts))
        seen |= inside
    assert seen == set(texts)


@pytest.mark.shared
def test_the_labelled_pictures_may_teach(shared_plates: Path) -> None:
    labels = load(shared_plates)
    assert len(labels.scenes) == 249
    assert len(labels.crops) == 1414


def test_a_wrong_label_is_mended_sign_by_sign_and_its_dash_stays(tmp_path: Path) -> None:
    crops = [
        {**_crop(tmp_path, "3.jpg", "train", "MKQ7783"), "layout": "MKQ-7783"},
        {**_crop(tmp_path, "4.jpg", "train", "9830JHV"), "layout": "9830JHV"},
    ]
    labels = load(_write(tmp_path, [_scene(tmp_path, "1.jpg", "train", "ABC1235")], crops))
    better, changed = mended(labels, {"3.jpg": {"0": "N", "6": "5"}, "4.jpg": {"3": ""}, "5.jpg": {"0": "X"}})
    assert changed == 2
    assert (better.crops[0].text, better.crops[0].layout) == ("NKQ7785", "NKQ-7785")
    assert (better.crops[1].text, better.crops[1].layout) == ("983JHV", None)


def test_mends_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text('{"1.jpg": "N"}')
    for name in ("m.json", "none.json"):
        with pytest.raises(InputRefusedError) as caught:
            load_mends(tmp_path / name)
        assert caught.value.reference == "mends"


@pytest.mark.shared
def test_every_mend_is_of_a_picture_that_is_there(shared_plates: Path) -> None:
    assert set(load_mends(MENDS)) <= {crop.file for crop in load_labels(shared_plates).crops}
