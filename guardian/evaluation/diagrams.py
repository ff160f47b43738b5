"""The two diagrams: what a confidence is worth, and how much is still read under stress."""

from __future__ import annotations

from collections.abc import Sequence

from guardian.evaluation.calibration import BINS, Calibration
from guardian.evaluation.stress import LEVELS, MIDDLE
from guardian.evaluation.stressed import Stressed
from guardian.evaluation.svg import SERIES, Drawing

FEW = 10
"""A bin with fewer reads says little, and is drawn faint."""


def reliability_svg(subjects: Sequence[tuple[str, Calibration]]) -> str:
    """One panel a subject: share of right reads in each bin of confidence, beside what the confidence says.

    Bars on the diagonal are honest; a bar below it is over-confident by the dashed gap. Under it, how many reads there
    are in each bin (the height on a logarithmic scale, for nearly all are in the last).
    """
    side, foot, gap, left, top = 280.0, 70.0, 60.0, 50.0, 76.0
    shown = list(subjects)[:SERIES]
    width = left + len(shown) * (side + gap)
    draw = Drawing(width, top + side + foot + 66, "Reliability of confidences")
    draw.text(left, 28, "How often a read is right, by how sure it is", kind="head")
    for number, (name, c) in enumerate(shown):
        x0, y0 = left + number * (side + gap), top
        draw.text(x0, y0 - 24, name, kind="title")
        draw.text(x0, y0 - 8, f"{c.reads:,} reads, ECE {c.ece:.4f}", kind="dim num")
        for step in range(0, 101, 25):
            y = y0 + side * (1 - step / 100)
            draw.line([(x0, y), (x0 + side, y)], "rule")
            if number == 0:
                draw.text(x0 - 8, y + 4, f"{step} %", kind="dim num", anchor="end")
        most = max((b.reads for b in c.bins), default=1)
        free_to = x0 + side + 20
        for b in reversed(c.bins):
            x, wide = x0 + b.low * side + 1.5, side / BINS - 3
            draw.box(x, y0 + side * (1 - b.right), wide, side * b.right, "bar" if b.reads >= FEW else "bar few")
            high, low = max(b.right, b.confidence), min(b.right, b.confidence)
            if high - low > 0.004:
                draw.box(x, y0 + side * (1 - high), wide, side * (high - low), "gap")
            tall = 40 * _log_share(b.reads, most)
            draw.box(x, y0 + side + foot - 8 - tall, wide, tall, "bar" if b.reads >= FEW else "bar few")
            half = 3.6 * len(str(b.reads))
            if x + wide / 2 + half < free_to:  # figures that would run into one another are left out
                draw.text(x + wide / 2, y0 + side + foot - 12 - tall, str(b.reads), kind="dim num", anchor="middle")
                free_to = x + wide / 2 - half
        draw.line([(x0, y0 + side), (x0 + side, y0)], "axis")
        draw.line([(x0, y0), (x0, y0 + side), (x0 + side, y0 + side)], "axis")
        draw.line([(x0, y0 + side + foot - 8), (x0 + side, y0 + side + foot - 8)], "axis")
        for tenth in range(0, 11, 2):
            draw.text(
                x0 + side * tenth / 10, y0 + side + foot + 8, f"{tenth / 10:.1f}", kind="dim num", anchor="middle"
            )
        draw.text(
            x0 + side / 2, y0 + side + foot + 26, "confidence (below the panel: reads)", kind="dim", anchor="middle"
        )
    draw.text(
        left,
        top + side + foot + 52,
        f"On the diagonal a confidence means what it says; dashed: the gap; faint: fewer than {FEW} reads.",
        kind="dim",
    )
    return draw.svg()


def _log_share(reads: int, most: int) -> float:
    from math import log10

    return log10(1 + reads) / log10(1 + most) if most else 0.0


def curves_svg(stress: Sequence[Stressed]) -> str:
    """Whole plates right against level, one panel a kind, a line a subject, with the area under each."""
    shown = list(stress)[:SERIES]
    wide, tall, gap_x, gap_y, left, top = 250.0, 130.0, 40.0, 84.0, 54.0, 124.0
    kinds = list(shown[0].curves)
    rows = -(-len(kinds) // 3)
    width = left + 3 * (wide + gap_x)
    draw = Drawing(width, top + rows * (tall + gap_y) - gap_y + 36, "Plates still read under stress")
    draw.text(left, 28, "Whole plates right, from the picture as it is (0) to the hardest level (5)", kind="head")
    x = left
    for number, one in enumerate(shown):
        draw.line([(x, 50), (x + 30, 50)], f"line s{number}")
        draw.mark(x + 15, 50, number)
        said = f"{one.name}, area {one.area_mean:.3f}"
        draw.text(x + 38, 54, said)
        x += 60 + 7.2 * len(said)
    plates = shown[0].curves[kinds[0]].levels[0].of
    draw.text(left, 74, f"{shown[0].pictures} pictures, {plates} plates; the same pixels for all.", kind="dim num")
    for place, kind in enumerate(kinds):
        x0 = left + place % 3 * (wide + gap_x)
        y0 = top + place // 3 * (tall + gap_y)
        draw.text(x0, y0 - 27, kind, kind="title")
        for step in (0, 50, 100):
            y = y0 + tall * (1 - step / 100)
            draw.line([(x0, y), (x0 + wide, y)], "rule")
            if place % 3 == 0:
                draw.text(x0 - 8, y + 4, f"{step} %", kind="dim num", anchor="end")
        middle = x0 + wide * MIDDLE / len(LEVELS)
        draw.line([(middle, y0), (middle, y0 + tall)], "rule")
        draw.line([(x0, y0 + tall), (x0 + wide, y0 + tall)], "axis")
        for level in (0, *LEVELS):
            draw.text(x0 + wide * level / len(LEVELS), y0 + tall + 16, str(level), kind="dim num", anchor="middle")
        # Ours is drawn last and so lies on top.
        for number, one in reversed(list(enumerate(shown))):
            points = [
                (x0 + wide * level / len(LEVELS), y0 + tall * (1 - share.share))
                for level, share in enumerate(one.curves[kind].levels)
                if share.share is not None
            ]
            draw.line(points, f"line s{number}")
            for px, py in points:
                draw.mark(px, py, number)
        draw.text(x0, y0 - 10, "area", kind="dim")
        for number, one in enumerate(shown):
            x = x0 + 44 + 54 * number
            draw.mark(x - 10, y0 - 14, number)
            draw.text(x - 2, y0 - 10, f"{one.curves[kind].area:.3f}", kind=f"num f{number}")
    return draw.svg()
