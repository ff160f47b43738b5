"""From a plan to frames: where the camera is, what it sees, what its lens and shutter make of it."""

from __future__ import annotations

import math
from itertools import pairwise

import cv2
import msgspec
import numpy as np

from guardian.footage.camera import Camera, Texture
from guardian.footage.light import RIGS
from guardian.footage.model import DriveSpec, PlateView
from guardian.footage.paint import Pose, Seen, Skin, draw_vehicle
from guardian.footage.path import Crossing, Way
from guardian.footage.plate_art import STYLES, Picture, draw_plate
from guardian.footage.street import Street
from guardian.footage.traffic import Actor, Traffic, plan_traffic
from guardian.footage.vehicles import Body, mesh_of

_CAMERA_Z_M = 1.32
_HALF_VIEW = math.radians(22.5)
_SOON_S = 1 / 30


class FrameTruth(msgspec.Struct):
    """Plates that stand in one frame, by vehicle number."""

    frame: int
    views: dict[int, PlateView]


class Studio:
    """One drive, ready to be filmed. Frames may be asked for in any order; each depends on its number alone."""

    def __init__(self, spec: DriveSpec, way: Way, crossings: list[Crossing]) -> None:
        spec.check()
        self.spec, self.way, self.crossings = spec, way, crossings
        self.rig = RIGS[spec.light]
        self.traffic: Traffic = plan_traffic(spec, crossings, np.random.default_rng((spec.seed, 1)))
        self.street = Street(
            way,
            crossings,
            self.rig,
            np.random.default_rng((spec.seed, 2)),
            end_m=self.traffic.ego_along[-1],
            rain=spec.rain,
            variety=26 if spec.width_px > 640 else 9,
        )
        self._skins: dict[int, Skin] = {}
        self._parked: dict[int, Pose] = {}
        self.focal_px = spec.width_px / 2 / math.tan(_HALF_VIEW)
        noise = np.random.default_rng((spec.seed, 3)).normal(0, 1, (spec.height_px + 64, spec.width_px + 64))
        grain = np.clip(np.round(noise * self.rig.noise), -40, 40).astype(np.int16)
        self._noise = np.ascontiguousarray(np.repeat(grain[..., None], 3, axis=2))
        yy, xx = np.mgrid[0 : spec.height_px, 0 : spec.width_px].astype(np.float32)
        away = ((xx / spec.width_px - 0.5) ** 2 + ((yy / spec.height_px - 0.5) * 0.75) ** 2) * 2
        self._vignette = np.repeat(np.round((1.0 - 0.30 * away) * 200)[..., None], 3, axis=2).astype(np.uint8)

    @property
    def frames(self) -> int:
        """How many frames the drive has."""
        return max(1, round(self.spec.seconds * self.spec.frames_per_s))

    def skin(self, actor: Actor) -> Skin:
        """Paint and plate of a vehicle, made when it first comes near."""
        found = self._skins.get(actor.number)
        if found is None:
            style = STYLES[actor.style]
            picture = self.plate(actor)
            found = Skin(actor.paint, actor.cloth, actor.helmet, Texture(picture), (style.width_m, style.height_m))
            self._skins[actor.number] = found
        return found

    def plate(self, actor: Actor) -> Picture:
        """The plate of a vehicle as it is drawn, from the front and 1 mm a pixel."""
        return draw_plate(actor.plate, STYLES[actor.style], np.random.default_rng((self.spec.seed, 4, actor.number)))

    def camera(self, t: float) -> Camera:
        """The camera at a time: on the way, looking a little ahead, shaken as a car is."""
        spec = self.spec
        s = self.traffic.ego(t)
        speed = self.traffic.ego_speed(t)
        shake = min(1.0, speed / 4.0)
        bob = shake * (0.010 * math.sin(t * 11.3) + 0.006 * math.sin(t * 17.9 + 1.0))
        pitch = -0.012 + shake * (0.0011 * math.sin(t * 9.1) + 0.0008 * math.sin(t * 15.7 + 0.6))
        spot = self.way.world(s, 0.10 * math.sin(t * 0.41))
        angle = 0.5 * (self.way.angle(s) + self.way.angle(s + 7.0)) + 0.006 * math.sin(t * 0.53)
        roll = shake * 0.0018 * math.sin(t * 5.3)
        height = _CAMERA_Z_M
        if spec.mount == "motorcycle":
            height -= 0.22
            roll = roll * 2.5 + shake * 0.020 * math.sin(t * 0.9) + shake * 0.010 * math.sin(t * 2.3)
        return Camera(
            spec.width_px, spec.height_px, self.focal_px, float(spot[0]), float(spot[1]), height + bob, angle, pitch, roll
        )  # fmt: skip

    def pose(self, actor: Actor, t: float) -> Pose:
        """A vehicle's place and lamps at a time."""
        if actor.parked and actor.number in self._parked:
            return self._parked[actor.number]
        s, u = actor.at(t)
        spot = self.way.world(s, u)
        braking = False
        if not actor.parked:
            before, after = actor.at(t - 0.3)[0], actor.at(t + 0.3)[0]
            earlier = actor.at(t - 0.9)[0]
            speed, speed_before = (after - before) / 0.6, (before - earlier) / 0.6
            braking = abs(speed) < 0.3 or speed < speed_before - 0.25
        pose = Pose(
            float(spot[0]), float(spot[1]), self.way.angle(s) + actor.turn, braking=braking and abs(actor.turn) < 1.0,
            lamps=actor.lamps and (self.rig.lamps or self.spec.rain),
        )  # fmt: skip
        if actor.parked:
            self._parked[actor.number] = pose
        return pose

    def film(self, number: int) -> tuple[Picture, FrameTruth]:
        """One frame, (H, W, 3) uint8 BGR, and the plates in it."""
        spec = self.spec
        t = number / spec.frames_per_s
        camera = self.camera(t)
        s = self.traffic.ego(t)
        frame = np.zeros((spec.height_px, spec.width_px, 3), np.uint8)
        red = {place: t < until for place, until in self.traffic.red_until.items()}
        self.street.draw_sky(frame, camera)
        self.street.draw_ground(frame, camera, s, red)
        self.street.draw_houses(frame, camera, s)
        if spec.rain:
            self._mirror(frame, camera)
        speed = self.traffic.ego_speed(t)
        if speed > 0.5:
            frame = self._rush(frame, camera, speed)
        glare: list[tuple[float, float, float, tuple[float, float, float]]] = []
        truth = self._draw_things(frame, camera, t, s, red, glare, number)
        picture = self._lens(frame, camera, glare, number)
        return picture, truth

    def _draw_things(
        self, frame: Picture, camera: Camera, t: float, s: float, red: dict[float, bool],
        glare: list[tuple[float, float, float, tuple[float, float, float]]], number: int,
    ) -> FrameTruth:  # fmt: skip
        items: list[tuple[float, str, object]] = list(self.street.furniture(s))
        for actor in self.traffic.actors:
            along, aside = actor.at(t)
            far = 46 if actor.body is Body.SCOOTER else 75 if actor.parked else 95
            if s - 9 < along < s + far:
                items.append((along + (0.0 if abs(aside) < 8 else 0.5), "vehicle", actor))
        items.sort(key=lambda item: -item[0])
        self._shadows(frame, camera, t, [a for _, kind, a in items if kind == "vehicle" and isinstance(a, Actor)])
        seen_plates: list[tuple[int, Seen]] = []
        covers: list[Seen] = []
        hidden: dict[int, float] = {}
        eye = camera.place[:2]
        later = self.camera(t + _SOON_S)
        for _, kind, thing in items:
            if not isinstance(thing, Actor):
                self.street.draw_furniture(frame, camera, kind, thing, red, glare)
                continue
            pose = self.pose(thing, t)
            away = math.hypot(pose.x_m - eye[0], pose.y_m - eye[1])
            mesh = mesh_of(thing.body, away, rider=thing.rider)
            seen = draw_vehicle(
                frame, camera, self.rig, mesh, self.skin(thing), pose, blur=self._smear(thing, pose, camera, later, t)
            )
            if seen is None:
                continue
            glare[:] = [g for g in glare if cv2.pointPolygonTest(seen.hull, (g[0], g[1]), False) < 0]
            glare.extend(seen.glare)
            for other, before in seen_plates:
                if before.plate is None or hidden.get(other, 0.0) >= 1.0:
                    continue
                quad = before.plate.astype(np.float32)
                area, _ = cv2.intersectConvexConvex(quad, seen.hull)
                whole = max(float(cv2.contourArea(quad)), 1e-3)
                hidden[other] = max(hidden.get(other, 0.0), float(area) / whole)
            if seen.plate is not None:
                seen_plates.append((thing.number, seen))
            covers.append(seen)
        views: dict[int, PlateView] = {}
        for actor_number, seen in seen_plates:
            corners_px = seen.plate
            if corners_px is None:
                continue
            height = (
                float(np.linalg.norm(corners_px[3] - corners_px[0]) + np.linalg.norm(corners_px[2] - corners_px[1])) / 2
            )
            inside = (
                (corners_px[:, 0] > 0).all()
                and (corners_px[:, 0] < self.spec.width_px).all()
                and (corners_px[:, 1] > 0).all()
                and (corners_px[:, 1] < self.spec.height_px).all()
            )
            if not inside or height < 6 or hidden.get(actor_number, 0.0) > 0.9:
                continue
            actor = self.traffic.actors[actor_number]
            corners = tuple((round(float(x), 2), round(float(y), 2)) for x, y in corners_px)
            views[actor_number] = PlateView(
                number, corners, round(height, 1), round(seen.blur_px, 2),  # type: ignore[arg-type]
                round(hidden.get(actor_number, 0.0), 2), "front" if abs(actor.turn) > 2 else "rear",
            )  # fmt: skip
        return FrameTruth(number, views)

    def _smear(self, actor: Actor, pose: Pose, camera: Camera, later: Camera, t: float) -> tuple[float, float]:
        """How far a vehicle moves across the picture while the shutter is open."""
        open_s = self.rig.exposure_s
        after = self.pose(actor, t + _SOON_S)
        now_seen = camera.see(np.array([(pose.x_m, pose.y_m, 0.8)]))
        then_seen = later.see(np.array([(after.x_m, after.y_m, 0.8)]))
        if now_seen[0, 2] < 2.0 or then_seen[0, 2] < 2.0:
            return (0.0, 0.0)
        move = (later.project(then_seen) - camera.project(now_seen))[0] * (open_s / _SOON_S)
        return float(move[0]), float(move[1])

    def _shadows(self, frame: Picture, camera: Camera, t: float, actors: list[Actor]) -> None:
        """Dark ground under vehicles, soft at its edge; without it they would float."""
        small = np.zeros((frame.shape[0] // 2, frame.shape[1] // 2), np.uint8)
        any_drawn = False
        for actor in actors:
            mesh = mesh_of(actor.body, 99.0, rider=actor.rider)
            pose = self.pose(actor, t)
            half, length = mesh.width_m / 2 * 0.98, mesh.length_m / 2 * 1.0
            c, sn = math.cos(pose.angle), math.sin(pose.angle)
            corners = np.array([(-half, -length), (half, -length), (half, length), (-half, length)])
            ground = np.column_stack(
                (
                    pose.x_m + sn * corners[:, 0] + c * corners[:, 1],
                    pose.y_m - c * corners[:, 0] + sn * corners[:, 1],
                    np.zeros(4),
                )
            )
            flat = camera.clip_ground(ground)
            if flat is None or len(flat) < 3:
                continue
            cv2.fillPoly(small, [np.round(np.clip(flat / 2, -4000, 8000) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
            any_drawn = True
        if not any_drawn:
            return
        top = int(max(0, camera.horizon_px / 2))
        soft = cv2.GaussianBlur(small[top:], (0, 0), 2.6)
        dark = 255 - (soft.astype(np.float32) * self.rig.shadow).astype(np.uint8)
        full = cv2.resize(dark, (frame.shape[1], frame.shape[0] - top * 2), interpolation=cv2.INTER_LINEAR)
        part = frame[top * 2 :]
        cv2.multiply(part, cv2.merge((full, full, full)), dst=part, scale=1 / 255)

    def _rush(self, frame: Picture, camera: Camera, speed: float) -> Picture:
        """Blur of what rushes past: the frame mixed with itself a little larger, stronger towards the edges."""
        amount = speed * self.rig.exposure_s / 7.0
        reach_px = amount * self.spec.width_px / 2
        if reach_px < 2.5:
            return frame
        out = frame
        shares = (0.5, 1.0) if reach_px < 4 else (1 / 3, 2 / 3, 1.0)
        for count, share in enumerate(shares, start=1):
            grow = 1 + amount * share
            matrix = np.array([[grow, 0, camera.cx * (1 - grow)], [0, grow, camera.horizon_px * (1 - grow)]])
            larger = cv2.warpAffine(frame, matrix, (frame.shape[1], frame.shape[0]), borderMode=cv2.BORDER_REPLICATE)
            out = np.asarray(cv2.addWeighted(out, count / (count + 1), larger, 1 / (count + 1), 0))
        return out

    def _mirror(self, frame: Picture, camera: Camera) -> None:
        """A wet road shows what stands above it, drawn out downwards."""
        top = int(max(1, min(frame.shape[0] - 2, camera.horizon_px + 2)))
        rows = min(frame.shape[0] - top, top)
        above = frame[top - rows : top][::-1]
        small = cv2.resize(above, (frame.shape[1] // 4, max(1, rows // 4)), interpolation=cv2.INTER_AREA)
        small = cv2.blur(small, (3, 25))
        wet = cv2.resize(small, (frame.shape[1], rows), interpolation=cv2.INTER_LINEAR)
        part = frame[top : top + rows]
        ramp = np.clip(np.linspace(1.6, 0.0, rows), 0, 1)[:, None, None]
        ramp8 = np.broadcast_to((ramp * 107).astype(np.uint8), wet.shape)
        dry = np.ascontiguousarray(255 - ramp8 // 2)
        part[:] = cv2.add(
            cv2.multiply(part, dry, scale=1 / 255), cv2.multiply(wet, np.ascontiguousarray(ramp8), scale=1 / 255)
        )

    def _lens(
        self,
        frame: Picture,
        camera: Camera,
        glare: list[tuple[float, float, float, tuple[float, float, float]]],
        number: int,
    ) -> Picture:
        spec, rig = self.spec, self.rig
        shine = np.zeros((spec.height_px // 4, spec.width_px // 4, 3), np.uint8)
        for x, y, size, colour in glare:
            cv2.circle(shine, (round(x * 4), round(y * 4)), max(8, round(size * 5)), colour, -1, cv2.LINE_AA, 4)
        picture = frame
        if rig.bloom > 0:
            small = cv2.resize(frame, (spec.width_px // 4, spec.height_px // 4), interpolation=cv2.INTER_AREA)
            bright = cv2.max(cv2.subtract(small, np.full_like(small, 205)), shine)
            wide = cv2.GaussianBlur(bright, (0, 0), spec.width_px / 110)
            tight = cv2.GaussianBlur(bright, (0, 0), spec.width_px / 420)
            mixed = cv2.addWeighted(wide, 1.76 * rig.bloom, tight, 1.44 * rig.bloom, 0)
            halo = cv2.resize(mixed, (spec.width_px, spec.height_px), interpolation=cv2.INTER_LINEAR)
            picture = cv2.add(picture, halo)
        picture = cv2.multiply(picture, self._vignette, scale=1 / 200)
        dice = np.random.default_rng((spec.seed, 5, number))
        if spec.rain:
            picture = self._rain(picture, dice)
        ox, oy = int(dice.integers(0, 64)), int(dice.integers(0, 64))
        out = cv2.add(picture, self._noise[oy : oy + spec.height_px, ox : ox + spec.width_px], dtype=cv2.CV_8U)
        if spec.stamp:
            cv2.putText(
                out,
                spec.stamp,
                (spec.width_px * 5 // 8, spec.height_px - 14),
                cv2.FONT_HERSHEY_SIMPLEX,
                spec.height_px / 1400,
                (30, 150, 250),
                1,
                cv2.LINE_AA,
            )
        return out

    def _rain(self, picture: Picture, dice: np.random.Generator) -> Picture:
        drops = np.zeros(picture.shape[:2], np.uint8)
        height, width = picture.shape[0], picture.shape[1]
        for _ in range(int(width * 0.28)):
            x, y = int(dice.integers(0, width)), int(dice.integers(-40, height))
            long = int(dice.integers(height // 60 + 2, height // 18 + 4))
            cv2.line(drops, (x, y), (x - long // 6, y + long), int(dice.integers(40, 120)), 1, cv2.LINE_AA)
        tone = 0.30 if self.rig.lamps else 0.5
        return np.asarray(cv2.addWeighted(picture, 1.0, cv2.merge((drops, drops, drops)), tone, 0))


def lay_way(spec: DriveSpec) -> tuple[Way, list[Crossing]]:
    """The drive on real roads: its line and the roads that cross it."""
    from guardian.footage.roadbook import find_drive

    points, names, crossings = find_drive(spec)
    assert all(a != b for a, b in pairwise(points))  # noqa: S101
    return Way(points, names), crossings
