"""Hits in the database: raised once for a read and an entry, folded while the vehicle stays in view, changed by facts.

Every function takes a connection inside a transaction that `Records` has begun. Each fact is written with the event
that tells of it. Doing any of it again changes nothing: identity is the read's and the entry's (field cases G30, G35).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import Connection, Row, bindparam, func, literal_column, select, update

from guardian.domain.chance import Checked
from guardian.domain.errors import NotFoundError
from guardian.domain.event import Event, HitChanged
from guardian.domain.opinion import SecondOpinion
from guardian.domain.plate import display_of
from guardian.domain.read import DeviceHit, Read
from guardian.domain.watch import Category, HitFact, HitState, Match, MatchStrength, WatchEntry
from guardian.domain.wire import DeviceAnswer, ReadOpinion
from guardian.stores import Events, insert, insert_if_new
from guardian.watch import journal, opinions
from guardian.watch.looks import compare_looks, contradictions
from guardian.watch.matcher import differing_places
from guardian.watch.model import Standing, derive
from guardian.watch.tables import answers, facts, hits, sightings
from guardian.watch.views import LookRow

FOLD_MS = 10 * 60_000
"""Reads of one entry by one device within this time of the hit are the same vehicle, seen again."""
SIGHTING_FACTS_MAX = 20
"""Further sightings of one hit are counted, without a fact each."""

SYSTEM_AUTHOR = "系統"
FOREVER_MS = -(10**15)  # a moment at which no claim has lapsed

Deed = Row[tuple[object, ...]]


class HitBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a hit was raised from: copies, so that later changes of list or archive change no evidence."""

    read: Read
    entry: WatchEntry
    list_id: str
    match: Match
    looks: tuple[LookRow, ...]
    place: str = ""
    device: DeviceHit | None = None


class Candidate(msgspec.Struct, frozen=True):
    """A read that may mean an entry, by our own match or by the device's."""

    read: Read
    entry_id: str
    list_version: int
    match: Match | None = None
    device: DeviceHit | None = None
    place: str = ""


encode_body = msgspec.msgpack.Encoder().encode
decode_body = msgspec.msgpack.Decoder(HitBody).decode
_decode_standing = msgspec.msgpack.Decoder(Standing).decode

# Made once: what comes with reads at full rate is compiled once and asked with values beside it.
_PUT_HIT, _PUT_FACT = hits.insert(), facts.insert()
_KNOWN_SIGHTINGS = select(sightings.c.read_id, sightings.c.entry_id).where(
    sightings.c.read_id.in_(bindparam("read_ids", expanding=True))
)
_SAME_VEHICLE = (
    select(hits)
    .where(
        hits.c.entry_id == bindparam("of_entry"),
        hits.c.device_id == bindparam("by_device"),
        hits.c.captured_ms.between(bindparam("since_ms"), bindparam("until_ms")),
    )
    .order_by(hits.c.captured_ms.desc())
)
_ANSWERS = (
    select(answers)
    .where(answers.c.read_id == bindparam("of_read"), answers.c.entry_id == bindparam("of_entry"))
    .order_by(answers.c.at_ms)
)


def hit_id_of(read_id: str, entry_id: str) -> str:
    """The same read and entry always make the same hit."""
    return "h" + hashlib.sha256(f"{read_id}|{entry_id}".encode()).hexdigest()[:20]


def standing_of(row: Deed) -> Standing:
    """Where a hit stands if no claim ever lapsed; see `model.lapse`."""
    return _decode_standing(row.standing)


def find_row(connection: Connection, hit_id: str) -> Deed:
    """The hit's row.

    Raises:
        NotFoundError: no such hit.
    """
    row = connection.execute(select(hits).where(hits.c.hit_id == hit_id)).first()
    if row is None:
        raise NotFoundError("There is no such hit.", reference="no-such-hit")
    return row


def facts_of(connection: Connection, hit_id: str) -> tuple[HitFact, ...]:
    """All facts of a hit, in order."""
    rows = connection.execute(select(facts).where(facts.c.hit_id == hit_id).order_by(facts.c.number))
    return tuple(HitFact(r.hit_id, r.number, r.kind, r.author, r.at_ms, r.value, r.note) for r in rows)


def append_facts(
    connection: Connection,
    events: Events,
    hit_id: str,
    more: Sequence[HitFact],
    *,
    known: Sequence[HitFact] | None = None,
    kept_ms: int | None = None,
) -> None:
    """Write facts, what follows from them, and an event each."""
    if more:
        connection.execute(_PUT_FACT, [msgspec.structs.asdict(fact) for fact in more])
    whole = (*known, *more) if known is not None else facts_of(connection, hit_id)
    values = _derived(whole)
    if kept_ms is not None:
        values["kept_ms"] = kept_ms
    connection.execute(update(hits).where(hits.c.hit_id == hit_id).values(**values))
    for fact in more:
        _tell(connection, events, fact)


def _derived(whole: Sequence[HitFact]) -> dict[str, object]:
    standing = derive(whole, now_ms=FOREVER_MS)
    closed_ms = 0 if standing.is_open else standing.decided_ms or standing.entry_removed_ms or 0
    return {
        "standing": msgspec.msgpack.encode(standing),
        "state": standing.state.value,
        "is_open": standing.is_open,
        "checker_id": standing.checker_id,
        "closed_ms": closed_ms,
        "fact_number": standing.newest,
    }


def _tell(connection: Connection, events: Events, fact: HitFact) -> None:
    body = msgspec.msgpack.encode(HitChanged(fact.hit_id, fact.kind, fact.number))
    events.stage(connection, Event(f"{fact.hit_id}.{fact.number}", "hits.changed", fact.at_ms, body))


def raise_hits(
    connection: Connection, events: Events, candidates: Sequence[Candidate], *, now_ms: int
) -> tuple[int, int]:
    """Raise what is new, fold what is the same vehicle again, pass over what is known.

    Returns:
        How many hits were raised, and how many sightings were folded.
    """
    known = _known_sightings(connection, [candidate.read.id for candidate in candidates])
    entry_ids = list(dict.fromkeys(candidate.entry_id for candidate in candidates))
    entries = journal.find_last_known(connection, entry_ids)
    raised = folded = 0
    for candidate in sorted(candidates, key=lambda one: one.read.captured_ms):
        key = (candidate.read.id, candidate.entry_id)
        if key in known or candidate.entry_id not in entries:
            continue
        known.add(key)
        entry, list_id, removed_ms = entries[candidate.entry_id]
        body = _body(candidate, entry, list_id)
        former = _find_same_vehicle(connection, body)
        hit_id = former.hit_id if former is not None else hit_id_of(*key)
        sighting = {"read_id": key[0], "entry_id": key[1], "hit_id": hit_id}
        connection.execute(insert_if_new(connection, sightings), sighting)
        if former is not None:
            _fold(connection, events, former, candidate)
            folded += 1
        else:
            _raise(connection, events, hit_id, body, candidate.list_version, removed_ms, now_ms)
            raised += 1
        author = candidate.read.unit or candidate.read.device_id
        _join_answers(connection, events, hit_id, *key, author=author)
        if former is None or former.sightings < SIGHTING_FACTS_MAX:
            _join_opinions(connection, events, hit_id, opinions.all_of(connection, key[0]), author=author)
    return raised, folded


def _known_sightings(connection: Connection, read_ids: Iterable[str]) -> set[tuple[str, str]]:
    known: set[tuple[str, str]] = set()
    for part in journal.chunks(list(dict.fromkeys(read_ids))):
        for row in connection.execute(_KNOWN_SIGHTINGS, {"read_ids": part}):
            known.add((row.read_id, row.entry_id))
    return known


def _body(candidate: Candidate, entry: WatchEntry, list_id: str) -> HitBody:
    read, match, device = candidate.read, candidate.match, candidate.device
    if match is None and device is not None:
        strength = MatchStrength(device.strength) if device.strength in set(MatchStrength) else MatchStrength.LOOKALIKE
        if read.text != entry.text:
            strength = MatchStrength.LOOKALIKE
        match = Match(entry.id, entry.text, strength, device.likelihood_prob, differing_places(read.text, entry.text))
    if match is None:
        raise ValueError("a candidate has our own match or the device's")
    looks = compare_looks(read, entry, match)
    # A cloned plate sits on a vehicle that looks otherwise: there the contradiction is the find.
    if entry.category is not Category.PLATE_CLONED and contradictions(looks):
        match = msgspec.structs.replace(match, strength=MatchStrength.LOOKALIKE)
    return HitBody(read, entry, list_id, match, looks, candidate.place, candidate.device)


def _find_same_vehicle(connection: Connection, body: HitBody) -> Deed | None:
    """The hit that this read is only another sight of.

    Not when this one is stronger, nor when a person has decided about another text meanwhile.
    """
    read = body.read
    about = {
        "of_entry": body.entry.id,
        "by_device": read.device_id,
        "since_ms": read.captured_ms - FOLD_MS,
        "until_ms": read.captured_ms + FOLD_MS,
    }
    rows = connection.execute(_SAME_VEHICLE, about).all()
    for row in rows:
        stronger = body.match.strength is MatchStrength.EXACT and row.strength != MatchStrength.EXACT
        decided = row.state not in (HitState.NEW, HitState.CHECKING)
        if not stronger and (not decided or row.read_text == body.read.text):
            return row
    return None


def _raise(
    connection: Connection,
    events: Events,
    hit_id: str,
    body: HitBody,
    list_version: int,
    removed_ms: int | None,
    now_ms: int,
) -> None:
    read, entry = body.read, body.entry
    author = read.unit or read.device_id if body.device is not None else SYSTEM_AUTHOR
    first = [HitFact(hit_id, 1, "raised", author, now_ms, body.match.strength.value)]
    if body.device is not None and body.device.answered:
        first.append(
            HitFact(hit_id, len(first) + 1, "device_answer", author, body.device.alarmed_ms, body.device.answered)
        )
    if removed_ms is not None:
        first.append(HitFact(hit_id, len(first) + 1, "entry_removed", SYSTEM_AUTHOR, removed_ms))
    row = {
        "hit_id": hit_id, "read_id": read.id, "entry_id": entry.id, "device_id": read.device_id, "read_text": read.text,
        "strength": body.match.strength.value, "priority": int(entry.priority),
        "likelihood_prob": body.match.likelihood_prob, "captured_ms": read.captured_ms, "raised_ms": now_ms,
        "list_version": list_version, "body": encode_body(body), "sightings": 1, "kept_ms": 0, **_derived(first),
    }  # fmt: skip
    connection.execute(_PUT_HIT, row)
    connection.execute(_PUT_FACT, [msgspec.structs.asdict(fact) for fact in first])
    for fact in first:
        _tell(connection, events, fact)


def _fold(connection: Connection, events: Events, former: Deed, candidate: Candidate) -> None:
    count = former.sightings + 1
    connection.execute(update(hits).where(hits.c.hit_id == former.hit_id).values(sightings=count))
    if count > SIGHTING_FACTS_MAX:
        return
    known = facts_of(connection, former.hit_id)
    read = candidate.read
    author = read.unit or read.device_id
    more = [
        HitFact(
            former.hit_id, known[-1].number + 1, "note", author, read.captured_ms, f"sighting:{read.id}", "再次看到"
        )
    ]
    if candidate.device is not None and candidate.device.answered:
        more.append(
            HitFact(
                former.hit_id, more[-1].number + 1, "device_answer", author, candidate.device.alarmed_ms,
                candidate.device.answered,
            )
        )  # fmt: skip
    append_facts(connection, events, former.hit_id, more, known=known)


def take_answers(connection: Connection, events: Events, told: Sequence[DeviceAnswer]) -> None:
    """Keep what officers pressed, and make facts of it where the hit is there."""
    for answer in told:
        connection.execute(
            insert(connection, answers)
            .values(read_id=answer.read_id, entry_id=answer.entry_id, at_ms=answer.at_ms, answer=answer.answer[:40])
            .on_conflict_do_nothing()
        )
        row = connection.execute(
            select(hits.c.hit_id, hits.c.body)
            .join(sightings, sightings.c.hit_id == hits.c.hit_id)
            .where(sightings.c.read_id == answer.read_id, sightings.c.entry_id == answer.entry_id)
        ).first()
        if row is not None:
            read = decode_body(row.body).read
            author = read.unit or read.device_id
            _join_answers(connection, events, row.hit_id, answer.read_id, answer.entry_id, author=author)


def _join_answers(
    connection: Connection, events: Events, hit_id: str, read_id: str, entry_id: str, *, author: str
) -> None:
    told = connection.execute(_ANSWERS, {"of_read": read_id, "of_entry": entry_id}).all()
    if not told:
        return
    known = facts_of(connection, hit_id)
    said = {(fact.value, fact.at_ms) for fact in known if fact.kind == "device_answer"}
    number = known[-1].number
    more: list[HitFact] = []
    for row in told:
        if (row.answer, row.at_ms) not in said:
            number += 1
            more.append(HitFact(hit_id, number, "device_answer", author, row.at_ms, row.answer))
    if more:
        append_facts(connection, events, hit_id, more, known=known)


def take_opinions(connection: Connection, events: Events, told: Sequence[ReadOpinion], *, now_ms: int) -> None:
    """Keep what a second reader said, and make a fact of it on each hit of that read that is there."""
    for one in told:
        if not opinions.keep(connection, one.read_id, one.opinion, now_ms):
            continue
        rows = connection.execute(
            select(hits.c.hit_id, hits.c.body, hits.c.sightings)
            .join(sightings, sightings.c.hit_id == hits.c.hit_id)
            .where(sightings.c.read_id == one.read_id)
            .distinct()
        ).all()
        for row in rows:
            if row.sightings <= SIGHTING_FACTS_MAX:
                read = decode_body(row.body).read
                author = read.unit or read.device_id
                _join_opinions(connection, events, row.hit_id, [(one.opinion, now_ms)], author=author)


def _join_opinions(
    connection: Connection,
    events: Events,
    hit_id: str,
    told: Sequence[tuple[SecondOpinion, int]],
    *,
    author: str,
) -> None:
    """Each comes here once for a hit: with its sighting or, where that was first, by itself."""
    if not told:
        return
    known = facts_of(connection, hit_id)
    more = [
        HitFact(
            hit_id, known[-1].number + place, "second_opinion", author, at_ms, opinion.known.value,
            display_of(opinion.text) if opinion.text else opinion.reason,
        )
        for place, (opinion, at_ms) in enumerate(told, 1)
    ]  # fmt: skip
    append_facts(connection, events, hit_id, more, known=known)


def mark_entries(
    connection: Connection, events: Events, *, removed: Sequence[str], back: Sequence[str], at_ms: int, author: str
) -> int:
    """Say on undecided hits that their entry went (G27), or came back; gives how many were changed."""
    changed = 0
    for ids, gone in ((removed, True), (back, False)):
        for part in journal.chunks(list(ids)):
            rows = connection.execute(
                select(hits).where(hits.c.entry_id.in_(part), hits.c.state.in_((HitState.NEW, HitState.CHECKING)))
            ).all()
            for row in rows:
                if (standing_of(row).entry_removed_ms is not None) == gone:
                    continue
                known = facts_of(connection, row.hit_id)
                number = known[-1].number + 1
                if gone:
                    fact = HitFact(row.hit_id, number, "entry_removed", author, at_ms)
                else:
                    undone = {fact.value for fact in known if fact.kind == "undone"}
                    former = next(f for f in known if f.kind == "entry_removed" and str(f.number) not in undone)
                    fact = HitFact(row.hit_id, number, "undone", author, at_ms, str(former.number))
                append_facts(connection, events, row.hit_id, [fact], known=known)
                changed += 1
    return changed


def count_verdicts(connection: Connection) -> dict[MatchStrength, list[Checked]]:
    """For each strength how many hits of about one likelihood were decided, and how many of them confirmed."""
    likelihood = func.round(hits.c.likelihood_prob * literal_column("50")).label("fiftieths")
    rows = connection.execute(
        select(hits.c.strength, likelihood, hits.c.state, func.count().label("hits"))
        .where(hits.c.state.notin_((HitState.NEW, HitState.CHECKING)))
        .group_by(hits.c.strength, likelihood, hits.c.state)
    )
    counts: dict[tuple[MatchStrength, float], tuple[int, int]] = {}
    for row in rows:
        key = MatchStrength(row.strength), float(row.fiftieths) / 50
        decided, confirmed = counts.get(key, (0, 0))
        counts[key] = (decided + row.hits, confirmed + (row.hits if row.state == HitState.CONFIRMED else 0))
    checks: dict[MatchStrength, list[Checked]] = {}
    for (strength, prob), (decided, confirmed) in sorted(counts.items()):
        checks.setdefault(strength, []).append(Checked(prob, decided, confirmed))
    return checks
