"""A program that takes batches over its standard input until it is killed; `test_archive_killed.py` drives it.

Each line names a range of sequences; the line `ok FIRST` goes out when the batch is durable. Run as
`python -m tests.faults.archive_child FOLDER`.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.archive.builders import make_read
from tests.archive.house import archive_house


async def main(folder: Path) -> None:
    async with archive_house(folder, engine="chdb") as house:
        print("ready", flush=True)
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            first, last = (int(part) for part in line.split())
            await house.send([make_read(n, f"ABC{n % 10000:04d}") for n in range(first, last)])
            print(f"ok {first}", flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
