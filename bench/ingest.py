"""Ingest through real HTTP: signed batches of 1,000, stored durably, matched against 1,000,000 entries, one core.

The cloud runs as its own process on one core; the client, which signs and sends, on another. Beside it, in the same run and on the
same core: a plain echo of the same batch (the limit), and the same job in FastAPI + pydantic + ORM (the usual way).
The clock stops when the last batch is answered *and* its reads are matched. It starts when the cloud is at rest: what follows
from the import of a million entries is no part of ingest. How long until a search finds the last read is told as well.
"""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.table import render_table
from bench.traffic import make_batches, make_plates, make_read, sign
from guardian.domain.wire import Batch
from tests.house import free_port, running_cloud
from tests.stories import WHY

ENTRIES = int(os.environ.get("BENCH_ENTRIES", "1000000"))
BATCHES, SIZE = int(os.environ.get("BENCH_BATCHES", "100")), 1000
IN_FLIGHT = 6
"""Batches on their way at once, as of so many devices that come back."""
GOAL = 20_000
PATH = "/device/v1/batches"


def pin(core: int) -> None:
    """Keep this process (and its children) on one core where the system can."""
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {core})


async def post_all(address: str, requests: list[tuple[dict[str, str], bytes]], in_flight: int = IN_FLIGHT) -> float:
    """Send all requests, a few at a time; gives the seconds."""
    queue = asyncio.Queue[tuple[dict[str, str], bytes]]()
    for request in requests:
        queue.put_nowait(request)
    async with httpx.AsyncClient(base_url=address, timeout=60) as client:

        async def work() -> None:
            while not queue.empty():
                headers, body = queue.get_nowait()
                answer = await client.post(PATH, content=body, headers=headers)
                answer.raise_for_status()

        began = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(in_flight)))
        return time.perf_counter() - began


def wait_until_at_rest(pid: int) -> None:
    """Until a process has used no tenth of a second of processor for three seconds; five minutes at most."""
    used, quiet = 0.0, 0
    for _ in range(300):
        time.sleep(1)
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        now = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        quiet = quiet + 1 if now - used < 0.1 else 0
        if quiet == 3:
            return
        used = now


def run_peer(kind: str, requests: list[tuple[dict[str, str], bytes]], key: Ed25519PrivateKey, folder: Path) -> float:
    """One of the peers on the cloud's core; reads a second."""
    port = free_port()
    process = subprocess.Popen(
        ["taskset", "-c", "0", sys.executable, "-m", "bench.peers", kind, str(port), str(folder), str(ENTRIES)]
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(1200):
            try:
                if kind == "usual":
                    httpx.post(f"{address}/key/bench-device", content=key.public_key().public_bytes_raw(), timeout=5)
                else:
                    httpx.post(f"{address}{PATH}", content=b"x", timeout=5)
                break
            except httpx.TransportError:
                time.sleep(0.1)
        seconds = asyncio.run(post_all(address, requests, 2 if kind == "usual" else IN_FLIGHT))
    finally:
        process.terminate()
        process.wait(10)
    return len(requests) * SIZE / seconds


def put_entries(home: Path, plates: list[str]) -> None:
    """A million entries straight into a new cloud's list, as one import would, without a million HTTP rows."""
    from guardian.domain.watch import Category, WatchEntry
    from guardian.serve.log import configure_log
    from guardian.serve.run import now_ms
    from guardian.stores import StoreSettings, close_stores, open_stores
    from guardian.stores.migrate import migrate
    from guardian.watch import journal
    from guardian.watch.keeper import ListKeeper

    configure_log(json=True)  # to stderr: stdout is the table

    async def put() -> None:
        stores = open_stores(StoreSettings(data=str(home)), now_ms)
        await migrate(stores.records)
        keeper = ListKeeper(stores.records, stores.events, stores.secrets, now_ms)
        await keeper.open()
        entries = [WatchEntry(f"bench-{i}", text, Category.STOLEN) for i, text in enumerate(plates)]
        for start in range(0, len(entries), 50_000):
            part = entries[start : start + 50_000]
            await stores.records.write(
                lambda connection, part=part: journal.append(
                    connection,
                    stores.events,
                    now_ms=now_ms(),
                    kind="import",
                    list_id="stolen",
                    author=journal.SYSTEM,
                    put=part,
                )
            )
        await keeper.close()
        await close_stores(stores)

    asyncio.run(put())


def main() -> int:
    """Print the table."""
    now = time.time_ns() // 1_000_000
    # Entries and traffic differ in their first letter, which no reader confuses here (A–H against X), so that hits come
    # at a real rate, 1 read of 1,000, and not from a list as dense as the whole country.
    plates = make_plates(ENTRIES, 1, first="ACEFG")
    canary = "GZZ9999"
    plates[-1] = canary
    traffic = [*make_plates(200_000, 2, first="X"), *plates[:200]]
    rows = []
    with tempfile.TemporaryDirectory(prefix="guardian-bench-") as name:
        folder = Path(name)
        put_entries(folder / "cloud", plates)
        with running_cloud(folder / "cloud") as cloud:
            operator, detective = cloud.sign_in(), cloud.sign_in("detective")
            car = cloud.enrol(operator=operator)
            subprocess.run(
                ["taskset", "-a", "-p", "-c", "0", str(cloud.process.pid)], check=False, stdout=subprocess.DEVNULL
            )
            pin(1)
            bodies = list(make_batches(car.device_id, BATCHES + 5, SIZE, traffic, now))
            size_kb = len(bodies[0]) / 1000
            for body in bodies[:5]:  # warm: the matcher is built at the first batch
                car.client.post(
                    PATH, content=body, headers=car.signed("POST", PATH, body), timeout=300
                ).raise_for_status()
            last = make_read(car.device_id, 2, 1, canary, now, random.Random(1))
            last = msgspec.structs.replace(last, hits=())
            bodies.append(msgspec.msgpack.encode(Batch(car.device_id, (msgspec.Raw(msgspec.msgpack.encode(last)),))))
            requests = [(car.signed("POST", PATH, body), body) for body in bodies[5:]]
            wait_until_at_rest(cloud.process.pid)
            began_ms = time.time_ns() / 1e6
            began = time.perf_counter()
            answered = asyncio.run(post_all(cloud.address, requests))
            # The hit says itself when it was raised: asking for it again and again would cost the same core.
            while not (raised := [h for h in operator.get("/api/hits").json()["hits"] if h["entry_text"] == canary]):
                time.sleep(0.5)
            matched = max(answered, (raised[0]["raised_ms"] - began_ms) / 1000)
            asked = {"plate": canary, **WHY}
            while not detective.post("/api/searches", json=asked).raise_for_status().json()["rows"]:
                time.sleep(0.05)
            found = time.perf_counter() - began
            rows.append(("guardian: signed, checked, durable, answered", BATCHES * SIZE / answered))
            rows.append(("guardian: and matched", BATCHES * SIZE / matched))
            rows.append(("guardian: and the last of them found by a search", BATCHES * SIZE / found))
        key = Ed25519PrivateKey.generate()
        peer = [(sign(key, "bench-device", i + 1, "POST", PATH, body), body) for i, body in enumerate(bodies[5:])]
        rows.append(("plain echo of the same batch (limit)", run_peer("echo", peer, key, folder)))

        def as_json(body: bytes) -> bytes:
            batch = msgspec.msgpack.decode(body)
            batch["device_id"] = "bench-device"
            return msgspec.json.encode(batch)

        usual = [as_json(body) for body in bodies[5:25]]
        signed = [
            (sign(key, "bench-device", i + 1, "POST", PATH, b, "application/json"), b) for i, b in enumerate(usual)
        ]
        rows.append(("FastAPI + pydantic + ORM (usual way)", run_peer("usual", signed, key, folder)))
    own = rows[1][1]
    print(
        f"{ENTRIES:,} entries, batches of {SIZE:,} ({size_kb:.0f} kB MessagePack), server on one core; goal ≥ {GOAL:,} reads/s.\n"
    )
    print(
        render_table(
            ("what", "reads/s", "to guardian"), [(what, f"{rate:,.0f}", f"{rate / own:.2f} ×") for what, rate in rows]
        )
    )
    print(f"\nGoal {'reached' if own >= GOAL else 'not reached'}: {own / GOAL:.2f} × of {GOAL:,} reads/s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
