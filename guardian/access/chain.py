"""The hash chain of the audit record: what one line is, how it hangs on the line before, how a change is found.

Each line's hash is SHA-256 over a fixed word, its number, the hash of the line before, and the line in canonical
MessagePack. Whoever changes, inserts, removes or reorders a line breaks the chain at that line. The newest lines can be
cut off without a trace in the chain itself: that is why the head's hash is shown to the auditor to be kept elsewhere
(`ChainReport.head_hash`), until another agency witnesses it (L03).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from guardian.domain.subject import Subject

GENESIS = bytes(32)
_WORD = b"guardian-audit-1\n"


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one line says. `kind`: decision | deed | lookup | delivered | counted.

    - decision: the seam refused, or allowed something that is only looked at;
    - deed: something is changed (written before it is done); refused where a room then did not do it;
    - lookup, delivered: a question with purpose and case, and what left because of it;
    - counted: how often in an hour, for what machines ask for by themselves.
    """

    at_ms: int
    kind: str
    subject_id: str = ""
    subject_name: str = ""
    role: str = ""
    agency: str = ""
    action: str = ""
    verdict: str = "allowed"
    reasons: tuple[str, ...] = ()
    purpose: str = ""
    case_number: str = ""
    elements: dict[str, str] = {}
    count: int | None = None
    lookup_id: str = ""
    v: int = 1

    @property
    def about(self) -> str:
        """A short digest of what was asked, to count different questions without reading them."""
        if self.kind != "lookup":
            return ""
        return hashlib.sha256(_encoder.encode(self.elements)).hexdigest()[:16]


def entry_of(
    subject: Subject,
    action: str,
    *,
    at_ms: int,
    kind: str = "deed",
    verdict: str = "allowed",
    reasons: tuple[str, ...] = (),
    purpose: str = "",
    case_number: str = "",
    elements: dict[str, str] | None = None,
    count: int | None = None,
    lookup_id: str = "",
) -> Entry:
    """What one line says of a subject: who it was stands in every line in full, as it was then."""
    return Entry(
        at_ms=at_ms,
        kind=kind,
        subject_id=subject.id,
        subject_name=subject.name,
        role=subject.role,
        agency=subject.agency,
        action=action,
        verdict=verdict,
        reasons=reasons,
        purpose=purpose,
        case_number=case_number,
        elements=elements or {},
        count=count,
        lookup_id=lookup_id,
    )


class Line(NamedTuple):
    """One stored row, as both engines give it."""

    number: int
    at_ms: int
    kind: str
    subject_id: str
    action: str
    case_number: str
    lookup_id: str
    about: str
    body: bytes
    hash: bytes


_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder = msgspec.msgpack.Decoder(Entry)


def decode(body: bytes) -> Entry:
    """The entry of a stored body."""
    return _decoder.decode(body)


def hash_of(number: int, previous_hash: bytes, body: bytes) -> bytes:
    """The 32 bytes that hang line `number` on the one before."""
    return hashlib.sha256(_WORD + number.to_bytes(8, "big") + previous_hash + body).digest()


def link(entry: Entry, number: int, previous_hash: bytes) -> Line:
    """The line that `entry` becomes as number `number`."""
    body = _encoder.encode(entry)
    return Line(
        number,
        entry.at_ms,
        entry.kind,
        entry.subject_id,
        entry.action,
        entry.case_number,
        entry.lookup_id,
        entry.about,
        body,
        hash_of(number, previous_hash, body),
    )


class ChainCheck:
    """Walks the lines in order, in as many pieces as it is given, and names the first that does not fit."""

    def __init__(self) -> None:
        self.rows = 0
        self.first = 0
        self.last = 0
        self.head = GENESIS
        self.problem = ""

    def take(self, lines: Iterable[Line]) -> None:
        """Check the next lines; does nothing more once a problem was found."""
        for line in lines:
            if self.problem:
                return
            self.problem = self._problem_of(line)
            if self.problem:
                return
            self.first = self.first or line.number
            self.last, self.head = line.number, line.hash
            self.rows += 1

    def _problem_of(self, line: Line) -> str:
        if line.number != self.last + 1:
            gap = (
                f"第 {self.last + 1} 列" if line.number == self.last + 2 else f"第 {self.last + 1}–{line.number - 1} 列"
            )
            return f"缺少{gap}：稽核紀錄被移除。"
        if line.hash != hash_of(line.number, self.head, line.body):
            return f"第 {line.number} 列的內容與雜湊不符：這一列（或它之前一列的雜湊）遭更動。"
        try:
            entry = decode(line.body)
        except msgspec.DecodeError:
            return f"第 {line.number} 列的內容無法解讀。"
        wanted = link(entry, line.number, self.head)
        for name, stored, meant in zip(Line._fields, line, wanted, strict=True):
            if stored != meant and name not in ("body", "hash"):
                return f"第 {line.number} 列的索引欄 {name} 與內容不符：這一欄遭更動。"
        return ""
