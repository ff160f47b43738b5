"""The street itself: sky, road with its paint, pavements, houses with arcades and signs, lamps, trees, signals.

Everything lies along a `Way`; houses keep clear of crossings. Walls are drawn from far to near.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from guardian.footage import traffic as lanes
from guardian.footage.camera import Camera, Texture
from guardian.footage.facade import ARCADE_M, House, build_house
from guardian.footage.light import LightRig
from guardian.footage.path import Crossing, Way
from guardian.footage.plate_art import Picture

Floats = NDArray[np.float64]
_SEE_M = 170.0


class Shape(msgspec.Struct):
    """Corners of a house in world metres."""

    a: Floats
    b: Floats
    inner_a: Floats
    inner_b: Floats
    gable: tuple[Floats, Floats]
    ceiling: Floats
    pillars: list[tuple[Floats, list[float]]]
    awning: Floats | None
    signs: list[tuple[float, Floats, Floats, Floats, float, float, Texture]]


class Standing(msgspec.Struct):
    """A house at its place: from `s0` to `s1` along, front at `u` (right side positive)."""

    s0: float
    s1: float
    u: float
    house: House
    shape: Shape | None = None


class Street:
    """Scenery of one drive, baked for one light."""

    def __init__(
        self,
        way: Way,
        crossings: Sequence[Crossing],
        rig: LightRig,
        rng: np.random.Generator,
        *,
        end_m: float,
        rain: bool,
        variety: int,
    ) -> None:
        self.way, self.crossings, self.rig, self.rain = way, crossings, rig, rain
        stock = [build_house(rng, rig) for _ in range(variety)]
        self.houses = [
            *self._row(stock, rng, lanes.WALL_U, end_m),
            *self._row(stock, rng, lanes.FAR_WALL_U, end_m),
        ]
        self.trees = [
            (float(s + rng.uniform(-1.5, 1.5)), float(u), int(rng.integers(3)), float(rng.uniform(0.8, 1.15)))
            for u in (lanes.PAVEMENT_U + 0.75, lanes.FAR_KERB_U - 0.7)
            for s in np.arange(-20, end_m + 170, 17.0)
            if rng.random() < 0.55 and not self._in_crossing(float(s), 3.0)
        ]
        self.lamps = [float(s) for s in np.arange(-40, end_m + 180, 33.0) if not self._in_crossing(float(s), 2.0)]
        self._foliage = [_tree(rng, rig) for _ in range(3)]
        self._asphalt = _asphalt(rng)
        self._sky = _sky(rng, rig)
        self._paint = 0.80 * 230

    def _in_crossing(self, s: float, room: float) -> bool:
        return any(abs(s - c.s_m) < c.width_m / 2 + room for c in self.crossings)

    def _row(self, stock: list[House], rng: np.random.Generator, u: float, end_m: float) -> list[Standing]:
        out: list[Standing] = []
        s = -30.0
        while s < end_m + 180:
            house = stock[int(rng.integers(len(stock)))]
            blocked = [
                c for c in self.crossings if s < c.s_m + c.width_m / 2 and s + house.width_m > c.s_m - c.width_m / 2
            ]
            if blocked:
                s = blocked[0].s_m + blocked[0].width_m / 2 + 0.01
                continue
            out.append(Standing(s, s + house.width_m, u, house))
            s += house.width_m + (0.0 if rng.random() < 0.85 else float(rng.uniform(0.5, 3.0)))
        return out

    # Sky and ground -------------------------------------------------------------------------------------------

    def draw_sky(self, frame: Picture, camera: Camera) -> None:
        """Sky and far skyline, turned with the camera."""
        rows = max(1, min(frame.shape[0], int(camera.horizon_px) + 12))
        wide = self._sky.shape[1]
        columns = (np.arange(camera.width_px) - camera.cx) / camera.focal_px
        turn = (np.arctan(columns) - camera.angle) / (2 * math.pi) * wide
        scale = camera.focal_px / 620.0
        up = (camera.horizon_px - np.arange(rows)) / scale
        map_x = np.broadcast_to((turn % (wide - 1)).astype(np.float32), (rows, camera.width_px))
        map_y = np.broadcast_to((self._sky.shape[0] - 60 - up).astype(np.float32)[:, None], (rows, camera.width_px))
        frame[:rows] = cv2.remap(
            self._sky,
            np.ascontiguousarray(map_x),
            np.ascontiguousarray(map_y),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )

    def draw_ground(self, frame: Picture, camera: Camera, s: float, red: dict[float, bool]) -> None:
        """Road surface, paint and pavements in the light of the hour."""
        top = int(max(0, min(camera.height_px - 2, math.ceil(camera.horizon_px + 1))))
        rows = np.arange(top, camera.height_px, dtype=np.float64)
        height = camera.place[2]
        # Level camera assumed for the surface grain; pitch of a car is small.
        depth = np.minimum(camera.focal_px * height / np.maximum(rows - camera.horizon_px, 0.5), 400.0)
        ahead = depth[:, None]
        right = (np.arange(camera.width_px)[None] - camera.cx) / camera.focal_px * ahead
        c, sn = math.cos(camera.angle), math.sin(camera.angle)
        x = camera.place[0] + c * ahead + sn * right
        y = camera.place[1] + sn * ahead - c * right
        side = self._asphalt.shape[0]
        per_m = side / 12.0
        grain = cv2.remap(
            self._asphalt, np.mod(x * per_m, side - 1).astype(np.float32), np.mod(y * per_m, side - 1).astype(np.float32),
            cv2.INTER_LINEAR,
        )  # fmt: skip
        fade = np.clip(14.0 / depth, 0.0, 1.0)[:, None].astype(np.float32)
        tone = cv2.multiply(grain.astype(np.float32) - np.float32(104.0), np.repeat(fade, grain.shape[1], axis=1))
        grey = cv2.convertScaleAbs(tone, alpha=1.0, beta=104.0)
        cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR, dst=frame[top:])
        self._draw_paint(frame, camera, s)
        lit = self._ground_light(camera, depth, right, s)
        cv2.multiply(frame[top:], lit, dst=frame[top:], scale=1 / 100)
        del red

    def _ground_light(self, camera: Camera, depth: Floats, right: Floats, s: float) -> Picture:
        rig = self.rig
        step = 8
        d = depth[::step, None]
        r = right[::step, ::step]
        base = (np.array(rig.ambient) + np.array(rig.sun) * rig.sun_from[2] * 0.85)[None, None]
        light = np.broadcast_to(base, (d.shape[0], r.shape[1], 3)).copy()
        if rig.headlight:
            beam = np.exp(-((r / (1.9 + 0.16 * d)) ** 2)) * np.clip((d - 2.0) / 3.0, 0, 1) / (1 + (d / 15.0) ** 2)
            light += (rig.headlight * 0.95 * beam)[..., None] * np.array((0.90, 0.97, 1.0))
        if rig.lamps:
            along = d + s
            for lamp in self.lamps:
                if not s - 12 < lamp < s + 90:
                    continue
                for u in (2.2, lanes.FAR_KERB_U + 2.0):
                    away = ((along - lamp) / 8.0) ** 2 + ((r - u) / 6.0) ** 2
                    light += (0.34 * np.exp(-away))[..., None] * np.array((0.62, 0.86, 1.0)) * rig.glow
            shops = np.exp(-(((r - lanes.WALL_U) / 3.0) ** 2)) * 0.26 * rig.glow  # light that falls out of the arcade
            light += shops[..., None] * np.array((0.72, 0.90, 1.0))
        scaled = np.clip(light * 100, 0, 255).astype(np.uint8)
        return np.asarray(cv2.resize(scaled, (right.shape[1], right.shape[0]), interpolation=cv2.INTER_LINEAR))

    def _strip(
        self,
        frame: Picture,
        camera: Camera,
        s0: float,
        s1: float,
        u0: float,
        u1: float,
        colour: tuple[float, float, float],
        z: float = 0.0,
    ) -> None:
        count = max(2, int(abs(s1 - s0) / 6.0) + 1)
        along = np.linspace(s0, s1, count)
        near, far = self.way.world(along, np.full(count, u0)), self.way.world(along[::-1], np.full(count, u1))
        points = np.concatenate((near, far))
        flat = camera.clip_ground(np.column_stack((points, np.full(len(points), z))))
        if flat is not None and len(flat) >= 3:
            flat = np.clip(flat, -4000, 8000)
            cv2.fillPoly(frame, [np.round(flat * 16).astype(np.int32)], colour, cv2.LINE_AA, 4)

    def _draw_paint(self, frame: Picture, camera: Camera, s: float) -> None:
        near, far = s + 1.2, s + _SEE_M
        white, yellow, red = (206, 208, 208), (60, 176, 214), (52, 48, 176)
        walk, walk2 = (132, 138, 142), (120, 126, 128)
        self._strip(frame, camera, near, far, lanes.PAVEMENT_U, lanes.SHOP_U + 12, walk)
        self._strip(frame, camera, near, far, lanes.FAR_KERB_U, lanes.FAR_WALL_U - 14, walk)
        self._strip(frame, camera, near, far, lanes.WALL_U - 0.3, lanes.SHOP_U + 12, walk2)
        first = math.floor(near / 1.2) * 1.2
        for k in range(9):  # joints of the paving
            self._strip(
                frame,
                camera,
                first + k * 1.2,
                first + k * 1.2 + 0.05,
                lanes.PAVEMENT_U + 0.3,
                lanes.WALL_U - 0.3,
                (108, 112, 114),
            )
        for c in self.crossings:  # the side road runs through pavement and kerb
            if near - 20 < c.s_m < far:
                half = c.width_m / 2
                self._strip(
                    frame,
                    camera,
                    max(c.s_m - half, near),
                    max(c.s_m + half, near),
                    lanes.PAVEMENT_U - 0.2,
                    60,
                    (100, 100, 100),
                )
                self._strip(
                    frame,
                    camera,
                    max(c.s_m - half, near),
                    max(c.s_m + half, near),
                    lanes.FAR_KERB_U + 0.2,
                    -70,
                    (100, 100, 100),
                )
        # Lines along, in pieces between crossings.
        cuts = [near]
        for c in self.crossings:
            if c.signals and near < c.s_m + c.width_m / 2 and c.s_m - c.width_m / 2 < far:
                cuts += [max(near, c.s_m - c.width_m / 2 - 5.5), max(near, c.s_m + c.width_m / 2 + 5.5)]
        cuts.append(far)
        for s0, s1 in zip(cuts[::2], cuts[1::2], strict=True):
            if s1 - s0 < 0.5:
                continue
            self._strip(frame, camera, s0, s1, lanes.CENTRE_U - 0.20, lanes.CENTRE_U - 0.08, yellow)
            self._strip(frame, camera, s0, s1, lanes.CENTRE_U + 0.08, lanes.CENTRE_U + 0.20, yellow)
            self._strip(frame, camera, s0, s1, lanes.LANE_M / 2 + 0.06, lanes.LANE_M / 2 + 0.18, white)
            self._strip(frame, camera, s0, s1, lanes.FAR_KERB_U + 2.4, lanes.FAR_KERB_U + 2.52, white)
            self._strip(frame, camera, s0, s1, lanes.PAVEMENT_U - 0.14, lanes.PAVEMENT_U, red)
            self._strip(frame, camera, s0, s1, lanes.PAVEMENT_U, lanes.PAVEMENT_U + 0.14, (150, 152, 152), 0.14)
            dash = math.ceil((s0 - 4.0) / 10.0) * 10.0
            while dash < min(s1, s + 120):
                a, b = max(dash, s0), min(dash + 4.0, s1)
                if b - a > 0.1:
                    for u in (-lanes.LANE_M / 2, lanes.ONCOMING_U[0] - lanes.LANE_M / 2):
                        self._strip(frame, camera, a, b, u - 0.06, u + 0.06, white)
                dash += 10.0
        for c in self.crossings:
            if not c.signals or not near - 25 < c.s_m < s + 110:
                continue
            half = c.width_m / 2
            for edge, way in ((c.s_m - half - 4.6, -1), (c.s_m + half + 0.6, 1)):
                u = lanes.FAR_KERB_U + 0.4
                while u < lanes.PAVEMENT_U - 0.4:  # zebra
                    if edge + 4.0 > near:
                        self._strip(frame, camera, max(edge, near), edge + 4.0, u, u + 0.45, white)
                    u += 0.95
                del way
            stop = c.s_m - half - 5.6
            if stop > near:
                self._strip(frame, camera, stop - 0.35, stop, lanes.CENTRE_U + 0.4, lanes.PAVEMENT_U - 0.3, white)
            box0, box1 = stop - 5.0, stop - 0.35  # 機車停等區
            if box1 > near:
                for u in (-lanes.LANE_M * 1.5 + 0.1, -lanes.LANE_M / 2, lanes.LANE_M / 2):
                    self._strip(frame, camera, max(box0, near), box1, u, u + 0.12, white)
                if box0 > near:
                    self._strip(frame, camera, box0 - 0.3, box0, lanes.CENTRE_U + 0.4, lanes.LANE_M / 2, white)
        cover = math.ceil(near / 23.0) * 23.0  # manholes
        for k in range(4):
            u = (-0.9, 0.7, -3.6, 0.2)[int(cover / 23 + k) % 4]
            turn = np.linspace(0, 2 * np.pi, 20, endpoint=False)
            points = self.way.world(cover + k * 23 + 0.36 * np.cos(turn), u + 0.36 * np.sin(turn))
            flat = camera.clip_ground(np.column_stack((points, np.zeros(20))))
            if flat is not None and len(flat) > 2:
                cv2.fillPoly(frame, [np.round(flat * 16).astype(np.int32)], (74, 74, 76), cv2.LINE_AA, 4)

    # Houses ---------------------------------------------------------------------------------------------------

    def draw_houses(self, frame: Picture, camera: Camera, s: float) -> None:
        """Both rows, far to near: shops in the arcade, pillars, fronts, side walls, signs."""
        rows = [h for h in self.houses if h.s1 > s - 1.0 and h.s0 < s + _SEE_M]
        for standing in sorted(rows, key=lambda h: -h.s0):
            self._draw_house(frame, camera, s, standing)

    def _shape(self, standing: Standing) -> Shape:
        """The corners of a house in world metres; worked out once."""
        if standing.shape is not None:
            return standing.shape
        house, right = standing.house, standing.u > 0
        way, s0, s1, u = self.way, standing.s0, standing.s1, standing.u
        out = 1.0 if right else -1.0

        def at(places: tuple[float, ...], asides: tuple[float, ...]) -> Floats:
            return way.world(np.array(places), np.array(asides))

        inner = u + (lanes.SHOP_U - lanes.WALL_U) * out
        front, back = at((s0, s1), (u, u)), at((s0, s1), (inner, inner))
        # Seen from the road the left end of a right-hand wall is the far one.
        a, b, ia, ib = (front[1], front[0], back[1], back[0]) if right else (front[0], front[1], back[0], back[1])
        gable = at((s0, s0), (u, u + 9 * out))
        ceiling = np.array([(*a, ARCADE_M), (*b, ARCADE_M), (*ib, ARCADE_M), (*ia, ARCADE_M)])
        pillars = []
        for place in (s1 - 0.3, s0 + 0.3):
            for p0, p1, u0, u1, factor in (
                (place - 0.28, place - 0.28, u, u + 0.55 * out, 0.82),
                (place - 0.28, place + 0.28, u, u, 1.0),
            ):
                ends = at((p0, p1), (u0, u1))
                quad = np.array(
                    [(*ends[0], ARCADE_M + 0.02), (*ends[1], ARCADE_M + 0.02), (*ends[1], 0.0), (*ends[0], 0.0)]
                )
                pillars.append((quad, (np.array(house.pillar, float) * factor).tolist()))
        awning = None
        if house.awning is not None:
            rim, root = at((s0 + 0.2, s1 - 0.2), (u - 1.3 * out,) * 2), at((s0 + 0.2, s1 - 0.2), (u, u))
            awning = np.array([(*root[0], 3.25), (*root[1], 3.25), (*rim[1], 2.75), (*rim[0], 2.75)])
        signs = []
        for along, low, high, reach, texture in sorted(house.uprights, key=lambda item: -item[0]):
            place = s0 + along
            u0, u1 = (u - 0.25 - reach, u - 0.25) if right else (u + 0.25, u + 0.25 + reach)
            ends = at((place, place), (u0, u1))
            thick = at((place, place + 0.22), (u0 if right else u1,) * 2)
            edge = np.array([(*thick[0], high), (*thick[1], high), (*thick[1], low), (*thick[0], low)])
            signs.append((place, edge, ends[0], ends[1], low, high, texture))
        standing.shape = Shape(
            a, b, ia, ib, (gable[0], gable[1]) if right else (gable[1], gable[0]), ceiling, pillars, awning, signs
        )
        return standing.shape

    def _draw_house(self, frame: Picture, camera: Camera, s: float, standing: Standing) -> None:
        house, shape = standing.house, self._shape(standing)
        if standing.s0 > s + 2:  # the gable that a gap or a lower neighbour lets us see
            camera.draw_wall(frame, *shape.gable, ARCADE_M, house.height_m, house.side)
        if standing.s0 < s + 60:
            camera.draw_wall(frame, shape.inner_a, shape.inner_b, 0.0, ARCADE_M, house.shop)
        tone = np.array(house.pillar, float) * (0.55 if not self.rig.lamps else 0.75)
        self._fill(frame, camera, shape.ceiling, tone.tolist())
        for quad, colour in shape.pillars:
            self._fill(frame, camera, quad, colour)
        camera.draw_wall(frame, shape.a, shape.b, ARCADE_M, house.height_m, house.front)
        if shape.awning is not None and house.awning is not None:
            shade = np.array(house.awning, float) * np.array(self.rig.wall) * 0.95 + 14 * self.rig.glow
            self._fill(frame, camera, shape.awning, shade.tolist())
        steel = (np.array((90, 92, 94)) * np.array(self.rig.wall)).tolist()
        for place, edge, left, right, low, high, texture in shape.signs:
            if place < s + 2.0:
                continue
            self._fill(frame, camera, edge, steel)
            camera.draw_wall(frame, left, right, low, high, texture)

    def _fill(self, frame: Picture, camera: Camera, points: Floats, colour: list[float]) -> None:
        flat = camera.clip_ground(points)
        if flat is not None and len(flat) > 2:
            cv2.fillPoly(frame, [np.round(np.clip(flat, -8000, 16000) * 16).astype(np.int32)], colour, cv2.LINE_AA, 4)

    # What stands along the kerb --------------------------------------------------------------------------------

    def furniture(self, s: float) -> list[tuple[float, str, object]]:
        """Trees, lamps and signals ahead, as (along, kind, thing)."""
        out: list[tuple[float, str, object]] = [(t[0], "tree", t) for t in self.trees if s + 2 < t[0] < s + 110]
        out += [(lamp, "lamp", lamp) for lamp in self.lamps if s + 1.5 < lamp < s + 120]
        out += [
            (c.s_m - c.width_m / 2 - 0.5, "signal", c)
            for c in self.crossings
            if c.signals and s + 1.5 < c.s_m - c.width_m / 2 < s + 130
        ]
        return out

    def draw_furniture(
        self,
        frame: Picture,
        camera: Camera,
        kind: str,
        thing: object,
        red: dict[float, bool],
        glare: list[tuple[float, float, float, tuple[float, float, float]]],
    ) -> None:
        """Draw one thing; lamps that shine are added to `glare`."""
        if kind == "tree":
            self._draw_tree(frame, camera, *thing)  # type: ignore[misc]
        elif kind == "lamp":
            self._draw_lamp(frame, camera, float(thing), glare)  # type: ignore[arg-type]
        else:
            self._draw_signal(frame, camera, thing, red, glare)  # type: ignore[arg-type]

    def _post(
        self, frame: Picture, camera: Camera, place: Floats, z0: float, z1: float, wide: float, colour: Floats
    ) -> None:
        seen = camera.see(np.array([(*place, z0), (*place, z1)]))
        if (seen[:, 2] < 1.0).any():
            return
        flat = camera.project(seen)
        half = wide / 2 * camera.focal_px / seen[0, 2]
        points = np.array(
            [
                (flat[0, 0] - half, flat[0, 1]),
                (flat[0, 0] + half, flat[0, 1]),
                (flat[1, 0] + half * 0.7, flat[1, 1]),
                (flat[1, 0] - half * 0.7, flat[1, 1]),
            ]
        )
        cv2.fillPoly(frame, [np.round(points * 16).astype(np.int32)], colour.tolist(), cv2.LINE_AA, 4)

    def _draw_tree(self, frame: Picture, camera: Camera, s: float, u: float, which: int, size: float) -> None:
        place = self.way.world(s, u)
        bark = np.array((58, 66, 76)) * np.array(self.rig.wall) * 1.1
        self._post(frame, camera, place, 0.0, 3.6 * size, 0.30, bark)
        seen = camera.see(np.array([(*place, 4.9 * size)]))
        if seen[0, 2] < 2.5:
            return
        centre = camera.project(seen)[0]
        scale = camera.focal_px / seen[0, 2]
        wide, high = int(4.6 * size * scale), int(4.2 * size * scale)
        if wide < 3:
            return
        x0, y0 = int(centre[0] - wide / 2), int(centre[1] - high / 2)
        cx0, cy0, cx1, cy1 = max(x0, 0), max(y0, 0), min(x0 + wide, camera.width_px), min(y0 + high, camera.height_px)
        if cx1 <= cx0 or cy1 <= cy0:
            return
        sprite = self._foliage[which]
        sx, sy = sprite.shape[1] / wide, sprite.shape[0] / high
        cut = sprite[
            int((cy0 - y0) * sy) : max(int((cy1 - y0) * sy), int((cy0 - y0) * sy) + 1),
            int((cx0 - x0) * sx) : max(int((cx1 - x0) * sx), int((cx0 - x0) * sx) + 1),
        ]
        shrunk = cv2.resize(
            cut, (cx1 - cx0, cy1 - cy0), interpolation=cv2.INTER_AREA if sx > 1 else cv2.INTER_LINEAR
        ).astype(np.float32)
        alpha = shrunk[..., 3:4] / 255.0
        view = frame[cy0:cy1, cx0:cx1]
        view[:] = (view * (1 - alpha) + shrunk[..., :3] * alpha).astype(np.uint8)

    def _draw_lamp(
        self,
        frame: Picture,
        camera: Camera,
        s: float,
        glare: list[tuple[float, float, float, tuple[float, float, float]]],
    ) -> None:
        steel = np.array((120, 124, 122)) * np.array(self.rig.wall)
        for u, arm in ((lanes.PAVEMENT_U + 0.35, -2.2), (lanes.FAR_KERB_U - 0.35, 2.2)):
            self._post(frame, camera, self.way.world(s, u), 0.0, 8.2, 0.17, steel)
            tip = self.way.world(np.array([s, s]), np.array([u, u + arm]))
            seen = camera.see(np.column_stack((tip, (8.1, 8.5))))
            if (seen[:, 2] < 1.5).any():
                continue
            flat = camera.project(seen)
            cv2.line(
                frame,
                tuple(np.round(flat[0] * 16).astype(int).tolist()),
                tuple(np.round(flat[1] * 16).astype(int).tolist()),
                steel.tolist(),
                max(1, int(0.09 * camera.focal_px / seen[0, 2])),
                cv2.LINE_AA,
                4,
            )
            if self.rig.lamps:
                size = 0.22 * camera.focal_px / seen[1, 2]
                cv2.circle(
                    frame,
                    tuple(np.round(flat[1] * 16).astype(int).tolist()),
                    int(max(size, 1) * 16),
                    (190, 235, 255),
                    -1,
                    cv2.LINE_AA,
                    4,
                )
                glare.append((float(flat[1, 0]), float(flat[1, 1]), float(size * 1.5), (120, 190, 235)))

    def _draw_signal(
        self,
        frame: Picture,
        camera: Camera,
        crossing: Crossing,
        red: dict[float, bool],
        glare: list[tuple[float, float, float, tuple[float, float, float]]],
    ) -> None:
        s = crossing.s_m + crossing.width_m / 2 + 1.0
        steel = np.array((96, 120, 110)) * np.array(self.rig.wall)
        self._post(frame, camera, self.way.world(s, lanes.PAVEMENT_U + 0.4), 0.0, 6.3, 0.2, steel)
        arm = self.way.world(np.array([s, s]), np.array([lanes.PAVEMENT_U + 0.4, -1.2]))
        seen = camera.see(np.column_stack((arm, (6.0, 6.2))))
        if (seen[:, 2] < 1.5).any():
            return
        flat = camera.project(seen)
        scale = camera.focal_px / seen[1, 2]
        cv2.line(
            frame,
            tuple(flat[0].astype(int).tolist()),
            tuple(flat[1].astype(int).tolist()),
            steel.tolist(),
            max(1, int(0.14 * scale)),
            cv2.LINE_AA,
        )
        for share in (0.98, 0.62):
            middle = flat[0] + (flat[1] - flat[0]) * share
            w, h = 1.15 * scale, 0.42 * scale
            cv2.rectangle(
                frame,
                (int(middle[0] - w / 2), int(middle[1] - h / 2)),
                (int(middle[0] + w / 2), int(middle[1] + h / 2)),
                (30, 32, 34),
                -1,
            )
            is_red = red.get(crossing.s_m, False)
            for index, (on, colour) in enumerate(
                ((is_red, (50, 40, 250)), (False, (40, 190, 250)), (not is_red, (120, 230, 60)))
            ):
                spot = (int(middle[0] + (index - 1) * 0.36 * scale), int(middle[1]))
                tone = colour if on else tuple(int(v * 0.16) for v in colour)
                cv2.circle(frame, spot, max(1, int(0.145 * scale)), tone, -1, cv2.LINE_AA)
                if on:
                    glare.append((float(spot[0]), float(spot[1]), float(0.22 * scale), tuple(float(v) for v in colour)))  # type: ignore[arg-type]


def _asphalt(rng: np.random.Generator) -> Picture:
    side = 512
    fine = rng.normal(0, 9, (side, side))
    coarse = cv2.resize(rng.normal(0, 1, (24, 24)).astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC) * 5
    surface = 104 + fine + coarse
    for _ in range(5):  # patches and cracks
        x, y = rng.integers(0, side, 2)
        w, h = rng.integers(40, 150, 2)
        surface[y : y + h, x : x + w] -= rng.uniform(4, 13)
    return np.clip(cv2.GaussianBlur(surface.astype(np.float32), (0, 0), 0.8), 0, 255).astype(np.uint8)


def _sky(rng: np.random.Generator, rig: LightRig) -> Picture:
    """A strip all round: sky above, a skyline of far houses at its foot."""
    wide, high = 2600, 560
    ramp = np.linspace(0, 1, high, dtype=np.float32)[:, None, None] ** 1.6
    sky = np.array(rig.zenith, np.float32) * (1 - ramp) + np.array(rig.horizon, np.float32) * ramp
    sky = np.broadcast_to(sky, (high, wide, 3)).copy()
    clouds = np.zeros((high, wide), np.float32)
    for scale, weight in ((7, 1.0), (16, 0.6), (40, 0.35), (90, 0.18)):
        knots = rng.normal(0, 1, (max(2, scale // 3), scale)).astype(np.float32)
        twice = cv2.resize(np.concatenate((knots, knots), axis=1), (2 * wide, high), interpolation=cv2.INTER_CUBIC)
        clouds += weight * twice[:, wide // 2 : wide // 2 + wide]  # cut so that its ends meet
    cover = np.clip(clouds * 0.45 + 0.25, 0, 1)[..., None] * (0.55 if rig.glow < 0.5 else 0.30)
    sky = sky * (1 - cover) + np.minimum(np.array(rig.horizon, np.float32) * 1.04, 255) * cover
    base = high - 60
    for layer, (tone, tall) in enumerate(((0.80, 46), (0.62, 34))):  # nearer blocks are darker
        x = 0
        while x < wide:
            w, h = int(rng.integers(18, 70)), int(rng.integers(8, tall))
            colour = np.array(rig.horizon, np.float32) * tone * rng.uniform(0.9, 1.05)
            cv2.rectangle(sky, (x, base - h), (x + w, high), colour.tolist(), -1)
            if rig.glow > 0.5:
                for _ in range(int(w * h / (70 if layer else 120))):
                    wx, wy = int(rng.integers(x + 2, x + w)), int(rng.integers(base - h + 2, base + 2))
                    sky[wy : wy + 2, wx : wx + 2] = np.array((130, 190, 230), np.float32) * rng.uniform(0.4, 1.0)
            x += w + int(rng.integers(0, 8))
    return np.asarray(np.clip(sky, 0, 255).astype(np.uint8))


def _tree(rng: np.random.Generator, rig: LightRig) -> Picture:
    """Foliage with alpha, BGRA: clumps of small leaves, lit from above, with gaps between."""
    side = 384
    leaf = np.zeros((side, side, 4), np.uint8)
    wall = np.array(rig.wall)
    clumps = []
    for _ in range(34):
        angle, away = rng.uniform(0, 2 * np.pi), rng.uniform(0, 1) ** 0.55
        clumps.append(
            (
                side / 2 + math.cos(angle) * away * side * 0.36,
                side * 0.52 + math.sin(angle) * away * side * 0.30,
                rng.uniform(24, 52),
            )
        )
    clumps.sort(key=lambda c: -c[1])  # low ones first, lit ones over them
    for x, y, radius in clumps:
        for k in range(150):
            angle, away = rng.uniform(0, 2 * np.pi), rng.uniform(0, 1) ** 0.5 * radius
            lx, ly = x + math.cos(angle) * away * 1.15, y + math.sin(angle) * away * 0.85
            shade = (
                (0.50 + 0.75 * (1 - ly / side))
                * (0.72 + 0.5 * (k / 150))
                * (1.0 - 0.35 * (ly - y) / radius)
                * rng.uniform(0.75, 1.2)
            )
            colour = np.array((46, 88, 70)) * shade * wall
            if rig.glow > 0.5:
                colour = colour + np.array((5, 16, 22)) * rig.glow * max(0.0, (ly / side - 0.35)) * rng.uniform(
                    0.4, 1.6
                )
            cv2.ellipse(
                leaf, (int(lx), int(ly)), (int(rng.integers(2, 6)), int(rng.integers(1, 4))), float(rng.uniform(0, 180)), 0, 360,
                (*np.clip(colour, 0, 255).astype(int).tolist(), 255), -1, cv2.LINE_AA,
            )  # fmt: skip
    return leaf
