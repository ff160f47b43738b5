"""What matching needs of a long list, in as few bytes as it takes: number, urgency, end and id of each entry.

A million entries as objects are a gigabyte; here they are some 40 MB beside the matcher's own 25. The whole entry lies on
disk and is read when an alarm shows it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import overload

import msgspec

from guardian.domain.watch import Category, Priority, WatchEntry

_PRIORITIES = {int(priority): priority for priority in Priority}


class _Slim(msgspec.Struct, frozen=True, gc=False):
    """The fields of an entry's MessagePack that are kept; others are passed over."""

    id: str
    text: str
    priority: int = int(Priority.HIGH)
    expires_ms: int | None = None


_decode = msgspec.msgpack.Decoder(_Slim).decode
_NEVER = -1


class ListIndex(Sequence[WatchEntry]):
    """Entries without their words: `category`, reason, case and looks of what it gives mean nothing.

    Args:
        bodies: MessagePack of `WatchEntry` each; looked at once.
    """

    def __init__(self, bodies: Iterable[bytes]) -> None:
        ids, texts = bytearray(), bytearray()
        self._id_ends, self._text_ends = array("Q"), array("Q")
        self._priorities, self._expires = array("b"), array("q")
        for body in bodies:
            entry = _decode(body)
            ids += entry.id.encode()
            texts += entry.text.encode()
            self._id_ends.append(len(ids))
            self._text_ends.append(len(texts))
            self._priorities.append(entry.priority)
            self._expires.append(_NEVER if entry.expires_ms is None else entry.expires_ms)
        self._ids, self._texts = bytes(ids), bytes(texts)

    def __len__(self) -> int:
        return len(self._id_ends)

    def __iter__(self) -> Iterator[WatchEntry]:
        """As indexing gives them, three times as fast."""
        ids, texts, known, high, other = self._ids, self._texts, _PRIORITIES, Priority.HIGH, Category.OTHER
        id_from = text_from = 0
        for id_end, text_end, priority, expires in zip(
            self._id_ends, self._text_ends, self._priorities, self._expires, strict=True
        ):
            yield WatchEntry(
                ids[id_from:id_end].decode(), texts[text_from:text_end].decode(), other,
                priority=known.get(priority, high), expires_ms=None if expires == _NEVER else expires,
            )  # fmt: skip
            id_from, text_from = id_end, text_end

    @overload
    def __getitem__(self, index: int) -> WatchEntry: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[WatchEntry]: ...
    def __getitem__(self, index: int | slice) -> WatchEntry | Sequence[WatchEntry]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        if not 0 <= index < len(self):
            raise IndexError(index)
        expires = self._expires[index]
        return WatchEntry(
            id=_piece(self._ids, self._id_ends, index),
            text=_piece(self._texts, self._text_ends, index),
            category=Category.OTHER,
            priority=_PRIORITIES.get(self._priorities[index], Priority.HIGH),
            expires_ms=None if expires == _NEVER else expires,
        )


def _piece(blob: bytes, ends: array[int], index: int) -> str:
    return blob[ends[index - 1] if index else 0 : ends[index]].decode()
