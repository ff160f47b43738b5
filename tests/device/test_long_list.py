"""A list too long for one body: gathered in stretches over broken lines and restarts, brought into force in one step."""

from __future__ import annotations

import asyncio
import base64
import random
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from guardian.device.listcopy import ListCopy
from guardian.device.listindex import ListIndex
from guardian.device.listupdate import ListRefusedError
from guardian.domain.errors import ConflictError, NeighbourUnreachableError
from guardian.domain.watch import Category, Priority, WatchEntry
from guardian.domain.wire import SignedWatchlistUpdate, WatchlistPart, WatchlistUpdate, list_digest
from guardian.watch.views import EntryDraft, ListChangeRequest
from tests.device.fake_cloud import FakeCloud
from tests.device.rig import KEY, NOW_MS, entry
from tests.device.station import open_station
from tests.watch.house import House, open_house

LETTERS, DIGITS = "ABCDEFGHJKLMNPQRSTUVWXYZ", "012356789"


def plates(count: int, seed: int = 1) -> list[str]:
    rng = random.Random(seed)
    made: set[str] = set()
    while len(made) < count:
        made.add("".join(rng.choices(LETTERS, k=3)) + "".join(rng.choices(DIGITS, k=4)))
    return sorted(made)


def many(count: int) -> list[WatchEntry]:
    return [entry(text, f"e{n:04d}") for n, text in enumerate(plates(count))]


def test_a_long_list_comes_in_stretches_and_is_matched_with(tmp_path: Path) -> None:
    entries = many(95)
    with open_station(tmp_path) as s:
        s.cloud.give_list_in_parts(40, entries, 10)
        assert s.uplink.fetch_list(wait_s=0)
        held = s.lists.in_force
        assert (held.version, held.count, set(held.entries)) == (40, 95, {e.id for e in entries})
        assert held.digest == list_digest({e.id: e for e in entries})
        for wanted in entries[::17]:
            (match,) = held.matcher.match(wanted.text, (0.99,) * 7, at_ms=NOW_MS)
            assert held.entries[match.entry_id] == wanted
        assert len(s.cloud.part_requests) == 10
        assert s.said == {}, "the bar of the download is gone when it is done"
        assert not s.uplink.fetch_list(wait_s=0)


def test_a_whole_list_in_one_body_ends_a_download_that_had_begun(tmp_path: Path) -> None:
    with open_station(tmp_path) as s:
        s.cloud.give_list_in_parts(40, many(30), 10)
        s.lists.take_part(s.cloud.parts[""])
        assert s.lists.coming() is not None
        s.lists.take(s.cloud.give_list(41, [entry("ABC1235", "a")]))
        assert s.lists.coming() is None, "its stretches lie on the disk no more"


def test_a_broken_line_costs_one_stretch_and_a_restart_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = FakeCloud()
    with open_station(tmp_path, cloud) as s:
        cloud.give_list(7, [entry("ABC1235", "old")])
        assert s.uplink.fetch_list(wait_s=0)
        cloud.give_list_in_parts(40, many(60), 10)
        ask, asked = s.line.ask, 0

        def cut(method: str, path: str, body: bytes = b"", **more: object) -> httpx.Response:
            nonlocal asked
            asked += path.endswith("/parts")
            if path.endswith("/parts") and asked in (3, 5):
                raise NeighbourUnreachableError("The line is cut.")
            return ask(method, path, body, **more)  # type: ignore[arg-type]

        monkeypatch.setattr(s.line, "ask", cut)
        for _ in range(2):
            with pytest.raises(NeighbourUnreachableError):
                s.uplink.fetch_list(0, wait_s=0)
            assert (s.lists.in_force.version, set(s.lists.in_force.entries)) == (7, {"old"}), "the old one meanwhile"
        coming = s.lists.coming()
        assert coming is not None and (coming.entries, coming.total, coming.whole) == (30, 60, False)
    with open_station(tmp_path, cloud) as again:
        assert again.lists.in_force.version == 7
        assert again.uplink.fetch_list(0, wait_s=0)
        assert (again.lists.in_force.version, again.lists.in_force.count) == (40, 60)
    with open_station(tmp_path, cloud) as later:
        assert (later.lists.in_force.version, later.lists.in_force.count) == (40, 60)
    assert len(cloud.part_requests) == len(set(cloud.part_requests)) == 6, "no stretch was fetched twice"
    cloud.stop()


CLOUD = Ed25519PrivateKey.generate()


def signed(value: WatchlistPart | WatchlistUpdate) -> SignedWatchlistUpdate:
    body = msgspec.msgpack.encode(value)
    return SignedWatchlistUpdate(body, CLOUD.sign(body))


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[ListCopy]:
    copy = ListCopy(tmp_path / "list.db", key=KEY, list_key=public(CLOUD))
    yield copy
    copy.close()


def public(key: Ed25519PrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def test_stretches_that_do_not_follow_or_are_signed_by_others_change_nothing(copy: ListCopy) -> None:
    a, b = many(2)
    digest = list_digest({a.id: a, b.id: b})
    copy.take_part(signed(WatchlistPart(5, NOW_MS, digest, "", 2, (a,))))
    for bad in (
        WatchlistPart(5, NOW_MS, digest, "e9999", 2, (b,), True),  # not the one that follows
        WatchlistPart(5, NOW_MS, digest, a.id, 2, ()),  # nothing, and yet not the last
    ):
        with pytest.raises(ListRefusedError) as refused:
            copy.take_part(signed(bad))
        assert refused.value.reference == "list-gap"
    foreign = msgspec.msgpack.encode(WatchlistPart(5, NOW_MS, digest, a.id, 2, (b,), True))
    with pytest.raises(ListRefusedError) as refused:
        copy.take_part(SignedWatchlistUpdate(foreign, Ed25519PrivateKey.generate().sign(foreign)))
    assert refused.value.reference == "list-signature"
    with pytest.raises(ListRefusedError) as refused:
        copy.take(signed(WatchlistPart(5, NOW_MS, digest, "", 2, (a,))))  # type: ignore[arg-type]
    assert refused.value.reference == "list-unreadable", "a stretch is never taken for the whole"
    with pytest.raises(ListRefusedError):
        copy.finish(None)
    assert copy.in_force.version == 0


def test_content_that_does_not_come_out_as_promised_is_dropped_and_the_old_list_stays(copy: ListCopy) -> None:
    a, b = many(2)
    copy.take(signed(WatchlistUpdate(4, 0, NOW_MS, list_digest({a.id: a}), (a,))))
    copy.take_part(signed(WatchlistPart(5, NOW_MS, list_digest({a.id: a}), "", 2, (a, b), True)))
    with pytest.raises(ListRefusedError) as refused:
        copy.finish(None)
    assert refused.value.reference == "list-digest"
    assert (copy.in_force.version, set(copy.in_force.entries)) == (4, {a.id})
    assert copy.coming() is None, "it begins anew"


def test_a_list_that_is_older_than_the_one_in_force_is_refused(copy: ListCopy) -> None:
    a, b = many(2)
    copy.take(signed(WatchlistUpdate(9, 0, NOW_MS, list_digest({a.id: a}), (a,))))
    copy.take_part(signed(WatchlistPart(8, NOW_MS, list_digest({b.id: b}), "", 1, (b,), True)))
    with pytest.raises(ListRefusedError) as refused:
        copy.finish(None)
    assert refused.value.reference == "list-rollback"
    assert set(copy.in_force.entries) == {a.id}


@pytest.mark.parametrize("seed", range(6))
def test_a_list_that_moves_on_while_it_is_fetched_comes_out_as_the_cloud_has_it(tmp_path: Path, seed: int) -> None:
    """Against the real keeper: entries come, change and go between any two stretches, and the device is killed at times."""
    asyncio.run(_fetch_from_a_moving_list(tmp_path, random.Random(seed)))


async def _fetch_from_a_moving_list(folder: Path, rng: random.Random) -> None:
    async with open_house(folder / "cloud", part_entries=7) as house:
        numbers = plates(400, seed=3)
        await _save(house, [EntryDraft(plate=text, category="失竊") for text in numbers[:40]], [])
        copy = ListCopy(folder / "list.db", key=KEY, list_key=base64.b64encode(house.keeper.public_key).decode())
        with pytest.raises(ConflictError) as refused:
            await house.keeper.update_since(0)
        assert refused.value.reference == "list-in-parts"
        fresh = iter(numbers[40:])
        coming = copy.coming()
        while coming is None or not coming.whole:
            for _ in range(rng.randrange(3)):
                held = await house.entries()
                gone = rng.sample(sorted(held), k=min(len(held), rng.randrange(4)))
                changed = [e for e in rng.sample(sorted(held), k=2) if e not in gone]
                drafts = [EntryDraft(plate=next(fresh), category="失竊") for _ in range(rng.randrange(3))]
                drafts += [
                    EntryDraft(id=e, plate=held[e].text, category="協尋", reason=f"{rng.random()}") for e in changed
                ]
                if drafts or gone:
                    await _save(house, drafts, gone)
            if rng.random() < 0.3:
                copy.close()
                copy = ListCopy(
                    folder / "list.db", key=KEY, list_key=base64.b64encode(house.keeper.public_key).decode()
                )
            coming = copy.take_part(await house.keeper.part_after("" if coming is None else coming.after))
        taken = copy.finish(await house.keeper.update_since(coming.version))
        assert dict(taken.entries) == await house.entries()
        assert (taken.version, taken.digest) == (house.keeper.newest.version, house.keeper.newest.digest)
        copy.close()


async def _save(house: House, put: list[EntryDraft], remove: list[str]) -> None:
    request = ListChangeRequest(10**6, tuple(put), tuple(remove), confirmed_twins=True)
    await house.keeper.change("stolen", request, house.lin)


def test_the_index_keeps_what_matching_needs() -> None:
    entries = [
        WatchEntry("a", "ABC1235", Category.STOLEN, priority=Priority.URGENT, expires_ms=5, reason="失竊"),
        WatchEntry("b-長", "BKD8869", Category.MISSING),
    ]
    index = ListIndex(msgspec.msgpack.encode(e) for e in entries)
    assert len(index) == 2
    for kept, entry_ in zip(index, entries, strict=True):
        assert (kept.id, kept.text, kept.priority, kept.expires_ms) == (
            entry_.id, entry_.text, entry_.priority, entry_.expires_ms,
        )  # fmt: skip
    with pytest.raises(IndexError):
        index[2]
