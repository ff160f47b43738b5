"""When the answers fall: bins as wide as the span needs, whole days beginning at midnight in Taipei."""

from __future__ import annotations

from guardian.archive.model import KEPT_MS
from guardian.archive.ports import Archive
from guardian.archive.question import Question, QuestionCutOffError
from guardian.archive.views import TimeBin

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
TAIPEI_MS = 8 * HOUR_MS
WIDTHS_MS = (MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS, 3 * HOUR_MS, 6 * HOUR_MS, DAY_MS, 7 * DAY_MS)
BINS_MAX = 120


def bin_of(from_ms: int, until_ms: int) -> tuple[int, int]:
    """Where the first bin begins and how wide bins are, so that at most BINS_MAX (and one) cover the span."""
    span_ms = max(1, until_ms - from_ms)
    width_ms = next((width for width in WIDTHS_MS if span_ms <= width * BINS_MAX), WIDTHS_MS[-1])
    return (from_ms + TAIPEI_MS) // width_ms * width_ms - TAIPEI_MS, width_ms


async def timeline(archive: Archive, question: Question, *, as_of: int, now_ms: int) -> tuple[TimeBin, ...]:
    """The bars of a question; empty where it could not be counted in time.

    Without a time in the question, weeks are looked at first and then the part that has reads, more closely.
    """
    from_ms = now_ms - KEPT_MS if question.from_ms is None else question.from_ms
    until_ms = now_ms if question.until_ms is None else question.until_ms
    try:
        first_ms, width_ms = bin_of(from_ms, until_ms)
        bins = await archive.histogram(question, as_of=as_of, from_ms=first_ms, bin_ms=width_ms)
        if bins and question.from_ms is None:
            first_ms, finer_ms = bin_of(bins[0][0], bins[-1][0] + width_ms)
            if finer_ms < width_ms:
                bins = await archive.histogram(question, as_of=as_of, from_ms=first_ms, bin_ms=finer_ms)
    except QuestionCutOffError:
        return ()
    return tuple(TimeBin(at_ms, reads) for at_ms, reads in bins)
