"""Labels, reads and small pictures made by code, and subjects whose answers are known. No picture here is a photo."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from guardian.domain.read import Corners
from guardian.evaluation.labels import LabelledPlate, Scene
from guardian.evaluation.ports import Looked, PlateRead
from guardian.vision.ports import Frame


def quad(x: float, y: float, width: float = 100.0, height: float = 40.0) -> Corners:
    """An upright rectangle as corners."""
    return ((x, y), (x + width, y), (x + width, y + height), (x, y + height))


def plate(text: str | None, corners: Corners | None = None, **more: Any) -> LabelledPlate:
    return LabelledPlate(text, corners or quad(100, 100), **{"vehicle": "car", **more})


def scene(*plates: LabelledPlate, **more: Any) -> Scene:
    return Scene(
        **{
            "file": "images/a.png",
            "width": 640,
            "height": 480,
            "split": "test",
            "light": "day",
            "set": "street",
            **more,
        },
        plates=plates,
    )


def read(text: str, corners: Corners | None = None, confidence: float = 0.95) -> PlateRead:
    return PlateRead(text, confidence, corners or quad(100, 100))


def looked(*reads: PlateRead, anywhere: tuple[str, ...] = ()) -> Looked:
    return Looked(reads, anywhere)


class Answers:
    """A subject that answers by rule; it notes every frame that it was shown."""

    version = "1"

    def __init__(self, answer: Callable[[Frame], Looked], *, name: str = "answers", tells_plates: bool = True) -> None:
        self.name, self.tells_plates = name, tells_plates
        self._answer = answer
        self.shown: list[Frame] = []

    def look(self, frame: Frame) -> Looked:
        self.shown.append(frame.copy())
        return self._answer(frame)

    def look_at_crop(self, frame: Frame) -> Looked:
        return self.look(frame)


class Folder:
    """Writes a labelled folder: noise of its own for each picture, and lines as they are given."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)

    def picture(self, file: str, *, width: int = 160, height: int = 120, seed: int = 0) -> str:
        target = self.path / file
        target.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(seed).integers(60, 200, (height, width, 3)).astype(np.uint8)
        cv2.imwrite(str(target), noise)
        return file

    def lines(self, name: str, *lines: dict[str, Any] | str) -> None:
        said = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        (self.path / name).write_text("\n".join(said) + "\n", "utf-8")

    def scene(self, file: str, *texts: str | None, **more: Any) -> dict[str, Any]:
        """A line of a scene whose plates stand beside one another, 40 px wide, 20 high."""
        self.picture(file, seed=len(file))
        plates = [
            {"text": text, "corners": quad(10 + 50 * i, 40, 40, 20), "corners_quality": "fitted", "vehicle": "car"}
            for i, text in enumerate(texts)
        ]
        return {"file": file, "width": 160, "height": 120, "split": "test", "light": "day", "plates": plates, **more}

    def crop(self, file: str, text: str, **more: Any) -> dict[str, Any]:
        self.picture(file, width=80, height=32, seed=len(file))
        return {"file": file, "width": 80, "height": 32, "split": "test", "text": text, "layout": None, **more}
