"""Training of the finder: real pictures moved, scaled, lit and blurred anew each time, with rendered plates laid into them.

Losses: penalty-reduced focal loss on the map of centres (Zhou et al., Objects as Points, 2019, eq. 1), smooth L1 on the
corners in shares of the plate's height. Around plates that are cut by the picture's edge nothing is asked; in pictures
whose labels are not complete the ground counts less, since plates may stand there that nobody labelled.
"""

from __future__ import annotations

import copy
import sys
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from guardian.evaluation.geometry import iou
from guardian.evaluation.labels import Labels
from guardian.vision.finder import PlateFinder, Sizes
from train.augment import Picture, Rng, chance, lens, light, warp_crop
from train.data import without_fold
from train.export import detector_bytes
from train.loop import Run, made, opened, weights_of
from train.models.detector import STRIDE, PlateDetector, detector_of
from train.models.lite0 import teach_stem
from train.recolour import recoloured

HEIGHT, WIDTH = 384, 512
LOOKED_AT = Sizes(halves=1)
"""How the held-out pictures are looked at while it learns."""
SEEN_PX = 8.0
"""Plates less high are not asked for."""
SCENE_STEPS, SCENES = 40, 20
"""How many rendered scenes there are to choose from, for how many steps: each is seen about five times, moved anew."""


class View(msgspec.Struct, frozen=True):
    """A picture with its plates, ready to be moved: corners (n, 4, 2) float32, weight of each, and whether they are all."""

    picture: Any
    corners: Any
    weights: Any
    complete: bool
    set: str
    hidden: Any = ()  # (m, 4, 2) float32: plates seen in part, about which nothing is asked


class DetectorSettings(msgspec.Struct, frozen=True):
    """What a run is."""

    steps: int = 6_000
    batch: int = 8
    peak: float = 1e-3
    width: int = 48
    rendered: float = 0.3  # share of views that are rendered scenes
    cut_out: float = 0.12  # share of views that show a plate that was cut out
    coloured: float = 0.15  # share of real plates with known borders that are given another colour
    plate_px_min: float = 18.0  # width of the chosen plate in what the network sees
    plate_px_max: float = 280.0  # closer ones are found in a second or third look at half the size
    seed: int = 1
    fold: int = 0
    folds: int = 8
    look_every: int = 250
    stem_steps: int = 300


def views_of(labelled: Labels) -> list[View]:
    """The labelled scenes, opened."""
    out = []
    for scene in labelled.scenes:
        picture = cv2.imread(str(labelled.folder / scene.file), cv2.IMREAD_COLOR)
        if picture is None:
            continue
        corners = np.asarray([p.corners for p in scene.plates], np.float32).reshape(-1, 4, 2)
        weights = np.asarray([1.0 if p.corners_quality == "fitted" else 0.4 for p in scene.plates], np.float32)
        out.append(View(picture, corners, weights, scene.complete, scene.set))
    return out


def _way_of(rng: Rng, view: View, settings: DetectorSettings, centre_px: tuple[float, float] | None) -> NDArray[Any]:
    """A matrix from a view to what the network sees: one plate at a drawn width and place, a little turned and leaning."""
    height, width = view.picture.shape[:2]
    centre = np.asarray((width / 2, height / 2))
    scale = float(np.exp(rng.uniform(np.log(0.4), np.log(1.2))))
    if len(view.corners):
        chosen = view.corners[int(rng.integers(len(view.corners)))]
        wide = float(np.hypot(*((chosen[1] - chosen[0] + chosen[2] - chosen[3]) / 2)))
        wanted = float(np.exp(rng.uniform(np.log(settings.plate_px_min), np.log(settings.plate_px_max))))
        scale = min(1.7, wanted / max(4.0, wide))
        centre = chosen.mean(axis=0)
    if chance(rng, 0.1):
        centre = np.asarray((rng.uniform(0, width), rng.uniform(0, height)))  # somewhere else: often no plate at all
    steep = chance(rng, 0.5)  # as a scooter on its stand is seen, or a row of parked cars from beside it
    angle = np.radians(rng.normal(0, 15 if steep else 6))
    cos, sin = np.cos(angle) * scale, np.sin(angle) * scale
    aspect = float(np.exp(rng.normal(0, 0.08)))
    turn = np.asarray(((cos * aspect, -sin), (sin, cos)))
    if steep:
        turn = turn @ np.asarray(((rng.uniform(0.7, 1.1), 0.0), (rng.normal(0, 0.25), 1.0)))
    to = centre_px or (rng.uniform(0.12, 0.88) * WIDTH, rng.uniform(0.12, 0.88) * HEIGHT)
    matrix = np.eye(3)
    matrix[:2, :2] = turn
    matrix[:2, 2] = np.asarray(to) - turn @ centre
    if chance(rng, 0.5):  # seen from the side
        lean = np.eye(3)
        lean[2, :2] = rng.normal(0, 4e-4 if steep else 1.6e-4, 2)
        middle = np.eye(3)
        middle[:2, 2] = (WIDTH / 2, HEIGHT / 2)
        matrix = middle @ lean @ np.linalg.inv(middle) @ matrix
    return matrix


class Collage(msgspec.Struct):
    """What the network sees, while it is put together. `complete` is 1 where every plate is known; `covered` what is filled."""

    picture: Any
    covered: Any
    complete: Any
    corners: list[Any]
    weights: list[float]
    hidden: list[Any]


def moved(rng: Rng, view: View, settings: DetectorSettings, others: Sequence[View]) -> Collage:
    """A view as a camera elsewhere would have it, (384, 512); where it ends, other views go on: close pictures made small
    would leave most of the ground black."""
    c = Collage(
        np.zeros((HEIGHT, WIDTH, 3), np.uint8),
        np.zeros((HEIGHT, WIDTH), bool),
        np.ones((HEIGHT, WIDTH), bool),
        [],
        [],
        [],
    )
    for round_number in range(4):
        if round_number:
            free = ~c.covered
            if free.mean() < 0.08 or not others:
                break
            view = others[int(rng.integers(len(others)))]
            rows, columns = np.nonzero(free[::8, ::8])
            pick = int(rng.integers(len(rows)))
            matrix = _way_of(rng, view, settings, (float(columns[pick] * 8), float(rows[pick] * 8)))
        else:
            matrix = _way_of(rng, view, settings, None)
        height, width = view.picture.shape[:2]
        shrink = 1 / max(1e-3, float(np.sqrt(abs(np.linalg.det(matrix[:2, :2])))))
        picture = warp_crop(view.picture, matrix, (WIDTH, HEIGHT), shrink=shrink, border=cv2.BORDER_CONSTANT)
        outline = np.asarray([(0, 0), (width, 0), (width, height), (0, height)], np.float32).reshape(-1, 1, 2)
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        cv2.fillConvexPoly(mask, cv2.perspectiveTransform(outline, matrix).astype(np.int32), 1)
        fresh = (mask > 0) & ~c.covered
        c.picture[fresh] = picture[fresh]
        c.complete[fresh] = view.complete
        for quad, weight in zip(
            cv2.perspectiveTransform(view.corners.reshape(-1, 1, 2), matrix).reshape(-1, 4, 2)
            if len(view.corners)
            else [],
            view.weights,
            strict=True,
        ):
            inside = np.zeros((HEIGHT, WIDTH), np.uint8)
            cv2.fillConvexPoly(inside, quad.astype(np.int32), 1)
            area = int(inside.sum())
            if area and (fresh & (inside > 0)).sum() < 0.97 * area:
                c.hidden.append(quad)
            else:
                c.corners.append(quad)
                c.weights.append(float(weight))
        if len(view.hidden):
            c.hidden.extend(cv2.perspectiveTransform(view.hidden.reshape(-1, 1, 2), matrix).reshape(-1, 4, 2))
        c.covered |= fresh
    rest = ~c.covered
    if rest.any():
        c.picture[rest] = 0 if chance(rng, 0.5) else rng.integers(0, 256, 3).astype(np.uint8)
    return c


def cut_out(rng: Rng, view: View) -> View:
    """One plate of a view and hardly more, as people cut them out: a finder that only knew plates on vehicles misses some."""
    quad = view.corners[int(rng.integers(len(view.corners)))]
    room = rng.uniform(-0.02, 0.3, (2, 2)) * float(np.hypot(*((quad[3] - quad[0] + quad[2] - quad[1]) / 2)))
    height, width = view.picture.shape[:2]
    x0, y0 = np.clip(np.floor(quad.min(axis=0) - room[0]), 0, (width - 1, height - 1)).astype(int)
    x1, y1 = np.clip(np.ceil(quad.max(axis=0) + room[1]), (x0 + 1, y0 + 1), (width, height)).astype(int)
    inside = ((view.corners.mean(axis=1) > (x0, y0)) & (view.corners.mean(axis=1) < (x1, y1))).all(axis=1)
    moved_by = np.asarray((x0, y0), np.float32)
    return msgspec.structs.replace(
        view,
        picture=view.picture[y0:y1, x0:x1],
        corners=view.corners[inside] - moved_by,
        weights=view.weights[inside],
        complete=True,
        hidden=view.hidden - moved_by if len(view.hidden) else (),
    )


def targets_of(
    corners: NDArray[Any], weights: NDArray[Any], complete: NDArray[Any], hidden: Sequence[NDArray[Any]] = ()
) -> tuple[NDArray[Any], ...]:
    """Maps at a quarter of the size: centres (1 at a centre), weight of the ground, corner offsets, their weights."""
    h, w = HEIGHT // STRIDE, WIDTH // STRIDE
    heat = np.zeros((h, w), np.float32)
    ground = np.where(complete[::STRIDE, ::STRIDE], 1.0, 0.3).astype(np.float32)
    for quad in hidden:
        _blind(ground, quad)
    offsets = np.zeros((8, h, w), np.float32)
    share = np.zeros((h, w), np.float32)
    ys, xs = np.mgrid[0:h, 0:w].astype(np.float32)
    cx, cy = (xs + 0.5) * STRIDE, (ys + 0.5) * STRIDE
    frame = np.asarray([(0, 0), (WIDTH, 0), (WIDTH, HEIGHT), (0, HEIGHT)], np.float32)
    for quad, weight in zip(corners, weights, strict=True):
        low, high = quad.min(axis=0), quad.max(axis=0)
        if high[0] < 0 or high[1] < 0 or low[0] > WIDTH or low[1] > HEIGHT:
            continue
        hull = cv2.convexHull(quad)
        if len(hull) < 4:
            continue
        area, _ = cv2.intersectConvexConvex(hull, frame)
        full = abs(float(cv2.contourArea(quad)))
        centre = quad.mean(axis=0)
        wide = float(np.hypot(*((quad[1] - quad[0] + quad[2] - quad[3]) / 2)))
        tall = float(np.hypot(*((quad[3] - quad[0] + quad[2] - quad[1]) / 2)))
        visible = area / max(1.0, full)
        if visible < 0.75 or tall < 5 or not (0 <= centre[0] < WIDTH and 0 <= centre[1] < HEIGHT):
            _blind(ground, quad)
            continue
        sx, sy = max(2.5, 0.11 * wide), max(2.5, 0.16 * tall)
        bump = np.exp(-((cx - centre[0]) ** 2) / (2 * sx * sx) - ((cy - centre[1]) ** 2) / (2 * sy * sy))
        column = min(w - 1, int(centre[0] / STRIDE))
        row = min(h - 1, int(centre[1] / STRIDE))
        bump[row, column] = 1.0
        near = (bump > 0.5) & (bump >= heat)
        heat = np.maximum(heat, bump)
        for k in range(4):
            offsets[2 * k][near] = quad[k, 0] - cx[near]
            offsets[2 * k + 1][near] = quad[k, 1] - cy[near]
        share[near] = weight / max(1.0, float(near.sum())) / (0.25 * tall)
    return heat, ground, offsets, share


def _blind(ground: NDArray[Any], quad: NDArray[Any]) -> None:
    """Nothing is asked where a plate is only partly seen."""
    x0, y0 = np.maximum(0, quad.min(axis=0) / STRIDE - 1).astype(int)
    x1, y1 = np.maximum(0, np.ceil(quad.max(axis=0) / STRIDE) + 1).astype(int)
    ground[y0:y1, x0:x1] = 0.0


_scenes: OrderedDict[tuple[int, int, int, int], View] = OrderedDict()


def rendered_view(seed: int, era: int, number: int, views: Sequence[View]) -> View:
    """One of an era's rendered scenes. Drawing takes as long as three steps of learning, so that each is kept a while; which
    it is depends on its numbers alone."""
    key = (seed, era, number, len(views))
    if key not in _scenes:
        _scenes[key] = drawn_view(
            np.random.default_rng((seed, 53, era, number)), views, era % (1_000_000 // SCENE_STEPS)
        )
        if len(_scenes) > 2 * SCENES:
            _scenes.popitem(last=False)
    return _scenes[key]


def drawn_view(rng: Rng, views: Sequence[View], era: int) -> View:
    """A fresh rendered scene; labelled views lend it their ground."""
    from train.scenes import draw_scene

    scene = draw_scene(rng, views, era=era)
    ones = np.ones(len(scene.corners), np.float32)
    return View(scene.picture, scene.corners, ones, scene.complete, "rendered", scene.hidden)


def one(
    rng: Rng, settings: DetectorSettings, views: Sequence[View], odds: NDArray[Any] | None, step: int = 0
) -> tuple[NDArray[Any], ...]:
    """One training view with its maps."""
    drawn = not views or chance(rng, settings.rendered)
    if drawn:
        view = rendered_view(settings.seed, step // SCENE_STEPS, int(rng.integers(SCENES)), views)
    else:
        view = views[int(rng.choice(len(views), p=odds))]
    return seen(rng, settings, view, views, drawn=drawn)


def seen(
    rng: Rng, settings: DetectorSettings, view: View, views: Sequence[View], *, drawn: bool
) -> tuple[NDArray[Any], ...]:
    """A view as the network sees it (384, 512, 3) uint8 BGR, spoilt, with its maps. `drawn`: it is rendered."""
    alone = cut_out(rng, view) if len(view.corners) and chance(rng, settings.cut_out) else None
    c = moved(rng, view, settings, views) if alone is None else moved(rng, alone, settings, ())
    picture, corners, weights = c.picture, np.asarray(c.corners, np.float32).reshape(-1, 4, 2), np.asarray(c.weights)
    tall = float(np.ptp(corners[0][:, 1])) if len(corners) else 30.0
    for quad, weight in zip(corners, weights, strict=True):
        if not drawn and weight == 1.0 and chance(rng, settings.coloured):
            picture = recoloured(rng, picture, quad)
    # What was rendered has its weather already: night made darker once more would be black.
    picture = light(rng, picture, 0.25 if drawn else 0.8)
    picture = lens(rng, picture, float(np.clip(tall / 22, 0.4, 2.0)), 0.35 if drawn else 0.7)
    return (picture, *targets_of(corners, weights, c.complete, c.hidden))


def batch_of(
    step: int, settings: DetectorSettings, views: Sequence[View], odds: NDArray[Any] | None
) -> tuple[Tensor, ...]:
    """The batch of a step: depends on its number and the settings alone."""
    rows = [
        one(np.random.default_rng((settings.seed, step, i)), settings, views, odds, step) for i in range(settings.batch)
    ]
    pictures = np.stack([r[0] for r in rows])[..., ::-1].transpose(0, 3, 1, 2).astype(np.float32) / 255
    frames = torch.from_numpy(np.ascontiguousarray(pictures)).contiguous(memory_format=torch.channels_last)
    return (frames, *(torch.from_numpy(np.stack([r[k] for r in rows])) for k in range(1, 5)))


def loss_of(model: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
    """Focal loss of the centres plus smooth L1 of the corners, each by the number of plates."""
    frames, heat, ground, offsets, share = batch
    out = model(frames)
    logit = out[:, 0]
    p = torch.sigmoid(logit)
    at = (heat >= 1.0).float()
    positive = -((1 - p) ** 2) * nn.functional.logsigmoid(logit) * at
    negative = -(p**2) * nn.functional.logsigmoid(-logit) * (1 - heat) ** 4 * ground * (1 - at)
    plates = at.sum().clamp(min=1.0)
    away = nn.functional.smooth_l1_loss(
        out[:, 1:] * share[:, None], offsets * share[:, None], reduction="none", beta=1e-6
    )
    return (positive.sum() + negative.sum()) / plates + away.sum() / plates


def steeper(view: View, angle: float, shear: float, side_px: float = 640.0) -> tuple[Picture, NDArray[Any]]:
    """A view turned by degrees and sheared downwards along its width, whole, its longest side at most `side_px`; and its
    corners there."""
    height, width = view.picture.shape[:2]
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    turn = np.asarray(((cos, -sin), (sin, cos))) @ np.asarray(((1.0, 0.0), (shear, 1.0)))
    outline = np.asarray([(0, 0), (width, 0), (width, height), (0, height)]) @ turn.T
    scale = min(1.0, side_px / float(np.ptp(outline, axis=0).max()))
    low, size = outline.min(axis=0) * scale, np.ceil(np.ptp(outline, axis=0) * scale).astype(int)
    matrix = np.eye(3)
    matrix[:2, :2], matrix[:2, 2] = turn * scale, -low
    picture = warp_crop(
        view.picture, matrix, (int(size[0]), int(size[1])), shrink=1 / scale, border=cv2.BORDER_REPLICATE
    )
    return picture, (view.corners @ (turn * scale).T - low).astype(np.float32)


class Look:
    """Found, missed and false plates on held-out pictures, as the product's own finder finds them with these weights: each
    picture as it is, made smaller as if everything stood further away, and turned and sheared, as a parked row is seen."""

    def __init__(
        self,
        held: Sequence[View],
        shares: tuple[float, ...] = (1.0, 0.5, 0.3),
        steep: tuple[tuple[float, float], ...] = ((18.0, 0.0), (-18.0, 0.0), (8.0, 0.35), (-8.0, -0.35)),
    ) -> None:
        self.shown: list[tuple[View, Any, NDArray[Any]]] = []
        for view in held:
            for angle, shear in steep:
                picture, corners = steeper(view, angle, shear)
                self.shown.append((view, picture, corners))
            for share in shares:
                picture = (
                    cv2.resize(view.picture, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
                    if share < 1
                    else view.picture
                )
                scale = np.asarray(picture.shape[1::-1], np.float32) / view.picture.shape[1::-1]
                self.shown.append((view, picture, view.corners * scale))

    def __call__(self, model: nn.Module) -> dict[str, float]:
        finder = PlateFinder(content=detector_bytes(copy.deepcopy(model)), sizes=LOOKED_AT)
        found = of = false = 0
        errors: list[float] = []
        for view, picture, corners in self.shown:
            quads = [np.asarray(d.corners, np.float32) for d in finder.detect(picture)]
            used = set()
            for quad, weight in zip(corners, view.weights, strict=True):
                ious = [iou(quad, q) for q in quads]
                best = int(np.argmax(ious)) if ious else -1
                hit = best >= 0 and ious[best] > 0.5
                if hit:
                    used.add(best)
                if np.ptp(quad[:, 1]) < SEEN_PX:
                    continue
                of += 1
                found += hit
                if hit and weight == 1.0:
                    errors.append(float(np.abs(quads[best] - quad).mean() / max(1.0, np.ptp(quad[:, 1]))))
            if view.complete:
                false += len(quads) - len(used)
        recall, wrong = found / max(1, of), false / max(1, len(self.shown))
        corner = float(np.mean(errors)) if errors else 1.0
        return {"recall": recall, "false": wrong, "corners": corner, "score": recall - 0.15 * wrong - corner}


def begin(model: PlateDetector, views: Sequence[View], settings: DetectorSettings) -> None:
    """Give a finder the ImageNet weights, and teach its stem to say what the first published blocks say."""
    model.backbone.take_pretrained()
    teaching = msgspec.structs.replace(settings, batch=6)

    def pictures(step: int) -> Tensor:
        return batch_of(10_000_000 + step, teaching, views, None)[0][:, :, ::2, ::2] * 2 - 1

    missed = teach_stem(model.backbone.stem, pictures, settings.stem_steps)
    print(f"stem: misses {missed:.3f} of what the first blocks of EfficientNet-Lite0 say", file=sys.stderr)


def train_detector(
    labelled: Labels | None,
    out: Path,
    settings: DetectorSettings,
    start: Path | None = None,
    *,
    device: str = "auto",
    workers: int = 0,
) -> Run:
    """Train, or go on with, one run in a folder. `start` has weights to begin with, and says how many channels there are; without
    it ImageNet's are taken."""
    model = made(
        lambda: PlateDetector(settings.width) if start is None else detector_of(weights_of(start)), settings, start
    )
    views: list[View] = []
    held: list[View] = []
    if labelled is not None and settings.folds:
        learnt, looked_at = without_fold(labelled, settings.fold, settings.folds)
        views, held = views_of(learnt), views_of(looked_at)
    elif labelled is not None:
        views = views_of(labelled)
        held = views[::8]
    if start is None and not (out / "state.pt").exists():
        begin(model, views, settings)
    odds = np.asarray([2.0 if v.set == "dashcam" else 1.0 for v in views])
    odds /= max(1.0, odds.sum())
    run = opened(out, model, settings, device=device, workers=workers)
    weights = sum(p.numel() for p in model.parameters())
    print(
        f"detector: {len(views)} real pictures, {len(held)} held out, {weights:,} weights",
        file=sys.stderr,
    )
    run.train(
        lambda step: batch_of(step, settings, views, odds),
        loss_of,
        Look(held),
        score="score",
        look_every=settings.look_every,
    )
    return run
