"""One process of test_g43: four workers ask, each so many times, and say on stdout what was answered.

Args: URL of the records, name of the process, look-ups a worker.
"""

from __future__ import annotations

import asyncio
import sys
import time

from guardian.access.audit import AuditRecord
from guardian.access.lookups import RecordedLookups
from guardian.domain.subject import Role, Subject
from guardian.stores import open_records


def now_ms() -> int:
    return time.time_ns() // 1_000_000


async def main(url: str, name: str, times: int) -> None:
    records = open_records(url)
    lookups = RecordedLookups(AuditRecord(records, now_ms))

    async def ask(worker: int) -> None:
        subject = Subject(f"p-{name}{worker}", Role.DETECTIVE, f"{name}{worker}")
        for turn in range(times):
            elements = {"plate": f"{name}{worker}-{turn}"}
            lookup_id = await lookups.begin(subject, "reads.search", "查尋失竊車輛", "115-0832", elements)
            await lookups.deliver(lookup_id, turn)
            print(lookup_id, flush=True)

    await asyncio.gather(*(ask(worker) for worker in range(4)))
    await records.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
