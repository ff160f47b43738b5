"""Lists: versions, undo, deltas, the typing guard, finding, expiry."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guardian.device.listcopy import ListCopy
from guardian.device.listupdate import ListRefusedError
from guardian.domain.errors import ConflictError, InputRefusedError, NotFoundError
from guardian.domain.wire import SignedWatchlistUpdate, list_digest
from guardian.watch import journal
from guardian.watch.journal import Author
from guardian.watch.keeper import EXPIRY_GRACE_MS
from guardian.watch.views import EntryDraft, ListChangeRequest
from tests.watch.house import House, apply_update, open_house, settle

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as opened:
        yield opened


async def test_each_save_is_one_version_of_all_lists_together(house: House) -> None:
    await house.save(put=[EntryDraft("ABC-1235", "失竊"), EntryDraft("ABC-2235", "失竊")])
    await house.save(put=[EntryDraft("ABC-3235", "通緝")], list_id="wanted")
    view = await house.keeper.lists_view()
    assert view.version == 2
    assert {v.id: (v.entries, v.version, v.changed_by) for v in view.lists if v.entries} == {
        "stolen": (2, 1, "林怡君"), "wanted": (1, 2, "林怡君")}  # fmt: skip


async def test_a_save_that_changes_nothing_makes_no_version(house: House) -> None:
    entry_id = await house.enter("ABC-1235", case_number="A1")
    answer = await house.save(put=[EntryDraft("ABC-1235", "失竊", id=entry_id, case_number="A1")])
    assert (answer.version, answer.put) == (1, 0)
    with pytest.raises(InputRefusedError):
        await house.save()


async def test_who_edited_an_older_version_of_the_list_is_told_and_changes_nothing(house: House) -> None:
    await house.enter("ABC-1235")
    await house.enter("ABC-2235", list_id="wanted", category="通緝")
    late = ListChangeRequest(0, (EntryDraft("ABC-3235", "失竊"),))
    with pytest.raises(ConflictError) as refused:
        await house.keeper.change("stolen", late, house.chen)
    assert refused.value.reference == "list-moved-on"
    other = ListChangeRequest(1, (EntryDraft("ABC-3235", "失竊"),))
    assert (await house.keeper.change("stolen", other, house.chen)).version == 3, "another list does not matter"


async def test_one_number_stands_once_in_a_list_but_may_stand_in_another(house: House) -> None:
    first = await house.enter("ABC-1235")
    with pytest.raises(ConflictError) as refused:
        await house.save(put=[EntryDraft("abc1235", "失竊")])
    assert refused.value.reference == "entry-twice"
    with pytest.raises(ConflictError):
        await house.save(put=[EntryDraft("ABC-2235", "失竊"), EntryDraft("ABC2235", "失竊")])
    await house.save(put=[EntryDraft("ABC-1235", "通緝")], list_id="wanted")
    await house.save(put=[EntryDraft("ABC-1235", "失竊")], remove=[first])
    assert len(await house.entries()) == 2


async def test_two_entries_may_change_numbers_in_one_save(house: House) -> None:
    a, b = await house.enter("ABC-1235"), await house.enter("DEF-2235")
    await house.save(put=[EntryDraft("DEF-2235", "失竊", id=a), EntryDraft("ABC-1235", "失竊", id=b)])
    assert {i: e.text for i, e in (await house.entries()).items()} == {a: "DEF2235", b: "ABC1235"}


async def test_undo_brings_back_what_went_under_its_id_and_takes_away_what_came(house: House) -> None:
    kept = await house.enter("ABC-1235", reason="old")
    gone = await house.enter("ABC-2235")
    before = await house.entries()
    answer = await house.save(
        put=[EntryDraft("ABC-1235", "失竊", id=kept, reason="new"), EntryDraft("ABC-3235", "失竊")], remove=[gone]
    )
    await house.keeper.undo(answer.version, house.chen)
    assert await house.entries() == before
    page = await house.keeper.entries_page("stolen", find="ABC-2235")
    assert page.entries[0].added_by == "林怡君", "who first entered it is still known"


async def test_a_version_that_was_changed_over_cannot_be_taken_back(house: House) -> None:
    entry_id = await house.enter("ABC-1235")
    await house.save(put=[EntryDraft("ABC-1235", "失竊", id=entry_id, reason="more")])
    with pytest.raises(ConflictError) as refused:
        await house.keeper.undo(1, house.lin)
    assert refused.value.reference == "list-changed-since"
    with pytest.raises(NotFoundError):
        await house.keeper.undo(99, house.lin)


PLATES = [f"ABC-{n}235" for n in (1, 2, 3, 5, 6)]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(st.lists(st.sampled_from(PLATES), unique=True), st.lists(st.sampled_from(PLATES), unique=True), st.booleans()),
        min_size=1,
        max_size=7,
    )
)  # fmt: skip
async def test_from_any_version_a_device_comes_to_what_the_cloud_holds(steps, tmp_path_factory) -> None:
    async with open_house(tmp_path_factory.mktemp("house")) as house:
        history = [{}]
        for put, remove, undo in steps:
            held = {entry.text: entry.id for entry in (await house.entries()).values()}
            texts = [plate.replace("-", "") for plate in remove]
            drafts = [
                EntryDraft(p, "失竊", id=held.get(p.replace("-", ""), ""), reason=str(len(history)))
                for p in put
                if p not in remove
            ]
            gone = [held[text] for text in texts if text in held]
            if undo and house.keeper.newest.version:
                await house.keeper.undo(house.keeper.newest.version, house.lin)
            elif drafts or gone:
                await house.save(put=drafts, remove=gone)
            if house.keeper.newest.version == len(history):
                history.append(await house.entries())
        newest = house.keeper.newest
        assert newest.digest == list_digest(history[-1])
        for base in range(newest.version):
            update = await house.update(base)
            assert apply_update(history[base], update) == history[-1]
            for to in range(base + 1, newest.version + 1):
                raw = await house.records.read(
                    lambda c, base=base, to=to: journal.update_between(c, base, to, versions_max=99, changes_max=999)
                )
                assert raw is not None and raw.digest == list_digest(history[to] if base else history[-1])


async def test_what_devices_get_is_signed_by_the_key_that_they_were_given(house: House) -> None:
    await house.enter("ABC-1235")
    signed = await house.keeper.update_since(0)
    assert signed is not None
    Ed25519PublicKey.from_public_bytes(house.keeper.public_key).verify(signed.signature, signed.body)


async def test_a_waiting_device_is_woken_by_the_save_and_by_the_removal(house: House) -> None:
    waiting = asyncio.create_task(house.keeper.update_since(0, 25))
    await settle()
    assert not waiting.done()
    entry_id = await house.enter("ABC-1235")
    assert (await asyncio.wait_for(waiting, 15)) is not None
    waiting = asyncio.create_task(house.keeper.update_since(1, 25))
    await house.save(remove=[entry_id])
    signed = await asyncio.wait_for(waiting, 15)
    assert signed is not None and entry_id.encode() in signed.body


async def test_a_device_with_the_newest_version_waits_and_gets_nothing(house: House) -> None:
    await house.enter("ABC-1235")
    assert await house.keeper.update_since(1, 0.01) is None
    assert await house.keeper.update_since(7, 0.01) is None, "a device that is ahead is not sent back"


async def test_a_cloud_restored_from_an_old_copy_sends_no_device_back_and_reaches_it_again_once_it_has_passed_it(
    tmp_path: Path,
) -> None:
    async with open_house(tmp_path) as before:
        await before.save(put=[EntryDraft("ABC-1235", "失竊")])
        await before.save(put=[EntryDraft("BKD-8869", "失竊")])
        key = base64.b64encode(before.keeper.public_key).decode()
        device = ListCopy(tmp_path / "list.db", key=bytes(32), list_key=key)
        device.take(await given(before, 0))
    (tmp_path / "records.sqlite").rename(tmp_path / "lost.sqlite")  # what is put back knows less, under the same keys
    async with open_house(tmp_path) as after:
        await after.save(put=[EntryDraft("MHD-0012", "失竊")])
        assert await after.keeper.update_since(2, 0.01) is None
        assert device.in_force.version == 2, "it goes on with the list it holds"
        await after.save(put=[EntryDraft("NEW-5678", "失竊")])
        await after.save(put=[EntryDraft("AAB-3003", "失竊")])
        with pytest.raises(ListRefusedError) as refused:
            device.take(await given(after, 2))
        assert refused.value.reference == "list-digest", (
            "its second version is none of this cloud's: it asks for the whole"
        )
        device.take(await given(after, 0))
        assert {entry.text for entry in device.in_force.entries.values()} == {"MHD0012", "NEW5678", "AAB3003"}
        device.close()


async def given(house: House, have: int) -> SignedWatchlistUpdate:
    signed = await house.keeper.update_since(have)
    assert signed is not None
    return signed


async def test_who_waits_when_the_house_closes_gets_nothing_at_once(tmp_path: Path) -> None:
    async with open_house(tmp_path) as house:
        waiting = asyncio.create_task(house.keeper.update_since(0, 25))
        await settle()
        await house.keeper.close()
        assert await asyncio.wait_for(waiting, 15) is None


async def test_a_version_of_another_process_is_noticed(tmp_path: Path) -> None:
    async with open_house(tmp_path, poll_s=0.02) as one, open_house(tmp_path) as other:
        waiting = asyncio.create_task(one.keeper.update_since(0, 25))
        await other.enter("ABC-1235")
        assert (await asyncio.wait_for(waiting, 15)) is not None


async def test_the_matcher_in_force_follows_each_change(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guardian.watch.in_force.OVERLAY_MAX", 2)
    held: dict[str, str] = {}
    for n, plate in enumerate(PLATES * 2):
        if n < len(PLATES):
            held[plate] = await house.enter(plate)
        else:
            await house.save(remove=[held.pop(plate)])
        matcher = await house.keeper.in_force()
        reads = [house.read(p.replace("-", "")) for p in PLATES]
        found = [bool(matches) for matches in matcher.match_many(reads)]
        assert found == [p in held for p in PLATES] and matcher.version == n + 1


async def test_near_entries_are_shown_while_typing_and_refusals_speak_chinese(house: House) -> None:
    await house.enter("MNB-1235")
    near = await house.keeper.inspect("ｍｍｂ 1235")
    assert (near.display, near.twins, near.listed, near.refusal) == ("MMB-1235", ("MNB-1235",), False, "")
    assert (await house.keeper.inspect("MNB1235")).listed
    wrong = await house.keeper.inspect("ABC-1245")
    assert wrong.reference == "plate-impossible" and "第 6 字：新式號牌沒有數字 4" in wrong.refusal
    assert wrong.suggestions == ("ABC-1295",)
    odd = await house.keeper.inspect("A1B2C3")
    assert odd.refusal == "" and odd.warning


async def test_entries_are_found_by_plate_case_and_reason_and_other_signs_are_not_special(house: House) -> None:
    await house.enter("ABC-1235", case_number="中山 115-0832", reason="100% 竊盜")
    await house.enter("ABD-1235", case_number="115_0833")

    async def found(text: str) -> list[str]:
        return sorted(v.display for v in (await house.keeper.entries_page("stolen", find=text)).entries)

    assert await found("ab?-1235") == ["ABC-1235", "ABD-1235"]
    assert await found("ABC") == ["ABC-1235"]
    assert await found("*1235") == ["ABC-1235", "ABD-1235"]
    assert await found("0832") == ["ABC-1235"]
    assert await found("100%") == ["ABC-1235"]
    assert await found("115%") == []
    assert await found("5_0833") == ["ABD-1235"]
    assert await found("ABC1235'--") == []


async def test_pages_of_entries_hold_each_entry_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guardian.watch.pages.PAGE", 2)
    await house.save(put=[EntryDraft(p, "失竊") for p in PLATES[:3]])
    await house.save(put=[EntryDraft(p, "失竊") for p in PLATES[3:]])
    seen: list[str] = []
    cursor = ""
    while True:
        page = await house.keeper.entries_page("stolen", cursor=cursor)
        seen += [view.display for view in page.entries]
        cursor = page.next_cursor
        if not cursor:
            break
    assert page.total == 5 and sorted(seen) == PLATES
    assert set(seen[:2]) == set(PLATES[3:]), "the newest change first"
    with pytest.raises(InputRefusedError):
        await house.keeper.entries_page("stolen", cursor="x")
    with pytest.raises(NotFoundError):
        await house.keeper.entries_page("nobody")


async def test_ended_entries_are_shown_as_ended_and_taken_off_a_week_later(house: House) -> None:
    await house.enter("ABC-1235", expires="2026-11-25")
    view = (await house.keeper.entries_page("stolen")).entries[0]
    assert not view.expired
    ends = view.entry.expires_ms
    assert ends is not None
    house.now = ends + 1
    assert (await house.keeper.entries_page("stolen")).entries[0].expired
    assert (await house.keeper.lists_view()).lists[0].entries == 0
    house.now = ends + EXPIRY_GRACE_MS
    assert await house.keeper.expire_due() == 0
    house.now += 1
    assert await house.keeper.expire_due() == 1
    assert (await house.update(1)).removed == (view.entry.id,)


async def test_a_save_is_bounded(house: House) -> None:
    with pytest.raises(InputRefusedError) as refused:
        await house.save(remove=["x"] * 1001)
    assert refused.value.reference == "save-too-large"


async def test_an_entry_has_one_fate_in_a_save_and_devices_can_follow_all_that_is_saved(house: House) -> None:
    mine = await house.enter("ABC-1235")
    before, version = await house.entries(), house.keeper.newest
    changed, again = EntryDraft("ABC-2235", "失竊", id=mine), EntryDraft("ABC-3235", "失竊", id=mine)
    for put, remove in (([changed], [mine]), ([changed, again], []), ([changed, changed], [])):
        with pytest.raises(InputRefusedError) as refused:
            await house.save(put=put, remove=remove)
        assert refused.value.reference == "entry-twice"
    assert (await house.entries(), house.keeper.newest) == (before, version)
    author = Author("u1", "林怡君")
    with pytest.raises(ValueError):
        await house.records.write(
            lambda connection: journal.append(
                connection, house.events, now_ms=house.now, kind="save", list_id="stolen", author=author,
                put=list(before.values()), remove=[mine],
            )
        )  # fmt: skip
    await house.save(remove=[mine, mine])
    assert apply_update(before, await house.update(version.version)) == await house.entries() == {}


async def test_a_save_touches_its_own_list_only_and_names_no_entry_that_is_not_there(house: House) -> None:
    mine = await house.enter("ABC-1235", case_number="A1")
    other = await house.enter("ABC-2235", list_id="wanted")
    before = await house.entries()
    for put, remove in (
        ([EntryDraft("ABC-3235", "失竊", id=other)], []),
        ([EntryDraft("ABC-3235", "失竊", id="made-up")], []),
        ([EntryDraft("ABC-1235", "失竊", id=mine, case_number="A2")], [other]),
        ([], [other]),
    ):
        with pytest.raises(ConflictError, match="entry-gone"):
            await house.save(put=put, remove=remove)
    assert await house.entries() == before
    await house.save(remove=["gone long ago", mine])
    assert set(await house.entries()) == {other}, "who removes what is gone has what they want"
