"""Whether a confidence means what it says: of all reads with 0.9, nine of ten should be right.

Source: Guo et al., On Calibration of Modern Neural Networks, ICML 2017 (reliability diagram, ECE); Nguyen and
O'Connor, EMNLP 2015 (bins of equal mass).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from guardian.evaluation.shares import Share, share_of

BINS = 15
SURE_PROB = 0.9


class Bin(msgspec.Struct, frozen=True):
    """Reads of like confidence: from `low` to `high` (0 to 1), how many, their mean confidence, the share that is right."""

    low: float
    high: float
    reads: int
    confidence: float
    right: float


class Calibration(msgspec.Struct, frozen=True):
    """What the confidences are worth.

    `ece` is the expected calibration error over bins of equal width, `ece_equal_mass` over bins with equally many reads.
    `wrong_and_sure` counts reads that are wrong or false with a confidence of `SURE_PROB` or more, of all judged reads;
    `wrong_when_sure` the same, of the sure ones.
    """

    reads: int
    ece: float
    ece_equal_mass: float
    wrong_and_sure: Share
    wrong_when_sure: Share
    bins: tuple[Bin, ...]


def calibrate(reads: Sequence[tuple[float, bool]]) -> Calibration:
    """From pairs of confidence and whether the read is right."""
    sure = [right for confidence, right in reads if confidence >= SURE_PROB]
    wrong = sum(not right for right in sure)
    equal_width = _equal_width(reads)
    return Calibration(
        len(reads),
        round(_ece(equal_width), 6),
        round(_ece(_equal_mass(reads)), 6),
        share_of(wrong, len(reads)),
        share_of(wrong, len(sure)),
        tuple(equal_width),
    )


def _equal_width(reads: Sequence[tuple[float, bool]]) -> list[Bin]:
    parts: list[list[tuple[float, bool]]] = [[] for _ in range(BINS)]
    for confidence, right in reads:
        parts[min(BINS - 1, max(0, int(confidence * BINS)))].append((confidence, right))
    return [_bin(part, i / BINS, (i + 1) / BINS) for i, part in enumerate(parts) if part]


def _equal_mass(reads: Sequence[tuple[float, bool]]) -> list[Bin]:
    """Bins with equally many reads, as nearly as that goes: reads of one confidence are never parted.

    Parting them would need an order among equals, and any order makes bins that are worse than the confidences are.
    """
    ordered = sorted(reads)
    parts: list[list[tuple[float, bool]]] = []
    for place, read in enumerate(ordered):
        full = not parts or len(parts) <= place * BINS // len(ordered)
        if not parts or (full and read[0] != ordered[place - 1][0]):
            parts.append([])
        parts[-1].append(read)
    return [_bin(part, part[0][0], part[-1][0]) for part in parts]


def _bin(part: Sequence[tuple[float, bool]], low: float, high: float) -> Bin:
    return Bin(
        round(low, 6),
        round(high, 6),
        len(part),
        round(sum(confidence for confidence, _ in part) / len(part), 6),
        round(sum(right for _, right in part) / len(part), 6),
    )


def _ece(bins: Sequence[Bin]) -> float:
    total = sum(b.reads for b in bins)
    return sum(b.reads * abs(b.confidence - b.right) for b in bins) / total if total else 0.0
