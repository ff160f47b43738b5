"""A small sample of the real labelled pictures, quick enough for every run; the whole of them is `bench/plates.py`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from guardian.vision.judge import overlap
from guardian.vision.picture import load_picture

PICTURES_EACH = 5


def _sample(folder: Path, name: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (folder / f"scenes_{name}.jsonl").read_text("utf-8").splitlines()]
    # The training part: what is looked at on every change must not be the part that we are scored on.
    good = [line for line in lines if line["split"] == "train" and all(p["text"] for p in line["plates"])]
    return good[:: max(1, len(good) // PICTURES_EACH)][:PICTURES_EACH]


@pytest.mark.shared
@pytest.mark.parametrize("name", ["carbook", "carlot", "moto", "dashcam"])
def test_plates_of_the_sample_are_found_and_right(engine: Any, shared_plates: Path, name: str) -> None:
    wanted = found = 0
    false: list[str] = []
    for line in _sample(shared_plates, name):
        seen = engine.look(load_picture(shared_plates / line["file"]).frame)
        for plate in line["plates"]:
            wanted += 1
            found += any(
                s.number.text == plate["text"] and overlap(s.corners, _corners(plate["corners"])) > 0.5 for s in seen
            )
        if line.get("complete", True):
            places = [_corners(p["corners"]) for p in line["plates"]]
            false += [line["file"] for s in seen if all(overlap(s.corners, c) < 0.3 for c in places)]
    assert wanted >= PICTURES_EACH
    assert found >= wanted - 1, f"{found} of {wanted}"
    assert false == []


@pytest.mark.shared
def test_crops_are_read_as_they_are(engine: Any, shared_plates: Path) -> None:
    lines = [json.loads(line) for line in (shared_plates / "crops_twocr.jsonl").read_text("utf-8").splitlines()]
    sample = [line for line in lines if line["split"] == "train"][::60]
    right = 0
    for line in sample:
        seen = engine.look_at_crop(load_picture(shared_plates / line["file"]).frame)
        right += seen is not None and seen.number.text == line["text"]
    assert len(sample) > 20
    assert right >= 0.8 * len(sample), f"{right} of {len(sample)}"


def _corners(listed: list[list[float]]) -> Any:
    return tuple((float(x), float(y)) for x, y in listed)
