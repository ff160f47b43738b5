"""The alarm as one value: everything that the page, the terminal and the voice show of a hit, already in words.

Exact and look-alike are decided here once, for every way of showing (P10). Two keys turn (architecture, decision 3): a
text that matches but a look that contradicts the entry is "look again", never an alarm (P12).
"""

from __future__ import annotations

import msgspec

from guardian.device import words
from guardian.domain.colours import colours_apart
from guardian.domain.opinion import NotAsked, OpinionVerdict, SecondOpinion
from guardian.domain.plate import display_of
from guardian.domain.read import Read
from guardian.domain.series import VehicleClass
from guardian.domain.watch import Match, MatchStrength, Priority, WatchEntry


class Sign(msgspec.Struct, frozen=True, omit_defaults=True):
    """One character of the plate as it was read; a dash has no `place`."""

    sign: str
    place: int | None = None
    doubtful: bool = False
    differs: bool = False
    entry_sign: str = ""  # what the entry has here, where the two can be laid side by side
    alternatives: tuple[str, ...] = ()


class CardOpinion(msgspec.Struct, frozen=True):
    """What a second reader says of a card's read, in words about the entry: that is what an officer acts on.

    `mark`: `same` (it read the entry's number), `other` (it read another), `none` (it could not say), `pending`.
    """

    mark: str
    words: str


PENDING = CardOpinion("pending", "第二判讀中")
LATE = CardOpinion("none", "第二判讀：未及判讀")


class AlarmCard(msgspec.Struct, frozen=True, kw_only=True):
    """One hit for the officer in the car."""

    id: str
    read_id: str
    entry_id: str
    sure: bool  # exact, and nothing contradicts
    strength: str
    priority: Priority
    priority_word: str
    category_word: str
    text: str
    signs: tuple[Sign, ...]
    entry_text: str
    entry_display: str
    look: str
    side: str
    arrow_deg: int
    heading: str
    warning: str
    contradiction: str
    reason: str
    case_number: str
    silent: bool
    unit: str
    captured_ms: int
    list_version: int
    list_issued_ms: int
    crop_sha256: str = ""
    overview_sha256: str = ""
    clock_set: bool = True
    box: tuple[float, float, float, float] | None = None
    """The plate in the overview: left, top, width, height as shares of it."""
    opinion: CardOpinion | None = None
    """A line that comes after the card; it changes neither `sure` nor rank nor tone (docs/decisions/0009)."""

    @property
    def rank(self) -> tuple[int, int]:
        """Smaller is more urgent: priority first, then sure before look again."""
        return (int(self.priority), 0 if self.sure else 1)

    @property
    def tone(self) -> str:
        """Which sound (console.md, section 8): urgent, high, near or none."""
        if self.silent or (self.sure and self.priority is Priority.NOTICE):
            return "none"
        if not self.sure:
            return "near"
        return "urgent" if self.priority is Priority.URGENT else "high"

    @property
    def yes(self) -> str:
        """The word on the wide button; for a look-alike it names the entry, so that yes cannot mean the misread."""
        return "收到" if self.sure else f"是 {self.entry_display}"

    @property
    def no(self) -> str:
        """The word on the narrow button."""
        return "不是這輛" if self.sure else "不是"


def card_opinion(opinion: SecondOpinion, card: AlarmCard) -> CardOpinion | None:
    """An opinion in words for one card; None where this device has no second reader by its make, which is no news.

    Of a look-alike both readers may read alike, and then the vehicle is *not* the one on the list: so the words speak of
    the entry, and of the first reading only where that is the entry's.
    """
    verdict = opinion.known
    if verdict is OpinionVerdict.NOT_ASKED:
        if opinion.reason == NotAsked.SAME_READER:
            return None
        return CardOpinion("none", f"第二判讀：{words.NOT_ASKED.get(opinion.reason, '未判讀')}")
    if verdict is OpinionVerdict.CANNOT_READ:
        return CardOpinion("none", "第二判讀：無法判讀")
    shown = display_of(opinion.text)
    if opinion.bears_out(card.entry_text):
        return CardOpinion(
            "same", "第二判讀：一致" if verdict is OpinionVerdict.AGREES else f"第二判讀：讀作 {shown}，與名單相同"
        )
    if verdict is OpinionVerdict.AGREES:
        return CardOpinion("other", f"第二判讀：也讀作 {shown}，與名單不同")
    places = "、".join(str(place + 1) for place in opinion.differing)
    where = f"（第 {places} 字）" if places else ""
    return CardOpinion("other", f"第二判讀：不一致{where}，讀作 {shown}")


def contradiction_of(read: Read, entry: WatchEntry) -> str:
    """How the look contradicts the entry, in words; empty where it does not or nothing is known."""
    if entry.kind and read.look.kind and entry.kind != read.look.kind:
        return f"畫面是{words.KIND.get(read.look.kind, read.look.kind)}，名單是{words.KIND.get(entry.kind, entry.kind)}"
    allowed = words.kinds_of(read.vehicle_classes)
    if entry.kind and allowed and entry.kind not in allowed:
        return f"號牌不屬於{words.KIND.get(entry.kind, entry.kind)}"
    if colours_apart(read.look.colour, entry.colour):
        seen, listed = (words.COLOUR.get(c, c) for c in (read.look.colour, entry.colour))
        return f"畫面是{seen}，名單是{listed}"
    return ""


def _signs(read: Read, match: Match) -> tuple[Sign, ...]:
    aligned = len(read.text) == len(match.entry_text)
    differing = set(match.differing)
    out: list[Sign] = []
    place = 0
    for sign in _display(read):
        if sign == "-":
            out.append(Sign("-"))
            continue
        alternatives = read.alternatives[place] if place < len(read.alternatives) else ()
        other = match.entry_text[place] if aligned else ""
        out.append(
            Sign(
                sign,
                place,
                place in read.doubtful,
                place in differing,
                other,
                tuple(a.sign for a in alternatives),
            )
        )
        place += 1
    return tuple(out)


def _display(read: Read) -> str:
    """The number with its dash where it was seen."""
    if read.dash_after is not None and 0 < read.dash_after < len(read.text):
        return f"{read.text[: read.dash_after]}-{read.text[read.dash_after :]}"
    return display_of(read.text)


def _look(read: Read, entry: WatchEntry) -> str:
    """What to look for: the registry's word where the entry has it, else what the camera or the number says."""
    colour = words.COLOUR.get(entry.colour or read.look.colour, "")
    make = entry.make or read.look.make
    classes = read.vehicle_classes
    if entry.kind:
        kind = words.KIND.get(entry.kind, entry.kind)
    elif len(classes) == 1 and classes[0] in VehicleClass.__members__.values():
        kind = words.VEHICLE_CLASS[VehicleClass(classes[0])]
    else:
        kind = words.KIND.get(read.look.kind, "")
        kinds = words.kinds_of(classes)
        if not kind and len(kinds) == 1:
            kind = words.KIND[kinds.pop()]
    return " ".join(part for part in (colour, make, kind) if part)


def make_card(
    read: Read,
    match: Match,
    entry: WatchEntry,
    *,
    list_version: int,
    list_issued_ms: int,
    x_share: float | None = None,
    clock_set: bool = True,
    opinion: CardOpinion | None = None,
) -> AlarmCard:
    """Put a hit into words.

    Args:
        x_share: middle of the plate across the picture, 0 at the left edge.
        clock_set: False where nobody has told the device the time (field case G14).
    """
    contradiction = contradiction_of(read, entry)
    sure = match.strength is MatchStrength.EXACT and not contradiction
    side, arrow = words.side_of(x_share) if x_share is not None else ("", 0)
    heading = read.position.heading_deg if read.position is not None else None
    return AlarmCard(
        id=f"{read.id}.{entry.id}",
        read_id=read.id,
        entry_id=entry.id,
        sure=sure,
        strength=str(match.strength),
        priority=entry.priority,
        priority_word=words.PRIORITY[entry.priority],
        category_word=words.CATEGORY[entry.category],
        text=read.text,
        signs=_signs(read, match),
        entry_text=entry.text,
        entry_display=display_of(entry.text),
        look=_look(read, entry),
        side=side,
        arrow_deg=arrow,
        heading=f"往{words.compass(heading)}" if heading is not None else "",
        warning=entry.warning,
        contradiction=contradiction,
        reason=entry.reason,
        case_number=entry.case_number,
        silent=entry.silent,
        unit=read.unit,
        captured_ms=read.captured_ms,
        list_version=list_version,
        list_issued_ms=list_issued_ms,
        crop_sha256=read.crop.sha256 if read.crop is not None else "",
        overview_sha256=read.overview.sha256 if read.overview is not None else "",
        clock_set=clock_set,
        box=_box(read),
        opinion=opinion,
    )


def _box(read: Read) -> tuple[float, float, float, float] | None:
    photo, corners = read.overview, read.corners
    if photo is None or corners is None or not (photo.width_px and photo.height_px):
        return None
    xs, ys = [x / photo.width_px for x, _ in corners], [y / photo.height_px for _, y in corners]
    return (round(min(xs), 4), round(min(ys), 4), round(max(xs) - min(xs), 4), round(max(ys) - min(ys), 4))
