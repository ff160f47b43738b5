"""Counts in place of lines: what machines ask for by themselves, and the flood of one refusal.

The rule of what is a line and what is a count stands in `policy`. Counts lie in memory and become lines of kind
`counted` once an hour and when the process ends; a crash loses at most an hour of counts, never a line. Bounded: with
more than KEYS_MAX subjects and actions at once the rest is counted together.
"""

from __future__ import annotations

from guardian.access.chain import Entry, entry_of
from guardian.domain.subject import Role, Subject

FLUSH_MS = 3600 * 1000
KEYS_MAX = 20_000
REFUSALS_PER_MINUTE = 60
"""Of one subject's refusals of one action so many a minute are lines; who is refused oftener than once a second is a
program, and its thousandth refusal says nothing that the count does not."""
_MINUTE_MS = 60 * 1000
_REST = Subject(id="…", role=Role.NOBODY, name="…")


class Tally:
    """How often, by subject, action and verdict, since the last flush."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str, str], list[int]] = {}
        self._subjects: dict[str, Subject] = {}
        self._minutes: dict[tuple[str, str], tuple[int, int]] = {}

    def count(self, subject: Subject, action: str, verdict: str, at_ms: int) -> None:
        """One more of these."""
        key = (subject.id, action, verdict)
        kept = self._counts.get(key)
        if kept is None:
            if len(self._counts) >= KEYS_MAX:
                subject, key = _REST, ("…", action, verdict)
            kept = self._counts.setdefault(key, [0, at_ms, at_ms])
            self._subjects[key[0]] = subject
        kept[0] += 1
        kept[2] = at_ms

    def line_due(self, subject: Subject, action: str, at_ms: int) -> bool:
        """Whether this refusal is to be a line of its own; if not, it has been counted."""
        minute = at_ms // _MINUTE_MS
        if len(self._minutes) >= KEYS_MAX:
            self._minutes = {key: value for key, value in self._minutes.items() if value[0] == minute}
        before, so_far = self._minutes.get((subject.id, action), (minute, 0))
        so_far = so_far + 1 if before == minute else 1
        self._minutes[subject.id, action] = (minute, so_far)
        if so_far <= REFUSALS_PER_MINUTE:
            return True
        self.count(subject, action, "refused", at_ms)
        return False

    def take(self, at_ms: int) -> list[Entry]:
        """The counts as entries; counting begins anew."""
        counts, self._counts = self._counts, {}
        subjects, self._subjects = self._subjects, {}
        entries = []
        for (subject_id, action, verdict), (count, first_ms, last_ms) in sorted(counts.items()):
            subject = subjects[subject_id]
            entries.append(
                entry_of(
                    subject,
                    action,
                    at_ms=at_ms,
                    kind="counted",
                    verdict=verdict,
                    count=count,
                    elements={"from_ms": str(first_ms), "to_ms": str(last_ms)},
                )
            )
        return entries
