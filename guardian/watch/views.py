"""What the console sees of lists and hits: the JSON of this room's routes."""

from __future__ import annotations

import msgspec

from guardian.domain.opinion import OpinionVerdict
from guardian.domain.read import Read
from guardian.domain.watch import Category, HitFact, HitState, MatchStrength, Outcome, WatchEntry


class LookRow(msgspec.Struct, frozen=True):
    """One line of the looks table: picture against registry. verdict: agree | differ | unknown.

    Kinds and colours that are known stand as keys (`car`, `yellow`; several parted by 、), which screens say in their
    language; what somebody typed into an entry stands as it was typed.
    """

    aspect: str  # kind | colour | make | plate
    seen: str
    registered: str
    verdict: str


class OpinionView(msgspec.Struct, frozen=True, kw_only=True):
    """What a different reader saw on the read's pictures, after the alarm (docs/decisions/0009)."""

    verdict: OpinionVerdict
    text: str = ""  # what it read; empty where it could not, or was not asked
    display: str = ""
    raw_text: str = ""  # before any rule
    char_probs: tuple[float, ...] = ()  # of each character of text
    confidence_prob: float = 0.0  # the weakest character's
    differing: tuple[int, ...] = ()  # places in read_text; empty where the texts are not equally long
    bears_out_entry: bool = False  # it read the entry's number
    reader: str = ""
    reader_version: str = ""
    crops: int = 0  # pictures looked at
    reason: str = ""  # why not asked: no-reader | same-reader | no-picture | too-late | broken


class HitCard(msgspec.Struct, frozen=True, kw_only=True):
    """A hit as the queue and the live page show it (three lines, or the open card)."""

    id: str
    read_id: str
    read_text: str
    read_display: str
    doubtful: tuple[int, ...]  # places in read_text
    entry_id: str
    entry_text: str
    entry_display: str
    category: Category
    priority: int
    strength: MatchStrength
    differing: tuple[int, ...]
    likelihood_prob: float
    odds_tenths: int | None  # chance of truth: "in 10 about N"; None: no statistics yet
    captured_ms: int
    raised_ms: int
    state: HitState
    checker: str = ""  # who has claimed it
    checker_id: str = ""
    claimed_ms: int | None = None
    claim_ends_ms: int | None = None  # the claim lapses then, unless a key is pressed
    outcome: Outcome | None = None
    unit: str = ""
    device_id: str = ""
    place: str = ""
    lat_deg: float | None = None
    lon_deg: float | None = None
    heading_deg: float | None = None
    confidence_prob: float = 0.0
    crop_url: str = ""
    overview_url: str = ""
    reason: str = ""
    case_number: str = ""
    silent: bool = False
    warning: str = ""
    list_version: int = 0
    device_list_version: int | None = None  # version the device held when it alarmed; None: found in the cloud only
    entry_removed_ms: int | None = None  # the entry was taken off the list since (G27)
    facts: int = 0  # number of the newest fact
    looks: tuple[LookRow, ...] = ()
    decided_ms: int | None = None
    sightings: int = 1  # reads of the same vehicle by the same device that were folded into this hit
    opinion: OpinionView | None = None  # None: none has come (yet), or the device is older


class HitDetail(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the check shows."""

    card: HitCard
    read: Read
    entry: WatchEntry
    looks: tuple[LookRow, ...]
    facts: tuple[HitFact, ...]
    same_plate: tuple[HitCard, ...] = ()  # other hits of the same entry, newest first, 24 h


class HitPage(msgspec.Struct, frozen=True):
    """A page of hits. `next_cursor` is empty at the end."""

    hits: tuple[HitCard, ...]
    next_cursor: str
    open_count: int
    mine_count: int
    checked_today_count: int


class VerdictRequest(msgspec.Struct, frozen=True):
    """`verdict` is one of the four of domain.watch.VERDICTS; `seen_fact` the newest fact number the checker saw."""

    verdict: HitState
    seen_fact: int
    note: str = ""


class ClaimRequest(msgspec.Struct, frozen=True):
    """`take_over`: also where somebody else is checking it now."""

    take_over: bool = False


class UndoRequest(msgspec.Struct, frozen=True):
    """`seen_fact` is the newest fact number that the person saw."""

    seen_fact: int


class OutcomeRequest(msgspec.Struct, frozen=True):
    """What came of a confirmed hit."""

    outcome: Outcome
    seen_fact: int
    note: str = ""


class WatchListView(msgspec.Struct, frozen=True):
    """One list: name, owner, number of entries in force."""

    id: str
    name: str
    source: str
    entries: int
    version: int  # the national version of which it is part
    changed_ms: int
    changed_by: str
    closed_ms: int | None = None  # closed then; nothing stands on it


class ListNameRequest(msgspec.Struct, frozen=True):
    """A list's name, as screens show it, and whose entries it holds."""

    name: str
    source: str = ""


class ListCloseRequest(msgspec.Struct, frozen=True):
    """Closing takes every entry off; `confirm_entries` is how many the person has seen."""

    confirm_entries: int


class ListDeedAnswer(msgspec.Struct, frozen=True):
    """The list, and the version that the deed made (0: none, no device is concerned)."""

    list_id: str
    version: int
    removed: int


class ListsView(msgspec.Struct, frozen=True):
    """All lists and how far the version in force has got."""

    version: int
    issued_ms: int
    devices_current: int
    devices_total: int
    lists: tuple[WatchListView, ...]


class EntryView(msgspec.Struct, frozen=True):
    """An entry with its derived words."""

    entry: WatchEntry
    display: str
    series: str
    added_ms: int
    added_by: str
    expired: bool = False
    warning_words: str = ""


class EntryPage(msgspec.Struct, frozen=True):
    """A page of entries."""

    entries: tuple[EntryView, ...]
    next_cursor: str
    total: int


class EntryDraft(msgspec.Struct, frozen=True):
    """What the editor or a file row says of an entry; texts as typed. `id` empty adds, else replaces."""

    plate: str
    category: str
    id: str = ""
    reason: str = ""
    case_number: str = ""
    priority: int | None = None
    expires: str = ""  # a day (2026-12-31 or 115/12/31) or empty
    source: str = ""
    silent: bool = False
    colour: str = ""
    kind: str = ""
    make: str = ""
    warning: str = ""
    remark: str = ""


class ListChangeRequest(msgspec.Struct, frozen=True):
    """A save of the editor: becomes one new version. `base_version` is what the editor saw."""

    base_version: int
    put: tuple[EntryDraft, ...] = ()
    remove: tuple[str, ...] = ()
    confirmed_twins: bool = False


class ListChangeAnswer(msgspec.Struct, frozen=True):
    """The new version."""

    version: int
    put: int
    removed: int


class PlateInspectionView(msgspec.Struct, frozen=True):
    """The typing guard's words beside the field: zh-TW, and English in the fields that end in `_en`."""

    text: str
    display: str
    series: str
    refusal: str
    reference: str
    warning: str
    suggestions: tuple[str, ...]  # display forms
    twins: tuple[str, ...] = ()  # display forms of near entries that exist
    listed: bool = False  # the number itself stands in a list already
    refusal_en: str = ""
    warning_en: str = ""


class EntryFindRequest(msgspec.Struct, frozen=True):
    """`find` is a plate with `?` and `*`, or part of a case number or reason; in the body, never in an address."""

    find: str
    cursor: str = ""


class UndoVersionRequest(msgspec.Struct, frozen=True):
    """The version to take back."""

    version: int


class InspectRequest(msgspec.Struct, frozen=True):
    """What stands in the field."""

    plate: str


class ImportRow(msgspec.Struct, frozen=True):
    """One row of the report. group: added | updated | same | refused; `cell` is the column at fault.

    `sentence` and `hint` are zh-TW, the fields that end in `_en` English; `reference` names the reason.
    """

    line: int
    group: str
    plate: str
    text: str = ""
    cell: str = ""
    raw: str = ""
    sentence: str = ""
    hint: str = ""
    reference: str = ""
    sentence_en: str = ""
    hint_en: str = ""


class ImportPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What applying the file would do; nothing has changed yet."""

    id: str
    list_id: str
    file_name: str
    encoding: str
    sample_line: str
    columns: dict[str, str]  # our field -> the file's header
    mode: str  # add | replace
    rows: int
    added: int
    updated: int
    same: int
    refused: int
    removed: int
    entries_before: int
    report: tuple[ImportRow, ...]  # refused first, bounded to 500
    problem: str = ""  # why it cannot be applied at all, zh-TW
    problem_reference: str = ""
    needs_confirmation: str = ""  # e.g. "removes 5,000 of 5,000"
    state: str = "planned"  # planned | applying | applied | undone
    version: int = 0
    laid: int = 0  # while applying: entries that lie ready, of added + updated + removed
    header: tuple[str, ...] = ()  # every column of the file, named or not matched
    first: tuple[str, ...] = ()  # the cells of its first row below the header
    fixed: dict[str, str] = {}  # field → what the person gave for every row
    encoding_chosen: bool = False  # by the person, not found
    headed: bool = True  # the first row names the columns


class ImportApplyRequest(msgspec.Struct, frozen=True):
    """`confirm_removal` repeats the number of removals that the person agreed to."""

    confirm_removal: int | None = None
