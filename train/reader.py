"""Training of the reader: what it is fed, what it is asked, and how it is looked at.

Half of what it sees is real (plates cut from the labelled pictures of the training part, each time moved, bent, lit and
blurred anew), half is rendered. The target is the text as printed, with its dash; legends and frames are no part of it.
"""

from __future__ import annotations

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

from guardian.domain.plate import Plate
from guardian.domain.series import SERIES
from guardian.evaluation.labels import Labels
from guardian.vision.plate_reader import MARGIN
from train.augment import Picture, Rng, chance, lens, light, warp_crop
from train.data import without_fold
from train.loop import Run, made, opened
from train.models.reader import BLANK, HEIGHT_PX, SIGNS, STEP_PX, WIDTH_PX, PlateReader
from train.plates import RenderedPlate, draw_plate
from train.plates.snap import Snap, snap
from train.recolour import recoloured

_FRESH_PLATES, _PLATES = 5, 512
"""New plates with each step, and how many are photographed at a time."""
_CLEAR_MIN = 0.5
_COLOURED = 0.1
"""Share of real plates that are given another colour."""
STEPS = WIDTH_PX // STEP_PX
UNKNOWN = -100
INDEX = {sign: i + 1 for i, sign in enumerate(SIGNS)}


class Sample(msgspec.Struct, frozen=True):
    """One plate to learn from: a patch of a picture and the plate's corners in it."""

    picture: Any  # (H, W, 3) uint8 BGR
    corners: Any  # (4, 2) float32
    layout: str
    exact: bool  # corners are the plate's own; otherwise those of a picture cut roughly to the plate
    set: str


class ReaderSettings(msgspec.Struct, frozen=True):
    """What a run is."""

    steps: int = 20_000
    batch: int = 64
    peak: float = 3e-3
    width: float = 0.75  # 1.6 ms a plate on one core; 1.0 takes 2.8
    rendered: float = 0.5
    seed: int = 1
    fold: int = 0
    folds: int = 8  # the part held out is fold `fold` of so many; 0 folds: nothing is held out but a copy is looked at
    look_every: int = 500
    finder: str = ""  # SHA-256 of the finder that gives loose crops their corners; empty: they are taken as they are


def printed(text: str, layout: str = "") -> str:
    """The text with its dash: as the label says, else as the likeliest series prints it."""
    if layout:
        return layout
    for series in SERIES:
        if series.fits(text):
            return Plate(text, series.dash_after).display
    return text


def samples_of(labelled: Labels) -> list[Sample]:
    """Every plate of a labelled part that has a text, as a patch with some room around."""
    out: list[Sample] = []
    for crop in labelled.crops:
        picture = cv2.imread(str(labelled.folder / crop.file), cv2.IMREAD_COLOR)
        if picture is None:
            continue
        h, w = picture.shape[:2]
        quad = np.asarray([(0, 0), (w, 0), (w, h), (0, h)], np.float32)
        out.append(Sample(picture, quad, printed(crop.text, crop.layout or ""), False, crop.set))
    for scene in labelled.scenes:
        picture = cv2.imread(str(labelled.folder / scene.file), cv2.IMREAD_COLOR)
        if picture is None:
            continue
        for plate in scene.plates:
            if plate.text is None:
                continue
            quad = np.asarray(plate.corners, np.float32)
            tall = float(np.ptp(quad[:, 1]))
            x0, y0 = np.maximum(0, quad.min(axis=0) - tall).astype(int)
            x1, y1 = np.ceil(quad.max(axis=0) + tall).astype(int)
            out.append(
                Sample(
                    picture[y0:y1, x0:x1].copy(),
                    quad - np.asarray((x0, y0), np.float32),
                    printed(plate.text),
                    plate.corners_quality == "fitted",
                    scene.set,
                )
            )
    return out


def shown(corners: NDArray[Any], *, exact: bool) -> NDArray[Any]:
    """The quadrangle that the reader is shown: the plate's, grown by `MARGIN` of its height where corners are its own."""
    quad = corners.astype(np.float64)
    across = (quad[1] - quad[0] + quad[2] - quad[3]) / 2
    down = (quad[3] - quad[0] + quad[2] - quad[1]) / 2
    tall, wide = max(1.0, float(np.hypot(*down))), max(1.0, float(np.hypot(*across)))
    room = MARGIN * tall if exact else 0.0
    return quad + room * (np.outer((-1, 1, 1, -1), across / wide) + np.outer((-1, -1, 1, 1), down / tall))


def straightened(sample: Sample, rng: Rng | None = None) -> Picture:
    """(48, 160, 3) uint8: the plate as the reader is shown it; with a generator its corners are moved as a finder errs."""
    return cut(sample, moved(sample, rng) if rng is not None else shown(sample.corners, exact=sample.exact))


def cut(sample: Sample, quad: NDArray[Any]) -> Picture:
    """(48, 160, 3) uint8: this quadrangle of a sample's picture, straightened."""
    target = np.asarray([(0, 0), (WIDTH_PX, 0), (WIDTH_PX, HEIGHT_PX), (0, HEIGHT_PX)], np.float32)
    matrix = cv2.getPerspectiveTransform(quad.astype(np.float32), target)
    tall = float(np.hypot(*((quad[3] - quad[0] + quad[2] - quad[1]) / 2)))
    return warp_crop(sample.picture, matrix, (WIDTH_PX, HEIGHT_PX), shrink=tall / HEIGHT_PX)


def moved(sample: Sample, rng: Rng) -> NDArray[Any]:
    """The quadrangle that the reader is shown, its corners off as a finder's are."""
    quad = sample.corners.astype(np.float64)
    across = (quad[1] - quad[0] + quad[2] - quad[3]) / 2
    down = (quad[3] - quad[0] + quad[2] - quad[1]) / 2
    tall = max(1.0, float(np.hypot(*down)))
    wide = max(1.0, float(np.hypot(*across)))
    u, v = across / wide, down / tall
    move = np.zeros((4, 2))
    # All four together, each side, each corner: in heights of the plate. Inwards less than outwards.
    loose = 1.0 if sample.exact else 0.6
    sides = np.clip(rng.normal(0.01, 0.05, 4) * loose, -0.06, 0.3)  # left, top, right, bottom; positive: outwards
    if chance(rng, 0.08):
        sides += rng.uniform(0, 0.25, 4)
    fallen = float(rng.uniform(-0.3, 0.3)) if chance(rng, 0.08) else 0.0
    sides[[1, 3]] += 0.8 * abs(fallen)  # the upright box around a tilted plate, where no finder set it upright
    move += np.outer((-1, 1, 1, -1), u) * np.asarray([sides[0], sides[2], sides[2], sides[0]])[:, None] * tall
    move += np.outer((-1, -1, 1, 1), v) * np.asarray([sides[1], sides[1], sides[3], sides[3]])[:, None] * tall
    move += rng.normal(0, 0.02 * loose, (4, 2)) * tall
    if chance(rng, 0.25):  # on a steep plate a finder errs more
        loose *= 2.0
    turn = rng.normal(0, 0.05 * loose)
    move += np.outer((-1, -1, 1, 1), u) * turn * tall  # shear
    move += np.outer((-1, 1, 1, -1), v) * (fallen + rng.normal(0, 0.035 * loose)) * tall  # tilt
    return shown(sample.corners, exact=sample.exact) + move


def small_again(rng: Rng, picture: Picture) -> Picture:
    """The crop as if the plate had been far away: down to 8 px of height and up again."""
    height = float(np.exp(rng.uniform(np.log(8), np.log(40))))
    size = (max(8, round(WIDTH_PX * height / HEIGHT_PX)), max(4, round(height)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    if chance(rng, 0.5):
        done, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, int(rng.uniform(40, 95))])
        small = cv2.imdecode(data, cv2.IMREAD_COLOR) if done else small
    return np.asarray(cv2.resize(small, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_LINEAR))


def occluded(rng: Rng, picture: Picture) -> Picture:
    """A smear, a cable, a shadow line over a part: the reader must lean on the rest, and learn to be unsure."""
    out = picture.copy()
    x = int(rng.integers(0, WIDTH_PX))
    colour = tuple(int(c) for c in rng.integers(0, 256, 3))
    if chance(rng, 0.5):
        cv2.line(out, (x, 0), (x + int(rng.integers(-40, 40)), HEIGHT_PX), colour, int(rng.integers(1, 4)))
    else:
        y = int(rng.integers(0, HEIGHT_PX))
        cv2.ellipse(
            out,
            (x, y),
            (int(rng.integers(3, 12)), int(rng.integers(2, 8))),
            float(rng.uniform(0, 180)),
            0,
            360,
            colour,
            -1,
        )
    return out


def fed(rng: Rng, sample: Sample, hardness: float = 1.0, coloured: float = 0.0) -> NDArray[np.uint8]:
    """(48, 160) uint8 grey: one sample as the network sees it in training; `coloured`: how often in another colour."""
    picture = straightened(sample, rng)
    if coloured and chance(rng, coloured):
        picture = recoloured(rng, picture)
    if chance(rng, 0.3 * hardness):
        picture = small_again(rng, picture)
    if chance(rng, 0.08 * hardness):
        picture = occluded(rng, picture)
    picture = lens(rng, light(rng, picture, hardness), 1.6, hardness)
    return grey_of(picture, rng)


def grey_of(picture: Picture, rng: Rng | None = None) -> NDArray[np.uint8]:
    """BGR to grey; in training sometimes with other weights, as an infra-red or a cheap sensor would see."""
    if rng is not None and chance(rng, 0.15):
        weights = rng.dirichlet((1.5, 1.5, 1.5)).astype(np.float32)
        return np.asarray(np.clip(picture.astype(np.float32) @ weights, 0, 255), np.uint8)
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)


@lru_cache(maxsize=1024)
def _plate(seed: int, number: int) -> RenderedPlate:
    return draw_plate(np.random.default_rng((seed, 31, number)))


def rendered_snap(rng: Rng, step: int, settings: ReaderSettings, lane: int = 0) -> Snap:
    """One rendered plate, photographed. Drawing takes three times as long as a photograph, so that a plate is
    photographed some times while the window of plates moves on; which plate it is depends on the step and its lane alone."""
    plate = _plate(settings.seed, lane * 10_000_000 + step * _FRESH_PLATES + int(rng.integers(_PLATES)))
    shot = snap(rng, plate, hardness=float(rng.uniform(0.2, 1.0)))
    if shot.clearness < _CLEAR_MIN:  # nobody reads it: it would only teach to guess
        shot = snap(rng, plate, hardness=0.2)
    return shot


def sample_of(shot: Snap) -> Sample:
    """A photograph of a rendered plate as a sample."""
    return Sample(shot.picture, shot.corners, shot.layout, True, "rendered")


def tensor_of(greys: Sequence[NDArray[np.uint8]]) -> Tensor:
    """(N, 1, 48, 160) float32 in 0..1."""
    return torch.from_numpy(np.stack(greys)[:, None].astype(np.float32) / 255).contiguous(
        memory_format=torch.channels_last
    )


def batch_of(
    step: int, settings: ReaderSettings, real: Sequence[Sample], weights: NDArray[Any]
) -> tuple[Tensor, list[str], Tensor]:
    """The batch of a step: crops, printed texts, and what stands at each of the 40 steps where that is known (`UNKNOWN`
    elsewhere). Depends on the step's number and the settings alone."""
    items: list[Item] = []
    for i in range(settings.batch):
        rng = np.random.default_rng((settings.seed, step, i))
        if not real or chance(rng, settings.rendered):
            items.append(rendered_item(rng, rendered_snap(rng, step, settings)))
        else:
            items.append(real_item(rng, real[int(rng.choice(len(real), p=weights))]))
    greys, texts, aligned = zip(*items, strict=True)
    return tensor_of(greys), list(texts), torch.from_numpy(np.stack(aligned))


Item = tuple[NDArray[np.uint8], str, NDArray[np.int64]]
"""A crop (48, 160) as the network sees it, the printed text, and what stands at each step (`UNKNOWN` where nobody knows)."""


def rendered_item(rng: Rng, shot: Snap) -> Item:
    """A photographed plate, cut as a finder errs."""
    sample = sample_of(shot)
    quad = moved(sample, rng)
    places = aligned_to(shot.layout, middles_of(sample.corners, shot.middles, quad))
    # What was photographed has its weather already.
    return grey_of(lens(rng, light(rng, cut(sample, quad), 0.4), 1.2, 0.3), rng), sample.layout, places


def real_item(rng: Rng, sample: Sample) -> Item:
    """A labelled plate, cut as a finder errs and spoilt; where its signs stand nobody knows."""
    return fed(rng, sample, coloured=_COLOURED), sample.layout, np.full(STEPS, UNKNOWN, np.int64)


def aligned_to(layout: str, middles: Sequence[float]) -> NDArray[np.int64]:
    """What each step should say, from where signs stand along the crop: the sign at its middle, blank half way between two
    and outside, the dash half way between its neighbours; nothing is said of the steps in between."""
    places = np.full(STEPS, UNKNOWN, np.int64)
    steps = np.asarray(middles) * STEPS - 0.5
    pitch = float(np.median(np.diff(steps))) if len(steps) > 1 else 4.0
    places[: max(0, int(np.floor(steps[0] - 0.75 * pitch)) + 1)] = BLANK
    places[max(0, min(STEPS, int(np.ceil(steps[-1] + 0.75 * pitch)))) :] = BLANK
    signs = layout.replace("-", "")
    dash = layout.find("-")
    for i in range(len(signs) - 1):
        between = round((steps[i] + steps[i + 1]) / 2)
        if 0 <= between < STEPS:
            places[between] = INDEX["-"] if i + 1 == dash else BLANK
    for sign, step in zip(signs, steps, strict=True):
        if 0 <= round(step) < STEPS:
            places[round(step)] = INDEX[sign]
    return places


def loss_of(model: nn.Module, batch: tuple[Tensor, list[str], Tensor]) -> Tensor:
    """CTC over the printed text; where the places of signs are known, what each step says there as well.

    The latter makes a net that begins from nothing read within minutes, and puts each sign where it stands.
    """
    crops, texts, aligned = batch
    targets = torch.tensor([INDEX[s] for text in texts for s in text], device=crops.device)
    lengths = torch.tensor([len(text) for text in texts])
    return loss_between(model(crops), targets, lengths, aligned, placed=bool((aligned != UNKNOWN).any()))


def loss_between(logits: Tensor, targets: Tensor, lengths: Tensor, aligned: Tensor, *, placed: bool = True) -> Tensor:
    """The loss of logits (N, 40, 38) against numbers of signs, all in a row or one row for each plate.

    Args:
        placed: whether any step of `aligned` is known.
    """
    steps = torch.full((len(logits),), logits.shape[1], dtype=torch.long)
    paths = logits.log_softmax(2).transpose(0, 1)
    read = nn.functional.ctc_loss(paths, targets, steps, lengths, blank=BLANK, zero_infinity=True)
    if not placed:
        return read
    there = nn.functional.cross_entropy(
        logits.flatten(0, 1), aligned.flatten(), ignore_index=UNKNOWN, reduction="sum"
    ) / (aligned != UNKNOWN).sum().clamp(min=1)
    return read + 0.5 * there


def greedy(logits: Tensor) -> list[str]:
    """Texts without dashes, by the best path."""
    out = []
    for row in logits.argmax(2).tolist():
        text = "".join(SIGNS[c - 1] for i, c in enumerate(row) if c != BLANK and (i == 0 or row[i - 1] != c))
        out.append(text.replace("-", ""))
    return out


class Drawn(msgspec.Struct, frozen=True):
    """Rendered plates with what is known of them: crops (N, 1, 48, 160), texts, middles of signs in shares of the crop."""

    crops: Tensor
    texts: list[str]
    middles: list[list[float]]


def rendered_held(count: int, settings: ReaderSettings) -> Drawn:
    """Rendered plates that no step draws, mildly photographed, straightened by their true corners."""
    greys, texts, middles = [], [], []
    for i in range(count):
        rng = np.random.default_rng((settings.seed, 77, i))
        shot = snap(rng, draw_plate(rng), height_px=float(rng.uniform(24, 90)), hardness=0.3)
        sample = sample_of(shot)
        greys.append(grey_of(straightened(sample)))
        texts.append(shot.text)
        middles.append(middles_of(shot.corners, shot.middles, shown(shot.corners, exact=True)))
    return Drawn(tensor_of(greys), texts, middles)


def middles_of(corners: NDArray[Any], middles: Sequence[float], seen: NDArray[Any]) -> list[float]:
    """Where signs stand along the reader's crop (the quadrangle `seen`), from where they stand along the plate."""
    unit = np.asarray([(0, 0), (1, 0), (1, 1), (0, 1)], np.float32)
    to_picture = cv2.getPerspectiveTransform(unit, corners.astype(np.float32))
    to_crop = cv2.getPerspectiveTransform(seen.astype(np.float32), unit)
    points = np.asarray([(m, 0.5) for m in middles], np.float32).reshape(-1, 1, 2)
    return [float(x) for x in cv2.perspectiveTransform(points, to_crop @ to_picture)[:, 0, 0]]


def samples_held(labelled: Labels | None, settings: ReaderSettings) -> list[Sample]:
    """The plates that a run only looks at."""
    if labelled is None:
        return [sample_of(rendered_snap(np.random.default_rng((7, i)), 1_000_000 + i, settings)) for i in range(400)]
    if settings.folds:
        return samples_of(without_fold(labelled, settings.fold, settings.folds)[1])
    return samples_of(labelled)[::8]


class Look:
    """Figures of a model on held-out plates: as they are, and each made hard in some ways that never change."""

    def __init__(self, held: Sequence[Sample], seed: int = 99, ways: int = 2) -> None:
        self.texts = [s.layout.replace("-", "") for s in held]
        self.sets = [s.set for s in held]
        self.plain = tensor_of([grey_of(straightened(s)) for s in held])
        hard = [fed(np.random.default_rng((seed, i, k)), s, 1.5) for k in range(ways) for i, s in enumerate(held)]
        self.hard = tensor_of(hard)

    def __call__(self, model: nn.Module) -> dict[str, float]:
        device = next(model.parameters()).device
        with torch.no_grad():
            plain = [t for part in self.plain.split(128) for t in greedy(model(part.to(device)))]
            hard = [t for part in self.hard.split(128) for t in greedy(model(part.to(device)))]
        n = len(self.texts)
        right = [a == b for a, b in zip(plain, self.texts, strict=True)]
        hard_right = sum(t == self.texts[i % n] for i, t in enumerate(hard)) / max(1, len(hard))
        figures = {"plain": sum(right) / max(1, n), "hard": hard_right}
        return {**figures, "score": figures["plain"] + figures["hard"]}


def train_reader(
    labelled: Labels | None,
    out: Path,
    settings: ReaderSettings,
    start: Path | None = None,
    *,
    device: str = "auto",
    workers: int = 0,
) -> Run:
    """Train, or go on with, one run in a folder; gives the finished run. `start` has weights to begin with."""
    model = made(lambda: PlateReader(settings.width), settings, start)
    real: list[Sample] = []
    if labelled is not None:
        learnt = without_fold(labelled, settings.fold, settings.folds)[0] if settings.folds else labelled
        real = samples_of(learnt)
    held = samples_held(labelled, settings)
    if settings.finder:
        from train.straight import straight

        (real, those), (held, _) = straight(real), straight(held)
        print(f"reader: {those} plates straightened by the finder", file=sys.stderr)
    # Scenes are what the product reads; there are five times as many loose crops.
    weights = np.asarray([1.0 if s.set == "twocr" else 2.0 for s in real])
    weights /= max(1.0, weights.sum())
    run = opened(out, model, settings, device=device, workers=workers)
    print(
        f"reader: {len(real)} real plates, {len(held)} held out, {sum(p.numel() for p in model.parameters()):,} weights",
        file=sys.stderr,
    )
    run.train(
        lambda step: batch_of(step, settings, real, weights),
        loss_of,
        Look(held),
        score="score",
        look_every=settings.look_every,
    )
    return run
