"""Training of the net for vehicles, from labels of our own (`vehicles.json`), a teacher's boxes, and rendered scenes.

`vehicles.json` says of pictures of the training part what was seen there by eye: box (shares of the picture), kind, colours
and bodies that may be said of it (the first is meant, the others would be no mistake; `unknown`: nobody can tell), make and
model where a badge is legible. Boxes with `teacher_prob` are NanoDet's (Apache-2.0), not looked at one by one: only box and
kind are learnt from them. A fourth of the vehicles, by the plate's text, is held out for measuring.

Losses: penalty-reduced focal loss of the middles for each kind (Objects as Points, 2019), smooth L1 of the logarithms of the
four sides, cross-entropy of colour and body with the share of what may be said. A view is made once and kept with what the
frozen blocks say of it, so that a step costs only the head.
"""

from __future__ import annotations

import copy
import hashlib
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from guardian.domain.errors import InputRefusedError
from guardian.evaluation.labels import Labels
from guardian.vision.vehicles import (
    BODIES,
    COLOUR_WORDS,
    KINDS,
    SIDES,
    STRIDE_PX,
    VehicleFinder,
    overlap,
)
from train.augment import Rng, chance, lens, warp_crop
from train.export import vehicles_bytes
from train.loop import Run
from train.models.vehicles import VehicleNet

LABELS = Path(__file__).parent / "vehicles.json"
HEIGHT, WIDTH = 224, 320
SEEN_PX = 10.0
"""Vehicles that are less wide in what the net sees are not asked for."""
_MEANT_SHARE = 0.65
"""How much of the truth goes to the word that is meant, where others may be said too."""


class LabelledVehicle(msgspec.Struct, frozen=True):
    """One line of `vehicles.json`."""

    box: tuple[float, float, float, float]
    kind: str
    plate: int | None = None
    colours: tuple[str, ...] = ()
    bodies: tuple[str, ...] = ()
    make: str = ""
    model: str = ""
    teacher_prob: float = 1.0


class Vehicle(msgspec.Struct, frozen=True):
    """A vehicle in a picture: box in px; a truth of zeros where a word is not known to the teacher."""

    box: Any  # (4,) float32
    kind: int
    colour: Any  # (len(COLOUR_WORDS),) float32, sums to 1 or 0
    body: Any  # (len(BODIES),) float32, likewise
    weight: float = 1.0


class View(msgspec.Struct, frozen=True):
    """A picture with its vehicles. `complete`: whether there are no others in it."""

    picture: Any
    vehicles: tuple[Vehicle, ...]
    complete: bool
    words: tuple[LabelledVehicle, ...] = ()
    plates: tuple[Any, ...] = ()
    light: str = "day"


class VehicleSettings(msgspec.Struct, frozen=True):
    """What a run is. `pool` views are made and kept; 0 makes each anew and trains every weight."""

    steps: int = 1_500
    batch: int = 8
    peak: float = 2e-3
    width: int = 64
    pool: int = 900
    rendered: float = 0.25
    scenes: int = 40
    seed: int = 1
    fold: int = 0
    folds: int = 4
    look_every: int = 250


def labelled_vehicles(path: Path = LABELS) -> dict[str, tuple[LabelledVehicle, ...]]:
    """The words of each picture, by its file's name.

    Raises:
        InputRefusedError: a line cannot be used.
    """
    try:
        found = msgspec.json.decode(path.read_bytes(), type=dict[str, tuple[LabelledVehicle, ...]])
    except (OSError, msgspec.MsgspecError) as error:
        raise InputRefusedError(
            f"The labels of vehicles in {path.name} cannot be read: {error}. Nothing was trained.",
            hint="Put the file of the repository back.",
            reference="vehicle-labels",
        ) from error
    for name, vehicles in found.items():
        for v in vehicles:
            words = {*v.colours} - {*COLOUR_WORDS, "unknown"} | {*v.bodies} - {*BODIES} | {v.kind} - {*KINDS}
            if words or not (v.box[0] < v.box[2] and v.box[1] < v.box[3]):
                raise InputRefusedError(
                    f"{path.name}: {name} has a word or a box that cannot be ({', '.join(sorted(words))}).",
                    hint="Only the words of guardian.vision.",
                    reference="vehicle-labels",
                )
    return found


def part_of(text: str, folds: int) -> int:
    """Which part a vehicle is in: by its plate, so that all pictures of it are in one."""
    return int(hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest(), 16) % max(1, folds)


def truth_of(said: Sequence[str], words: Sequence[str], unknown: str) -> NDArray[np.float32]:
    """A distribution over words: the first that is said weighs most."""
    out = np.zeros(len(words), np.float32)
    for place, word in enumerate(said):
        share = 1.0 if len(said) == 1 else _MEANT_SHARE if place == 0 else (1 - _MEANT_SHARE) / (len(said) - 1)
        out[list(words).index("" if word == unknown else word)] += share
    return out


def views_of(labelled: Labels, fold: int, folds: int) -> tuple[list[View], list[View]]:
    """Pictures to learn from and pictures to look at (none where `folds` is 0); a picture is held out as a whole."""
    words = labelled_vehicles()
    learnt: list[View] = []
    held: list[View] = []
    for scene in labelled.scenes:
        if scene.file not in words:
            continue
        picture = cv2.imread(str(labelled.folder / scene.file), cv2.IMREAD_COLOR)
        if picture is None:
            continue
        h, w = picture.shape[:2]
        vehicles = tuple(
            Vehicle(
                np.asarray(v.box, np.float32) * (w, h, w, h),
                KINDS.index(v.kind),
                truth_of(v.colours, COLOUR_WORDS, "unknown"),
                truth_of(v.bodies, BODIES, "unknown"),
                1.0 if v.teacher_prob == 1 else 0.5,
            )
            for v in words[scene.file]
        )
        texts = [p.text for p in scene.plates if p.text] or [scene.file]
        out = part_of(min(texts), folds) == fold if folds else False
        view = View(
            picture,
            vehicles,
            False,
            words[scene.file],
            tuple(np.asarray(p.corners, np.float32) for p in scene.plates),
            scene.light,
        )
        (held if out else learnt).append(view)
    return learnt, held


@lru_cache(maxsize=400)
def rendered_view(seed: int, number: int) -> View:
    """One rendered scene."""
    from train.scenes import draw_scene

    scene = draw_scene(np.random.default_rng((seed, 61, number)), era=number % 1000)
    dark = scene.light in ("dark", "infrared")
    vehicles = tuple(
        Vehicle(
            np.asarray(box, np.float32),
            KINDS.index(kind),
            truth_of(("unknown",) if dark else (colour,) if colour else (), COLOUR_WORDS, "unknown"),
            truth_of((body,) if body else (), BODIES, "unknown"),
        )
        for box, kind, (body, colour) in zip(scene.vehicle_boxes, scene.vehicle_kinds, scene.vehicle_looks, strict=True)
    )
    picture, scale = scene.picture, 640 / max(scene.picture.shape)
    if scale < 1:  # kept small: the net sees no more
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        vehicles = tuple(msgspec.structs.replace(v, box=v.box * scale) for v in vehicles)
    return View(picture, vehicles, scene.complete)


def moved(rng: Rng, view: View) -> tuple[NDArray[Any], list[Vehicle]]:
    """A view as a camera elsewhere would have it, (224, 320): nearer or further, shifted, mirrored, in other light."""
    h, w = view.picture.shape[:2]
    fit = min(WIDTH / w, HEIGHT / h)
    scale = fit * float(np.exp(rng.uniform(np.log(0.7), np.log(2.0))))
    centre = np.asarray((rng.uniform(0.35, 0.65) * w, rng.uniform(0.35, 0.65) * h))
    if view.vehicles and scale > 1.15 * fit:
        box = view.vehicles[int(rng.integers(len(view.vehicles)))].box
        centre = np.asarray(((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)) + rng.normal(0, 20, 2) / scale
    aspect = float(np.exp(rng.normal(0, 0.06)))
    flip = -1.0 if chance(rng, 0.5) else 1.0
    matrix = np.eye(3)
    matrix[0, 0], matrix[1, 1] = scale * aspect * flip, scale
    matrix[:2, 2] = np.asarray((WIDTH / 2, HEIGHT / 2)) - matrix[:2, :2] @ centre
    picture = warp_crop(view.picture, matrix, (WIDTH, HEIGHT), shrink=1 / scale, border=cv2.BORDER_CONSTANT)
    ends = np.sort(np.asarray([(0, 0), (w, h)]) @ matrix[:2, :2].T + matrix[:2, 2], axis=0)
    (x0, y0), (x1, y1) = np.clip(np.round(ends), 0, (WIDTH, HEIGHT)).astype(int)
    ground = rng.integers(0, 256, 3).astype(np.uint8)
    beyond = np.ones(picture.shape[:2], bool)
    beyond[y0:y1, x0:x1] = False
    picture[beyond] = ground
    told = True
    x = picture.astype(np.float32) / 255
    if chance(rng, 0.6):
        x = np.power(np.clip(x, 1e-4, 1), float(np.exp(rng.normal(0, 0.2)))) * float(np.exp(rng.normal(0, 0.12)))
        x = x * np.exp(rng.normal(0, 0.03, 3)).astype(np.float32)
    if chance(rng, 0.07):  # infra-red, or a camera without colour
        x = np.repeat(x.mean(axis=2, keepdims=True), 3, axis=2)
        told = False
    if chance(rng, 0.07):
        x = x * rng.uniform(0.06, 0.2)
        told = False
    picture = np.asarray(np.clip(x, 0, 1) * 255, np.uint8)
    picture = lens(rng, picture, 0.6, 0.5)
    unknown = truth_of(("unknown",), COLOUR_WORDS, "unknown")
    out = []
    for v in view.vehicles:
        ends = v.box.reshape(2, 2) @ matrix[:2, :2].T + matrix[:2, 2]
        low, high = ends.min(axis=0), ends.max(axis=0)
        seen_low, seen_high = np.clip(low, 0, (WIDTH, HEIGHT)), np.clip(high, 0, (WIDTH, HEIGHT))
        share = float(np.prod(seen_high - seen_low) / max(1.0, float(np.prod(high - low))))
        seen = np.asarray((*seen_low, *seen_high), np.float32)
        colour = v.colour if told else unknown
        out.append(msgspec.structs.replace(v, box=seen, colour=colour, weight=v.weight if share > 0.3 else 0.0))
    return picture, out


def targets_of(
    vehicles: Sequence[Vehicle], complete: bool, height: int = HEIGHT, width: int = WIDTH
) -> tuple[NDArray[Any], ...]:
    """Maps at an eighth of the size: middles by kind, weight of the ground, logarithms of the sides in cells, colours, bodies,
    and the weight of each cell's box (0 where nothing is asked)."""
    h, w = height // STRIDE_PX, width // STRIDE_PX
    heat = np.zeros((len(KINDS), h, w), np.float32)
    ground = np.full((h, w), 1.0 if complete else 0.35, np.float32)
    sides = np.zeros((SIDES, h, w), np.float32)
    colours = np.zeros((len(COLOUR_WORDS), h, w), np.float32)
    bodies = np.zeros((len(BODIES), h, w), np.float32)
    share = np.zeros((h, w), np.float32)
    best = np.zeros((h, w), np.float32)
    ys, xs = (np.mgrid[0:h, 0:w].astype(np.float32) + 0.5) * STRIDE_PX
    for v in sorted(vehicles, key=lambda v: -float(np.prod(v.box[2:] - v.box[:2]))):
        x0, y0, x1, y1 = (float(b) for b in v.box)
        wide, tall = x1 - x0, y1 - y0
        if wide < 2 or tall < 2:
            continue
        if v.weight == 0 or min(wide, tall) < SEEN_PX:  # seen in part, or too small to be asked for
            ground[int(y0 / STRIDE_PX) : int(y1 / STRIDE_PX) + 1, int(x0 / STRIDE_PX) : int(x1 / STRIDE_PX) + 1] = 0
            continue
        cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
        sx, sy = max(4.0, 0.12 * wide), max(4.0, 0.12 * tall)
        bump = np.exp(-((xs - cx) ** 2) / (2 * sx * sx) - ((ys - cy) ** 2) / (2 * sy * sy))
        row, column = min(h - 1, int(cy / STRIDE_PX)), min(w - 1, int(cx / STRIDE_PX))
        bump[row, column] = 1.0
        heat[v.kind] = np.maximum(heat[v.kind], bump)
        near = (bump > 0.5) & (bump >= best) & (xs > x0) & (xs < x1) & (ys > y0) & (ys < y1)
        best[near] = bump[near]
        reach = np.stack([xs - x0, ys - y0, x1 - xs, y1 - ys]) / STRIDE_PX
        sides[:, near] = np.log(np.clip(reach[:, near], 0.06, 140))
        colours[:, near] = v.colour[:, None]
        bodies[:, near] = v.body[:, None]
        share[near] = v.weight / float(max(1, near.sum()))
        ground[near] = 1.0
    return heat, ground, sides, colours, bodies, share


def one(number: int, settings: VehicleSettings, views: Sequence[View]) -> tuple[NDArray[Any], ...]:
    """A view with its maps: depends on its number and the settings alone."""
    rng = np.random.default_rng((settings.seed, 67, number))
    if not views or chance(rng, settings.rendered):
        view = rendered_view(settings.seed, int(rng.integers(settings.scenes)))
    else:
        odds = np.asarray([_odd(v) for v in views])
        view = views[int(rng.choice(len(views), p=odds / odds.sum()))]
    picture, vehicles = moved(rng, view)
    return (picture, *targets_of(vehicles, view.complete))


def _odd(view: View) -> float:
    """Streets, trucks and rare paints are seen more often than parked silver cars and motorcycles in the dark."""
    rare = any(KINDS[v.kind] == "truck" or v.colour[4:12].max() > 0.4 for v in view.vehicles if v.weight == 1)
    return (2.5 if len(view.vehicles) > 1 else 1.0) * (1.8 if rare else 1.0) * (0.7 if view.light == "dark" else 1.0)


def frames_of(pictures: Sequence[NDArray[Any]]) -> Tensor:
    """(n, 3, h, w) RGB in 0..1 from BGR pictures."""
    stacked = np.stack(pictures)[..., ::-1].transpose(0, 3, 1, 2).astype(np.float32) / 255
    return torch.from_numpy(np.ascontiguousarray(stacked)).contiguous(memory_format=torch.channels_last)


class Pool:
    """Views with what the frozen blocks say of them, made at first use and kept at half precision."""

    def __init__(self, net: VehicleNet, settings: VehicleSettings, views: Sequence[View]) -> None:
        self.net, self.settings, self.views = copy.deepcopy(net).eval(), settings, views
        self._kept: dict[int, tuple[Tensor, ...]] = {}

    @torch.no_grad()
    def view(self, number: int) -> tuple[Tensor, ...]:
        """Fine and coarse features and the maps."""
        if number not in self._kept:
            picture, *maps = one(number, self.settings, self.views)
            fine, coarse = self.net.features(frames_of([picture]))
            self._kept[number] = (fine[0].half(), coarse[0].half(), *(torch.from_numpy(m) for m in maps))
        return self._kept[number]

    def batch_of(self, step: int) -> tuple[Tensor, ...]:
        """The batch of a step. The pool opens slowly, so that learning begins before all of it is made."""
        s = self.settings
        rng = np.random.default_rng((s.seed, 71, step))
        opened = min(s.pool, s.batch * (2 + step))
        rows = [self.view(int(rng.integers(opened))) for _ in range(s.batch)]
        return tuple(torch.stack([row[k] for row in rows]).float() for k in range(len(rows[0])))


def batch_of(step: int, settings: VehicleSettings, views: Sequence[View]) -> tuple[Tensor, ...]:
    """The batch of a step where every weight learns: frames instead of features."""
    rows = [one(settings.pool + step * settings.batch + i, settings, views) for i in range(settings.batch)]
    maps = (torch.from_numpy(np.stack([r[k] for r in rows])) for k in range(1, 7))
    return (frames_of([r[0] for r in rows]), *maps)


def loss_of(net: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
    """Middles, sides, colours, bodies; each by the number of vehicles."""
    *seen, heat, ground, sides, colours, bodies, share = batch
    out = net.head(*seen) if len(seen) == 2 else net(seen[0])  # type: ignore[operator]
    a, b, c = len(KINDS), len(KINDS) + SIDES, len(KINDS) + SIDES + len(COLOUR_WORDS)
    logit, p = out[:, :a], torch.sigmoid(out[:, :a])
    at = (heat >= 1.0).float()
    positive = -((1 - p) ** 2) * nn.functional.logsigmoid(logit) * at * (share[:, None] > 0)
    negative = -(p**2) * nn.functional.logsigmoid(-logit) * (1 - heat) ** 4 * ground[:, None] * (1 - at)
    count = at.sum().clamp(min=1.0)
    away = nn.functional.smooth_l1_loss(out[:, a:b], sides, reduction="none", beta=0.1) * share[:, None]
    said_colour = -(colours * nn.functional.log_softmax(out[:, b:c], dim=1)).sum(dim=1) * share
    said_body = -(bodies * nn.functional.log_softmax(out[:, c:], dim=1)).sum(dim=1) * share
    return (
        positive.sum() + negative.sum() + 0.5 * away.sum() + 0.3 * said_colour.sum() + 0.3 * said_body.sum()
    ) / count


class HeldOut:
    """Figures on held-out pictures, as the product's own finder sees them with these weights."""

    def __init__(self, held: Sequence[View]) -> None:
        self.held = held

    def __call__(self, net: nn.Module) -> dict[str, float]:
        finder = VehicleFinder(content=vehicles_bytes(copy.deepcopy(net)))
        found = of = kinds = 0
        boxes: list[float] = []
        for view in self.held:
            seen = finder.vehicles(view.picture)
            for truth in view.vehicles:
                if truth.weight < 1:
                    continue
                of += 1
                same = max(((overlap(tuple(truth.box), v.box), v) for v in seen), key=lambda p: p[0], default=None)  # type: ignore[arg-type]
                if same is not None and same[0] > 0.5:
                    found += 1
                    boxes.append(same[0])
                    kinds += same[1].kind == KINDS[truth.kind]
        recall = found / max(1, of)
        right = kinds / max(1, found)
        overlapped = float(np.mean(boxes)) if boxes else 0.0
        return {"recall": recall, "kind": right, "overlap": overlapped, "score": recall * right + 0.2 * overlapped}


def train_vehicles(
    labelled: Labels | None,
    out: Path,
    settings: VehicleSettings,
    start: Path | None = None,
    *,
    device: str = "auto",
    workers: int = 0,
) -> Run:
    """Train, or go on with, one run in a folder; the backbone has ImageNet's weights, or those of `start`."""
    torch.manual_seed(settings.seed)
    net = VehicleNet(settings.width)
    if start is not None:
        net.load_state_dict(torch.load(start, map_location="cpu", weights_only=True))
    else:
        net.backbone.take_pretrained()
    learnt, held = views_of(labelled, settings.fold, settings.folds) if labelled is not None else ([], [])
    if settings.pool:
        for p in net.backbone.parameters():
            p.requires_grad_(False)
    pool = Pool(net, settings, learnt)
    run = Run(
        out,
        net,
        steps=settings.steps,
        peak=settings.peak,
        settings=msgspec.to_builtins(settings),
        device=device,
        workers=0 if settings.pool else workers,
    )
    counted = sum(len(v.vehicles) for v in learnt)
    print(f"vehicles: {len(learnt)} pictures with {counted} vehicles, {len(held)} held out", file=sys.stderr)
    run.train(
        pool.batch_of if settings.pool else lambda step: batch_of(step, settings, learnt),
        loss_of,
        HeldOut(held or learnt[::8]),
        score="score",
        look_every=settings.look_every,
    )
    return run
