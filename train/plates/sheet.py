"""Contact sheets: what the model is fed, to be looked at.

    python -m train.plates.sheet OUT.png --seed 1 --count 80

Upper part: plates as art. Middle: the same plates photographed, each with its corners and straightened as the reader sees
it, ticks at the characters' middles. Lower part: look-alikes. The same seed gives the same bytes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from train.plates import draw_plate
from train.plates.lookalikes import lookalike
from train.plates.model import Picture
from train.plates.snap import Snap, snap

_TILE_W, _TILE_H = 232, 110
_GROUND = 72


def _words(tile: Picture, text: str) -> None:
    cv2.putText(tile, text, (2, tile.shape[0] - 4), cv2.FONT_HERSHEY_SIMPLEX, 0.36, (255, 255, 255), 1, cv2.LINE_AA)


def _flat(picture: Picture) -> Picture:
    """BGRA on the sheet's grey."""
    alpha = picture[..., 3:].astype(np.float32) / 255
    flat: Picture = (picture[..., :3] * alpha + _GROUND * (1 - alpha)).astype(np.uint8)
    return flat


def _tile(picture: Picture, text: str, height: int = _TILE_H) -> Picture:
    tile = np.full((height, _TILE_W, 3), _GROUND, np.uint8)
    scale = min((height - 18) / picture.shape[0], (_TILE_W - 4) / picture.shape[1])
    size = (max(1, int(picture.shape[1] * scale)), max(1, int(picture.shape[0] * scale)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_NEAREST if scale > 1 else cv2.INTER_AREA)
    tile[: small.shape[0], : small.shape[1]] = small
    _words(tile, text)
    return tile


def straightened(taken: Snap, *, width: int = 160, height: int = 48) -> Picture:
    """The plate's quadrangle as an upright rectangle, without the room around it that the reader gets."""
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32) - 0.5
    warp = cv2.getPerspectiveTransform(taken.corners, target)
    return cv2.warpPerspective(taken.picture, warp, (width, height), flags=cv2.INTER_LINEAR)


def _snap_tile(taken: Snap, text: str) -> Picture:
    room = _TILE_H - 18
    scale = min(room / taken.picture.shape[0], (_TILE_W - 4) / taken.picture.shape[1])
    upper = _tile(taken.picture, "")
    corners = np.round(((taken.corners + 0.5) * scale - 0.5) * 16).astype(np.int32)
    cv2.polylines(upper, [corners], True, (90, 230, 90), 1, cv2.LINE_AA, 4)
    lower = np.full((72, _TILE_W, 3), _GROUND, np.uint8)
    lower[:48, :160] = straightened(taken)
    for middle in taken.middles:
        cv2.line(lower, (int(middle * 160), 48), (int(middle * 160), 52), (60, 220, 255), 1)
    _words(lower, text)
    return np.vstack([upper[:room], lower])


def _grid(tiles: list[Picture], columns: int) -> Picture:
    while len(tiles) % columns:
        tiles.append(np.full_like(tiles[0], _GROUND))
    return np.vstack([np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)])


def contact_sheet(seed: int, count: int, *, columns: int = 8, hardness: float = 1.0) -> Picture:
    """(H, W, 3) uint8, BGR: `count` plates as art and as snaps, and half as many look-alikes."""
    art: list[Picture] = []
    snaps: list[Picture] = []
    for i in range(count):
        rng = np.random.default_rng([seed, i])
        plate = draw_plate(rng)
        taken = snap(rng, plate, hardness=hardness)
        art.append(_tile(_flat(plate.picture), f"{plate.layout}  {plate.style}"))
        snaps.append(_snap_tile(taken, f"{taken.layout}  {taken.light}"))
    others: list[Picture] = []
    for i in range(max(columns, count // 2)):
        picture, kind = lookalike(np.random.default_rng([seed, 1, i]))
        others.append(_tile(_flat(picture), kind))
    return np.vstack([_grid(art, columns), _grid(snaps, columns), _grid(others, columns)])


def main(arguments: list[str] | None = None) -> int:
    """Write a contact sheet; 0 when written, 2 where the picture's place cannot be written."""
    parser = argparse.ArgumentParser(prog="python -m train.plates.sheet", description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=80)
    parser.add_argument("--hardness", type=float, default=1.0)
    given = parser.parse_args(arguments)
    sheet = contact_sheet(given.seed, max(1, given.count), hardness=given.hardness)
    done, data = cv2.imencode(".png", sheet)
    if not done:
        raise RuntimeError("OpenCV could not write a PNG in memory")
    given.out.write_bytes(data.tobytes())
    print(f"{given.count} plates, {sheet.shape[1]}x{sheet.shape[0]} px -> {given.out}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
