"""Device matching against 1,000,000 entries: exact and look-alike a second on one core, bytes an entry, time to build.

    .venv/bin/python -m bench.matching [--entries 1000000]

Peers in the same run: a Python set of strings, and a bare sorted array with `searchsorted`. Look-alikes are made for
reads as a device sends them (some characters in doubt, the reader's own alternatives) and for bare texts.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import statistics
import time
from collections.abc import Callable

import numpy as np

from bench.table import render_table
from bench.traffic import make_plates
from guardian.domain.read import Alternative, Read
from guardian.domain.watch import Category, WatchEntry
from guardian.watch.matcher import Matcher
from guardian.watch.packing import pack_texts

EXACT_GOAL, LOOKALIKE_GOAL, BYTES_GOAL = 2_000_000, 50_000, 24.0
ROUNDS = 5
NOW_MS = 1_795_600_000_000


def timed(fn: Callable[[], object], count: int) -> float:
    """Items a CPU second, the median of some rounds (CPU time: other work on the machine does not count)."""
    rates = []
    for _ in range(ROUNDS):
        started = time.process_time()
        fn()
        rates.append(count / (time.process_time() - started))
    return statistics.median(rates)


def make_reads(texts: list[str], rng: random.Random) -> list[Read]:
    """One read in four has a character in doubt, with alternatives; the others are sure."""
    reads = []
    for n, text in enumerate(texts):
        probs = [round(rng.uniform(0.95, 0.999), 3) for _ in text]
        alternatives: tuple[tuple[Alternative, ...], ...] = ()
        if n % 4 == 0:
            place = rng.randrange(len(text))
            probs[place] = round(rng.uniform(0.4, 0.8), 3)
            others = (Alternative("8", 0.2), Alternative("B", 0.1))
            alternatives = tuple(others if at == place else () for at in range(len(text)))
        reads.append(
            Read(
                device_id="car-1", boot=1, sequence=n, captured_ms=NOW_MS, text=text, raw_text=text,
                char_probs=tuple(probs), confidence_prob=min(probs), alternatives=alternatives,
            )
        )  # fmt: skip
    return reads


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    count = parser.parse_args().entries
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    plates = make_plates(count, seed=1)
    asked = make_plates(1_000_000, seed=2)
    asked[::100] = plates[: len(asked[::100])]  # one in a hundred is listed
    entries = [
        WatchEntry(id=f"e{n:07d}", text=text, category=Category.STOLEN, expires_ms=NOW_MS + n)
        for n, text in enumerate(plates)
    ]
    started = time.process_time()
    matcher = Matcher(entries, 1, NOW_MS)
    build_s = time.process_time() - started
    reads = make_reads(asked[:200_000], random.Random(3))

    exact = timed(lambda: matcher.match_exact(asked, at_ms=NOW_MS), len(asked))
    keys = pack_texts(asked)
    packed = timed(lambda: matcher.find_rows(keys, at_ms=NOW_MS), len(keys))
    lookalike = timed(lambda: matcher.match_many(reads), len(reads))
    bare = timed(lambda: matcher.match_texts(asked[:200_000], at_ms=NOW_MS), 200_000)

    as_set = set(plates)
    by_set = timed(lambda: [text in as_set for text in asked], len(asked))
    by_intersection = timed(lambda: as_set.intersection(asked), len(asked))
    ordered = np.sort(pack_texts(plates))
    by_sorted = timed(lambda: ordered[np.minimum(np.searchsorted(ordered, keys), count - 1)] == keys, len(keys))

    found = int((matcher.match_exact(asked, at_ms=NOW_MS) >= 0).sum())
    if found < len(asked) // 100:
        raise SystemExit(f"only {found:,} of the listed were found")
    bytes_each = matcher.array_bytes / count
    # A set of 1,000,000 strings: 32 MiB of table and 56 bytes a string of seven characters.
    set_bytes = (as_set.__sizeof__() + sum(text.__sizeof__() for text in plates[:1000]) / 1000 * count) / count

    def line(what: str, rate: float, goal: float | None) -> tuple[str, ...]:
        return (
            what,
            f"{rate:,.0f}",
            f"{goal:,.0f}" if goal else "",
            f"{rate / goal:.1f}×" if goal else "",
            f"{rate / by_set:.2f}×",
        )

    print(
        render_table(
            ("one core, CPU seconds", "a second", "goal", "to goal", "to `in set`"),
            [
                line("exact, texts as they come", exact, EXACT_GOAL),
                line("exact, packed already", packed, EXACT_GOAL),
                line("look-alike, reads (1 in 4 with a doubtful character)", lookalike, LOOKALIKE_GOAL),
                line("look-alike, bare texts (every place in some doubt)", bare, LOOKALIKE_GOAL),
                line("peer: `text in set`, one by one", by_set, None),
                line("peer: `set.intersection`", by_intersection, None),
                line("peer: sorted array, `searchsorted`, packed already", by_sorted, None),
            ],
        )
    )
    print()
    print(
        f"{count:,} entries, each with an expiry: {bytes_each:.1f} bytes an entry (goal {BYTES_GOAL:.0f}; a set of "
        f"strings {set_bytes:.0f}); built in {build_s:.1f} s; process peak "
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB with all that is measured beside it."
    )


if __name__ == "__main__":
    main()
