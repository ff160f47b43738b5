"""Pictures that no read names: taken as guests, bounded in bytes and in time, and never at a real read's cost."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from guardian.archive import loose_photos
from guardian.archive.loose_photos import LOOSE_KEPT_MS, NAMED_KEPT_MS, forget_names, is_named, note_named
from guardian.archive.pictures import PhotoIntake
from guardian.archive.tables import loose_photos as guests
from guardian.domain.errors import DiskFullError
from guardian.domain.read import FrameVote, PhotoRef, Read
from guardian.stores import Photos, metadata, open_photos
from tests.archive.builders import NOW_MS, make_read
from tests.archive.house import ArchiveHouse, archive_house

pytestmark = pytest.mark.anyio
ROOM = 1_000


def jpeg(name: str, size: int = 400) -> tuple[str, bytes]:
    """A picture and its name."""
    body = b"\xff\xd8\xff" + name.encode().ljust(size - 5, b".") + b"\xff\xd9"
    return hashlib.sha256(body).hexdigest(), body


class Door:
    def __init__(self, house: ArchiveHouse, photos: Photos) -> None:
        self.house, self.photos = house, photos
        self.intake = PhotoIntake(house.records, photos, now_ms=house.now_ms, loose_bytes_max=ROOM)

    async def bring(self, name: str, device_id: str = "car-1") -> bool:
        return await self.intake.take(device_id, *jpeg(name))

    async def guests(self) -> int:
        query = select(func.count()).select_from(guests)
        return await self.house.records.read(lambda connection: connection.execute(query).scalar_one())


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.real("postgres"))])
def records_url(request: pytest.FixtureRequest) -> str:
    return "" if request.param == "sqlite" else str(request.getfixturevalue("postgres_url"))


@asynccontextmanager
async def door(folder: Path, records_url: str = "") -> AsyncIterator[Door]:
    async with archive_house(folder, records_url=records_url) as house:
        photos = open_photos(f"file://{folder / 'photos'}")
        yield Door(house, photos)
        await photos.close()


def naming(sequence: int, *names: str, **more: object) -> Read:
    """A read whose crop, overview and votes are these pictures."""
    refs = [PhotoRef(jpeg(name)[0], NOW_MS - 60_000) for name in names]
    votes = tuple(FrameVote("ABC1235", 0.9, NOW_MS - 60_000, ref.sha256) for ref in refs[2:])
    both = (*refs[:2], None, None)
    return make_read(sequence, crop=both[0], overview=both[1], votes=votes, **more)


async def test_a_picture_that_rotted_in_its_store_is_mended_when_it_comes_again_and_keeps_its_standing(
    tmp_path: Path,
) -> None:
    async with door(tmp_path) as it:
        await it.house.send([naming(1, "crop")])
        assert await it.bring("crop")
        sha256, body = jpeg("crop")
        (file,) = (tmp_path / "photos").rglob(sha256)
        file.write_bytes(body.replace(b"crop", b"crap"))
        assert await it.bring("crop", "car-2") is True, "whoever brings it: the bytes fit the name"
        assert await it.photos.get(sha256) == body
        assert await it.guests() == 0, "a read of car-1 names it; it is not on its way out"
        assert await it.bring("crop") is False


async def test_a_picture_that_is_destroyed_while_it_comes_again_is_not_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with door(tmp_path) as it:
        await it.house.send([naming(1, "crop")])
        assert await it.bring("crop")
        sha256, _ = jpeg("crop")
        read = it.house.records.read

        async def read_after_retention(*asked: object, **more: object) -> object:
            await it.photos.delete(sha256)
            return await read(*asked, **more)  # type: ignore[arg-type]

        monkeypatch.setattr(it.house.records, "read", read_after_retention)
        assert await it.bring("crop") is False
        assert not await it.photos.has(sha256)


async def test_a_picture_that_a_read_names_is_no_guest_whichever_of_the_read_s_pictures_it_is(
    tmp_path: Path, records_url: str
) -> None:
    async with door(tmp_path, records_url) as it:
        await it.house.send([naming(1, "crop", "overview", "vote")])
        assert [await it.bring(name) for name in ("crop", "overview", "vote")] == [True, True, True]
        assert await it.guests() == 0
        assert await it.bring("vote") is False


async def test_a_device_s_guests_are_bounded_and_what_is_refused_may_come_again(
    tmp_path: Path, records_url: str
) -> None:
    async with door(tmp_path, records_url) as it:
        assert await it.bring("a") and await it.bring("b")
        with pytest.raises(DiskFullError, match="photos-unnamed-full"):
            await it.bring("c")
        assert not await it.photos.has(jpeg("c")[0])
        assert await it.bring("c", "car-2"), "each device has a bound of its own"
        assert await it.bring("b") is False, "what is here is here"
        await it.house.send([naming(1, "a")])
        assert await it.bring("d"), "a read named one of the two: there is room again"


async def test_a_full_house_of_guests_keeps_out_no_picture_of_a_read(tmp_path: Path) -> None:
    async with door(tmp_path) as it:
        await it.bring("a")
        await it.bring("b")
        await it.house.send([naming(1, "c")])
        assert await it.bring("c")


async def test_a_picture_that_came_before_its_read_stays_when_the_read_comes(tmp_path: Path, records_url: str) -> None:
    async with door(tmp_path, records_url) as it:
        await it.bring("early")
        assert await it.guests() == 1
        await it.house.send([naming(1, "other", "early")])
        assert await it.guests() == 0


async def test_another_device_s_guest_belongs_to_the_read_of_the_device_that_names_it(tmp_path: Path) -> None:
    async with door(tmp_path) as it:
        await it.house.send([naming(1, "mine")])
        await it.bring("mine", "car-2")
        assert await it.guests() == 1, "car-2 has no read that names it"
        assert await it.bring("mine") is False
        assert await it.guests() == 0


async def test_pictures_of_what_was_set_apart_are_awaited_too(tmp_path: Path) -> None:
    async with door(tmp_path) as it:
        bad = msgspec.to_builtins(naming(1, "bad crop")) | {"text": 7}
        fork = naming(2, "fork crop", raw_text="OTHER")
        answer = await it.house.send([bad, naming(2, "crop"), fork])
        assert (answer.stored, answer.quarantined) == (1, 2)
        await it.bring("bad crop")
        await it.bring("fork crop")
        assert await it.guests() == 0


async def test_names_are_known_for_five_weeks(tmp_path: Path, records_url: str) -> None:
    async with door(tmp_path, records_url) as it:
        await it.house.send([naming(1, "late")])
        sha256 = jpeg("late")[0]
        for after, known in ((NAMED_KEPT_MS, True), (NAMED_KEPT_MS + 1, False)):
            now = NOW_MS + after
            await it.house.records.write(lambda connection, now=now: forget_names(connection, now))
            assert await it.house.records.read(lambda connection: is_named(connection, "car-1", sha256)) is known


async def test_a_guest_is_overdue_after_two_days_to_the_millisecond(tmp_path: Path) -> None:
    async with door(tmp_path) as it:
        await it.bring("a")
        for after, overdue in ((LOOSE_KEPT_MS, []), (LOOSE_KEPT_MS + 1, [jpeg("a")[0]])):
            now = NOW_MS + after
            read = it.house.records.read
            assert await read(lambda connection, now=now: loose_photos.list_overdue(connection, now, 9)) == overdue


@given(
    batches=st.lists(st.lists(st.binary(min_size=32, max_size=32), max_size=6), max_size=4),
    strange=st.binary(min_size=32, max_size=32),
)
def test_exactly_the_names_that_were_noted_are_known(batches: list[list[bytes]], strange: bytes) -> None:
    import sqlalchemy as sa

    engine = sa.create_engine("sqlite://")
    metadata.create_all(engine, tables=[guests, metadata.tables["named_photos"]])
    noted = {name.hex() for names in batches for name in names}
    with engine.begin() as connection:
        for number, names in enumerate(batches):
            note_named(connection, str(number), "car-1", number, (name.hex() for name in names))
        assert all(is_named(connection, "car-1", name) for name in noted)
        assert not any(is_named(connection, "car-2", name) for name in noted)
        assert is_named(connection, "car-1", strange.hex()) == any(name[:16] == strange.hex()[:16] for name in noted)
        shifted = [((a[:8] + b[:8])[4:12] + bytes(24)).hex() for names in batches for a, b in itertools.pairwise(names)]
        for name in shifted:  # a name that stands across two others' places is no name
            assert is_named(connection, "car-1", name) == any(known[:16] == name[:16] for known in noted)
    engine.dispose()
