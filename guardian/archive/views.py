"""What the console sees of reads, questions and quarantine: the JSON of this room's routes."""

from __future__ import annotations

import msgspec

from guardian.domain.read import Read


class ReadRow(msgspec.Struct, frozen=True, kw_only=True):
    """A read as the stream and the result table show it."""

    id: str
    text: str
    display: str
    doubtful: tuple[int, ...] = ()
    captured_ms: int
    received_ms: int
    device_id: str
    unit: str = ""
    place: str = ""
    lat_deg: float | None = None
    lon_deg: float | None = None
    position_age_ms: int | None = None
    confidence_prob: float
    kind: str = ""
    colour: str = ""
    crop_url: str = ""
    overview_url: str = ""
    lookalike: bool = False  # answers the question only as a look-alike
    hit_id: str = ""
    hit_category: str = ""
    hit_priority: int | None = None
    hit_strength: str = ""
    time_doubtful: bool = False


class Area(msgspec.Struct, frozen=True):
    """A box, or a GeoJSON polygon ring (longitude first), or, with neither, the `name` of a county, town or village."""

    lat_min: float | None = None
    lat_max: float | None = None
    lon_min: float | None = None
    lon_max: float | None = None
    polygon: tuple[tuple[float, float], ...] | None = None
    name: str = ""


class SearchRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A question. `plate` as typed (`B?D-01*`); purpose and case are required for every question (L01, L02)."""

    purpose: str
    case_number: str
    plate: str = ""
    lookalike: bool = False
    from_ms: int | None = None
    until_ms: int | None = None
    area: Area | None = None
    device_ids: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()  # of VehicleLook; a read whose colour nobody saw answers none of them
    kinds: tuple[str, ...] = ()  # car | motorcycle | truck | bus
    page_size: int = 50


class PlateCount(msgspec.Struct, frozen=True):
    """How often one plate answers the question."""

    text: str
    display: str
    reads: int


class TimeBin(msgspec.Struct, frozen=True):
    """A bar of the histogram."""

    from_ms: int
    reads: int


class SearchAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the answer. `search_id` stays valid for its asker; cursors hold time and id (field case G36)."""

    search_id: str
    lookup_id: str
    question: SearchRequest
    normal: str  # the pattern in normal form, display
    rows: tuple[ReadRow, ...]
    next_cursor: str
    count: int
    count_exact: bool  # False: more than 10,000
    plates: tuple[PlateCount, ...] = ()
    histogram: tuple[TimeBin, ...] = ()
    elapsed_ms: int = 0
    newer: int = 0  # arrived since the walk began
    behind: bool = False  # the newest reads were not searchable yet when the walk began; ask again in a moment


class ReadDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One read whole."""

    read: Read
    row: ReadRow


class QuarantineGroup(msgspec.Struct, frozen=True):
    """Items refused at ingest for one cause."""

    reason: str
    sentence: str
    items: int
    devices: tuple[str, ...]
    oldest_ms: int
    newest_ms: int


class QuarantineItem(msgspec.Struct, frozen=True):
    """One refused item; `record` is it as JSON (or hex where it is none), `field` the one at fault."""

    id: str
    reason: str
    sentence: str
    field: str
    device_id: str
    received_ms: int
    record: str
    state: str  # held | replayed | rejected


class QuarantineView(msgspec.Struct, frozen=True):
    """The page: groups, and when something last passed through."""

    groups: tuple[QuarantineGroup, ...]
    last_ms: int | None


class QuarantinePage(msgspec.Struct, frozen=True):
    """Items of one group."""

    items: tuple[QuarantineItem, ...]
    next_cursor: str


class QuarantineDeed(msgspec.Struct, frozen=True):
    """Replay (after a cure) or reject for good, with a reason."""

    ids: tuple[str, ...]
    note: str = ""


class QuarantineDeedAnswer(msgspec.Struct, frozen=True):
    """How many passed now, how many stay."""

    passed: int
    held: int


class PageRequest(msgspec.Struct, frozen=True):
    """Go on with one's own search; an empty cursor is its first page."""

    cursor: str = ""


class ReasonRequest(msgspec.Struct, frozen=True):
    """Why somebody looks: purpose and case number, both required (L01)."""

    purpose: str
    case_number: str
