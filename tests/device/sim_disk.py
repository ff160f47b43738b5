"""A disk that dies or fills: what was written and what is durable are kept apart, as a real disk with a cache does.

`die_at` names the operation at which the power goes; `survivors` gives what a start would find, by one of three fates of what was not
synced.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from guardian.domain.errors import DiskFullError


class PowerCut(BaseException):
    """The machine died here; nothing of ours may catch it."""


Fate = Literal["kept", "lost", "zeros"]


@dataclass
class _File:
    data: bytearray = field(default_factory=bytearray)
    durable: int = 0  # so many bytes are certain


class SimDisk:
    """See the module. `capacity` in bytes; `broken` makes every writing operation fail with that error."""

    def __init__(self, *, capacity: int = 1 << 40, die_at: int | None = None) -> None:
        self.files: dict[str, _File] = {}
        self.durable_names: dict[str, _File] = {}
        self.capacity = capacity
        self.die_at = die_at
        self.operations = 0
        self.broken: OSError | None = None
        self.appends = 0

    def _step(self, torn: Callable[[], None] = lambda: None) -> None:
        if self.broken is not None:
            raise self.broken
        self.operations += 1
        if self.die_at is not None and self.operations == self.die_at:
            torn()
            raise PowerCut(f"at operation {self.operations}")

    def used(self) -> int:
        return sum(len(f.data) for f in self.files.values())

    def read(self, path: str) -> bytes:
        if path not in self.files:
            raise FileNotFoundError(path)
        return bytes(self.files[path].data)

    def names(self, folder: str) -> list[str]:
        prefix = f"{folder}/"
        return sorted(
            p.removeprefix(prefix) for p in self.files if p.startswith(prefix) and "/" not in p[len(prefix) :]
        )

    def size(self, path: str) -> int:
        return len(self.files[path].data) if path in self.files else 0

    def append(self, path: str, data: bytes) -> None:
        self.appends += 1

        def torn() -> None:
            self.files.setdefault(path, _File()).data.extend(data[: len(data) // 2])

        self._step(torn)
        room = self.capacity - self.used()
        if len(data) > room:
            self.files.setdefault(path, _File()).data.extend(data[: max(0, room)])
            raise DiskFullError("full")
        self.files.setdefault(path, _File()).data.extend(data)

    def cut(self, path: str, size: int) -> None:
        self._step()
        del self.files[path].data[size:]
        self.files[path].durable = min(self.files[path].durable, size)

    def sync(self, path: str) -> None:
        self._step()
        self.files[path].durable = len(self.files[path].data)

    def sync_folder(self, folder: str) -> None:
        self._step()
        prefix = f"{folder}/"
        for path in [p for p in self.durable_names if p.startswith(prefix) and p not in self.files]:
            del self.durable_names[path]
        for path, file in self.files.items():
            if path.startswith(prefix):
                self.durable_names[path] = file

    def rename(self, old: str, new: str) -> None:
        self._step()
        self.files[new] = self.files.pop(old)

    def remove(self, path: str) -> None:
        if path in self.files:
            self._step()
            del self.files[path]

    def free_bytes(self) -> int:
        return max(0, self.capacity - self.used())

    def total_bytes(self) -> int:
        return self.capacity

    def survivors(self, fate: Fate) -> SimDisk:
        """What a start finds. `kept`: only the program died. `lost`: names and bytes that were not synced are gone (and
        removed names are back). `zeros`: unsynced bytes are there as zeros."""
        after = SimDisk(capacity=self.capacity)
        names = dict(self.files) if fate == "kept" else dict(self.durable_names)
        if fate == "zeros":
            names |= self.files
        for path, file in names.items():
            data = bytearray(file.data)
            if fate == "lost":
                del data[file.durable :]
            elif fate == "zeros":
                data[file.durable :] = bytes(len(data) - file.durable)
            kept = _File(data, len(data))
            after.files[path] = after.durable_names[path] = kept
        return after
