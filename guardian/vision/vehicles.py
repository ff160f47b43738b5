"""Vehicles of a picture: box, kind, colour, body; and which of them carries which plate. Optional, a look of its own.

The model is shown the picture at a low resolution and says for every 8 x 8 px of that how likely a vehicle's middle of each
kind lies there, how far its box reaches, and what it looks like. Colour is measured as well (`colours.py`), since paint
beside a white plate is known better than any net has learnt it. Make and model are not known to this model, and it says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from guardian.domain.read import Corners
from guardian.vision.colours import COLOURS, measured_colour
from guardian.vision.ports import Box, Frame, VehicleSeen
from guardian.vision.weights import content_of, open_session

KINDS = ("car", "motorcycle", "truck", "bus")
COLOUR_WORDS = (*COLOURS, "")
"""The last is cannot tell, of the bodies not known."""
BODIES = ("sedan", "hatchback", "suv", "van", "truck", "bus", "scooter", "motorcycle", "")
SIDES = 4
STRIDE_PX = 8
VEHICLES_MAX = 64
SAME_SHARE = 0.5
"""Boxes that share more than this (intersection over union) are one vehicle."""
PART_SHARE = 0.8
"""A less likely box of the same kind that lies in another by more than this is a part of that vehicle."""
KIND_OF_BODY = {
    "sedan": "car", "hatchback": "car", "suv": "car", "van": "car", "truck": "truck", "bus": "bus", "scooter": "motorcycle",
    "motorcycle": "motorcycle",
}  # fmt: skip


class Look(msgspec.Struct, frozen=True):
    """How vehicles are looked for: the longest side that the model is shown, in px, and what is believed.

    A body is said from 0.85 on: of 20 held-out motorcycles 20 are then said, 19 rightly; of cars' bodies the model says 8 of
    20 right when it must, none with this much, so that they stay not known until it has learnt them.
    """

    side_px: int = 384
    prob_min: float = 0.35
    body_prob_min: float = 0.85


def overlap(a: Box, b: Box) -> float:
    """Intersection over union of two boxes."""
    wide = min(a[2], b[2]) - max(a[0], b[0])
    tall = min(a[3], b[3]) - max(a[1], b[1])
    if wide <= 0 or tall <= 0:
        return 0.0
    both = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return wide * tall / (both - wide * tall)


def inside_share(a: Box, b: Box) -> float:
    """Which part of a box lies in another."""
    wide = min(a[2], b[2]) - max(a[0], b[0])
    tall = min(a[3], b[3]) - max(a[1], b[1])
    return max(0.0, wide) * max(0.0, tall) / max(1e-6, (a[2] - a[0]) * (a[3] - a[1]))


def carrier_of(corners: Corners, vehicles: Sequence[VehicleSeen]) -> int | None:
    """Which vehicle carries a plate: the smallest box in which the plate's middle lies; None where it is in no box."""
    x, y = (sum(c[k] for c in corners) / 4 for k in (0, 1))
    inside = [
        ((v.box[2] - v.box[0]) * (v.box[3] - v.box[1]), place)
        for place, v in enumerate(vehicles)
        if v.box[0] <= x <= v.box[2] and v.box[1] <= y <= v.box[3]
    ]
    return min(inside)[1] if inside else None


def vehicles_of(maps: npt.NDArray[np.float32], look: Look) -> list[VehicleSeen]:
    """Vehicles of one output, likeliest first, in px of what the model saw.

    Args:
        maps: (kinds + sides + colours + bodies, h, w) float32, one cell for every 8 px; probabilities, sides in px.
    """
    kinds = maps[: len(KINDS)]
    heat = np.ascontiguousarray(kinds.max(axis=0))
    tops = (heat >= look.prob_min) & (heat >= cv2.dilate(heat, np.ones((3, 3), np.uint8)))
    rows, columns = np.nonzero(tops)
    kept: list[VehicleSeen] = []
    for place in np.argsort(-heat[rows, columns], kind="stable")[: VEHICLES_MAX * 4]:
        if len(kept) >= VEHICLES_MAX:
            break
        seen = _seen_at(maps, heat, int(rows[place]), int(columns[place]), look)
        if not any(
            overlap(seen.box, other.box) > SAME_SHARE
            or (seen.kind == other.kind and inside_share(seen.box, other.box) > PART_SHARE)
            for other in kept
        ):
            kept.append(seen)
    return kept


def _seen_at(
    maps: npt.NDArray[np.float32], heat: npt.NDArray[np.float32], row: int, column: int, look: Look
) -> VehicleSeen:
    """What a peak and its neighbours say, weighed by how much they are a middle themselves."""
    r0, c0 = max(0, row - 1), max(0, column - 1)
    weight = heat[r0 : row + 2, c0 : column + 2]
    weight = np.where(weight > 0.5 * heat[row, column], weight, 0)
    weight = weight / weight.sum()
    part = maps[:, r0 : row + 2, c0 : column + 2]
    ys, xs = (np.mgrid[r0 : r0 + part.shape[1], c0 : c0 + part.shape[2]] + 0.5) * STRIDE_PX
    left, top, right, bottom = part[len(KINDS) : len(KINDS) + SIDES]
    height, width = heat.shape[0] * STRIDE_PX, heat.shape[1] * STRIDE_PX
    x0, y0, x1, y1 = (float((side * weight).sum()) for side in (xs - left, ys - top, xs + right, ys + bottom))
    box = (max(0.0, x0), max(0.0, y0), min(float(width), x1), min(float(height), y1))
    words = (part[len(KINDS) + SIDES :] * weight).sum(axis=(1, 2))
    return _seen(box, maps[: len(KINDS), row, column], words[: len(COLOUR_WORDS)], words[len(COLOUR_WORDS) :], look)


def _seen(
    box: Box,
    kinds: npt.NDArray[np.float32],
    colours: npt.NDArray[np.float32],
    bodies: npt.NDArray[np.float32],
    look: Look,
) -> VehicleSeen:
    kind = KINDS[int(kinds.argmax())]
    colour = int(colours.argmax())
    # A body of another kind of vehicle is no body of this one.
    fitting = np.asarray([p if KIND_OF_BODY.get(b, kind) == kind else 0 for b, p in zip(BODIES, bodies, strict=True)])
    body = int(fitting.argmax())
    known = fitting[body] >= look.body_prob_min
    return VehicleSeen(
        box=box,
        kind=kind,
        kind_prob=float(kinds.max()),
        colour=COLOUR_WORDS[colour],
        colour_prob=float(colours[colour]),
        body=BODIES[body] if known else "",
        body_prob=float(fitting[body]) if known else float(1 - fitting[body]),
    )


class VehicleFinder:
    """Our own model of vehicles. Holds no state between pictures."""

    def __init__(self, *, threads: int = 1, look: Look | None = None, content: bytes | None = None) -> None:
        self.look = look or Look()
        self._session: Any = open_session(content if content is not None else content_of("vehicles")[0], threads)

    def vehicles(self, frame: Frame, plates: Sequence[Corners] = ()) -> list[VehicleSeen]:
        """Vehicles of a frame, likeliest first, in pixels of the frame.

        Args:
            plates: what was found in the same frame; their white says what white is there.
        """
        height, width = frame.shape[:2]
        factor = self.look.side_px / max(height, width)
        h, w = (max(32, round(side * factor / 32) * 32) for side in (height, width))
        small = np.asarray(
            cv2.resize(frame, (w, h), interpolation=cv2.INTER_AREA if h < height else cv2.INTER_LINEAR), np.uint8
        )
        planes = np.ascontiguousarray(small[:, :, ::-1].transpose(2, 0, 1)[None], dtype=np.float32) / np.float32(255)
        across, down = width / w, height / h
        found = [
            msgspec.structs.replace(v, box=(v.box[0] * across, v.box[1] * down, v.box[2] * across, v.box[3] * down))
            for v in vehicles_of(self._session.run(None, {"frame": planes})[0][0], self.look)
        ]
        carried: dict[int, Corners] = {}
        for corners in plates:
            place = carrier_of(corners, found)
            if place is not None:
                carried.setdefault(place, corners)
        return [self._coloured(frame, v, carried.get(place)) for place, v in enumerate(found)]

    def _coloured(self, frame: Frame, vehicle: VehicleSeen, plate: Corners | None) -> VehicleSeen:
        colour, prob = measured_colour(frame, vehicle.box, plate, narrow=vehicle.kind == "motorcycle")
        return msgspec.structs.replace(vehicle, colour=colour, colour_prob=prob)
