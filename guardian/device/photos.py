"""Pictures that wait on the device: one sealed file each, named by content, with what matters about it in the name.

`<sha256>.<k><i>`: k is `c` for the crop, `o` for the overview or `v` for a single read's plate (votes of hits only), i is
`h` when the picture belongs to a hit and `u` when not. A start needs only the names; nothing has to be opened to know what may be given up.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from guardian.device.disk import Disk, write_whole
from guardian.device.seal import SEAL_BYTES, SealBrokenError, Sealer
from guardian.domain.errors import DiskFullError

Kind = Literal["crop", "overview", "vote"]
_KIND_SIGN: dict[Kind, str] = {"crop": "c", "overview": "o", "vote": "v"}
_KIND_OF: dict[str, Kind] = {sign: kind for kind, sign in _KIND_SIGN.items()}
_SENDING: dict[Kind, int] = {"crop": 0, "overview": 1, "vote": 2}
NO_PICTURES: Mapping[str, bytes] = MappingProxyType({})
_SET_ASIDE_MAX = 8


class PhotoShelf:
    """Sealed pictures by SHA-256 (hex). Not thread-safe; the spool holds the lock.

    Order of sending and of giving up is order of keeping, oldest first; over a restart it is by name.
    """

    def __init__(self, disk: Disk, folder: str, sealer: Sealer) -> None:
        self._disk = disk
        self._folder = folder
        self._sealer = sealer
        self._photos: dict[str, tuple[Kind, bool, int]] = {}  # kind, hit, bytes; in order of keeping
        self.bytes = 0
        self.damaged = 0

    def __len__(self) -> int:
        return len(self._photos)

    def open(self) -> None:
        """Take stock at the start. Pictures that no waiting read names are kept: their reads are delivered, they are not."""
        for name in self._disk.names(self._folder):
            path = f"{self._folder}/{name}"
            sha, _, signs = name.partition(".")
            if len(signs) != 2 or signs[0] not in _KIND_OF or signs[1] not in "hu":
                self._disk.remove(path)  # the unfinished file of a write that was cut off
                continue
            size = self._disk.size(path)
            if sha in self._photos:  # a rename that was cut off: the important one stays
                self._disk.remove(f"{self._folder}/{sha}.{signs[0]}u")
                self.bytes -= self._photos[sha][2]
            self._photos[sha] = (_KIND_OF[signs[0]], signs[1] == "h", size)
            self.bytes += size

    def _path(self, sha256: str, kind: Kind, hit: bool) -> str:
        return f"{self._folder}/{sha256}.{_KIND_SIGN[kind]}{'h' if hit else 'u'}"

    def has(self, sha256: str) -> bool:
        """Whether it is here."""
        return sha256 in self._photos

    def put(self, sha256: str, data: bytes, kind: Kind, hit: bool) -> None:
        """Keep a picture durably. Raises DiskFullError; nothing of it stays."""
        write_whole(self._disk, self._path(sha256, kind, hit), self._sealer.seal(data, about=sha256.encode()))
        size = len(data) + SEAL_BYTES
        self._photos[sha256] = (kind, hit, size)
        self.bytes += size

    def make_important(self, sha256: str) -> None:
        """A hit uses a picture that is here already (two vehicles in one overview)."""
        kind, hit, size = self._photos[sha256]
        if not hit:
            self._disk.rename(self._path(sha256, kind, False), self._path(sha256, kind, True))
            self._disk.sync_folder(self._folder)
            self._photos[sha256] = (kind, True, size)

    def read(self, sha256: str) -> bytes | None:
        """The JPEG, or None where it is damaged: then it is set aside and counted."""
        kind, hit, size = self._photos[sha256]
        path = self._path(sha256, kind, hit)
        try:
            data = self._sealer.open(self._disk.read(path), about=sha256.encode())
            if hashlib.sha256(data).hexdigest() == sha256:
                return data
        except (SealBrokenError, OSError):
            pass
        self.damaged += 1
        del self._photos[sha256]
        self.bytes -= size
        self._set_aside(path, sha256)
        return None

    def _set_aside(self, path: str, sha256: str) -> None:
        """Keep a damaged file for a look, the first few; a disk that does not let us is no reason to stop sending."""
        aside = f"{self._folder}-set-aside"
        with contextlib.suppress(DiskFullError, OSError):
            if self._disk.size(path) and len(self._disk.names(aside)) < _SET_ASIDE_MAX:
                self._disk.append(f"{aside}/.folder", b"")
                self._disk.rename(path, f"{aside}/{sha256}")
                return
        with contextlib.suppress(OSError):
            self._disk.remove(path)

    def remove(self, sha256: str) -> tuple[Kind, int]:
        """Remove one; gives its kind and the bytes freed."""
        kind, hit, size = self._photos.pop(sha256)
        # Where it cannot be removed it is sent once more after the next start, which is harmless.
        with contextlib.suppress(OSError):
            self._disk.remove(self._path(sha256, kind, hit))
        self.bytes -= size
        return kind, size

    def next_to_give_up(self, *, overviews_only: bool = False) -> str | None:
        """The oldest overview without a hit, then the oldest crop without one; None where only hits' are left."""
        kinds: tuple[Kind, ...] = ("overview",) if overviews_only else ("overview", "crop")
        for kind in kinds:
            for sha, (its_kind, hit, _) in self._photos.items():
                if its_kind == kind and not hit:
                    return sha
        return None

    def next_to_send(self, unsent: set[str], wanted: frozenset[str]) -> str | None:
        """The most important picture whose read is delivered."""
        best: tuple[int, str] | None = None
        for sha, (kind, hit, _) in self._photos.items():
            if sha in unsent:
                continue
            rank = (0 if hit else 3) + _SENDING[kind] - (6 if sha in wanted else 0)
            if best is None or rank < best[0]:
                best = (rank, sha)
        return best[1] if best is not None else None
