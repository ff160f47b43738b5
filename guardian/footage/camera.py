"""A pinhole camera in a car, and drawing textured quads through it.

Pictures are BGR uint8. A quad that reaches behind the camera is cut at the near plane, with its texture. Textures are
kept in sizes halved separately in width and height, since walls along a street are seen at a slant.
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Picture = NDArray[Any]
NEAR_M = 0.6


class Texture:
    """A picture with smaller ones of itself, made when they are first needed."""

    def __init__(self, picture: Picture) -> None:
        self._sizes: dict[tuple[int, int], Picture] = {(0, 0): picture}
        self.height_px, self.width_px = picture.shape[:2]

    def fitting(self, width_px: float, height_px: float) -> Picture:
        """The size whose pixels are nearest to those on screen, never smaller than half."""
        i = max(0, min(5, math.floor(math.log2(max(1.0, self.width_px / max(width_px, 1.0))) + 0.3)))
        j = max(0, min(5, math.floor(math.log2(max(1.0, self.height_px / max(height_px, 1.0))) + 0.3)))
        found = self._sizes.get((i, j))
        if found is None:
            size = (max(1, self.width_px >> i), max(1, self.height_px >> j))
            found = np.ascontiguousarray(cv2.resize(self._sizes[0, 0], size, interpolation=cv2.INTER_AREA))
            self._sizes[i, j] = found
        return found


class Camera:
    """Where the lens is and what it sees.

    Args:
        x_m, y_m, z_m: the lens in world metres.
        angle: direction of view, radians from east, anticlockwise.
        pitch: radians, positive looks up.
        roll: radians.
    """

    def __init__(
        self, width_px: int, height_px: int, focal_px: float, x_m: float, y_m: float, z_m: float, angle: float,
        pitch: float = 0.0, roll: float = 0.0,
    ) -> None:  # fmt: skip
        self.width_px, self.height_px, self.focal_px = width_px, height_px, focal_px
        self.place = np.array([x_m, y_m, z_m])
        self.angle = angle
        ca, sa, cp, sp = math.cos(angle), math.sin(angle), math.cos(pitch), math.sin(pitch)
        forward = np.array([ca * cp, sa * cp, sp])
        right = np.array([sa, -ca, 0.0])
        up = np.cross(right, forward)
        cr, sr = math.cos(roll), math.sin(roll)
        self.right, self.up, self.forward = right * cr + up * sr, up * cr - right * sr, forward
        self._turn = np.stack((self.right, -self.up, self.forward))
        self.cx, self.cy = width_px / 2, height_px * 0.47
        self.horizon_px = self.cy + focal_px * math.tan(pitch)

    def see(self, points: Floats) -> Floats:
        """World points (…, 3) as right, down, depth in metres."""
        return np.asarray((points - self.place) @ self._turn.T)

    def project(self, seen: Floats) -> Floats:
        """Seen points (…, 3) as pixels (…, 2); depths must be positive."""
        depth = np.maximum(seen[..., 2:3], 1e-3)
        return seen[..., :2] / depth * self.focal_px + (self.cx, self.cy)

    def draw_wall(
        self,
        frame: Picture,
        a: Floats,
        b: Floats,
        z_low_m: float,
        z_high_m: float,
        texture: Texture,
        *,
        up_m: float = 0.0,
    ) -> bool:
        """Draw an upright picture between two ground points, `a` at its left edge; False where nothing was seen."""
        corners = np.array([(*a, z_high_m + up_m), (*b, z_high_m + up_m), (*b, z_low_m + up_m), (*a, z_low_m + up_m)])
        return self.draw_quad(frame, corners, texture)

    def draw_quad(self, frame: Picture, corners: Floats, texture: Texture) -> bool:
        """Draw a picture on a world quad (4, 3), clockwise from its top left."""
        seen = self.see(corners)
        u0, u1 = 0.0, 1.0
        left_depth, right_depth = min(seen[0, 2], seen[3, 2]), min(seen[1, 2], seen[2, 2])
        if left_depth < NEAR_M and right_depth < NEAR_M:
            return False
        if left_depth < NEAR_M:
            u0 = (NEAR_M - left_depth) / (right_depth - left_depth)
        elif right_depth < NEAR_M:
            u1 = 1.0 - (NEAR_M - right_depth) / (left_depth - right_depth)
        if u1 - u0 < 1e-4:
            return False
        top, bottom = seen[1] - seen[0], seen[2] - seen[3]
        cut = np.array([seen[0] + top * u0, seen[0] + top * u1, seen[3] + bottom * u1, seen[3] + bottom * u0])
        target = self.project(cut)
        x0, y0 = np.floor(target.min(axis=0)).astype(int)
        x1, y1 = np.ceil(target.max(axis=0)).astype(int) + 1
        x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, self.width_px), min(y1, self.height_px)
        if x1 - x0 < 1 or y1 - y0 < 1:
            return False
        # The slope of a wall near the lens would ask for a tiny texture; what counts is the width that is on screen.
        wide = abs(target[1, 0] - target[0, 0]) + abs(target[1, 1] - target[0, 1]) * 0.5
        high = max(abs(target[3, 1] - target[0, 1]), abs(target[2, 1] - target[1, 1]))
        picture = texture.fitting(wide / max(u1 - u0, 1e-3), high)
        rows, columns = picture.shape[:2]
        source = np.array(
            [(u0 * columns, 0), (u1 * columns, 0), (u1 * columns, rows), (u0 * columns, rows)], np.float32
        ) - np.float32(0.5)
        matrix = cv2.getPerspectiveTransform(source, (target - (x0, y0)).astype(np.float32))
        view = frame[y0:y1, x0:x1]
        cv2.warpPerspective(
            picture, matrix, (x1 - x0, y1 - y0), dst=view, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_TRANSPARENT
        )
        return True

    def clip_ground(self, points: Floats) -> Floats | None:
        """A ground polygon (N, 3) cut at the near plane, in pixels; None where nothing is in front."""
        seen = self.see(points)
        inside = seen[:, 2] > NEAR_M
        if not inside.any():
            return None
        if not inside.all():
            kept: list[Floats] = []
            for index in range(len(seen)):
                here, there = seen[index], seen[(index + 1) % len(seen)]
                if inside[index]:
                    kept.append(here)
                if inside[index] != inside[(index + 1) % len(seen)]:
                    share = (NEAR_M - here[2]) / (there[2] - here[2])
                    kept.append(here + (there - here) * share)
            seen = np.array(kept)
        return self.project(seen)
