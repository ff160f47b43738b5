"""A request of a device comes once: over any order within the window, over crashes, over processes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardian.access.counters import AHEAD, LEASE, WINDOW, SeenCounters, next_lease
from guardian.access.device_proof import DeviceProof
from guardian.access.model import DeviceProofError
from guardian.access.seam import Access
from guardian.domain.subject import Role, Subject
from guardian.domain.wire import COUNTER_MAX, HEADER_COUNTER_FLOOR
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


def test_a_number_is_believed_within_its_lease_and_its_window_and_once() -> None:
    seen = SeenCounters()
    assert (seen.ceiling, seen.lease_needed(1), seen.take(1)) == (0, True, False), "nothing is leased yet"
    seen.add_lease(100, 100 + 2 * WINDOW)
    assert [seen.take(counter) for counter in (100, 101, 101, 100 + 2 * WINDOW + 1)] == [False, True, False, False]
    newest = 100 + WINDOW + 50
    assert seen.take(newest) and seen.newest == newest
    assert [seen.take(newest - WINDOW), seen.take(newest - WINDOW + 1)] == [False, True]
    assert seen.newest == newest, "a late one does not move the window back"
    assert seen.take(seen.ceiling) and not seen.lease_needed(seen.ceiling) and seen.lease_needed(seen.ceiling + 1)


def test_between_two_leases_lie_numbers_of_somebody_else() -> None:
    seen = SeenCounters()
    seen.add_lease(0, 10)
    seen.add_lease(20, 30)
    assert [counter for counter in range(35) if seen.take(counter)] == [*range(1, 11), *range(21, 31)]


def test_the_next_lease_is_asked_for_ahead_of_need() -> None:
    seen = SeenCounters()
    seen.add_lease(0, LEASE)
    seen.take(LEASE - AHEAD)
    assert not seen.lease_soon(), "so many are left"
    seen.take(LEASE - AHEAD + 1)
    assert seen.lease_soon()


def test_a_lease_begins_above_all_that_was_ever_leased_and_takes_a_window_along() -> None:
    assert next_lease(0, 1) == (0, 1 + LEASE)
    assert next_lease(600, 601) == (600, 601 + LEASE)
    assert next_lease(600, 10) == (600, 600 + LEASE), "an old number brings no old ones back"
    assert next_lease(0, 50_000) == (50_000 - WINDOW, 50_000 + LEASE)
    assert next_lease(COUNTER_MAX + LEASE - 1, COUNTER_MAX)[1] == COUNTER_MAX + LEASE, "columns end somewhere"


def test_what_lies_behind_the_window_is_forgotten_and_the_last_lease_never() -> None:
    seen = SeenCounters()
    seen.add_lease(0, 10)
    seen.add_lease(50_000, 60_000)
    for counter in (1, 2, 50_001, 50_001 + WINDOW):
        assert seen.take(counter)
    seen.add_lease(60_000, 60_256)
    assert seen._leases == [(50_000, 60_000), (60_000, 60_256)] and seen._seen == {50_001 + WINDOW}
    gone = SeenCounters()
    gone.newest = 10_000
    gone.add_lease(0, 10)
    assert gone.ceiling == 10, "the ceiling stays known"


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
