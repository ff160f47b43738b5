"""Which characters the shipped reader mixes up, counted on plates whose number is known, and stored for the matcher.

    python -m train.confusion --count 6000 --data ../shared/data/plates

Rendered plates of every series are photographed by day, in the dark and by infra-red, and cut as a finder errs; with a labelled
folder the part of it that taught no reader (fold 0 of 8) is read as well. What was read is laid under the truth, and the counts go
into `guardian/domain/confusion.json`, with the SHA-256 of the reader that they are of. Run it whenever the reader changes; a
test says when that is due. The same reader, seed and counts give the same file, but for its date. Some minutes of one core.
"""

from __future__ import annotations

import argparse
import datetime
import itertools
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np

from guardian.domain.confused import (
    FILE,
    KIND,
    SLIPS_MAX,
    SURE_EDGES,
    VERSION,
    Edits,
    Group,
    Measured,
    Stage,
    Sure,
    confusable_of,
    counts_of,
)
from guardian.domain.errors import GuardianError
from guardian.domain.opinion import OpinionVerdict
from guardian.domain.plate import Plate
from guardian.domain.read import Corners
from guardian.domain.series import series_of
from guardian.evaluation.align import Pair, align, signs_right
from guardian.vision.crop import CROP_HEIGHT_PX, CROP_WIDTH_MAX_PX, straighten, straighten_to
from guardian.vision.judge import judge
from guardian.vision.plate_reader import HEIGHT_PX, WIDTH_PX, PlateReader
from guardian.vision.ports import Crop, Detection, SecondReader, TextRead
from guardian.vision.weights import listed
from train.plates import draw_plate
from train.plates.snap import snap

BATCH = 64
PHOTOS_EACH = 4
"""Photographs of one drawn plate: drawing takes three times as long as a photograph."""
REAL_VIEWS = 4
"""Real pictures are few: each is cut once as it stands, and some times as a finder errs."""
FOLD, FOLDS = 0, 8
_A_PLATE = Detection(((0, 0), (WIDTH_PX, 0), (WIDTH_PX, HEIGHT_PX), (0, HEIGHT_PX)), 1.0)
"""What a finder of plates says of each crop."""
_STREAM = 613  # no other part of the training draws its plates from this stream


class Shown(msgspec.Struct, frozen=True):
    """One crop as the reader is shown it (48, 160, 3), the plate as a read keeps it, and the truth about it."""

    crop: Any
    kept: Any
    text: str
    source: str
    light: str
    issue: str


def issue_of(series: str) -> str:
    """Which generation a series belongs to."""
    return "new" if series.startswith("2012") else "old" if series.startswith(("1992", "3+3")) else "other"


def rendered(count: int, seed: int) -> Iterator[Shown]:
    """So many photographs of drawn plates."""
    from train.reader import moved, sample_of

    for i in range(count):
        if i % PHOTOS_EACH == 0:
            plate = draw_plate(np.random.default_rng((seed, _STREAM, i // PHOTOS_EACH)))
        rng = np.random.default_rng((seed, _STREAM + 1, i))
        shot = snap(rng, plate)
        quad = moved(sample_of(shot), rng)
        yield _shown(shot.picture, quad, plate.text, "rendered", shot.light, issue_of(plate.series))


def real(folder: Path, seed: int) -> Iterator[Shown]:
    """The plates of a labelled folder's training part that taught no reader."""
    from train.data import load, without_fold
    from train.reader import moved, samples_of, shown
    from train.straight import straight

    held = without_fold(load(folder), FOLD, FOLDS)[1]
    for light in sorted({item.light for item in (*held.scenes, *held.crops)}):
        part = msgspec.structs.replace(
            held,
            scenes=tuple(s for s in held.scenes if s.light == light),
            crops=tuple(c for c in held.crops if c.light == light),
        )
        for i, sample in enumerate(straight(samples_of(part))[0]):
            text = sample.layout.replace("-", "")
            series = Plate(text, sample.layout.find("-") if "-" in sample.layout else None).series
            for view in range(REAL_VIEWS):
                rng = np.random.default_rng((seed, _STREAM + 2, i, view))
                quad = moved(sample, rng) if view else shown(sample.corners, exact=sample.exact)
                yield _shown(sample.picture, quad, text, "real", light, issue_of(series.id if series else ""))


def _shown(picture: Crop, quad: Any, text: str, source: str, light: str, issue: str) -> Shown:
    (a, b, c, d) = ((float(x), float(y)) for x, y in quad)
    corners: Corners = (a, b, c, d)
    crop = straighten_to(picture, corners, (WIDTH_PX, HEIGHT_PX))
    kept = straighten(picture, corners, height_px=CROP_HEIGHT_PX, width_max_px=CROP_WIDTH_MAX_PX)
    return Shown(crop, kept, text, source, light, issue)


class Tally:
    """Counts of one stage of one group while they grow."""

    def __init__(self) -> None:
        self.signs: Counter[tuple[str, str]] = Counter()
        self.slips: Counter[tuple[str, str]] = Counter()
        self.edits: dict[str, Counter[str]] = {"fitting": Counter(), "odd": Counter()}
        self.sign_sure: Counter[tuple[bool, int]] = Counter()
        self.text_sure: Counter[tuple[bool, int]] = Counter()

    def add(self, truth: str, text: str, probs: Sequence[float], pairs: Sequence[Pair]) -> None:
        """One text as it was read, laid under the truth."""
        edits = self.edits["fitting" if series_of(text) else "odd"]
        edits["texts"] += 1
        edits["signs"] += len(text)
        edits["twins"] += sum(a == b for a, b in itertools.pairwise(text))
        self.text_sure[text == truth, _bin(float(np.prod(probs)))] += 1
        slips = [pair for pair in pairs if pair[0] != pair[1]]
        if len(slips) <= SLIPS_MAX:
            self.slips.update(pair for pair in slips if all(pair))
        i = j = 0
        for true, read in pairs:
            if true and read:
                self.signs[true, read] += 1
                self.sign_sure[true == read, _bin(probs[j])] += 1
            elif true:
                edits["lost_" + _place(truth, i)] += 1
            else:
                edits["gained_" + _place(text, j)] += 1
            i, j = i + bool(true), j + bool(read)

    def done(self) -> Stage:
        """What was counted."""
        edits = {name: Edits(**counts) for name, counts in self.edits.items()}
        return Stage(_table(self.signs), _table(self.slips), edits, _sure(self.sign_sure), _sure(self.text_sure))


def _table(counts: Counter[tuple[str, str]]) -> dict[str, dict[str, int]]:
    table: dict[str, dict[str, int]] = {}
    for (true, read), count in sorted(counts.items()):
        table.setdefault(true, {})[read] = count
    return table


def _bin(prob: float) -> int:
    return int(np.searchsorted(SURE_EDGES, prob, side="right")) - 1


def _sure(counts: Counter[tuple[bool, int]]) -> Sure:
    right, wrong = (tuple(counts[which, k] for k in range(len(SURE_EDGES))) for which in (True, False))
    return Sure(right, wrong)


def _place(text: str, i: int) -> str:
    """Where a character stands that was lost or gained."""
    if text[i] in text[max(0, i - 1) : i] + text[i + 1 : i + 2]:
        return "doubled"
    return "edge" if i in (0, len(text) - 1) else "inside"


class GroupTally:
    """Counts of one kind of picture while they grow."""

    def __init__(self) -> None:
        self.seen, self.told = Tally(), Tally()
        self.plates = self.far = self.untold = self.right = 0

    def add(self, truth: str, crop: Crop, read: TextRead) -> str:
        """One read; gives the text that the product would tell of it, empty where it would not."""
        self.plates += 1
        chars = [c for c in read.chars if c.sign != "-"]
        text = "".join(c.sign for c in chars)
        pairs = align(truth, text)
        if 2 * signs_right(pairs) < len(truth):
            self.far += 1
            return ""
        self.seen.add(truth, text, [c.prob for c in chars], pairs)
        told = judge(_A_PLATE, crop, read)
        if told is None:
            self.untold += 1
            return ""
        number = told.number
        self.told.add(truth, number.text, number.char_probs, align(truth, number.text))
        self.right += number.text == truth
        return number.text


def measure(
    shown: Iterable[Shown], reader: PlateReader, second: SecondReader | None, asked_max: int, total: int
) -> tuple[tuple[Group, ...], dict[str, dict[str, int]]]:
    """Read everything in batches and count; and ask the second reader about so many told texts of each sort."""
    tallies: dict[tuple[str, str, str], GroupTally] = {}
    opinions: dict[str, Counter[str]] = {"right": Counter(), "wrong": Counter()}
    crops, started, done = iter(shown), time.monotonic(), 0
    while batch := list(itertools.islice(crops, BATCH)):
        for item, read in zip(batch, reader.read([item.crop for item in batch]), strict=True):
            tally = tallies.setdefault((item.source, item.light, item.issue), GroupTally())
            told = tally.add(item.text, item.crop, read)
            sort = opinions["right" if told == item.text else "wrong"]
            # As many right ones as wrong ones, from the same stretch of pictures: easy ones would flatter the second reader.
            wanted = asked_max if told != item.text else opinions["wrong"].total()
            if told and second is not None and sort.total() < wanted:
                sort[_opinion(second, item, told)] += 1
        done += len(batch)
        _progress(done, total, time.monotonic() - started)
    groups = tuple(
        Group(*key, tally.plates, tally.far, tally.untold, tally.right, tally.seen.done(), tally.told.done())
        for key, tally in sorted(tallies.items())
    )
    return groups, {sort: dict(sorted(counts.items())) for sort, counts in opinions.items() if counts}


def _opinion(second: SecondReader, item: Shown, told: str) -> str:
    """What a different reader says of the same picture: its verdict, or that it read what truly stands there."""
    said = second.opinion(told, [item.kept])
    if told != item.text and said.text == item.text:
        return "truth"
    return str(said.known if said.text else OpinionVerdict.CANNOT_READ)


def _progress(done: int, total: int, seconds: float) -> None:
    if sys.stderr.isatty() or done % (BATCH * 10) == 0 or done >= total:
        left = seconds / done * max(0, total - done)
        print(f"confusion: {done:,} of {total:,} plates, about {left:.0f} s left", file=sys.stderr)


def written(measured: Measured) -> str:
    """The file's text: one true sign a line, so that two measurements can be compared."""
    plain = msgspec.to_builtins(measured)
    groups = plain.pop("groups")
    lines = [f"{msgspec.json.encode(plain).decode()[:-1]},", '"groups":[']
    for n, group in enumerate(groups):
        stages = {name: group.pop(name) for name in ("seen", "told")}
        lines.append(f"{msgspec.json.encode(group).decode()[:-1]},")
        for name, stage in stages.items():
            rows = [f"  {_json(true)}:{_json(reads)}" for true, reads in stage.pop("signs").items()]
            lines.append(f'"{name}":{{"signs":{{\n' + ",\n".join(rows) + "},")
            lines.append(f"{_json(stage)[1:]}" + ("," if name == "seen" else ""))
        lines.append("}" + ("," if n + 1 < len(groups) else ""))
    return "\n".join([*lines, "]}"]) + "\n"


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def said(measured: Measured) -> str:
    """A few figures for people."""
    total = sum(g.plates for g in measured.groups)
    right, far, untold = (sum(getattr(g, name) for g in measured.groups) for name in ("right", "far", "untold"))
    tables = [group.seen.signs for group in measured.groups]
    signs = sum(n for table in tables for reads in table.values() for n in reads.values())
    wrong = signs - sum(reads.get(true, 0) for table in tables for true, reads in table.items())
    counts = counts_of(measured)
    slips = sum(sum(reads.values()) for reads in counts.values())
    pairs = sum(len(row) for row in confusable_of(counts).values())
    return (
        f"{total:,} plates: {right:,} told rightly, {total - far - untold - right:,} wrongly, {far + untold:,} not told; "
        f"{wrong:,} of {signs:,} characters misread, {slips:,} of them in texts that were nearly right; {pairs} pairs are kept."
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and write."""
    parser = argparse.ArgumentParser(prog="python -m train.confusion", description=__doc__.split("\n")[0])  # type: ignore[union-attr]
    parser.add_argument("--count", type=int, default=20_000, help="photographs of rendered plates")
    parser.add_argument("--data", type=Path, help="a labelled folder; its held-out part is read as well")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--second", type=int, default=0, metavar="N", help="ask the second reader about N right and N wrong texts"
    )
    parser.add_argument("--date", default="", help="YYYY-MM-DD; today where left out")
    parser.add_argument("--out", type=Path, default=FILE)
    asked = parser.parse_args(argv)
    cv2.setNumThreads(1)
    second: SecondReader | None = None
    if asked.second:
        from guardian.vision.opinion import open_second_reader

        second = open_second_reader()
    try:
        held = list(real(asked.data, asked.seed)) if asked.data else []
    except GuardianError as error:
        print(f"confusion: {error.sentence} {error.hint} Nothing was measured.", file=sys.stderr)
        return 3
    shown = itertools.chain(held, rendered(asked.count, asked.seed))
    groups, opinions = measure(shown, PlateReader(), second, asked.second, len(held) + asked.count)
    command = f"python -m train.confusion --count {asked.count} --seed {asked.seed}"
    command += f" --data {asked.data.name}" if asked.data else ""
    command += f" --second {asked.second}" if asked.second else ""
    entry = listed()["reader"]
    date = asked.date or datetime.datetime.now(datetime.UTC).date().isoformat()
    measured = Measured(
        KIND, VERSION, entry.sha256, entry.version, date, command, asked.seed, len(held) + asked.count, groups,
        opinions, f"{second.name} {second.version}" if second is not None else "",
    )  # fmt: skip
    asked.out.write_text(written(measured), "utf-8")
    print(
        f"confusion: {said(measured)} Written to {asked.out.name}; run the tests of the matcher next.", file=sys.stderr
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
