"""Whose look-ups stand out: one case number for a great many questions in an hour, or one vague word again and again.

Pure. The sentences are for the reviewer's page (field case G44); they accuse nobody, they say where to look. The bounds
are guesses until real use has shown what a busy detective does; anomaly scores (L04) take their place later.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from guardian.access.views import StandOut
from guardian.domain.moment import TAIPEI, format_instant

WINDOW_MS = 3600 * 1000
QUESTIONS_PER_HOUR = 30
"""Different questions under one case number by one person in any hour. Guess: one every two minutes for an hour."""
STANDOUTS_MAX = 20


class Asked(NamedTuple):
    """One allowed look-up, as much of it as matters here."""

    subject_id: str
    subject_name: str
    case_number: str
    at_ms: int
    about: str
    purpose: str = ""


def standouts(asked: Iterable[Asked]) -> tuple[StandOut, ...]:
    """The most striking first, at most STANDOUTS_MAX."""
    by_case: dict[tuple[str, str], list[Asked]] = defaultdict(list)
    for one in asked:
        by_case[one.subject_id, one.case_number].append(one)
    found: list[StandOut] = []
    for (_, case_number), questions in by_case.items():
        most, until_ms = _most_in_a_window(questions)
        if most >= QUESTIONS_PER_HOUR:
            day = format_instant(until_ms, zone=TAIPEI)[:16].replace("T", " ")
            who = questions[0].subject_name or questions[0].subject_id
            sentence = f"{who} 以同一案號 {case_number} 在一小時內查詢 {most} 個不同對象（至 {day}）。"
            found.append(StandOut(who, case_number, most, until_ms, sentence))
    found.sort(key=lambda one: (-one.questions, one.sentence))
    return tuple(found[:STANDOUTS_MAX])


def _most_in_a_window(questions: list[Asked]) -> tuple[int, int]:
    """The greatest number of different questions within WINDOW_MS, and when that window ended."""
    ordered = sorted(questions, key=lambda one: one.at_ms)
    inside: dict[str, int] = defaultdict(int)
    most, until_ms, start = 0, 0, 0
    for one in ordered:
        inside[one.about] += 1
        while one.at_ms - ordered[start].at_ms > WINDOW_MS:
            gone = ordered[start].about
            inside[gone] -= 1
            if not inside[gone]:
                del inside[gone]
            start += 1
        if len(inside) > most:
            most, until_ms = len(inside), one.at_ms
    return most, until_ms
