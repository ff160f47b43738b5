"""How the look at vehicles does on held-out pictures that we labelled ourselves: tables for the model's card, with counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from guardian.domain.read import Corners
from guardian.evaluation.labels import Labels
from guardian.vision.colours import COLOURS
from guardian.vision.ports import Box, VehicleSeen
from guardian.vision.vehicles import BODIES, KINDS, VehicleFinder, overlap
from train.export import vehicles_bytes
from train.loop import Done, weights_of
from train.models.vehicles import VehicleNet
from train.vehicles import LabelledVehicle, VehicleSettings, View, views_of

MISSED = "not found"


class Judged(msgspec.Struct, frozen=True):
    """One labelled vehicle beside what was seen of it; None where no box fits."""

    truth: LabelledVehicle
    seen: VehicleSeen | None


def judged(finder: VehicleFinder, views: Sequence[View]) -> list[Judged]:
    """Every vehicle that was labelled by eye in these pictures, with its labelled plate known."""
    out = []
    for view in views:
        plates: list[Corners] = [tuple((float(x), float(y)) for x, y in p) for p in view.plates]  # type: ignore[misc]
        seen = finder.vehicles(view.picture, plates)
        h, w = view.picture.shape[:2]
        for truth in view.words:
            if truth.plate is None:
                continue
            box: Box = (truth.box[0] * w, truth.box[1] * h, truth.box[2] * w, truth.box[3] * h)
            best = max(seen, key=lambda v: overlap(v.box, box), default=None)
            out.append(Judged(truth, best if best is not None and overlap(best.box, box) > 0.5 else None))
    return out


def right(said: str, accepted: Sequence[str]) -> bool:
    """Whether a word is one that may be said; an empty one where nobody can tell."""
    return (said or "unknown") in accepted


def confusion(pairs: Iterable[tuple[str, str]], names: Sequence[str]) -> str:
    """A table of counts, truth down and what was said across; only rows and columns that hold something."""
    counts = Counter(pairs)
    rows = [n for n in names if any(truth == n for truth, _ in counts)]
    columns = [n for n in names if any(said == n for _, said in counts)]
    lines = ["| truth | " + " | ".join(columns) + " | all |", "|---|" + "---:|" * (len(columns) + 1)]
    for row in rows:
        cells = [counts[row, column] for column in columns]
        lines.append(f"| {row} | " + " | ".join(str(c) if c else "" for c in cells) + f" | {sum(cells)} |")
    return "\n".join(lines) + "\n"


def tables(rows: Sequence[Judged]) -> str:
    """Kind, colour and body of labelled vehicles as Markdown."""
    found = [(r.truth, r.seen) for r in rows if r.seen is not None]
    kinds = confusion(((r.truth.kind, r.seen.kind if r.seen else MISSED) for r in rows), (*KINDS, MISSED))
    coloured = [(t, s) for t, s in found if t.colours]
    bodied = [(t, s) for t, s in found if t.bodies]
    told = [(t, s) for t, s in coloured if s.colour]
    shaped = [(t, s) for t, s in bodied if s.body]
    fine = sum(right(s.colour, t.colours) for t, s in coloured)
    bodies_fine = sum(s.body in t.bodies for t, s in shaped)
    colour_names = (*COLOURS, "cannot tell")
    colours = confusion(
        (
            ("cannot tell" if t.colours[0] == "unknown" else t.colours[0], s.colour or "cannot tell")
            for t, s in coloured
        ),
        colour_names,
    )
    bodies = confusion(((t.bodies[0], s.body or "not known") for t, s in bodied), (*BODIES[:-1], "not known"))
    return f"""## Labelled vehicles that it never learnt from

{len(rows)} vehicles, one for each labelled plate, {len(found)} of them found (box at IoU over 0.5).

**Kind**

{kinds}
**Colour**, measured with the plate known: {fine} of {len(coloured)} right (a word that the labeller accepts counts, and cannot
tell where nobody can; its bounds were set on all labelled vehicles, these among them). {len(coloured) - len(told)} times it cannot tell. Rows are the labeller's first word.

{colours}
**Body**: said {len(shaped)} times of {len(bodied)} labelled ones, {bodies_fine} right.

{bodies}"""


def tables_of(labelled: Labels | None, run: Done) -> str:
    """The tables of a run's best net on its held-out part; empty without labelled pictures."""
    settings = msgspec.convert(run.settings, VehicleSettings)
    if labelled is None:
        return ""
    _, held = views_of(labelled, settings.fold, settings.folds)
    if not held:
        return ""
    net = VehicleNet(settings.width)
    net.load_state_dict(weights_of(run.folder / "best.pt"))
    return tables(judged(VehicleFinder(content=vehicles_bytes(net)), held))
