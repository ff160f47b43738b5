"""Run by `test_spool_killed`: forks a life of a spool for each operation at which it is killed, on the real file system."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from guardian.device.disk import NumberOnDisk, RealDisk
from guardian.device.opinionbook import OpinionBook
from guardian.device.seal import Sealer
from guardian.device.spool import Spool
from guardian.domain.opinion import SecondOpinion
from tests.device.rig import KEY, crop_of, make_read, overview_of, stamp


class KilledDisk(RealDisk):
    """Sends itself SIGKILL at the n-th operation; of an append the first half is written."""

    def __init__(self, root: Path, die_at: int) -> None:
        super().__init__(root)
        self.left = die_at

    def _step(self) -> bool:
        self.left -= 1
        return self.left == 0

    def _die(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def append(self, path: str, data: bytes) -> None:
        if self._step():
            super().append(path, data[: len(data) // 2])
            self._die()
        super().append(path, data)

    def sync(self, path: str) -> None:
        if self._step():
            self._die()
        super().sync(path)

    def sync_folder(self, folder: str) -> None:
        if self._step():
            self._die()
        super().sync_folder(folder)

    def rename(self, old: str, new: str) -> None:
        if self._step():
            self._die()
        super().rename(old, new)

    def remove(self, path: str) -> None:
        if self._step():
            self._die()
        super().remove(path)


def life(home: Path, die_at: int) -> None:
    """Promised texts go to `promised`, delivered ones to `cloud`, both unbuffered: they are outside of the spool.

    Of opinions, which come after their reads, the same in `opined` and `told`.
    """
    disk = KilledDisk(home, die_at)
    spool = Spool(disk, Sealer(KEY), reserve_bytes=0)
    book = OpinionBook(disk, Sealer(KEY))
    numbers = NumberOnDisk(disk, "boot")
    boot = max(numbers.last(), spool.highest_boot) + 1
    numbers.advance_to(boot)
    for sequence in range(1, 5):
        read = make_read(sequence, boot=boot)
        spool.put(read, stamp(sequence), crop=crop_of(boot, sequence), overview=overview_of(boot, sequence))
        note(home / "promised", f"{read.id} {read.text}")
        if sequence == 2:
            send(spool, home)
        book.put((boot, sequence), SecondOpinion("agrees", read.text))
        note(home / "opined", f"{boot}.{sequence}")
        if sequence == 3:
            tell(book, home)
    send(spool, home)
    tell(book, home)
    while (photo := spool.next_photo()) is not None:
        spool.photo_sent(photo[0])


def send(spool: Spool, home: Path) -> None:
    batch = spool.batch(3)
    for _, kept in batch:
        note(home / "cloud", f"{kept.read.id} {kept.read.text}")
    spool.delivered([key for key, _ in batch])


def tell(book: OpinionBook, home: Path) -> None:
    batch = book.batch(10)
    for (boot, sequence), _ in batch:
        note(home / "told", f"{boot}.{sequence}")
    book.told([key for key, _ in batch])


def note(path: Path, line: str) -> None:
    fd = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    os.write(fd, f"{line}\n".encode())
    os.close(fd)


def main(root: Path) -> int:
    for kill in range(1, 500):
        home = root / str(kill)
        home.mkdir()
        pid = os.fork()
        if pid == 0:
            life(home, kill)
            os._exit(0)
        _, how = os.waitpid(pid, 0)
        spool = Spool(RealDisk(home), Sealer(KEY), reserve_bytes=0)
        while spool.state().reads:
            send(spool, home)
        tell(OpinionBook(RealDisk(home), Sealer(KEY)), home)
        lines = {
            p: (home / p).read_text().split("\n")[:-1] if (home / p).exists() else []
            for p in ("promised", "cloud", "opined", "told")
        }
        lost = set(lines["promised"]) - set(lines["cloud"]) | set(lines["opined"]) - set(lines["told"])
        texts = {line.split()[0]: line.split()[1] for line in lines["cloud"]}
        if lost or len(set(texts.values())) != len(texts):
            print(f"killed at {kill}: lost {lost}")
            return 1
        if how == 0:
            print(kill, "operations, each survived")
            return 0
    print("never finished")
    return 1


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
