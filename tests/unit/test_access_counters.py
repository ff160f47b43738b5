"""A request of a device comes once: over any order within the window, over crashes, over processes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardian.access.counters import LEASE, WINDOW, SeenCounters, next_lease
from guardian.access.device_proof import DeviceProof
from guardian.access.model import DeviceProofError
from guardian.access.seam import Access
from guardian.domain.subject import Role, Subject
from guardian.domain.wire import HEADER_COUNTER_FLOOR
from guardian.stores import create_missing, metadata, open_records
from tests.unit.access_app import Clock, SignedDevice, house


class Process:
    """One process that believes counters, over a ceiling that all share; it may crash."""

    def __init__(self, shared: dict[str, int]) -> None:
        self.shared = shared
        self.seen = SeenCounters()

    def take(self, counter: int) -> bool:
        if self.seen.lease_needed(counter) and counter > self.shared["ceiling"]:
            above, ceiling = next_lease(self.shared["ceiling"], counter)
            self.shared["ceiling"] = ceiling
            self.seen.add_lease(above, ceiling)
        return self.seen.take(counter)


steps = st.lists(
    st.tuples(st.integers(0, 1), st.one_of(st.integers(1, 3 * LEASE), st.integers(1, 20)), st.integers(0, 30)),
    max_size=120,
)


@given(steps)
@settings(max_examples=300, deadline=None)
def test_no_counter_is_ever_believed_twice_in_whatever_order_by_whichever_process_over_crashes(
    asked: list[tuple[int, int, int]],
) -> None:
    shared = {"ceiling": 0}
    processes = [Process(shared), Process(shared)]
    believed: list[int] = []
    for which, counter, crash in asked:
        if crash == 0:
            processes[which] = Process(shared)
        if processes[which].take(counter):
            believed.append(counter)
    assert len(believed) == len(set(believed))


@given(st.permutations(range(1, 65)))
def test_requests_side_by_side_are_all_believed(order: list[int]) -> None:
    process = Process({"ceiling": 0})
    assert all(process.take(counter) for counter in order)


@given(st.integers(1, 10_000), st.integers(1, 5_000))
def test_after_a_crash_a_device_that_goes_on_above_the_ceiling_is_believed_at_once(sent: int, gap: int) -> None:
    shared = {"ceiling": 0}
    process = Process(shared)
    for counter in range(max(1, sent - 50), sent + 1):
        process.take(counter)
    after = Process(shared)
    assert not after.take(sent), "what may have been seen before the crash is not believed"
    assert after.take(shared["ceiling"] + gap)


def test_what_is_kept_of_a_million_requests_stays_small() -> None:
    process = Process({"ceiling": 0})
    for counter in range(1, 50_001):
        assert process.take(counter)
    assert len(process.seen._seen) <= 2 * WINDOW + 1 and len(process.seen._leases) <= WINDOW // LEASE + 2
    assert not process.take(50_000 - WINDOW), "too old to tell"


@pytest.mark.anyio
async def test_a_replay_is_refused_by_reference_and_tells_where_to_go_on(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        device = SignedDevice("car-1")
        await it.access.device_keys.enrol(device.id, device.public_key)
        assert (await device.send(it.client)).status_code == 201
        replayed = await device.send(it.client, counter=1)
        assert (replayed.status_code, replayed.json()["reference"]) == (401, "request-replayed")
        assert replayed.headers[HEADER_COUNTER_FLOOR] == "1"
        assert (await it.trail())[-1] == ("decision", "device.send", "refused", ("request-replayed",))
        answers = await asyncio.gather(*(device.send(it.client, counter=counter) for counter in range(40, 1, -1)))
        assert {answer.status_code for answer in answers} == {201}


@pytest.mark.anyio
async def test_after_a_restart_one_refusal_names_the_number_and_the_device_goes_on(tmp_path: Path) -> None:
    device, clock = SignedDevice("car-1"), Clock()
    async with house(tmp_path, clock=clock) as it:
        await it.access.device_keys.enrol(device.id, device.public_key)
        for _ in range(5):
            assert (await device.send(it.client)).status_code == 201
    async with house(tmp_path, clock=clock) as it:
        old = await device.send(it.client, counter=3)
        assert old.json()["reference"] == "request-replayed"
        first = await device.send(it.client)
        assert first.json()["reference"] == "request-replayed"
        device.counter = int(first.headers[HEADER_COUNTER_FLOOR])
        assert device.counter <= 5 + 2 * LEASE
        assert (await device.send(it.client)).status_code == 201


@pytest.mark.anyio
async def test_two_processes_on_one_store_never_believe_the_same_request(tmp_path: Path) -> None:
    url, clock = f"sqlite:///{tmp_path / 'records.db'}", Clock()
    stores = [open_records(url), open_records(url)]
    await create_missing(stores[0], metadata)
    proofs = [Access(records, clock).device_keys for records in stores]
    device = SignedDevice("car-1")
    await proofs[0].enrol(device.id, device.public_key)

    async def knock(proof: DeviceProof, counter: int) -> bool:
        try:
            claim = await proof.read_claim(device.headers("POST", "/x", b"", counter))
            await proof.prove(claim, "POST", "/x", b"")
        except DeviceProofError as refusal:
            assert refusal.reference == "request-replayed"
            return False
        return True

    believed = await asyncio.gather(*(knock(proof, counter) for counter in range(1, 60) for proof in proofs))
    by_counter = [believed[i] + believed[i + 1] for i in range(0, len(believed), 2)]
    assert max(by_counter) == 1 and sum(by_counter) >= 50
    for records in stores:
        await records.close()


@pytest.mark.anyio
async def test_a_revoked_device_or_key_never_comes_back(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        device = SignedDevice("car-1")
        await it.access.device_keys.enrol(device.id, device.public_key)
        await it.access.device_keys.revoke(device.id, "車輛失竊", Subject("p-1", Role.OPERATOR, "林佳穎"))
        refused = await device.send(it.client)
        assert refused.json()["reference"] == "device-revoked"
        for device_id in ("car-1", "car-2"):
            with pytest.raises(Exception, match="device-key-used"):
                await it.access.device_keys.enrol(device_id, device.public_key)
        forged = SignedDevice("car-1")
        assert (await forged.send(it.client)).json()["reference"] == "signature-wrong", "only the key learns of it"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("headers", "reference"),
    [
        ({"guardian-device": "car-9"}, "device-unknown"),
        ({"guardian-device": "CAR 1"}, "signature-missing"),
        ({"guardian-counter": "0"}, "signature-missing"),
        ({"guardian-counter": "-1"}, "signature-missing"),
        ({"guardian-counter": "9" * 16}, "signature-missing"),
        ({"guardian-counter": "１"}, "signature-missing"),
        ({"guardian-signature": "????"}, "signature-missing"),
        ({"guardian-signature": "AAAA"}, "signature-missing"),
    ],
)
async def test_a_malformed_proof_is_refused_before_the_body_is_read(
    tmp_path: Path, headers: dict[str, str], reference: str
) -> None:
    async with house(tmp_path) as it:
        device = SignedDevice("car-1")
        await it.access.device_keys.enrol(device.id, device.public_key)
        signed = {k: v.encode() for k, v in (device.headers("POST", "/device/v1/batches", b"{}") | headers).items()}
        answer = await it.client.post("/device/v1/batches", content=b"{}", headers=signed)
        assert (answer.status_code, answer.json()["reference"]) == (401, reference)
