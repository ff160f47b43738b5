"""G22 on the device: gaps, wrong order and half a delta change nothing; what is held is what the cloud holds, by digest."""

from __future__ import annotations

import base64
import contextlib
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from guardian.device.listcopy import ListCopy, _connect
from guardian.device.listupdate import ListRefusedError
from guardian.domain.watch import WatchEntry
from guardian.domain.wire import SignedWatchlistUpdate, WatchlistUpdate, list_digest
from tests.device.rig import KEY, NOW_MS, entry

CLOUD = Ed25519PrivateKey.generate()
A, B, C = entry("ABC1235", "a"), entry("BKD8869", "b"), entry("MHD0012", "c")


def update(
    version: int, base: int, content: list[WatchEntry], put: list[WatchEntry], removed: tuple[str, ...] = ()
) -> SignedWatchlistUpdate:
    digest = list_digest({e.id: e for e in content})
    body = msgspec.msgpack.encode(WatchlistUpdate(version, base, NOW_MS, digest, tuple(put), removed))
    return SignedWatchlistUpdate(body, CLOUD.sign(body))


@pytest.fixture
def copy(tmp_path: Path) -> ListCopy:
    key = base64.b64encode(CLOUD.public_key().public_bytes_raw()).decode()
    copy = ListCopy(tmp_path / "list.db", key=KEY, list_key=key)
    copy.take(update(40, 0, [A, B], [A, B]))
    return copy


def held(copy: ListCopy) -> tuple[int, set[str]]:
    return copy.in_force.version, set(copy.in_force.entries)


def test_a_gap_changes_nothing_and_asks_for_what_is_missing(copy: ListCopy) -> None:
    with pytest.raises(ListRefusedError) as refused:
        copy.take(update(43, 41, [B, C], [C]))
    assert refused.value.reference == "list-gap"
    assert held(copy) == (40, {"a", "b"})


def test_deltas_in_the_wrong_order_come_out_right(copy: ListCopy) -> None:
    later, sooner = update(42, 41, [B, C], [C]), update(41, 40, [B], [], ("a",))
    with pytest.raises(ListRefusedError):
        copy.take(later)
    copy.take(sooner)
    copy.take(later)
    assert held(copy) == (42, {"b", "c"})
    with pytest.raises(ListRefusedError) as refused:
        copy.take(sooner)
    assert refused.value.reference == "list-rollback"


def test_the_number_of_entries_follows_each_change(copy: ListCopy) -> None:
    assert copy.in_force.count == 2
    copy.take(update(41, 40, [A, B, C], [A, C]))
    assert copy.in_force.count == 3, "one came, one was there"
    copy.take(update(42, 41, [B], [], ("a", "c", "never")))
    assert copy.in_force.count == len(copy.in_force.entries) == 1


def test_a_list_grown_by_many_changes_is_laid_out_anew(copy: ListCopy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guardian.watch.in_force.OVERLAY_MAX", 2)
    content = [A, B]
    for n in range(5):
        content.append(entry(f"NEW100{n}", f"n{n}"))
        copy.take(update(41 + n, 40 + n, content, content[-1:]))
        assert not copy.in_force.matcher.overgrown
        assert all(copy.in_force.matcher.match(one.text, at_ms=NOW_MS) for one in content)


def test_the_whole_list_after_a_long_absence_removes_what_has_gone(copy: ListCopy) -> None:
    copy.take(update(60, 0, [B], [B]))
    assert held(copy) == (60, {"b"})
    assert not copy.in_force.matcher.match("ABC1235", at_ms=NOW_MS), "the removed one does not alarm"
    assert copy.in_force.digest == list_digest({"b": B})


def test_content_that_does_not_come_out_as_promised_is_refused_whole(copy: ListCopy) -> None:
    with pytest.raises(ListRefusedError) as refused:
        copy.take(update(41, 40, [B, C], [C]))  # forgets that a is still there
    assert refused.value.reference == "list-digest"
    assert held(copy) == (40, {"a", "b"})


def test_a_changed_byte_is_refused_before_anything_is_parsed(copy: ListCopy) -> None:
    good = update(41, 40, [B], [], ("a",))
    for place in (0, len(good.body) // 2, len(good.body) - 1):
        body = bytearray(good.body)
        body[place] ^= 1
        with pytest.raises(ListRefusedError) as refused:
            copy.take(SignedWatchlistUpdate(bytes(body), good.signature))
        assert refused.value.reference == "list-signature"


def test_version_and_content_survive_a_restart_together_and_are_not_readable_on_disk(
    copy: ListCopy, tmp_path: Path
) -> None:
    copy.take(update(41, 40, [B], [], ("a",)))
    copy.close()
    again = ListCopy(tmp_path / "list.db", key=KEY)
    assert held(again) == (41, {"b"})
    assert again.damaged == ""
    for path in tmp_path.iterdir():
        assert b"BKD8869" not in path.read_bytes()
        assert b"SQLite format" not in path.read_bytes()[:32]
    again.close()


def test_a_damaged_file_is_set_aside_and_the_device_starts_with_an_empty_list(copy: ListCopy, tmp_path: Path) -> None:
    copy.close()
    path = tmp_path / "list.db"
    data = bytearray(path.read_bytes())
    for at in range(0, len(data), 97):
        data[at] ^= 0x55
    path.write_bytes(data)
    again = ListCopy(path, key=KEY)
    assert held(again) == (0, set())
    assert again.damaged
    again.close()
    assert (tmp_path / "list.db.set-aside").read_bytes() == bytes(data), "kept for a look"


def test_content_on_disk_that_is_not_what_its_digest_says_matches_nothing_and_is_fetched_anew(
    copy: ListCopy, tmp_path: Path
) -> None:
    copy.close()
    path = tmp_path / "list.db"
    with contextlib.closing(_connect(path, KEY)) as db:
        db.execute("delete from entry where id = 'a'")
    key = base64.b64encode(CLOUD.public_key().public_bytes_raw()).decode()
    again = ListCopy(path, key=KEY, list_key=key)
    assert held(again) == (0, set()), "no entry stays behind without a version"
    assert again.damaged == "digest"
    assert not again.in_force.matcher.match("BKD8869", at_ms=NOW_MS)
    again.take(update(40, 0, [A, B], [A, B]))
    assert held(again) == (40, {"a", "b"})
    again.close()


def test_a_wrong_key_opens_nothing(copy: ListCopy, tmp_path: Path) -> None:
    copy.close()
    again = ListCopy(tmp_path / "list.db", key=bytes(32))
    assert held(again) == (0, set())
    again.close()
