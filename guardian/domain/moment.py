"""Moments: UTC milliseconds, the clock that gave them, and the date spellings that people and feeds use.

Rules kept here:
- one unit everywhere: integer milliseconds since 1970-01-01T00:00:00Z, names end in `_ms`;
- a text without a zone is refused unless the caller says which zone its source lives in (field case G49);
- years of the Republic calendar are understood on the way in and never produced (console.md, section 7).
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo

import msgspec

from guardian.domain.errors import InputRefusedError

TAIPEI: tzinfo = timezone(timedelta(hours=8), "Asia/Taipei")
"""Taiwan has had no daylight saving since 1979, so a fixed offset is exact and needs no zone database."""

CLOCK_FLOOR_MS = 1_735_689_600_000
"""2025-01-01: a device clock below this was never set (first boots say 1970; field case G14)."""


class Clock(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What a device knew of its clock's error when it captured.

    `offset_ms` is to be added to the device's time to get true time; it is already added in `captured_ms` when
    `corrected` is true. `source` is where the knowledge came from; `age_ms` how old it was.
    """

    offset_ms: int = 0
    source: str = "unset"  # "gps" | "ntp" | "cloud" | "carried" (told after a restart) | "unset" | "simulated"
    age_ms: int | None = None
    corrected: bool = False

    @property
    def certain(self) -> bool:
        """Whether somebody who knows the time vouches for the moment."""
        return self.source not in ("unset", "carried")


_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?\s*(Z|z|[+-]\d{2}:?\d{2})?")


def parse_instant(text: str, *, zone: tzinfo | None = None) -> int:
    """Read an ISO 8601 instant into UTC milliseconds.

    Args:
        text: `2026-11-25T10:10:00+08:00`, `…Z`, `…+0800`, 0 to 9 decimals, `T` or a space.
        zone: the zone to take when the text names none.

    Raises:
        InputRefusedError: not an instant, or no zone and none given.
    """
    match = _ISO.fullmatch(text.strip())
    if match is None:
        raise InputRefusedError(f"'{text}' is no date and time.", hint="Write 2026-11-25T10:10:00+08:00.")
    year, month, day, hour, minute, second = (int(g) for g in match.groups()[:6])
    fraction, offset = match[7] or "", match[8]
    if offset is None:
        if zone is None:
            raise InputRefusedError(f"'{text}' names no time zone.", hint="Add +08:00 for Taipei time or Z for UTC.")
        tz = zone
    elif offset in "Zz":
        tz = UTC
    else:
        digits = offset[1:].replace(":", "")
        delta = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        tz = timezone(delta if offset[0] == "+" else -delta)
    try:
        whole = datetime(year, month, day, hour, minute, second, tzinfo=tz)
    except ValueError as error:
        raise InputRefusedError(f"'{text}' is no date and time: {error}.") from error
    return int(whole.timestamp()) * 1000 + int((fraction + "000")[:3])


def format_instant(ms: int, *, zone: tzinfo = UTC) -> str:
    """Write UTC milliseconds as ISO 8601 with milliseconds and zone."""
    whole, rest = divmod(ms, 1000)
    text = datetime.fromtimestamp(whole, tz=zone).strftime("%Y-%m-%dT%H:%M:%S")
    offset = "Z" if zone is UTC else datetime.fromtimestamp(whole, tz=zone).strftime("%z")
    if offset != "Z":
        offset = f"{offset[:3]}:{offset[3:]}"
    return f"{text}.{rest:03d}{offset}"


_ROC_FORMS = (
    re.compile(r"(?:民國)?\s*(\d{2,3})年(\d{1,2})月(\d{1,2})日"),
    re.compile(r"(?:民國)?\s*(\d{2,3})/(\d{1,2})/(\d{1,2})"),
    re.compile(r"(\d{3})(\d{2})(\d{2})"),
)
_CE_FORMS = (re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})"), re.compile(r"(\d{4})/(\d{1,2})/(\d{1,2})"))


def parse_day(text: str) -> date:
    """Read a day as forms in Taiwan write it: Common Era year first, or a year of the Republic (2 or 3 digits).

    Raises:
        InputRefusedError: an impossible day, or an order of day and month that is unclear (`12/31/2026`).
    """
    cleaned = text.strip()
    for forms, base in ((_CE_FORMS, 0), (_ROC_FORMS, 1911)):
        for form in forms:
            match = form.fullmatch(cleaned)
            if match is None:
                continue
            try:
                return date(int(match[1]) + base, int(match[2]), int(match[3]))
            except ValueError as error:
                said = f" (民國 {int(match[1])} is {int(match[1]) + base})" if base else ""
                raise InputRefusedError(
                    f"'{text}' is no day of the calendar{said}.", reference="no-such-day"
                ) from error
    raise InputRefusedError(
        f"'{text}' is not clear as a date.", hint="Write 2026-12-31 or 115/12/31.", reference="unclear-date"
    )


def end_of_day_ms(day: date, *, zone: tzinfo = TAIPEI) -> int:
    """The last millisecond of a day: a day given as expiry counts to its end where it was written (G23)."""
    following = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(days=1)
    return int(following.timestamp()) * 1000 - 1
