"""Vehicles as shaded bodies: cars lofted from a few stations, boxes for buses and trucks, scooters with riders.

Axes of a vehicle: x to its right, y forward, z up, metres, origin on the ground below its middle. Faces are flat shaded
and finely cut; paint mirrors the sky above and the road below, which is what makes it look like paint.
"""

from __future__ import annotations

import itertools
from enum import StrEnum
from functools import lru_cache

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Body(StrEnum):
    """Shapes that we can draw."""

    SEDAN = "sedan"
    HATCH = "hatchback"
    SUV = "suv"
    VAN = "van"
    TAXI = "taxi"
    TRUCK = "truck"
    BUS = "bus"
    SCOOTER = "scooter"


class Material(StrEnum):
    """What a face is made of."""

    PAINT = "paint"
    GLASS = "glass"
    TRIM = "trim"  # black plastic
    TYRE = "tyre"
    RIM = "rim"
    TAIL = "tail"  # red lamp
    AMBER = "amber"
    HEAD = "head"  # head lamp
    CHROME = "chrome"
    SEAM = "seam"
    WHITE = "white"
    SKIN = "skin"
    CLOTH = "cloth"
    HELMET = "helmet"
    SIGN = "sign"  # taxi lamp, route board
    BOX = "box"  # the box of a truck


class Mesh(msgspec.Struct):
    """Faces of one body; `details` lie on its surface and are drawn after it."""

    faces: Floats  # (F, 4, 3); triangles repeat a corner
    materials: list[Material]
    details: Floats
    detail_materials: list[Material]
    plate_rear: tuple[float, float, float]  # y, z of the middle, tilt of the plate in radians
    plate_front: tuple[float, float, float] | None
    length_m: float
    width_m: float
    height_m: float
    wheels: list[tuple[float, float, float]]  # y, radius, half track


# Stations from the rear to the front: y, underside, belt line, top, half width at the belt, half width at the top.
_STATIONS: dict[Body, tuple[tuple[float, ...], ...]] = {
    Body.SEDAN: (
        (-2.32, 0.42, 0.80, 0.84, 0.74, 0.66), (-2.26, 0.28, 0.93, 1.00, 0.85, 0.72), (-1.80, 0.24, 0.97, 1.06, 0.89, 0.72),
        (-1.00, 0.22, 0.97, 1.40, 0.90, 0.60), (-0.35, 0.22, 0.96, 1.475, 0.905, 0.60), (0.30, 0.22, 0.95, 1.455, 0.905, 0.60),
        (1.15, 0.22, 0.94, 1.03, 0.90, 0.72), (1.85, 0.24, 0.83, 0.90, 0.88, 0.70), (2.24, 0.28, 0.70, 0.75, 0.82, 0.66),
        (2.32, 0.40, 0.60, 0.64, 0.70, 0.60),
    ),
    Body.HATCH: (
        (-1.98, 0.42, 0.86, 0.92, 0.70, 0.62), (-1.92, 0.28, 0.98, 1.10, 0.82, 0.66), (-1.55, 0.24, 1.00, 1.44, 0.85, 0.60),
        (-0.70, 0.22, 0.99, 1.53, 0.86, 0.60), (0.25, 0.22, 0.97, 1.50, 0.86, 0.60), (1.05, 0.22, 0.96, 1.06, 0.85, 0.70),
        (1.60, 0.24, 0.86, 0.93, 0.83, 0.66), (1.92, 0.28, 0.72, 0.77, 0.78, 0.62), (2.00, 0.40, 0.62, 0.66, 0.68, 0.56),
    ),
    Body.SUV: (
        (-2.28, 0.46, 0.98, 1.04, 0.76, 0.68), (-2.22, 0.32, 1.08, 1.20, 0.88, 0.72), (-1.90, 0.28, 1.10, 1.60, 0.91, 0.66),
        (-0.90, 0.26, 1.09, 1.69, 0.92, 0.66), (0.25, 0.26, 1.08, 1.66, 0.92, 0.66), (1.05, 0.26, 1.07, 1.16, 0.91, 0.76),
        (1.80, 0.28, 1.00, 1.06, 0.90, 0.74), (2.20, 0.32, 0.86, 0.92, 0.84, 0.70), (2.28, 0.44, 0.72, 0.78, 0.74, 0.64),
    ),
    Body.VAN: (
        (-2.36, 0.42, 1.00, 1.40, 0.80, 0.72), (-2.30, 0.30, 1.06, 1.86, 0.88, 0.76), (-1.60, 0.26, 1.06, 1.93, 0.90, 0.77),
        (0.60, 0.26, 1.05, 1.93, 0.90, 0.77), (1.35, 0.26, 1.05, 1.80, 0.90, 0.74), (1.95, 0.26, 1.04, 1.14, 0.89, 0.76),
        (2.25, 0.30, 0.90, 0.96, 0.85, 0.72), (2.34, 0.42, 0.74, 0.80, 0.76, 0.66),
    ),
}  # fmt: skip
_STATIONS[Body.TAXI] = _STATIONS[Body.SEDAN]
_GLASS_RISE_M = 0.20
_BULGE_M = 0.055


def _smooth(stations: Floats, parts: int) -> Floats:
    """Cardinal spline through the stations (tension set so that edges stay edges)."""
    out = []
    count = len(stations)
    for index in range(count - 1):
        p0, p1 = stations[max(index - 1, 0)], stations[index]
        p2, p3 = stations[index + 1], stations[min(index + 2, count - 1)]
        for part in range(parts):
            t = part / parts
            m1, m2 = (p2 - p0) * 0.28, (p3 - p1) * 0.28
            h = (
                (2 * t**3 - 3 * t**2 + 1) * p1
                + (t**3 - 2 * t**2 + t) * m1
                + (-2 * t**3 + 3 * t**2) * p2
                + (t**3 - t**2) * m2
            )
            out.append(h)
    out.append(stations[-1])
    return np.array(out)


def _ring(station: Floats) -> Floats:
    """The outline of one station, right side from below to the middle of the roof: (K, 3)."""
    y, low, belt, top, half, half_top = station
    rise = top - belt
    cabin = rise > _GLASS_RISE_M
    rocker = low + (belt - low) * 0.18
    waist = low + (belt - low) * 0.62
    edge = min(0.07, rise * 0.45)
    ht = half_top if cabin else min(half_top + 0.06, half - 0.05)
    return np.array(
        [
            (half * 0.86, y, low),
            (half * 0.97, y, rocker),
            (half * 1.0, y, low + (belt - low) * 0.42),
            (half * 1.0, y, waist),
            (half * 0.975, y, belt - 0.03),
            (half * 0.94, y, belt),
            (ht + 0.025, y, top - edge),
            (ht - 0.05, y, top - edge * 0.25),
            (ht * 0.5, y, top + 0.005),
            (0.0, y, top + 0.012),
        ]
    )


def _outward(quads: Floats, centres: Floats) -> Floats:
    """Wind every face so that its normal points away from its centre."""
    normal = np.cross(quads[:, 2] - quads[:, 0], quads[:, 3] - quads[:, 1])
    inward = np.einsum("fk,fk->f", normal, quads.mean(axis=1) - centres) < 0
    quads[inward] = quads[inward][:, ::-1]
    return quads


def _quad(points: list[tuple[float, float, float]]) -> Floats:
    return np.array(points if len(points) == 4 else [*points, points[-1]])


def _rect_at(y: float, x0: float, x1: float, z0: float, z1: float, *, rear: bool) -> Floats:
    """A rectangle across the vehicle, seen from behind (`rear`) or from in front."""
    corners = [(x0, y, z1), (x1, y, z1), (x1, y, z0), (x0, y, z0)]
    return np.array(corners if rear else corners[::-1])


@lru_cache(maxsize=32)
def car_mesh(body: Body, fine: int) -> Mesh:
    """A car's mesh; `fine` is how many parts each station is cut into (4 near, 2 far)."""
    stations = _smooth(np.array(_STATIONS[body]), fine)
    rings = [_ring(s) for s in stations]
    faces: list[Floats] = []
    materials: list[Material] = []
    cab = [s[3] - s[2] > _GLASS_RISE_M for s in stations]
    tops = stations[:, 3]
    pillars = {"sedan": (-0.25,), "hatchback": (-0.3,), "suv": (-0.35, -1.45), "van": (0.0, -1.2), "taxi": (-0.25,)}[
        body
    ]
    for i in range(len(rings) - 1):
        y_mid = (stations[i][0] + stations[i + 1][0]) / 2
        slope = abs(tops[i + 1] - tops[i]) / max(stations[i + 1][0] - stations[i][0], 1e-6)
        steep = slope > 0.42 and (cab[i] or cab[i + 1])
        for k in range(9):
            if k == 0:
                material = Material.TRIM
            elif k == 5:
                inside = cab[i] and cab[i + 1]
                pillar = any(abs(y_mid - p) < 0.055 for p in pillars)
                material = Material.GLASS if inside and not pillar else Material.PAINT
            elif k in (7, 8) and steep and min(tops[i], tops[i + 1]) > stations[i][2] - 0.02:
                material = Material.GLASS
            else:
                material = Material.PAINT
            a, b = rings[i][k], rings[i + 1][k]
            c, d = rings[i + 1][k + 1], rings[i][k + 1]
            faces.append(np.array([a, b, c, d]))
            materials.append(material)
            mirror = np.array([-1, 1, 1])
            faces.append(np.array([d * mirror, c * mirror, b * mirror, a * mirror]))
            materials.append(material)
    columns = np.linspace(-1, 1, 2 + 2 * min(fine, 3))
    for index, sign in ((0, -1.0), (-1, 1.0)):  # both ends bulge a little, so that they shade like sheet metal
        ring = rings[index]
        low, high = ring[0][2], ring[9][2]
        for k in range(9):
            for left, right in itertools.pairwise(columns):
                corners = []
                for share, point in ((left, ring[k + 1]), (right, ring[k + 1]), (right, ring[k]), (left, ring[k])):
                    rise = np.sin(np.pi * (point[2] - low) / (high - low))
                    bulge = _BULGE_M * (0.55 * rise + 0.45 * (1 - share**2))
                    corners.append((share * point[0], point[1] + sign * bulge, point[2]))
                faces.append(np.array(corners))
                materials.append(Material.TRIM if k == 0 else Material.PAINT)
    roof = max(s[3] for s in _STATIONS[body])
    extras: list[tuple[list[Floats], Material]] = []
    if body is Body.TAXI:
        extras.append((_box(-0.17, 0.17, -0.16, -0.02, roof - 0.02, roof + 0.12, 0.0), Material.SIGN))
    half_mirror = _STATIONS[body][3][4]
    y_mirror = _STATIONS[body][-4][0] - 0.32
    for side in (-1.0, 1.0):
        x0, x1 = sorted((side * (half_mirror - 0.04), side * (half_mirror + 0.13)))
        extras.append((_box(x0, x1, y_mirror, y_mirror + 0.07, 0.99, 1.09), Material.PAINT))
    details: list[Floats] = []
    detail_materials: list[Material] = []

    def add(quad: Floats, material: Material) -> None:
        middle = quad.mean(axis=0, keepdims=True)
        quad = _outward(quad[None].copy(), middle * (0.0, 0.9, 0.0) + (0.0, 0.0, middle[0, 2]))[0]
        details.append(quad)
        detail_materials.append(material)

    st = _STATIONS[body]
    rear, front = st[0][0] - _BULGE_M - 0.004, st[-1][0] + _BULGE_M + 0.004
    belt_r, half_r = st[1][2], st[1][4]
    belt_f, half_f = st[-2][2], st[-2][4]
    tall = body in (Body.SUV, Body.VAN, Body.HATCH)
    # Behind: lamps, lid seam, bumper, plate recess, reflectors, badge.
    lamp_z0, lamp_z1 = (belt_r - 0.20, belt_r - 0.03) if not tall else (belt_r - 0.26, belt_r + 0.02)
    for side in (-1, 1):
        inner = 0.36 if not tall else 0.22
        out_x, in_x = side * (half_r - 0.035), side * (half_r - inner)
        slant = 0.05 if not tall else 0.0
        lamp = np.array(
            [
                (out_x, rear + 0.05, lamp_z1),
                (in_x, rear, lamp_z1 - 0.02),
                (in_x, rear, lamp_z0 + slant),
                (out_x, rear + 0.05, lamp_z0),
            ]
        )
        rim = lamp + (lamp - lamp.mean(axis=0)) * 0.10 + (0, -0.001, 0)
        add(rim, Material.SEAM)
        add(lamp + np.array((0, -0.002, 0)), Material.TAIL)
        w0, w1 = sorted((side * (half_r - 0.07), side * (half_r - inner + 0.05)))
        split = lamp_z0 + (lamp_z1 - lamp_z0) * (0.42 if tall else 0.5)
        add(
            _rect_at(rear - 0.004, w0, w1, split - 0.022, split + 0.018, rear=True),
            Material.WHITE if body is not Body.TAXI else Material.AMBER,
        )
        wrap = [
            (side * (half_r + 0.012), rear + 0.09, lamp_z1),
            (side * (half_r + 0.02), rear + 0.26, lamp_z1 - 0.03),
            (side * (half_r + 0.02), rear + 0.22, lamp_z0 + 0.05),
            (side * (half_r + 0.012), rear + 0.09, lamp_z0 + 0.01),
        ]
        add(np.array(wrap), Material.TAIL)
        r0, r1 = sorted((side * (half_r - 0.12), side * (half_r - 0.30)))
        add(_rect_at(rear, r0, r1, 0.44, 0.475, rear=True), Material.TAIL)
    plate_z = (belt_r - 0.22) if not tall else 0.80
    if body is Body.VAN:
        plate_z = 0.86
    add(_rect_at(rear, -half_r + 0.14, half_r - 0.14, 0.545, 0.555, rear=True), Material.SEAM)
    add(_rect_at(rear, -0.30, 0.30, plate_z - 0.12, plate_z + 0.115, rear=True), Material.TRIM)
    add(_rect_at(rear - 0.004, -0.27, 0.27, plate_z + 0.115, plate_z + 0.14, rear=True), Material.CHROME)
    add(_rect_at(rear, -half_r + 0.16, half_r - 0.16, 0.34, 0.44, rear=True), Material.TRIM)
    add(_rect_at(rear - 0.003, -0.05, 0.05, plate_z + 0.20, plate_z + 0.245, rear=True), Material.CHROME)
    add(
        _rect_at(rear - 0.002, -half_r + 0.20, half_r - 0.20, 0.415, 0.425, rear=True),
        Material.CHROME if body in (Body.SEDAN, Body.SUV) else Material.SEAM,
    )
    # In front: lamps, grille with bars, lower mouth, plate.
    hz = belt_f - 0.05
    for side in (-1, 1):
        x0, x1 = sorted((side * (half_f - 0.06), side * (half_f - 0.36)))
        add(_rect_at(front - 0.004, x0, x1, hz - 0.11, hz + 0.01, rear=False), Material.HEAD)
        f0, f1 = sorted((side * (half_f - 0.14), side * (half_f - 0.28)))
        add(_rect_at(front, f0, f1, 0.40, 0.46, rear=False), Material.HEAD)
    add(_rect_at(front, -0.44, 0.44, hz - 0.17, hz, rear=False), Material.TRIM)
    for bar in range(3):
        add(
            _rect_at(front + 0.003, -0.42, 0.42, hz - 0.15 + bar * 0.05, hz - 0.135 + bar * 0.05, rear=False),
            Material.CHROME,
        )
    add(_rect_at(front, -0.58, 0.58, 0.33, 0.43, rear=False), Material.TRIM)
    # Along the sides: door seams, handles, mirrors.
    for side in (-1.0, 1.0):
        x = side * (st[3][4] + 0.006)
        for y in (0.95 if body is not Body.VAN else 1.3, pillars[0], -1.15):
            seam = [(x, y, 0.36), (x, y + 0.015, 0.36), (x, y + 0.015, st[3][2] - 0.04), (x, y, st[3][2] - 0.04)]
            add(np.array(seam if side > 0 else seam[::-1]), Material.SEAM)
        for y in (pillars[0] + 0.08, -1.05):
            z = st[3][2] - 0.14
            handle = [(x, y, z), (x, y + 0.2, z), (x, y + 0.2, z + 0.03), (x, y, z + 0.03)]
            add(np.array(handle if side > 0 else handle[::-1]), Material.SEAM)
    wheel_r = 0.35 if tall and body is not Body.HATCH else 0.31
    length = st[-1][0] - st[0][0]
    wheels = [
        (st[0][0] + length * 0.19, wheel_r, st[3][4] - 0.05),
        (st[-1][0] - length * 0.185, wheel_r, st[3][4] - 0.05),
    ]
    all_faces, all_details = np.array(faces), np.array(details)
    for quads in (all_faces, all_details):
        centres = quads.mean(axis=1) * (0.0, 0.75, 0.0) + (0.0, 0.0, 0.70)
        _outward(quads, centres)
    for boxed, material in extras:
        stacked = np.array(boxed)
        _outward(stacked, np.broadcast_to(stacked.mean(axis=(0, 1)), (len(stacked), 3)))
        all_faces = np.concatenate((all_faces, stacked))
        materials.extend([material] * len(stacked))
    return Mesh(
        faces=all_faces,
        materials=materials,
        details=all_details,
        detail_materials=detail_materials,
        plate_rear=(rear - 0.012, plate_z, 0.06),
        plate_front=(front + 0.014, 0.47 if not tall else 0.52, 0.05),
        length_m=length,
        width_m=2 * st[3][4],
        height_m=max(s[3] for s in st),
        wheels=wheels,
    )


def _box(x0: float, x1: float, y0: float, y1: float, z0: float, z1: float, chamfer: float = 0.0) -> list[Floats]:
    """Faces of a box wound so that their normals point outwards."""
    c = chamfer
    return [
        _quad([(x0, y0, z1), (x1, y0, z1), (x1, y0, z0), (x0, y0, z0)]),
        _quad([(x1, y1, z1), (x0, y1, z1), (x0, y1, z0), (x1, y1, z0)]),
        _quad([(x1, y0, z1 - c), (x1, y1, z1 - c), (x1, y1, z0), (x1, y0, z0)]),
        _quad([(x0, y1, z1 - c), (x0, y0, z1 - c), (x0, y0, z0), (x0, y1, z0)]),
        _quad([(x0, y1, z1), (x1, y1, z1), (x1, y0, z1), (x0, y0, z1)]),
    ]


def _blob(
    centre: tuple[float, float, float],
    size: tuple[float, float, float],
    *,
    boxy: float = 0.8,
    parts: int = 8,
    lean: float = 0.0,
) -> list[Floats]:
    """A superellipsoid, outward wound; `lean` tilts it forward (radians about x)."""

    def power(v: Floats, e: float) -> Floats:
        return np.asarray(np.sign(v) * np.abs(v) ** e)

    lat = np.linspace(-np.pi / 2, np.pi / 2, max(4, parts // 2 + 1))
    lon = np.linspace(-np.pi, np.pi, parts + 1)
    la, lo = np.meshgrid(lat, lon, indexing="ij")
    x = power(np.cos(la), boxy) * power(np.cos(lo), boxy) * size[0] / 2
    y = power(np.cos(la), boxy) * power(np.sin(lo), boxy) * size[1] / 2
    z = power(np.sin(la), boxy) * size[2] / 2
    y, z = y * np.cos(lean) + z * np.sin(lean), z * np.cos(lean) - y * np.sin(lean)
    grid = np.stack((x, y, z), axis=-1) + np.array(centre)
    out = []
    for i in range(grid.shape[0] - 1):
        for j in range(grid.shape[1] - 1):
            out.append(np.array([grid[i, j], grid[i, j + 1], grid[i + 1, j + 1], grid[i + 1, j]]))
    return out


@lru_cache(maxsize=8)
def truck_mesh() -> Mesh:
    """A light lorry with a closed box (3.5 t), as they deliver in every street."""
    faces: list[Floats] = []
    materials: list[Material] = []
    details: list[Floats] = []
    detail_materials: list[Material] = []

    def put(quads: list[Floats], material: Material) -> None:
        stacked = np.array(quads)
        if len(stacked) > 1:
            _outward(stacked, np.broadcast_to(stacked.mean(axis=(0, 1)), (len(stacked), 3)))
        faces.extend(stacked)
        materials.extend([material] * len(quads))

    def add(quad: Floats, material: Material) -> None:
        middle = quad.mean(axis=0, keepdims=True)
        quad = _outward(quad[None].copy(), middle * (0.0, 0.9, 0.0) + (0.0, 0.0, middle[0, 2]))[0]
        details.append(quad)
        detail_materials.append(material)

    put(_box(-0.95, 0.95, -2.7, 1.0, 0.82, 2.75), Material.BOX)
    put(_box(-0.80, 0.80, -2.6, 2.4, 0.45, 0.82), Material.TRIM)
    put(_box(-0.86, 0.86, 1.12, 2.65, 0.42, 1.18), Material.PAINT)
    cab = [(-0.82, 1.12, 2.02), (0.82, 1.12, 2.02), (0.82, 2.30, 2.02), (-0.82, 2.30, 2.02)]
    low = [(-0.86, 1.12, 1.18), (0.86, 1.12, 1.18), (0.86, 2.65, 1.18), (-0.86, 2.65, 1.18)]
    put([np.array([cab[0], cab[1], cab[2], cab[3]])], Material.PAINT)
    put([np.array([cab[3], low[3], low[2], cab[2]])], Material.GLASS)
    put([np.array([cab[1], cab[2], low[2], low[1]]), np.array([cab[3], cab[0], low[0], low[3]])], Material.GLASS)
    rear, front = -2.712, 2.662
    add(_rect_at(rear, -0.005, 0.005, 0.86, 2.70, rear=True), Material.SEAM)
    for x in (-0.92, 0.92, -0.46, 0.46):
        add(_rect_at(rear, x - 0.015, x + 0.015, 0.86, 2.70, rear=True), Material.SEAM)
    for side in (-1, 1):
        x0, x1 = sorted((side * 0.90, side * 0.62))
        add(_rect_at(rear, x0, x1, 0.62, 0.74, rear=True), Material.TAIL)
        x2, x3 = sorted((side * 0.60, side * 0.48))
        add(_rect_at(rear, x2, x3, 0.62, 0.74, rear=True), Material.AMBER)
        h0, h1 = sorted((side * 0.80, side * 0.52))
        add(_rect_at(front, h0, h1, 0.66, 0.82, rear=False), Material.HEAD)
    add(_rect_at(rear, -0.95, 0.95, 0.40, 0.50, rear=True), Material.TRIM)
    add(_rect_at(front, -0.48, 0.48, 0.66, 0.82, rear=False), Material.TRIM)
    return Mesh(
        faces=np.array(faces), materials=materials, details=np.array(details), detail_materials=detail_materials,
        plate_rear=(rear - 0.015, 0.66, 0.0), plate_front=(front + 0.015, 0.54, 0.0), length_m=5.36, width_m=1.9,
        height_m=2.75, wheels=[(-1.75, 0.36, 0.82), (1.85, 0.36, 0.84)],
    )  # fmt: skip


@lru_cache(maxsize=8)
def bus_mesh() -> Mesh:
    """A town bus of eleven metres."""
    faces: list[Floats] = []
    materials: list[Material] = []
    details: list[Floats] = []
    detail_materials: list[Material] = []

    def put(quads: list[Floats], material: Material) -> None:
        stacked = np.array(quads)
        if len(stacked) > 1:
            _outward(stacked, np.broadcast_to(stacked.mean(axis=(0, 1)), (len(stacked), 3)))
        faces.extend(stacked)
        materials.extend([material] * len(quads))

    def add(quad: Floats, material: Material) -> None:
        middle = quad.mean(axis=0, keepdims=True)
        quad = _outward(quad[None].copy(), middle * (0.0, 0.9, 0.0) + (0.0, 0.0, middle[0, 2]))[0]
        details.append(quad)
        detail_materials.append(material)

    put(_box(-1.24, 1.24, -5.5, 5.5, 0.32, 2.98), Material.PAINT)
    put(_box(-1.10, 1.10, -5.3, 5.2, 2.98, 3.18), Material.WHITE)
    rear, front = -5.515, 5.515
    add(_rect_at(rear, -1.08, 1.08, 1.75, 2.62, rear=True), Material.GLASS)
    add(_rect_at(rear, -0.55, 0.55, 2.68, 2.90, rear=True), Material.SIGN)
    add(_rect_at(rear, -1.0, 1.0, 0.95, 1.60, rear=True), Material.WHITE)
    for k in range(4):
        add(_rect_at(rear - 0.002, -0.7, 0.7, 1.02 + 0.06 * k, 1.04 + 0.06 * k, rear=True), Material.SEAM)
    add(_rect_at(rear, -1.24, 1.24, 0.34, 0.52, rear=True), Material.TRIM)
    for side in (-1, 1):
        x0, x1 = sorted((side * 1.18, side * 0.98))
        add(_rect_at(rear, x0, x1, 0.66, 1.10, rear=True), Material.TAIL)
        add(_rect_at(rear, x0, x1, 1.12, 1.26, rear=True), Material.AMBER)
        h0, h1 = sorted((side * 1.14, side * 0.78))
        add(_rect_at(front, h0, h1, 0.60, 0.80, rear=False), Material.HEAD)
        for k in range(6):
            y0 = -4.9 + k * 1.62
            x = side * 1.252
            pane = [(x, y0, 2.66), (x, y0 + 1.48, 2.66), (x, y0 + 1.48, 1.62), (x, y0, 1.62)]
            add(np.array(pane if side > 0 else pane[::-1]), Material.GLASS)
        stripe = [
            (side * 1.25, -5.5, 1.30),
            (side * 1.25, 5.5, 1.30),
            (side * 1.25, 5.5, 1.05),
            (side * 1.25, -5.5, 1.05),
        ]
        add(np.array(stripe if side > 0 else stripe[::-1]), Material.WHITE)
    add(_rect_at(front, -1.14, 1.14, 1.15, 2.60, rear=False), Material.GLASS)
    add(_rect_at(front, -0.8, 0.8, 2.66, 2.90, rear=False), Material.SIGN)
    return Mesh(
        faces=np.array(faces), materials=materials, details=np.array(details), detail_materials=detail_materials,
        plate_rear=(rear - 0.02, 0.74, 0.0), plate_front=(front + 0.02, 0.50, 0.0), length_m=11.0, width_m=2.48,
        height_m=3.18, wheels=[(-3.2, 0.48, 1.20), (3.3, 0.48, 1.20)],
    )  # fmt: skip


@lru_cache(maxsize=8)
def scooter_mesh(*, rider: bool, fine: int) -> Mesh:
    """A scooter, parked or ridden."""
    faces: list[Floats] = []
    materials: list[Material] = []
    details: list[Floats] = []
    detail_materials: list[Material] = []

    def put(quads: list[Floats], material: Material) -> None:
        stacked = np.array(quads)
        if len(stacked) > 1:
            _outward(stacked, np.broadcast_to(stacked.mean(axis=(0, 1)), (len(stacked), 3)))
        faces.extend(stacked)
        materials.extend([material] * len(quads))

    def add(quad: Floats, material: Material) -> None:
        middle = quad.mean(axis=0, keepdims=True)
        quad = _outward(quad[None].copy(), middle * (0.0, 0.9, 0.0) + (0.0, 0.0, middle[0, 2]))[0]
        details.append(quad)
        detail_materials.append(material)

    n = fine
    put(_blob((0, -0.62, 0.25), (0.12, 0.50, 0.50), boxy=0.7, parts=n), Material.TYRE)
    put(_blob((0, 0.62, 0.25), (0.11, 0.50, 0.50), boxy=0.7, parts=n), Material.TYRE)
    put(_blob((0, -0.50, 0.58), (0.34, 0.82, 0.36), boxy=0.75, parts=n), Material.PAINT)
    put(_blob((0, -0.30, 0.78), (0.30, 0.74, 0.13), boxy=0.6, parts=n), Material.TRIM)
    put(_blob((0, 0.05, 0.32), (0.34, 0.60, 0.12), boxy=0.5, parts=n), Material.TRIM)
    put(_blob((0, 0.46, 0.62), (0.40, 0.20, 0.72), boxy=0.7, parts=n, lean=-0.30), Material.PAINT)
    put(_blob((0, 0.36, 1.00), (0.62, 0.10, 0.08), boxy=0.7, parts=n), Material.TRIM)
    put(_blob((0, 0.42, 0.98), (0.26, 0.22, 0.22), boxy=0.8, parts=n), Material.PAINT)
    for side in (-1, 1):
        put(_blob((side * 0.34, 0.38, 1.16), (0.13, 0.03, 0.09), parts=max(6, n // 2)), Material.TRIM)
        put(_box(side * 0.33 - 0.01, side * 0.33 + 0.01, 0.36, 0.38, 1.0, 1.14), Material.TRIM)
    if rider:
        put(_blob((0, -0.20, 0.98), (0.36, 0.27, 0.44), boxy=0.75, parts=n, lean=0.10), Material.CLOTH)  # waist
        put(_blob((0, -0.15, 1.22), (0.44, 0.26, 0.44), boxy=0.70, parts=n, lean=0.16), Material.CLOTH)  # back
        put(_blob((0, -0.12, 1.36), (0.50, 0.20, 0.18), boxy=0.80, parts=n, lean=0.10), Material.CLOTH)  # shoulders
        put(_blob((0, -0.09, 1.46), (0.12, 0.12, 0.14), parts=max(6, n // 2)), Material.SKIN)
        put(_blob((0, -0.07, 1.61), (0.25, 0.30, 0.27), boxy=0.95, parts=n), Material.HELMET)
        put(_blob((0, 0.045, 1.60), (0.20, 0.08, 0.12), parts=max(6, n // 2)), Material.SEAM)  # visor
        for side in (-1, 1):
            put(_blob((side * 0.27, -0.04, 1.22), (0.13, 0.17, 0.36), parts=max(6, n - 4), lean=0.5), Material.CLOTH)
            put(_blob((side * 0.28, 0.20, 1.06), (0.11, 0.40, 0.11), parts=max(6, n - 4), lean=0.15), Material.CLOTH)
            put(_blob((side * 0.29, 0.38, 1.01), (0.09, 0.10, 0.09), parts=6), Material.SKIN)
            put(_blob((side * 0.15, 0.02, 0.80), (0.17, 0.56, 0.18), parts=max(6, n - 4)), Material.SEAM)
            put(_blob((side * 0.15, 0.26, 0.54), (0.13, 0.15, 0.48), parts=max(6, n - 4)), Material.SEAM)
            put(_blob((side * 0.15, 0.30, 0.34), (0.11, 0.26, 0.10), parts=6), Material.TRIM)
    y = -0.925
    add(_rect_at(y, -0.125, 0.125, 0.61, 0.70, rear=True), Material.TAIL)
    for side in (-1, 1):
        x0, x1 = sorted((side * 0.13, side * 0.19))
        add(_rect_at(y + 0.03, x0, x1, 0.60, 0.68, rear=True), Material.AMBER)
    add(_rect_at(y - 0.03, -0.10, 0.10, 0.28, 0.58, rear=True), Material.TRIM)  # the mudguard that carries the plate
    add(_rect_at(0.60, -0.09, 0.09, 0.93, 1.04, rear=False), Material.HEAD)
    return Mesh(
        faces=np.array(faces), materials=materials, details=np.array(details), detail_materials=detail_materials,
        plate_rear=(y - 0.045, 0.46, 0.22), plate_front=None, length_m=1.85, width_m=0.70, height_m=1.75 if rider else 1.2,
        wheels=[],
    )  # fmt: skip


def mesh_of(body: Body, away_m: float, *, rider: bool = True) -> Mesh:
    """The mesh of a body in the fineness that its distance deserves."""
    if body is Body.TRUCK:
        return truck_mesh()
    if body is Body.BUS:
        return bus_mesh()
    if body is Body.SCOOTER:
        return scooter_mesh(rider=rider, fine=20 if away_m < 10 and rider else 12 if away_m < 17 else 6)
    return car_mesh(body, 5 if away_m < 14 else 3 if away_m < 30 else 1)
