"""Several models from one stream of pictures: a shipped one, those of a cross-validation, and those of a learning curve.

    python -m train.together detector --data plates --out run --minutes 5
    python -m train.together reader --data plates --out run --minutes 5 --workers 15

Making pictures costs most of a run; what they teach costs little where there is a GPU. So each picture is made once and shown to
every pupil that may see it. Labelled pictures belong to one of eight groups (the folds of the evaluation), and a view shows
pictures of one group only, its backgrounds and fillings too: a pupil without that group never sees a part of it. Fresh views go
into a bank, and each of the steps that follow draws from the bank anew for each pupil.

A run ends with its steps or its minutes, whichever is first, and its rate of learning falls to nothing by then.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from guardian.evaluation.folds import folds_of
from guardian.evaluation.labels import Labels
from train import detector, reader
from train.data import load
from train.loop import Average, Batches, device_of, one_cycle, weights_of
from train.models.detector import PlateDetector
from train.models.reader import PlateReader

GROUPS = 8
EVERY = tuple(range(GROUPS))
FOLDS = 4
LANES = 16
"""Art is kept and shown again while its window moves on; steps of one lane share a window, so that workers beside one another need
not draw the same."""
RENDERED = -1
"""The group of what shows nothing labelled."""


class Pupil(msgspec.Struct, frozen=True):
    """Who learns from a stream.

    `groups`: the labelled pictures that it may see. `real`: how many of the shares of its batch show labelled plates. `start`:
    weights to begin with instead of the run's own beginning. `drawn_max`: so many of the first rendered items, and no others.
    """

    name: str
    groups: tuple[int, ...]
    real: float
    width: float
    start: Path | None = None
    drawn_max: int = 1_000_000_000


def without(fold: int) -> tuple[int, ...]:
    """The groups of all folds but one."""
    return tuple(g for g in EVERY if g % FOLDS != fold)


def part_of(labelled: Labels, groups: Sequence[int]) -> Labels:
    """The pictures of these groups."""
    where = folds_of(labelled, GROUPS)
    return msgspec.structs.replace(
        labelled,
        scenes=tuple(s for s in labelled.scenes if where[s.file] in groups),
        crops=tuple(c for c in labelled.crops if where[c.file] in groups),
        films=(),
    )


class Made(msgspec.Struct, frozen=True):
    """One step's fresh items: arrays with one row each, the group of each, and whether it shows labelled plates."""

    arrays: tuple[Any, ...]
    groups: Any
    real: Any


class DetectorStream:
    """Views for finders; see `train.detector`. Drawing a scene takes as long as ten views: one serves a whole step."""

    hosted: tuple[int, ...] = ()

    def __init__(self, labelled: Labels, settings: detector.DetectorSettings) -> None:
        self.settings = settings
        self.views = [detector.views_of(part_of(labelled, (group,))) for group in EVERY]
        self.odds = []
        for views in self.views:
            odds = np.asarray([2.0 if v.set == "dashcam" else 1.0 for v in views])
            self.odds.append(odds / odds.sum())
        sizes = np.asarray([len(v) for v in self.views], float)
        self.share = sizes / sizes.sum()

    def fresh(self, step: int) -> Made:
        """The items of a step; they hang on its number alone."""
        rng = np.random.default_rng((self.settings.seed, 53, step))
        lent = int(rng.choice(GROUPS, p=self.share))
        scene = detector.drawn_view(rng, self.views[lent], step // LANES)
        drawn = round(self.settings.batch * self.settings.rendered)
        rows, groups = [], []
        for i in range(self.settings.batch):
            rng = np.random.default_rng((self.settings.seed, step, i))
            group = lent if i < drawn else int(rng.choice(GROUPS, p=self.share))
            views = self.views[group]
            view = scene if i < drawn else views[int(rng.choice(len(views), p=self.odds[group]))]
            rows.append(detector.seen(rng, self.settings, view, views, drawn=i < drawn))
            groups.append(group)
        arrays = tuple(np.stack(part) for part in zip(*rows, strict=True))
        return Made(arrays, np.asarray(groups), np.arange(self.settings.batch) >= drawn)

    @staticmethod
    def loss(model: nn.Module, rows: tuple[Tensor, ...]) -> Tensor:
        """Of rows as `fresh` makes them, on the device of the model."""
        frames = rows[0].permute(0, 3, 1, 2).flip(1).float().div(255).contiguous(memory_format=torch.channels_last)
        return detector.loss_of(model, (frames, *rows[1:]))


class ReaderStream:
    """Crops for readers; see `train.reader`. Texts go as rows of numbers, padded with -1."""

    TEXT_MAX = 12
    hosted = (1,)  # whoever asks a device for a text's length waits for all that it has to do

    def __init__(self, labelled: Labels, settings: reader.ReaderSettings, workers: int = 0) -> None:
        from train.straight import straight

        self.settings = settings
        self.samples: list[reader.Sample] = []
        groups: list[int] = []
        for group in EVERY:
            some = reader.samples_of(part_of(labelled, (group,)))
            self.samples += straight(some, workers)[0] if settings.finder else some
            groups += [group] * (len(self.samples) - len(groups))
        self.groups = np.asarray(groups)
        odds = np.asarray([1.0 if s.set == "twocr" else 2.0 for s in self.samples])
        self.odds = odds / odds.sum()

    def fresh(self, step: int) -> Made:
        """The items of a step; they hang on its number alone."""
        greys, texts, aligned, groups = [], [], [], []
        for i in range(self.settings.batch):
            rng = np.random.default_rng((self.settings.seed, step, i))
            drawn = bool(rng.random() < self.settings.rendered)
            which = int(rng.choice(len(self.samples), p=self.odds))
            if drawn:
                shot = reader.rendered_snap(rng, step // LANES, self.settings, step % LANES)
            item = reader.rendered_item(rng, shot) if drawn else reader.real_item(rng, self.samples[which])
            grey, text, places = item
            row = np.full(self.TEXT_MAX, -1, np.int64)
            row[: len(text)] = [reader.INDEX[s] for s in text]
            greys.append(grey)
            texts.append(row)
            aligned.append(places)
            groups.append(RENDERED if drawn else self.groups[which])
        where = np.asarray(groups)
        return Made((np.stack(greys), np.stack(texts), np.stack(aligned)), where, where != RENDERED)

    @staticmethod
    def loss(model: nn.Module, rows: tuple[Tensor, ...]) -> Tensor:
        """Of rows as `fresh` makes them, on the device of the model."""
        greys, texts, aligned = rows
        crops = greys[:, None].float().div(255).contiguous(memory_format=torch.channels_last)
        lengths = (texts >= 0).sum(dim=1)
        targets = texts.clamp(min=0).to(greys.device, non_blocking=True)
        return reader.loss_between(model(crops), targets, lengths, aligned)


class Bank:
    """The newest items, on the device; the oldest make room."""

    def __init__(self, size: int, device: torch.device, hosted: tuple[int, ...] = ()) -> None:
        self.size, self.device, self.hosted = size, device, hosted
        self.rows: list[Tensor] = []
        self.groups = np.full(size, -2)
        self.real = np.zeros(size, bool)
        self.drawn_before = np.zeros(size, np.int64)
        """How many rendered items came before each."""
        self.put_so_far = self.drawn_so_far = 0

    def put(self, made: Made) -> None:
        """Take in a step's fresh items."""
        n = len(made.groups)
        if not self.rows:
            self.rows = [
                torch.zeros((self.size, *a.shape[1:]), dtype=torch.as_tensor(a).dtype, device=self._of(k))
                for k, a in enumerate(made.arrays)
            ]
        at = (np.arange(n) + self.put_so_far) % self.size
        for row, array in zip(self.rows, made.arrays, strict=True):
            row[torch.from_numpy(at).to(row.device)] = torch.as_tensor(array).to(row.device)
        self.groups[at], self.real[at] = made.groups, made.real
        self.drawn_before[at] = self.drawn_so_far + np.cumsum(~made.real) - 1
        self.put_so_far += n
        self.drawn_so_far += int((~made.real).sum())

    def draw(self, rng: np.random.Generator, pupil: Pupil, count: int) -> tuple[Tensor, ...]:
        """Items that a pupil may see, labelled and rendered ones in its shares."""
        mine = np.isin(self.groups, (*pupil.groups, RENDERED))
        real = np.nonzero(mine & self.real)[0]
        drawn = np.nonzero(mine & ~self.real & (self.drawn_before < pupil.drawn_max))[0]
        n = round(count * pupil.real) if len(drawn) else count
        n = n if len(real) else 0
        picked = np.concatenate([rng.choice(part, k) for part, k in ((real, n), (drawn, count - n)) if k])
        here = torch.from_numpy(picked)
        there = here.to(self.device, non_blocking=True)
        return tuple(row[here if k in self.hosted else there] for k, row in enumerate(self.rows))

    def _of(self, number: int) -> torch.device:
        return torch.device("cpu") if number in self.hosted else self.device


class _Learning:
    """A pupil with its model, optimiser and average."""

    def __init__(self, pupil: Pupil, model: nn.Module, device: torch.device, peak: float) -> None:
        self.pupil = pupil
        self.model = model.to(device=device, memory_format=torch.channels_last).train()
        flat = [p for p in model.parameters() if p.ndim <= 1]
        deep = [p for p in model.parameters() if p.ndim > 1]
        self.optimiser = torch.optim.AdamW(
            [{"params": deep, "weight_decay": 0.02}, {"params": flat, "weight_decay": 0.0}],
            lr=peak,
            fused=device.type == "cuda",
        )
        self.average = Average(model)
        self.loss = torch.zeros((), device=device)
        self.steps = 0

    def learn(self, loss_of: Callable[..., Tensor], rows: tuple[Tensor, ...], rate: float) -> None:
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        loss = loss_of(self.model, rows)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
        self.optimiser.step()
        self.average.take(self.model, self.steps)
        self.steps += 1
        self.loss = 0.98 * self.loss + 0.02 * loss.detach()


class Plan(msgspec.Struct, frozen=True):
    """How long and how a run goes."""

    steps: int = 100_000
    minutes: float = 60.0
    count: int = 32
    """Items that a step shows to each pupil."""
    again: int = 2
    """Steps for each batch of fresh items."""
    bank: int = 1024
    peak: float = 1e-3
    workers: int = 0
    device: str = "auto"


def run(
    stream: DetectorStream | ReaderStream,
    pupils: Sequence[tuple[Pupil, nn.Module]],
    out: Path,
    plan: Plan,
    begun: float | None = None,
) -> None:
    """Teach all pupils; `out/NAME.pt` has each one's averaged weights (`NAME-70.pt` those of 70 % of the way).

    Args:
        begun: when the minutes began to count, by `time.monotonic()`; now without it.
    """
    begun = time.monotonic() if begun is None else begun
    device = device_of(plan.device)
    out.mkdir(parents=True, exist_ok=True)
    learning = [_Learning(pupil, model, device, plan.peak) for pupil, model in pupils]
    bank = Bank(plan.bank, device, stream.hosted)
    loader = DataLoader(
        Batches(stream.fresh, range(plan.steps // plan.again + plan.count)),
        batch_size=None,
        num_workers=plan.workers,
        collate_fn=_as_it_is,
        prefetch_factor=4 if plan.workers else None,
    )
    step, said, kept, waited, asked = 0, time.monotonic(), False, 0.0, time.monotonic()
    for made in loader:
        waited += time.monotonic() - asked
        bank.put(made)
        if bank.put_so_far < plan.count:
            continue
        for _ in range(plan.again):
            gone = max(step / plan.steps, (time.monotonic() - begun) / 60 / plan.minutes)
            rate = one_cycle(round(gone * 10_000), 10_000, peak=plan.peak)
            for number, learner in enumerate(learning):
                rng = np.random.default_rng((917, step, number))
                learner.learn(stream.loss, bank.draw(rng, learner.pupil, plan.count), rate)
            step += 1
        if gone >= 0.7 and not kept:
            _keep(out, learning, "-70")
            kept = True
        if time.monotonic() - said > 15:
            said = time.monotonic()
            _say(out, begun, step, waited, bank.put_so_far, learning)
        if gone >= 1:
            break
        asked = time.monotonic()
    _keep(out, learning, "")
    _say(out, begun, step, waited, bank.put_so_far, learning)


def _as_it_is(made: Made) -> Made:
    return made


def _keep(out: Path, learning: Sequence[_Learning], suffix: str) -> None:
    for learner in learning:
        state = {k: v.cpu() for k, v in learner.average.model.state_dict().items()}
        torch.save(state, out / f"{learner.pupil.name}{suffix}.pt")


def _say(out: Path, begun: float, step: int, waited: float, seen: int, learning: Sequence[_Learning]) -> None:
    losses = {x.pupil.name: round(float(x.loss), 3) for x in learning}
    line = {"seconds": round(time.monotonic() - begun), "waited": round(waited), "step": step, "fresh": seen, **losses}
    with (out / "log.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")
    print(line, file=sys.stderr, flush=True)


def _began(make: Callable[[], nn.Module], start: Path | None, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    model = make()
    if start is not None:
        model.load_state_dict(weights_of(start))
    return model


def _beginning(file: Path, labelled: Labels, settings: detector.DetectorSettings) -> Path:
    """What every finder begins with, made once. Its stem is taught on all pictures, to say what published weights say of them."""
    if not file.exists():
        model = PlateDetector(settings.width)
        detector.begin(model, detector.views_of(labelled), msgspec.structs.replace(settings, batch=8))
        file.parent.mkdir(parents=True, exist_ok=True)
        torch.save(model.state_dict(), file)
    return file


def detector_pupils(
    start: Path, more: Path | None, real: float, *, curve: bool = True
) -> list[tuple[Pupil, nn.Module]]:
    """The shipped finder, one for each fold, and one that goes on from weights which never saw group 0."""
    pupils = [Pupil("all", EVERY, real, 48, start)]
    pupils += [Pupil(f"fold{k}", without(k), real, 48, start) for k in range(FOLDS)]
    if curve:
        pupils.append(Pupil("sixth", (1,), real, 48, start))
    if more is not None:
        pupils.append(Pupil("more", EVERY[1:], real, 48, more))
    return [(p, _began(partial(PlateDetector, int(p.width)), p.start, 1)) for p in pupils]


def reader_pupils(
    more: Path | None, real: float, width: float, wide: float, *, curve: bool = True
) -> list[tuple[Pupil, nn.Module]]:
    """The shipped reader, one for each fold, wider ones, those of the learning curve, and one that goes on."""
    pupils = [Pupil("all", EVERY, real, width)]
    pupils += [Pupil(f"fold{k}", without(k), real, width) for k in range(FOLDS)]
    if wide:
        pupils.append(Pupil("wide0", without(0), real, wide))
    if curve:
        pupils += [
            Pupil("half", (1, 2, 3), real, width),
            Pupil("sixth", (1,), real, width),
            Pupil("drawn", (), 0.0, width),
        ]
    if more is not None:
        pupils.append(Pupil("more", EVERY[1:], real, width, more))
    return [(p, _began(partial(PlateReader, p.width), p.start, 1)) for p in pupils]


DRAWN = (0, 300, 1000, 3000)


def drawn_pupils(real: float, width: float) -> list[tuple[Pupil, nn.Module]]:
    """Readers that may see so many rendered plates, and one that sees all; none knows the first fold."""
    limits = [*((f"drawn{n}", n) for n in DRAWN), ("drawn-all", 1_000_000_000)]
    pupils = [Pupil(name, without(0), real, width, drawn_max=most) for name, most in limits]
    return [(p, _began(partial(PlateReader, p.width), None, 1)) for p in pupils]


def main(argv: Sequence[str] | None = None) -> int:
    """See the module."""
    began = time.monotonic()
    parser = argparse.ArgumentParser(prog="python -m train.together")
    parser.add_argument("model", choices=("detector", "reader"))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--start", type=Path, help="weights that every finder begins with, instead of ImageNet's")
    parser.add_argument(
        "--more", type=Path, help="weights that one more pupil goes on from; they must not know group 0"
    )
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--count", type=int, default=32)
    parser.add_argument("--fresh", type=int, default=16)
    parser.add_argument("--again", type=int, default=2)
    parser.add_argument("--bank", type=int, default=1024)
    parser.add_argument("--peak", type=float, default=1e-3)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--wide", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=21)
    parser.add_argument("--no-curve", action="store_true")
    parser.add_argument("--drawn-curve", action="store_true", help="only readers that see ever more rendered plates")
    asked = parser.parse_args(argv)
    cv2.setNumThreads(1)
    torch.multiprocessing.set_sharing_strategy("file_system")
    plan = Plan(asked.steps, asked.minutes, asked.count, asked.again, asked.bank, asked.peak, asked.workers)
    labelled = load(asked.data)
    if asked.model == "detector":
        finding = detector.DetectorSettings(batch=asked.fresh, seed=asked.seed)
        start = asked.start or _beginning(asked.out / "beginning.pt", labelled, finding)
        pupils = detector_pupils(start, asked.more, 1 - finding.rendered, curve=not asked.no_curve)
        run(DetectorStream(labelled, finding), pupils, asked.out, plan, began)
    else:
        from train.straight import finder_version

        reading = reader.ReaderSettings(batch=asked.fresh, seed=asked.seed, finder=finder_version())
        share = 1 - reading.rendered
        pupils = (
            drawn_pupils(share, reading.width)
            if asked.drawn_curve
            else reader_pupils(asked.more, share, reading.width, asked.wide, curve=not asked.no_curve)
        )
        run(ReaderStream(labelled, reading, asked.workers), pupils, asked.out, plan, began)
    return 0


if __name__ == "__main__":
    sys.exit(main())
