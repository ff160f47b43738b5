"""What the engines of photos do when their world is not in order."""

from __future__ import annotations

import errno
import hashlib
import os
import time
from pathlib import Path
from typing import Any

import pytest

from guardian.domain.errors import DiskFullError, InputRefusedError, NeighbourUnreachableError, NotFoundError
from guardian.domain.wire import PHOTO_BYTES_MAX
from guardian.stores import open_events, open_photos, open_records, open_secrets
from guardian.stores.files import FilePhotos
from guardian.stores.photos import HASHES_ASKED_MAX

pytestmark = pytest.mark.anyio

BODY = b"a picture"
NAME = hashlib.sha256(BODY).hexdigest()


async def test_a_photo_that_rotted_on_disk_is_noticed(tmp_path: Path) -> None:
    photos = FilePhotos(tmp_path)
    await photos.put(NAME, BODY)
    photos.path_of(NAME).write_bytes(b"a Picture")
    with pytest.raises(NotFoundError) as caught:
        await photos.get(NAME)
    assert caught.value.reference == "photo-damaged"


async def test_a_photo_cut_short_by_a_crash_is_written_again(tmp_path: Path) -> None:
    photos = FilePhotos(tmp_path)
    await photos.put(NAME, BODY)
    photos.path_of(NAME).write_bytes(BODY[:3])
    await photos.put(NAME, BODY)
    assert await photos.get(NAME) == BODY


async def test_a_photo_that_rotted_at_the_same_size_is_written_again_in_one_step(tmp_path: Path) -> None:
    photos = FilePhotos(tmp_path)
    await photos.put(NAME, BODY)
    path = photos.path_of(NAME)
    path.write_bytes(b"a Picture")
    rotted = path.stat().st_ino
    await photos.put(NAME, BODY)
    assert await photos.get(NAME) == BODY
    assert path.stat().st_ino != rotted, "renamed into its place: a reader meets the old file or the new, never a half"
    mended = path.stat().st_ino
    await photos.put(NAME, BODY)
    assert path.stat().st_ino == mended, "a whole one is left alone"


@pytest.mark.parametrize("act", ["get", "put"])
async def test_a_photo_whose_sectors_cannot_be_read_is_damaged_and_not_a_store_that_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    photos = FilePhotos(tmp_path)
    await photos.put(NAME, BODY)

    def fail(_path: Path) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(Path, "read_bytes", fail)
        if act == "put":
            await photos.put(NAME, BODY)
        else:
            with pytest.raises(NotFoundError) as caught:
                await photos.get(NAME)
            assert caught.value.reference == "photo-damaged"
    assert await photos.get(NAME) == BODY


async def test_a_photo_for_which_the_disk_has_no_room_leaves_no_half_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = FilePhotos(tmp_path)

    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", full)
        with pytest.raises(DiskFullError):
            await photos.put(NAME, BODY)
    assert not await photos.has(NAME)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []  # noqa: ASYNC240 - one look


async def test_photos_are_fanned_out_over_folders(tmp_path: Path) -> None:
    photos = FilePhotos(tmp_path)
    await photos.put(NAME, BODY)
    assert photos.path_of(NAME).relative_to(tmp_path).parts == (NAME[:2], NAME[2:4], NAME)
    assert photos.path_of(NAME).exists()


async def test_what_a_crash_left_goes_at_a_later_start_and_what_is_being_written_stays(tmp_path: Path) -> None:
    incoming = tmp_path / ".incoming"
    incoming.mkdir()
    (incoming / "old").write_bytes(b"half")
    os.utime(incoming / "old", (time.time() - 7200,) * 2)
    (incoming / "new").write_bytes(b"half")
    FilePhotos(tmp_path)
    assert [path.name for path in incoming.iterdir()] == ["new"]


async def test_a_file_that_another_process_names_meanwhile_stops_no_start(tmp_path: Path) -> None:
    incoming = tmp_path / ".incoming"
    incoming.mkdir()
    (incoming / "going").symlink_to(tmp_path / "gone")  # listed, and not there when it is looked at
    await FilePhotos(tmp_path).put(NAME, BODY)


async def test_so_many_are_asked_for_at_once_and_one_more_is_refused(tmp_path: Path) -> None:
    photos = FilePhotos(tmp_path)
    names = [f"{n:064x}" for n in range(HASHES_ASKED_MAX + 1)]
    assert await photos.list_missing(names[:-1]) == set(names[:-1])
    for asked, reference in ((names, "too-many-photos"), (["../x"], "photo-name")):
        with pytest.raises(InputRefusedError) as caught:
            await photos.list_missing(asked)
        assert caught.value.reference == reference


async def test_a_photo_of_just_the_largest_size_is_kept(tmp_path: Path) -> None:
    body = bytes(PHOTO_BYTES_MAX)
    name = hashlib.sha256(body).hexdigest()
    photos = FilePhotos(tmp_path)
    await photos.put(name, body)
    assert await photos.get(name) == body


@pytest.mark.real("s3")
async def test_an_object_store_that_is_away_is_said_without_its_keys(
    s3_server: Any, s3_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret")
    photos = open_photos(s3_url)
    for act in (photos.put(NAME, BODY), photos.get(NAME), photos.has(NAME)):
        with pytest.raises(NeighbourUnreachableError) as caught:
            await act
        assert "very-secret" not in str(caught.value) and "127.0.0.1" not in str(caught.value)


@pytest.mark.real("s3")
async def test_a_bucket_that_is_not_there_is_an_unreachable_store(s3_server: Any, s3_url: str) -> None:
    photos = open_photos(s3_url.replace("s3://", "s3://no-such-"))
    with pytest.raises(NeighbourUnreachableError):
        await photos.put(NAME, BODY)


@pytest.mark.parametrize(
    "url", ["s3://", "s3://key:secret@bucket/", "s3://bucket/?secret=x", "ftp://host/", "", "C:/x"]
)
async def test_an_address_that_no_engine_knows_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(InputRefusedError) as caught:
        open_photos(url)
    assert caught.value.reference == "store-url" and "secret" not in str(caught.value)


async def test_every_other_store_refuses_unknown_engines_too(tmp_path: Path) -> None:
    records = open_records(f"sqlite:///{tmp_path}/r.sqlite")
    for open_it in (
        lambda: open_records("oracle://host/db"),
        lambda: open_records("sqlite://"),
        lambda: open_events("kafka://host", records, lambda: 0),
        lambda: open_secrets("vault://host"),
    ):
        with pytest.raises(InputRefusedError) as caught:
            open_it()
        assert caught.value.reference == "store-url"
    await records.close()
