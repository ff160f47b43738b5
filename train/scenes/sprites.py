"""Vehicles in the round, seen from any side: the bodies of `guardian.footage`, cut out, with the place of their plate.

A sprite is drawn once for each body, direction and distance and kept; scenes scale and mirror it.
"""

from __future__ import annotations

import math
from functools import lru_cache

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from guardian.footage.camera import Camera, Texture
from guardian.footage.light import RIGS, Light
from guardian.footage.paint import Pose, Skin, draw_vehicle, to_world
from guardian.footage.vehicles import Body, Material, mesh_of
from guardian.vision.colours import colour_of_paint
from train.plates.layers import noise
from train.scenes.model import Picture, Quad, Rng

KINDS = {
    Body.SEDAN: "car", Body.HATCH: "car", Body.SUV: "car", Body.VAN: "car", Body.TAXI: "car", Body.TRUCK: "truck",
    Body.BUS: "bus", Body.SCOOTER: "motorcycle",
}  # fmt: skip
BODIES = {body: "sedan" if body is Body.TAXI else str(body) for body in Body}
_PAINTS = (
    (228, 230, 232), (226, 228, 228), (182, 184, 186), (150, 150, 150), (110, 112, 112), (60, 60, 62), (32, 32, 34), (24, 24, 26),
    (40, 36, 130), (110, 60, 30), (90, 70, 46), (52, 76, 50), (120, 132, 146), (60, 84, 120), (150, 120, 70), (30, 100, 190),
)  # fmt: skip
_FOCAL = 900.0
DISTANCES = (2.6, 5.0, 10.0)
"""Metres from the lens to the near end of a sprite's vehicle."""


class Sprite(msgspec.Struct, frozen=True):
    """A vehicle cut out.

    Attributes:
        picture: (h, w, 4) uint8, BGRA; lower edge is where its tyres stand.
        px_per_m: at the end that carries the plate.
        plate_m: (3, 3) float64: homography from metres on the plate's plane (x right, y down, from its middle) to px.
        kind: "car", "motorcycle", "truck" or "bus".
        rear: whether its rear is seen.
        facing: cosine between the plate's normal and the line to the lens; 0 where it has no plate on this side.
        lamps: x, y, radius in px of lamps that may be lit.
        look: body and colour of its paint.
    """

    picture: Picture
    px_per_m: float
    plate_m: NDArray[np.float64]
    kind: str
    rear: bool
    facing: float
    lamps: tuple[tuple[float, float, float], ...]
    look: tuple[str, str]

    def plate_quad(self, width_cm: float, height_cm: float) -> Quad:
        """Where a plate of this size is seen, px of the sprite."""
        w, h = width_cm / 200, height_cm / 200
        corners = np.asarray([[(-w, -h), (w, -h), (w, h), (-w, h)]], np.float64)
        return np.asarray(cv2.perspectiveTransform(corners, self.plate_m)[0], np.float32)


@lru_cache(maxsize=240)
def sprite(body: Body, turn: int, distance: int, variant: int) -> Sprite:
    """A vehicle whose axis lies `turn` (degrees, -80 to 80 its rear to us, beyond 100 its front) from our line of sight."""
    rng = np.random.default_rng((929, list(Body).index(body), turn + 360, distance, variant))
    away = DISTANCES[distance]
    mesh = mesh_of(body, away if distance else 6.0, rider=variant % 2 == 1)
    size = 1500
    camera = Camera(size, size, _FOCAL, 0, 0, float(rng.uniform(1.0, 1.5)), math.pi / 2, -0.12)
    yaw = math.radians(turn)
    half = mesh.length_m / 2
    rear = math.cos(yaw) > 0
    # The near end stands straight ahead; the rest of the vehicle lies where it lies.
    sign = 1.0 if rear else -1.0
    pose = Pose(-math.sin(yaw) * half * -sign, away + math.cos(yaw) * half * sign, math.pi / 2 - yaw, lamps=False)
    paint = tuple(float(c) * float(rng.uniform(0.85, 1.1)) for c in _PAINTS[int(rng.integers(len(_PAINTS)))])
    if body is Body.TAXI:
        paint = (20.0, 190.0, 240.0)
    skin = Skin(
        (paint[0], paint[1], paint[2]),
        tuple(rng.uniform(20, 200, 3)),
        tuple(rng.uniform(20, 230, 3)),
        Texture(np.full((4, 4, 3), 40, np.uint8)),
        (0.02, 0.02),
    )
    pair = []
    for level in (0, 255):
        frame = np.full((size, size, 3), level, np.uint8)
        draw_vehicle(frame, camera, RIGS[Light.DAY], mesh, skin, pose)
        pair.append(frame)
    alpha = 255 - (pair[1].astype(np.int16) - pair[0]).max(axis=2)
    alpha = np.clip(alpha, 0, 255).astype(np.uint8)
    rows, columns = np.nonzero(alpha.max(axis=1))[0], np.nonzero(alpha.max(axis=0))[0]
    if not len(rows):
        raise ValueError(f"nothing is seen of {body} from {turn} degrees")
    x0, x1, y0, y1 = int(columns[0]), int(columns[-1]) + 1, int(rows[0]), int(rows[-1]) + 1
    colour = pair[0][y0:y1, x0:x1].astype(np.float32)
    cut = alpha[y0:y1, x0:x1]
    colour = colour / np.maximum(cut[..., None].astype(np.float32) / 255, 0.25)
    h, w = cut.shape
    # Facets soften into sheet metal, and the street is mirrored in it.
    colour = 0.45 * colour + 0.55 * cv2.bilateralFilter(colour, 7, 26, 3.0)
    colour *= (1 + 0.05 * noise(rng, h, w, max(4.0, w / 9)))[..., None]
    colour += noise(rng, h, w, max(2.0, w / 60))[..., None] * 3
    picture = np.empty((h, w, 4), np.uint8)
    picture[..., :3] = np.clip(colour, 0, 255)
    picture[..., 3] = cut

    spot = mesh.plate_rear if rear or mesh.plate_front is None else mesh.plate_front
    y, z, tilt = spot
    local = np.asarray(
        [
            (sx * sign * 0.5, y + sign * math.sin(tilt) * -sz * 0.5, z - math.cos(tilt) * sz * 0.5)
            for sx, sz in ((-1, -1), (1, -1), (1, 1), (-1, 1))
        ]
    )
    world = to_world(local, pose)
    px = camera.project(camera.see(world)) - (x0, y0)
    metres = np.asarray([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)], np.float32)
    plane = np.asarray(cv2.getPerspectiveTransform(metres, px.astype(np.float32)), np.float64)
    normal = np.cross(world[3] - world[0], world[1] - world[0])
    normal /= np.linalg.norm(normal)
    line = camera.place - world.mean(axis=0)
    facing = float(normal @ line / np.linalg.norm(line))
    if mesh.plate_front is None and not rear:
        facing = 0.0
    lamps = []
    want = Material.TAIL if rear else Material.HEAD
    seen = camera.see(to_world(mesh.details, pose))
    for quad, material in zip(seen, mesh.detail_materials, strict=True):
        if material is want and (quad[:, 2] > 0.6).all():
            at = camera.project(quad)
            area = abs(float(cv2.contourArea(at.astype(np.float32))))
            middle = at.mean(axis=0) - (x0, y0)
            if area > 4 and 0 <= middle[0] < w and 0 <= middle[1] < h:
                lamps.append((float(middle[0]), float(middle[1]), math.sqrt(area) / 2))
    look = (BODIES[body], colour_of_paint((paint[0], paint[1], paint[2])))
    return Sprite(picture, _FOCAL / away, plane, KINDS[body], rear, facing, tuple(lamps), look)


_KEPT = 220
_SHARES = {
    Body.SEDAN: 0.16, Body.HATCH: 0.13, Body.SUV: 0.16, Body.VAN: 0.1, Body.TAXI: 0.06, Body.TRUCK: 0.1, Body.BUS: 0.07,
    Body.SCOOTER: 0.22,
}  # fmt: skip


@lru_cache(maxsize=1)
def _catalogue() -> tuple[tuple[Body, int, int], ...]:
    """Which bodies are kept, from which side, at which distance. Those turned the other way are mirrored from them."""
    rng = np.random.default_rng(937)
    bodies = list(_SHARES)
    picks = rng.choice(len(bodies), _KEPT, p=np.asarray(list(_SHARES.values())))
    turns = np.where(rng.random(_KEPT) < 0.55, rng.uniform(0, 78, _KEPT), rng.uniform(102, 180, _KEPT))
    away = rng.choice(3, _KEPT, p=(0.3, 0.4, 0.3))
    return tuple((bodies[int(b)], int(t), int(d)) for b, t, d in zip(picks, turns, away, strict=True))


def _mirrored(seen: Sprite) -> Sprite:
    width = seen.picture.shape[1]
    flip = np.asarray(((-1.0, 0, width - 1), (0, 1, 0), (0, 0, 1)))
    # The plate's own left stays left: the plane is mirrored before and after.
    return msgspec.structs.replace(
        seen,
        picture=np.ascontiguousarray(seen.picture[:, ::-1]),
        plate_m=flip @ seen.plate_m @ np.diag((-1.0, 1.0, 1.0)),
        lamps=tuple((width - 1 - x, y, r) for x, y, r in seen.lamps),
    )


def sprite_for(rng: Rng, body: Body, turn_deg: float, px_per_m: float, *, rider: bool | None = None) -> Sprite:
    """A kept sprite near to what is wanted: one of the same kind, from about that side, not enlarged by much."""
    turn = abs((turn_deg + 180) % 360 - 180)
    scored = []
    for number, (other, seen_from, away) in enumerate(_catalogue()):
        if KINDS[other] != KINDS[body] or (rider is not None and (number % 2 == 1) is not rider):
            continue
        grown = px_per_m / (_FOCAL / DISTANCES[away])
        cost = abs(seen_from - turn) + (60 * max(0.0, grown - 1.2)) + (6 if grown < 0.3 else 0)
        if (seen_from < 90) != (turn < 90):
            cost += 90
        scored.append((cost, number))
    scored.sort()
    near = [n for c, n in scored[:5] if c <= scored[0][0] + 9]
    number = near[int(rng.integers(len(near)))]
    other, seen_from, away = _catalogue()[number]
    found = sprite(other, seen_from, away, number)
    return found if (turn_deg + 180) % 360 - 180 >= 0 else _mirrored(found)
