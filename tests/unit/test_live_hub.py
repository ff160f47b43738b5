"""The live view's stream: what was missed comes once and in order, a lost place is said, a slow reader slows nobody."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardian.domain.errors import NeighbourUnreachableError
from guardian.serve import live
from guardian.serve.live import LiveHub

pytestmark = pytest.mark.anyio


def number_of(event: bytes) -> int:
    return int(event.split(b"\n", 1)[0].partition(b".")[2])


def kind_of(event: bytes) -> str:
    return event.split(b"event: ", 1)[1].split(b"\n", 1)[0].decode()


async def take(stream: AsyncIterator[bytes], count: int) -> list[bytes]:
    """The next events, without the stream's opening line."""
    out: list[bytes] = []
    while len(out) < count:
        event = await asyncio.wait_for(anext(stream), 60)
        if not event.startswith(b"retry:"):
            out.append(event)
    return out


async def waiting_now(stream: AsyncIterator[bytes]) -> list[bytes]:
    """Everything that comes without anything new happening."""
    out: list[bytes] = []
    with contextlib.suppress(TimeoutError, StopAsyncIteration):
        while True:
            event = await asyncio.wait_for(anext(stream), 0.05)
            if not event.startswith(b"retry:"):
                out.append(event)
    return out


async def test_who_comes_back_with_its_cursor_gets_what_it_missed_once_and_in_order() -> None:
    hub = LiveHub()
    hub.publish("read", {"n": 0})
    cursor = hub.cursor
    for n in range(1, 6):
        hub.publish("read", {"n": n})
    stream = hub.follow(cursor)
    missed = await take(stream, 5)
    hub.publish("hit", {"n": 6})
    (new,) = await take(stream, 1)
    assert [number_of(event) for event in [*missed, new]] == [2, 3, 4, 5, 6, 7]
    assert kind_of(new) == "hit"
    assert msgspec.json.decode(new.split(b"data: ", 1)[1]) == {"n": 6}


async def test_what_happens_while_the_missed_is_being_told_comes_once_and_after_it() -> None:
    hub = LiveHub()
    cursor = hub.cursor
    for n in range(3):
        hub.publish("read", n)
    stream = hub.follow(cursor)
    first = await take(stream, 1)  # the follower is known to the hub from here on
    hub.publish("read", 3)
    rest = await take(stream, 3)
    assert [number_of(event) for event in first + rest] == [1, 2, 3, 4]
    assert await waiting_now(stream) == []


@pytest.mark.parametrize("cursor", ["another1.3", "", "nonsense", "{epoch}.", "{epoch}.-1", "{epoch}.99", "{epoch}.²"])
async def test_a_foreign_or_impossible_cursor_gives_a_gap_and_goes_on(cursor: str) -> None:
    hub = LiveHub()
    for n in range(3):
        hub.publish("read", n)
    stream = hub.follow(cursor.replace("{epoch}", hub.epoch))
    if cursor:
        (gap,) = await take(stream, 1)
        assert (kind_of(gap), number_of(gap)) == ("gap", 3)
    else:  # no cursor: from now on
        assert await waiting_now(stream) == []
        stream = hub.follow("")
        await anext(stream)
    hub.publish("read", 3)
    (event,) = await take(stream, 1)
    assert (kind_of(event), number_of(event)) == ("read", 4)


async def test_a_cursor_that_is_too_old_gives_a_gap_and_the_oldest_that_is_kept_gives_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live, "KEPT_MESSAGES", 10)
    hub = LiveHub()
    hub._kept = type(hub._kept)(maxlen=10)
    for n in range(25):
        hub.publish("read", n)
    (gap,) = await take(hub.follow(f"{hub.epoch}.14"), 1)
    assert kind_of(gap) == "gap"
    whole = await take(hub.follow(f"{hub.epoch}.15"), 10)
    assert [number_of(event) for event in whole] == list(range(16, 26))


async def test_ticks_are_not_kept_and_leave_no_hole_behind() -> None:
    hub = LiveHub()
    cursor = hub.cursor
    hub.publish("read", 0)
    hub.publish("tick", {})
    hub.publish("read", 1)
    assert [kind_of(event) for event in await take(hub.follow(cursor), 2)] == ["read", "read"]
    assert await waiting_now(hub.follow(hub.cursor)) == []


async def test_a_reader_that_does_not_read_is_cut_off_and_the_others_are_not_slowed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live, "WAITING_MAX", 20)
    hub = LiveHub()
    quick, slow = hub.follow(""), hub.follow("")
    await anext(quick)
    await anext(slow)
    seen: list[int] = []
    for n in range(200):
        hub.publish("read", n)
        seen += [number_of(event) for event in await take(quick, 1)]
        if n == 0:
            assert [number_of(event) for event in await take(slow, 1)] == [1]
    assert seen == list(range(1, 201)), "the quick one has everything at once"
    rest = await waiting_now(slow)
    assert [kind_of(event) for event in rest] == ["gap"], "it is told, and then let go"
    with pytest.raises(StopAsyncIteration):
        await anext(slow)
    assert hub.followers == 1


async def test_what_a_cut_off_reader_saw_last_brings_it_back_without_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last id is the cursor it comes back with: nothing between may be missing."""
    monkeypatch.setattr(live, "WAITING_MAX", 5)
    hub = LiveHub()
    slow = hub.follow("")
    await anext(slow)
    hub.publish("read", 0)
    seen = [number_of(event) for event in await take(slow, 1)]
    for n in range(1, 30):
        hub.publish("read", n)
    seen += [number_of(event) for event in await waiting_now(slow) if kind_of(event) != "gap"]
    again = await take(hub.follow(f"{hub.epoch}.{seen[-1]}"), 30 - len(seen))
    assert seen + [number_of(event) for event in again] == list(range(1, 31))


async def test_closing_ends_every_stream_also_a_full_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "WAITING_MAX", 2)
    hub = LiveHub()
    streams = [hub.follow("") for _ in range(3)]
    for stream in streams:
        await anext(stream)
    waiting = [asyncio.ensure_future(anext(stream)) for stream in streams[:2]]
    await asyncio.sleep(0)
    hub.close()
    for task in waiting:
        with contextlib.suppress(StopAsyncIteration):
            assert kind_of(await asyncio.wait_for(task, 60)) == "gap"
    for stream in streams:
        with contextlib.suppress(StopAsyncIteration):
            while True:
                await asyncio.wait_for(anext(stream), 60)
    assert hub.followers == 0


@given(before=st.integers(0, 30), cut=st.integers(0, 30), after=st.integers(0, 30))
async def test_a_cut_at_any_place_loses_nothing_and_doubles_nothing(before: int, cut: int, after: int) -> None:
    hub = LiveHub()
    seen: list[int] = []
    stream = hub.follow("")
    await anext(stream)
    cursor = hub.cursor
    for n in range(before):
        hub.publish("tick" if n % 4 == 3 else "read", n)
        event = (await take(stream, 1))[0]
        cursor = event.split(b"\n", 1)[0].removeprefix(b"id: ").decode()
        seen.append(number_of(event))
    await stream.aclose()  # type: ignore[attr-defined]
    for n in range(cut):
        hub.publish("read", n)
    stream = hub.follow(cursor)
    seen += [number_of(event) for event in await take(stream, cut)]
    await anext(stream) if cut == 0 else None  # the opening line
    for n in range(after):
        hub.publish("read", n)
        seen += [number_of(event) for event in await take(stream, 1)]
    await stream.aclose()  # type: ignore[attr-defined]
    assert seen == list(range(1, before + cut + after + 1))


async def test_a_stream_says_look_anew_and_ends_when_its_session_does() -> None:
    hub = LiveHub()
    answers = [True, True, False]
    asked: list[bool] = []

    async def still_allowed() -> bool:
        asked.append(answers[len(asked)])
        return asked[-1]

    stream = hub.follow(hub.cursor, still_allowed, asked_every_s=0.01)
    (last,) = await take(stream, 1)
    assert kind_of(last) == "gap" and asked == answers
    hub.publish("read", {"n": 1})
    with pytest.raises(StopAsyncIteration):
        await anext(stream)
    assert hub.followers == 0


async def test_messages_without_pause_do_not_put_off_the_question_whether_the_session_holds() -> None:
    hub = LiveHub()

    async def never() -> bool:
        return False

    stream = hub.follow(hub.cursor, never, asked_every_s=0.01)
    kinds = []
    async for event in stream:
        if not event.startswith(b"retry:"):
            kinds.append(kind_of(event))
        await asyncio.sleep(0.005)
        hub.publish("read", {})
        assert len(kinds) < 20
    assert kinds[-1] == "gap"


async def test_whoever_comes_is_told_the_figures_at_once_behind_what_was_missed_and_never_ahead_of_what_waits() -> None:
    hub = LiveHub()
    hub.publish("read", {"n": 1})
    cursor = hub.cursor
    hub.publish("read", {"n": 2})

    async def figures() -> dict[str, int]:
        hub.publish("read", {"n": 3})  # while they are counted
        return {"open_hits": 4}

    events = await take(hub.follow(cursor, first_tick=figures), 3)
    assert [(kind_of(event), number_of(event)) for event in events] == [("read", 2), ("tick", 2), ("read", 3)]


async def test_figures_that_cannot_be_had_hold_up_no_stream() -> None:
    hub = LiveHub()

    async def away() -> dict[str, int]:
        raise NeighbourUnreachableError("The records are away.")

    stream = hub.follow(hub.cursor, first_tick=away)
    assert await waiting_now(stream) == []
    stream = hub.follow(hub.cursor, first_tick=away)
    assert (await anext(stream)).startswith(b"retry:")
    hub.publish("read", {"n": 1})
    assert [kind_of(event) for event in await take(stream, 1)] == ["read"]
