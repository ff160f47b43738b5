"""Questions to the archive: what a person asked, made ready; refused in words where it would match everything."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from functools import cached_property
from typing import Protocol

import msgspec

from guardian.archive.area import NO_PLACE, Region, box_region, named_region, polygon_region, units
from guardian.archive.lookalike import lookalike_classes, lookalikes
from guardian.archive.model import ArchivedRead
from guardian.archive.views import Area, SearchRequest
from guardian.domain.errors import InputRefusedError
from guardian.domain.plate import PlatePattern, parse_pattern
from guardian.stores.failures import ReadCutOffError

DAY_MS = 24 * 3600 * 1000
MOMENT_MS_MAX = 4_102_444_800_000
"""The year 2100: moments beyond cannot be written as one."""
WINDOW_DAYS_MAX = 31
"""Without a plate a question spans at most this long: it reads every row of the window."""
PLATES_LISTED_MAX = 5_000
"""A pattern that fits more plates than this needs a time of at most WINDOW_DAYS_MAX."""
LITERALS_MIN = 2
PAGE_MAX = 200
NAMES_MAX = 50
NAME_CHARS_MAX = 64


class QuestionTooWideError(InputRefusedError):
    """The question matches everything, or nearly; the hint names what would narrow it."""

    reference = "question-too-wide"


class QuestionCutOffError(ReadCutOffError):
    """The answer took longer than a question may; nothing was given. HTTP 504."""

    reference = "question-cut-off"


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """Where a page ends: the time and identity of its last read (field case G36)."""

    ts_ms: int
    device_id: str
    boot: int
    sequence: int

    @property
    def key(self) -> tuple[int, str, int, int]:
        return (self.ts_ms, self.device_id, self.boot, self.sequence)

    def encode(self) -> str:
        """As an opaque text."""
        return base64.urlsafe_b64encode(msgspec.msgpack.encode(self)).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str) -> Cursor:
        """Back from a text.

        Raises:
            InputRefusedError: not one of ours.
        """
        try:
            body = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
            return msgspec.msgpack.decode(body, type=cls)
        except (binascii.Error, ValueError, msgspec.DecodeError) as error:
            raise InputRefusedError("That is no place to go on from.", reference="cursor-form") from error


class Question:
    """A `SearchRequest` understood. `normal` is the pattern in normal form, empty where no plate was given."""

    def __init__(
        self,
        *,
        pattern: PlatePattern | None = None,
        lookalike: bool = False,
        from_ms: int | None = None,
        until_ms: int | None = None,
        region: Region | None = None,
        device_ids: tuple[str, ...] = (),
        units: tuple[str, ...] = (),
        colours: tuple[str, ...] = (),
        kinds: tuple[str, ...] = (),
    ) -> None:
        self.pattern = pattern
        self.lookalike = lookalike
        self.from_ms = from_ms
        self.until_ms = until_ms
        self.region = region
        self.device_ids = device_ids
        self.units = units
        self.colours = colours
        self.kinds = kinds

    @property
    def normal(self) -> str:
        return "" if self.pattern is None else self.pattern.text

    @cached_property
    def texts(self) -> frozenset[str] | None:
        """The plates that answer, where they can be listed: one, or its look-alikes. None with wildcards or no plate."""
        if self.pattern is None or not self.pattern.exact:
            return None
        return lookalikes(self.pattern.text) if self.lookalike else frozenset((self.pattern.text,))

    @cached_property
    def classes(self) -> str | None:
        """The regular expression of a look-alike question with wildcards."""
        return lookalike_classes(self.pattern) if self.lookalike and self.pattern and not self.pattern.exact else None

    def fits(self, text: str) -> bool:
        """Whether a plate answers, whatever else is asked."""
        if self.pattern is None:
            return True
        if self.texts is not None:
            return text in self.texts
        if self.classes is not None:
            return re.search(self.classes, text) is not None
        return self.pattern.matches(text)

    def is_short(self, now_ms: int) -> bool:
        """Whether its time spans at most WINDOW_DAYS_MAX days."""
        if self.from_ms is None:
            return False
        until_ms = now_ms if self.until_ms is None else self.until_ms
        return until_ms - self.from_ms <= WINDOW_DAYS_MAX * DAY_MS

    def is_lookalike(self, text: str) -> bool:
        """Whether a read answers only as a look-alike."""
        return self.pattern is not None and not self.pattern.matches(text)

    def is_answered_by(self, held: ArchivedRead) -> bool:
        """The reference meaning of a question, apart from time of arrival and retention; engines agree with it."""
        read = held.read
        if not self.fits(read.text):
            return False
        if self.from_ms is not None and held.ts_ms < self.from_ms:
            return False
        if self.until_ms is not None and held.ts_ms >= self.until_ms:
            return False
        if self.device_ids and read.device_id not in self.device_ids:
            return False
        if self.units and read.unit not in self.units:
            return False
        if self.colours and read.look.colour not in self.colours:
            return False
        if self.kinds and read.look.kind not in self.kinds:
            return False
        return self.region is None or self.region.contains(*place_units(held))


def place_units(held: ArchivedRead) -> tuple[int, int]:
    """Longitude and latitude of a read in whole units; NO_PLACE twice where it has no position."""
    position = held.read.position
    return (NO_PLACE, NO_PLACE) if position is None else (units(position.lon_deg), units(position.lat_deg))


class AreaNames(Protocol):
    """`ports.Areas`, which this module cannot import: the ports speak in questions."""

    def find(self, typed: str) -> Sequence[Sequence[tuple[float, float]]]: ...


def region_of(area: Area, names: AreaNames | None = None) -> Region:
    """An area of the API made ready.

    Raises:
        InputRefusedError: neither a whole box nor a polygon nor a known name, or an impossible one (field case G60).
    """
    box = (area.lat_min, area.lat_max, area.lon_min, area.lon_max)
    given = [side for side in box if side is not None]
    if area.polygon is not None and not given:
        return polygon_region(area.polygon)
    if area.polygon is None and len(given) == 4:
        return box_region(*given)
    if area.polygon is None and not given and area.name.strip() and names is not None:
        return named_region(names.find(area.name))
    raise InputRefusedError(
        "An area is a box with all four sides, a polygon, or the name of one; this is none.",
        hint="Draw it on the map again.",
        reference="area-form",
    )


def understand(request: SearchRequest, *, now_ms: int, areas: AreaNames | None = None) -> Question:
    """Make a request ready, or refuse it in words.

    Raises:
        PlateTextError: what was typed is no plate and no pattern (field case G25).
        QuestionTooWideError: nothing in it narrows the answer.
        InputRefusedError: times, areas or names that make no sense.
    """
    pattern = parse_pattern(request.plate) if request.plate.strip() else None
    if pattern is not None and not pattern.literals:
        pattern = None if pattern.text == "*" else pattern
    from_ms, until_ms = request.from_ms, request.until_ms
    if any(moment is not None and not 0 <= moment <= MOMENT_MS_MAX for moment in (from_ms, until_ms)):
        raise InputRefusedError(
            "The time is none that a read can have.", hint="Choose a time from the calendar.", reference="time-range"
        )
    if from_ms is not None and until_ms is not None and from_ms >= until_ms:
        raise InputRefusedError(
            "The time ends before it begins.", hint="Exchange the two times.", reference="time-order"
        )
    for names in (request.device_ids, request.units, request.colours, request.kinds):
        if len(names) > NAMES_MAX or not all(len(name) <= NAME_CHARS_MAX and name.isprintable() for name in names):
            raise InputRefusedError(
                f"At most {NAMES_MAX} devices, units, colours or kinds can be named.",
                hint="Name fewer.",
                reference="names-many",
            )
    span_ms = None if from_ms is None else (until_ms if until_ms is not None else now_ms) - from_ms
    _refuse_wide(pattern, span_ms)
    return Question(
        pattern=pattern,
        lookalike=request.lookalike and pattern is not None,
        from_ms=from_ms,
        until_ms=until_ms,
        region=None if request.area is None else region_of(request.area, areas),
        device_ids=request.device_ids,
        units=request.units,
        colours=request.colours,
        kinds=request.kinds,
    )


def _refuse_wide(pattern: PlatePattern | None, span_ms: int | None) -> None:
    short = span_ms is not None and span_ms <= WINDOW_DAYS_MAX * DAY_MS
    if short or (pattern is not None and pattern.literals >= LITERALS_MIN):
        return
    what = "The question has no plate" if pattern is None else f"'{pattern.text}' fits nearly every plate"
    raise QuestionTooWideError(
        f"{what}, and no time of at most {WINDOW_DAYS_MAX} days: it would match everything.",
        hint=f"Give at least {LITERALS_MIN} characters of the plate, or a time of at most {WINDOW_DAYS_MAX} days; an area, device or unit narrows it further.",
    )


def refuse_many_plates(pattern: PlatePattern) -> QuestionTooWideError:
    """The refusal for a pattern that turned out to fit too many plates that were really read."""
    return QuestionTooWideError(
        f"More than {PLATES_LISTED_MAX:,} plates that were read fit '{pattern.text}'.",
        hint=f"Give one more character, or a time of at most {WINDOW_DAYS_MAX} days.",
    )
