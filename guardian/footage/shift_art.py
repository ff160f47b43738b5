"""Crops for made-up sightings: the plate as drawn by `plate_art`, seen small, a little aslant, by the light of the hour.

They are drawings, and nothing in them was ever in front of a lens. There are no overviews of these vehicles: a frame of
the demo's film beside another vehicle's number would be false evidence. Those that are hits have their own `stills`.
"""

from __future__ import annotations

from datetime import datetime

import cv2
import numpy as np

from guardian.domain.moment import TAIPEI
from guardian.domain.read import pack_places
from guardian.footage.plate_art import STYLES, draw_plate, sign_places
from guardian.footage.shift import Sighting

_WIDTH_PX = 168
_PAD_PX = 14


def places_in_crop(plate: str) -> bytes:
    """Where the signs stand in what `draw_crop` draws, as a read carries it."""
    whole = _WIDTH_PX + 2 * _PAD_PX
    return pack_places(
        [((_PAD_PX + a * _WIDTH_PX) / whole, (_PAD_PX + b * _WIDTH_PX) / whole) for a, b in sign_places(plate)]
    )


def draw_crop(sighting: Sighting, seed: int) -> tuple[bytes, int, int]:
    """JPEG bytes, width and height of a sighting's crop; the same for the same sighting and seed."""
    dice = np.random.default_rng((seed, sighting.captured_ms, sighting.unit))
    plate = draw_plate(sighting.plate, STYLES[sighting.style], dice)
    height = round(_WIDTH_PX * plate.shape[0] / plate.shape[1])
    pad = _PAD_PX
    frame = np.full((height + 2 * pad, _WIDTH_PX + 2 * pad, 3), (46, 44, 42), np.uint8)
    lean, turn = dice.normal(0, 2.2), dice.normal(0, 2.6)
    right, bottom = pad + _WIDTH_PX, pad + height
    corners = np.array(
        [(pad, pad + turn), (right, pad - turn), (right + lean, bottom - turn), (pad + lean, bottom + turn)], np.float32
    )
    source = np.array([(0, 0), (plate.shape[1], 0), (plate.shape[1], plate.shape[0]), (0, plate.shape[0])], np.float32)
    matrix = cv2.getPerspectiveTransform(source, corners)
    cv2.warpPerspective(
        plate, matrix, (frame.shape[1], frame.shape[0]), dst=frame, flags=cv2.INTER_AREA,
        borderMode=cv2.BORDER_TRANSPARENT,
    )  # fmt: skip
    weak = min(sighting.char_probs)
    soft = cv2.GaussianBlur(frame, (0, 0), 0.9 + 2.2 * (1 - weak))
    hour = datetime.fromtimestamp(sighting.captured_ms / 1000, tz=TAIPEI).hour
    light = 0.92 if 7 <= hour < 17 else 0.74 if hour in (6, 17, 18) else 0.56
    grain = dice.normal(0, 4.5 if light > 0.6 else 8.0, soft.shape[:2])[..., None]
    picture = np.clip(soft.astype(np.float32) * light + grain, 0, 255).astype(np.uint8)
    done, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 82])
    if not done:  # pragma: no cover - the coder takes any picture of this shape
        raise RuntimeError("the crop could not be coded")
    return jpeg.tobytes(), picture.shape[1], picture.shape[0]
