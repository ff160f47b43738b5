"""Drawing one vehicle into a frame: shading, lamps, plates, with edges smoothed by drawing twice as large."""

from __future__ import annotations

import math
from functools import lru_cache

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from guardian.footage.camera import NEAR_M, Camera, Texture
from guardian.footage.light import LightRig
from guardian.footage.plate_art import Picture
from guardian.footage.vehicles import Material, Mesh

Floats = NDArray[np.float64]
_FINE = 2  # vehicles are drawn this much larger and shrunk, so that edges are smooth

_ALBEDO: dict[Material, tuple[float, float, float]] = {
    Material.GLASS: (34, 30, 26), Material.TRIM: (40, 39, 38), Material.TYRE: (30, 29, 28), Material.RIM: (150, 150, 150),
    Material.TAIL: (34, 30, 150), Material.AMBER: (40, 110, 220), Material.HEAD: (205, 208, 206),
    Material.CHROME: (176, 176, 174), Material.SEAM: (30, 30, 30), Material.WHITE: (222, 224, 224),
    Material.SKIN: (140, 170, 210), Material.SIGN: (60, 170, 235), Material.BOX: (226, 228, 226),
}  # fmt: skip
_GLOSS = {
    Material.PAINT: 0.55,
    Material.GLASS: 1.0,
    Material.CHROME: 0.9,
    Material.HELMET: 0.5,
    Material.HEAD: 0.5,
    Material.TAIL: 0.25,
}


class Pose(msgspec.Struct, frozen=True):
    """Where a vehicle stands and what its lamps do."""

    x_m: float
    y_m: float
    angle: float  # radians from east, where its front points
    braking: bool = False
    lamps: bool = False


class Skin(msgspec.Struct):
    """A vehicle's colours and plate."""

    paint: tuple[float, float, float]
    cloth: tuple[float, float, float]
    helmet: tuple[float, float, float]
    plate: Texture
    plate_m: tuple[float, float]  # width, height


class Seen(msgspec.Struct):
    """What came of drawing: the outline, and the plate's corners where it faces the camera."""

    hull: Picture  # (N, 2) float32
    depth_m: float
    plate: Floats | None = None
    facing: float = 0.0  # cosine between the plate's normal and the line to the lens
    blur_px: float = 0.0
    glare: list[tuple[float, float, float, tuple[float, float, float]]] = msgspec.field(default_factory=list)


def to_world(points: Floats, pose: Pose) -> Floats:
    """Vehicle axes to world axes."""
    c, s = math.cos(pose.angle), math.sin(pose.angle)
    turn = np.array([[s, c, 0.0], [-c, s, 0.0], [0.0, 0.0, 1.0]])  # columns: right, forward, up
    return np.asarray(points @ turn.T + (pose.x_m, pose.y_m, 0.0))


def shade(
    normals: Floats, middles: Floats, materials: list[Material], skin: Skin, pose: Pose, camera: Camera, rig: LightRig
) -> Floats:
    """Colours (F, 3) of faces."""
    base = np.array(
        [
            skin.paint if m is Material.PAINT
            else skin.cloth if m is Material.CLOTH
            else skin.helmet if m is Material.HELMET
            else _ALBEDO[m]
            for m in materials
        ],
        float,
    )  # fmt: skip
    gloss = np.array([_GLOSS.get(m, 0.08) for m in materials])
    view = camera.place - middles
    away = np.linalg.norm(view, axis=1, keepdims=True)
    view = view / np.maximum(away, 1e-6)
    facing = np.clip(np.einsum("fk,fk->f", normals, view), 0.0, 1.0)
    sun = np.clip(normals @ np.array(rig.sun_from), 0.0, 1.0)
    sky = 0.84 + 0.20 * normals[:, 2]
    low = np.clip(middles[:, 2] / 0.5, 0.45, 1.0)  # near the road it is darker
    light = np.array(rig.ambient) * (sky * low)[:, None] + np.array(rig.sun) * (sun * low)[:, None]
    reach = 1.0 / (1.0 + (away[:, 0] / 11.0) ** 2)
    sideways = np.exp(-(((middles - camera.place) @ camera.right / (2.2 + 0.22 * away[:, 0])) ** 2))
    light = light + (rig.headlight * 1.35 * facing * reach * sideways)[:, None] * np.array((0.92, 0.98, 1.0))
    mirror = 2 * facing[:, None] * normals - view
    up = mirror[:, 2:3]
    horizon, zenith, road = np.array(rig.horizon), np.array(rig.zenith), np.array(rig.road)
    above = horizon * 0.80 + (zenith - horizon * 0.80) * np.sqrt(np.clip(up, 0, 1))
    band = np.clip((0.22 - up) / 0.12, 0.0, 1.0)  # houses stand along the horizon
    above = above * (1 - 0.55 * band)
    if rig.lamps:  # lamps and signs along the street lie on the paint as bright lines
        lamps = np.exp(-(((up - 0.42) / 0.10) ** 2)) + 0.6 * np.exp(-(((up - 0.13) / 0.05) ** 2))
        above = above + lamps * np.array((120.0, 165.0, 190.0)) * rig.glow
    around = np.where(up > 0, above, road * 0.55)
    fresnel = 0.05 + 0.75 * (1 - facing) ** 4
    flake = 0.10 * gloss * np.clip(normals[:, 2], 0, 1)
    amount = (gloss * fresnel + flake)[:, None]
    colour = base * light * (1 - 0.5 * amount) + around * amount
    glow = np.zeros_like(colour)
    for index, material in enumerate(materials):
        if material is Material.TAIL and (pose.lamps or pose.braking):
            glow[index] = (70, 62, 255) if pose.braking else (26, 20, 150)
        elif material is Material.HEAD and pose.lamps:
            glow[index] = (250, 252, 255)
        elif material is Material.SIGN and rig.lamps:
            glow[index] = (60, 180, 250)
        elif material is Material.AMBER and pose.lamps:
            glow[index] = (4, 26, 60)
    return np.asarray(np.clip(colour + glow, 0, 255))


_CIRCLE = np.linspace(0, 2 * np.pi, 18, endpoint=False)
_SPOKES = np.arange(5) * 2 * np.pi / 5 + 0.3


@lru_cache(maxsize=64)
def _wheel_shapes(wheels: tuple[tuple[float, float, float], ...]) -> tuple[Floats, tuple[float, ...]]:
    """Circles of every wheel in vehicle axes (W, parts, 18, 3), and which side each is on."""
    out = []
    sides: list[float] = []
    cos, sin = np.cos(_CIRCLE), np.sin(_CIRCLE)
    for y, radius, track in wheels:
        for side in (-1.0, 1.0):
            parts = [
                (side * (track + 0.005), y, radius, radius), (side * (track - 0.20), y, radius, radius),
                (side * (track + 0.004), y, radius, radius * 1.12), (side * (track + 0.008), y, radius, radius * 0.66),
                (side * (track + 0.01), y, radius, radius * 0.22),
            ]  # fmt: skip
            for turn in _SPOKES:
                spoke_y, spoke_z = y + 0.44 * radius * math.cos(turn), radius + 0.44 * radius * math.sin(turn)
                parts.append((side * (track + 0.009), spoke_y, spoke_z, radius * 0.12))
            out.append([np.column_stack((np.full(18, px), py + pr * cos, pz + pr * sin)) for px, py, pz, pr in parts])
            sides.append(side)
    return np.array(out), tuple(sides)


class _Wheels:
    """The wheels of one vehicle in pixels: tyre hull, arch, disc, rim, hub, holes between spokes."""

    def __init__(
        self, camera: Camera, rig: LightRig, mesh: Mesh, pose: Pose, corner: tuple[int, int], *, fine: bool
    ) -> None:
        self._fine = fine
        light = np.array(rig.ambient)
        self._dark = (np.array(_ALBEDO[Material.TYRE]) * (light * 0.9 + rig.headlight * 0.12)).tolist()
        self._arch = [v * 0.8 for v in self._dark]
        self._rim = (np.array((128, 128, 126)) * light * 1.1).tolist()
        self._hub = (np.array((70, 70, 70)) * light).tolist()
        local, self._sides = _wheel_shapes(tuple(mesh.wheels))
        world = to_world(local.reshape(-1, 3), pose)
        seen = camera.see(world)
        count = len(local)
        self._ok: list[bool] = np.all(seen[:, 2].reshape(count, -1) > NEAR_M, axis=1).tolist()
        flat = (camera.project(seen) - corner) * (_FINE * 16)
        self._points = np.round(flat).astype(np.int32).reshape(count, -1, 2)
        c, s = math.cos(pose.angle), math.sin(pose.angle)
        right = np.array([s, -c])
        self._near = [
            float(right @ (camera.place[:2] - world.reshape(count, -1, 3)[i].mean(axis=0)[:2])) * side > 0.05
            for i, side in enumerate(self._sides)
        ]

    def draw(self, layer: Picture, *, near_side: bool) -> None:
        for index, ok in enumerate(self._ok):
            if not ok or self._near[index] is not near_side:
                continue
            rings = self._points[index].reshape(-1, 18, 2)
            cv2.fillConvexPoly(layer, cv2.convexHull(np.concatenate((rings[0], rings[1]))), self._dark, cv2.LINE_8, 4)
            if not near_side:
                continue
            cv2.fillConvexPoly(layer, rings[2], self._arch, cv2.LINE_8, 4)
            cv2.fillConvexPoly(layer, rings[0], self._dark, cv2.LINE_8, 4)
            cv2.fillConvexPoly(layer, rings[3], self._rim, cv2.LINE_8, 4)
            if self._fine:
                cv2.fillConvexPoly(layer, rings[4], self._hub, cv2.LINE_8, 4)
                for hole in rings[5:]:
                    cv2.fillConvexPoly(layer, hole, self._dark, cv2.LINE_8, 4)


def plate_quad(mesh: Mesh, size_m: tuple[float, float], *, rear: bool) -> Floats | None:
    """Corners of the plate in vehicle axes, clockwise from the top left for who looks at it."""
    spot = mesh.plate_rear if rear else mesh.plate_front
    if spot is None:
        return None
    y, z, tilt = spot
    half, high = size_m[0] / 2, size_m[1] / 2
    sign = 1.0 if rear else -1.0
    lean = math.sin(tilt) * high * sign
    lift = math.cos(tilt) * high
    return np.array(
        [(-half * sign, y + lean, z + lift), (half * sign, y + lean, z + lift),
         (half * sign, y - lean, z - lift), (-half * sign, y - lean, z - lift)]
    )  # fmt: skip


def draw_vehicle(
    frame: Picture,
    camera: Camera,
    rig: LightRig,
    mesh: Mesh,
    skin: Skin,
    pose: Pose,
    *,
    blur: tuple[float, float] = (0.0, 0.0),
) -> Seen | None:
    """Draw a vehicle; None where nothing of it is in the picture.

    Args:
        frame: changed in place.
        blur: how far it moves across the picture while the shutter is open, px right and down.
    """
    world = to_world(mesh.faces, pose)
    seen = camera.see(world)
    ahead = (seen[..., 2] > NEAR_M).all(axis=1)
    if not ahead.any():
        return None
    flat = camera.project(seen[ahead])
    spread = flat.reshape(-1, 2)
    rim = 6 + int(0.03 * (spread[:, 0].max() - spread[:, 0].min()))
    if mesh.length_m < 2.0:  # the plate of a scooter is as wide as the rest of its tail
        rim += int(0.16 * camera.focal_px / max(float(seen[ahead][..., 2].min()), 1.0))
    x0, y0 = np.floor(spread.min(axis=0)).astype(int) - rim
    x1, y1 = np.ceil(spread.max(axis=0)).astype(int) + rim
    if x1 <= 0 or y1 <= 0 or x0 >= camera.width_px or y0 >= camera.height_px:
        return None
    x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, camera.width_px), min(y1, camera.height_px)
    if x1 - x0 < 2 or y1 - y0 < 2:
        return None
    depth = float(np.median(seen[ahead][..., 2]))
    hull = cv2.convexHull(flat.reshape(-1, 2).astype(np.float32))[:, 0]
    out = Seen(hull=hull, depth_m=depth)
    view = frame[y0:y1, x0:x1]
    layer = cv2.resize(view, None, fx=_FINE, fy=_FINE, interpolation=cv2.INTER_NEAREST)

    wheels = _Wheels(camera, rig, mesh, pose, (x0, y0), fine=depth < 30) if mesh.wheels and depth < 70 else None
    if wheels is not None:
        wheels.draw(layer, near_side=False)
    faces = world[ahead]
    normals = np.cross(faces[:, 2] - faces[:, 0], faces[:, 3] - faces[:, 1])
    size = np.linalg.norm(normals, axis=1, keepdims=True)
    normals = normals / np.maximum(size, 1e-9)
    middles = faces.mean(axis=1)
    shown = (np.einsum("fk,fk->f", normals, camera.place - middles) > 0) & (size[:, 0] > 1e-9)
    order = np.argsort(-seen[ahead][..., 2].mean(axis=1)[shown], kind="stable")
    kept = np.flatnonzero(ahead)[shown]
    colours = shade(normals[shown], middles[shown], [mesh.materials[i] for i in kept], skin, pose, camera, rig)
    points = flat[shown]
    fixed = np.round((points - (x0, y0)) * (_FINE * 16)).astype(np.int32)
    rounded = colours.round()
    for index in order:
        cv2.fillConvexPoly(layer, fixed[index], rounded[index].tolist(), cv2.LINE_8, 4)
    if wheels is not None:  # wheels on the near side stand before the body
        wheels.draw(layer, near_side=True)
    if depth < 48:
        _draw_details(layer, (x0, y0), camera, rig, mesh, skin, pose, out)
    for rear in (True, False) if depth < 45 else ():
        _draw_plate(layer, (x0, y0), camera, rig, mesh, skin, pose, out, rear=rear)
    length = math.hypot(*blur)
    out.blur_px = length
    small = cv2.resize(layer, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
    if length > 1.0:
        small = streak(small, blur)
    view[:] = small
    return out


def streak(picture: Picture, blur: tuple[float, float]) -> Picture:
    """Blur along a line, as a moving thing does while the shutter is open."""
    reach = min(24, max(1, math.ceil(max(abs(blur[0]), abs(blur[1])) / 2)))
    side = 2 * reach + 1
    kernel = np.zeros((side, side), np.float32)
    dx, dy = blur[0] / 2, blur[1] / 2
    cv2.line(
        kernel, (round((reach - dx) * 16), round((reach - dy) * 16)), (round((reach + dx) * 16), round((reach + dy) * 16)),
        1.0, 1, cv2.LINE_AA, 4,
    )  # fmt: skip
    kernel /= max(float(kernel.sum()), 1e-6)
    return np.asarray(cv2.filter2D(picture, -1, kernel, borderType=cv2.BORDER_REPLICATE))


def _draw_details(
    layer: Picture,
    corner: tuple[int, int],
    camera: Camera,
    rig: LightRig,
    mesh: Mesh,
    skin: Skin,
    pose: Pose,
    out: Seen,
) -> None:
    quads = to_world(mesh.details, pose)
    normals = np.cross(quads[:, 2] - quads[:, 0], quads[:, 3] - quads[:, 1])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    middles = quads.mean(axis=1)
    seen = camera.see(quads)
    shown = (np.einsum("fk,fk->f", normals, camera.place - middles) > 0) & (seen[..., 2] > NEAR_M).all(axis=1)
    if not shown.any():
        return
    kept = np.flatnonzero(shown)
    materials = [mesh.detail_materials[i] for i in kept]
    colours = shade(normals[shown], middles[shown], materials, skin, pose, camera, rig).round()
    points = camera.project(seen[shown])
    fixed = np.round((points - corner) * (_FINE * 16)).astype(np.int32)
    for index in range(len(kept)):
        cv2.fillConvexPoly(layer, fixed[index], colours[index].tolist(), cv2.LINE_8, 4)
        material = materials[index]
        area = abs(float(cv2.contourArea(points[index].astype(np.float32))))
        if area > 1.0 and rig.lamps and pose.lamps and material in (Material.HEAD, Material.TAIL):
            centre = points[index].mean(axis=0)
            if material is Material.HEAD:
                out.glare.append((float(centre[0]), float(centre[1]), math.sqrt(area) * 1.2, (235, 245, 255)))
            elif pose.braking:
                out.glare.append((float(centre[0]), float(centre[1]), math.sqrt(area) * 0.6, (40, 30, 230)))


def _draw_plate(
    layer: Picture, corner: tuple[int, int], camera: Camera, rig: LightRig, mesh: Mesh, skin: Skin, pose: Pose, out: Seen,
    *, rear: bool,
) -> None:  # fmt: skip
    local = plate_quad(mesh, skin.plate_m, rear=rear)
    if local is None:
        return
    quad = to_world(local, pose)
    normal = np.cross(quad[3] - quad[0], quad[1] - quad[0])
    normal /= max(float(np.linalg.norm(normal)), 1e-9)
    line = camera.place - quad.mean(axis=0)
    away = float(np.linalg.norm(line))
    facing = float(normal @ line) / max(away, 1e-6)
    seen = camera.see(quad)
    if facing < 0.12 or (seen[:, 2] < NEAR_M).any():
        return
    points = camera.project(seen)
    target = (points - corner) * _FINE
    lx0, ly0 = np.floor(target.min(axis=0)).astype(int)
    lx1, ly1 = np.ceil(target.max(axis=0)).astype(int) + 1
    lx0, ly0, lx1, ly1 = max(lx0, 0), max(ly0, 0), min(lx1, layer.shape[1]), min(ly1, layer.shape[0])
    if lx1 - lx0 < 2 or ly1 - ly0 < 2:
        return
    high = float(np.linalg.norm(target[3] - target[0]))
    wide = float(np.linalg.norm(target[1] - target[0]))
    picture = skin.plate.fitting(wide, high)
    rows, columns = picture.shape[:2]
    source = np.array([(0, 0), (columns, 0), (columns, rows), (0, rows)], np.float32) - np.float32(0.5)
    matrix = cv2.getPerspectiveTransform(source, (target - (lx0, ly0)).astype(np.float32))
    off_axis = float(np.exp(-(((quad.mean(axis=0) - camera.place) @ camera.right / (2.4 + 0.24 * away)) ** 2)))
    retro = rig.headlight * 1.15 * off_axis / (1.0 + (away / 17.0) ** 2)
    lamp = 0.30 if (pose.lamps and rear and rig.lamps) else 0.0
    shine = (
        np.array(rig.ambient) * 1.05
        + np.array(rig.sun) * max(0.25, float(normal @ np.array(rig.sun_from)))
        + retro
        + lamp
    )
    lit = np.clip(picture * shine, 0, 255).astype(np.uint8)
    cv2.warpPerspective(
        lit, matrix, (lx1 - lx0, ly1 - ly0), dst=layer[ly0:ly1, lx0:lx1], flags=cv2.INTER_AREA,
        borderMode=cv2.BORDER_TRANSPARENT,
    )  # fmt: skip
    out.plate, out.facing = points, facing
