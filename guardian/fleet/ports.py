"""What the fleet needs from other rooms; wired in `serve`."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from guardian.domain.subject import Subject
from guardian.domain.wire import DeviceAnswer, ReadOpinion, SignedWatchlistUpdate


@runtime_checkable
class DeviceKeys(Protocol):
    """The devices' keys and trust; `access` keeps them."""

    async def enrol(self, device_id: str, public_key: bytes) -> None:
        """Take a new device's Ed25519 key (32 raw bytes).

        Raises:
            InputRefusedError: no such key.
            ConflictError: id or key were enrolled before.
        """
        ...

    async def revoke(self, device_id: str, reason: str, by: Subject) -> None:
        """Believe nothing of this device any more."""
        ...


class ListVersion(Protocol):
    """Which list is in force, and since when."""

    @property
    def version(self) -> int: ...

    @property
    def issued_ms(self) -> int: ...


@runtime_checkable
class WatchlistUpdates(Protocol):
    """The watchlist as devices fetch it; `watch` keeps it."""

    @property
    def newest(self) -> ListVersion: ...

    @property
    def public_key(self) -> bytes:
        """32 raw bytes of the Ed25519 key that signs lists."""
        ...

    async def update_since(self, have: int, wait_s: float = 0.0) -> SignedWatchlistUpdate | None:
        """What leads from version `have` to the newest; None where nothing came within `wait_s`.

        Raises:
            ConflictError: only the whole list would, and it comes in parts (`list-in-parts`).
        """
        ...

    async def part_after(self, after: str) -> SignedWatchlistUpdate:
        """The stretch of the whole list after an entry id: a signed `WatchlistPart`."""
        ...


class AnswerDesk(Protocol):
    """Where officers' answers to cards and second readers' opinions go; `watch` makes facts of them."""

    async def take_answers(self, device_id: str, answers: tuple[DeviceAnswer, ...]) -> None:
        """Idempotent by read and entry."""
        ...

    async def take_opinions(self, device_id: str, opinions: tuple[ReadOpinion, ...]) -> None:
        """What a second reader says of reads; idempotent by read and reader."""
        ...


class PhotosWanted(Protocol):
    """Which pictures the cloud would like to have of a device; `archive` knows."""

    async def photos_wanted(self, device_id: str) -> tuple[str, ...]:
        """At most 1,000 hashes."""
        ...


class Places(Protocol):
    """What people call a place."""

    def name(self, lat_deg: float, lon_deg: float) -> str:
        """Road and district, or an empty text."""
        ...
