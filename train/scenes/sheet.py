"""Contact sheet of scenes, with what is told about them: what the finder is fed, to be looked at.

    python -m train.scenes.sheet OUT.png --seed 1 --count 24
    python -m train.scenes.sheet OUT.png --seed 1 --count 24 --data FOLDER     with real ground from a labelled folder

Green: plates to be found. Red: plates that are hidden in part, about which nothing is asked. Blue: vehicles that we drew.
The same seed gives the same bytes. A sheet with real ground must not leave this machine.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import msgspec
import numpy as np

from train.data import load
from train.scenes.compose import draw_scene
from train.scenes.model import GroundView, Picture, Scene

_TILE_W, _TILE_H = 400, 300


class _View(msgspec.Struct, frozen=True):
    picture: Picture
    corners: Picture
    complete: bool


def views_from(folder: Path) -> list[_View]:
    """The training pictures of a labelled folder, with their plates."""
    out = []
    labels = load(folder)
    for scene in labels.scenes:
        picture = cv2.imread(str(labels.folder / scene.file), cv2.IMREAD_COLOR)
        if picture is not None:
            corners = np.asarray([p.corners for p in scene.plates], np.float32).reshape(-1, 4, 2)
            out.append(_View(picture, corners, scene.complete))
    return out


def marked(scene: Scene) -> Picture:
    """The scene small, with its labels on top."""
    h, w = scene.picture.shape[:2]
    scale = min(_TILE_W / w, (_TILE_H - 14) / h)
    small = cv2.resize(scene.picture, (round(w * scale), round(h * scale)), interpolation=cv2.INTER_AREA)
    tile = np.full((_TILE_H, _TILE_W, 3), 60, np.uint8)
    tile[: small.shape[0], : small.shape[1]] = small
    for box in scene.vehicle_boxes * scale:
        cv2.rectangle(tile, (int(box[0]), int(box[1])), (int(box[2]), int(box[3])), (200, 120, 40), 1)
    for quads, colour in ((scene.corners, (80, 240, 80)), (scene.hidden, (60, 60, 255))):
        for quad in quads:
            points = np.round((quad + 0.5) * scale * 16 - 8).astype(np.int32)
            cv2.polylines(tile, [points], True, colour, 1, cv2.LINE_AA, 4)
    words = f"{scene.layout} {scene.light} {len(scene.corners)}+{len(scene.hidden)}{'' if scene.complete else ' open'}"
    cv2.putText(tile, words, (3, _TILE_H - 4), cv2.FONT_HERSHEY_SIMPLEX, 0.36, (255, 255, 255), 1, cv2.LINE_AA)
    return tile


def contact_sheet(
    seed: int, count: int, views: Sequence[GroundView] | None = None, *, columns: int = 6, layout: str | None = None
) -> Picture:
    """(H, W, 3) uint8, BGR."""
    tiles = [marked(draw_scene(np.random.default_rng((seed, i)), views, layout=layout)) for i in range(count)]
    while len(tiles) % columns:
        tiles.append(np.full_like(tiles[0], 60))
    return np.vstack([np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)])


def main(arguments: list[str] | None = None) -> int:
    """Write a contact sheet; 0 when written."""
    parser = argparse.ArgumentParser(prog="python -m train.scenes.sheet", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=24)
    parser.add_argument(
        "--data", type=Path, default=None, help="labelled folder whose training pictures lend their ground"
    )
    parser.add_argument("--layout", default=None)
    given = parser.parse_args(arguments)
    views = views_from(given.data) if given.data else None
    sheet = contact_sheet(given.seed, max(1, given.count), views, layout=given.layout)
    done, data = cv2.imencode(".png", sheet)
    if not done:
        raise RuntimeError("OpenCV could not write a PNG in memory")
    given.out.write_bytes(data.tobytes())
    print(f"{given.count} scenes, {sheet.shape[1]}x{sheet.shape[0]} px -> {given.out}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
