"""What every engine of photos keeps to."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator

import pytest

from guardian.domain.errors import InputRefusedError, NotFoundError
from guardian.domain.wire import PHOTO_BYTES_MAX
from guardian.stores import Photos, open_photos

pytestmark = pytest.mark.anyio


def name_of(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


@pytest.fixture
async def photos(photos_url: str) -> AsyncIterator[Photos]:
    opened = open_photos(photos_url)
    yield opened
    await opened.close()


async def test_a_photo_is_found_by_its_hash(photos: Photos) -> None:
    body = os.urandom(200_000)
    assert not await photos.has(name_of(body))
    await photos.put(name_of(body), body)
    assert await photos.has(name_of(body))
    assert await photos.get(name_of(body)) == body


async def test_a_photo_put_twice_is_one(photos: Photos) -> None:
    for _ in range(2):
        await photos.put(name_of(b"twice"), b"twice")
    assert await photos.get(name_of(b"twice")) == b"twice"


async def test_an_empty_photo_is_kept_as_it_is(photos: Photos) -> None:
    await photos.put(name_of(b""), b"")
    assert await photos.get(name_of(b"")) == b""


@pytest.mark.parametrize(
    ("name", "body", "reference"),
    [
        (name_of(b"this"), b"that", "photo-hash-wrong"),
        (name_of(b"big"), bytes(PHOTO_BYTES_MAX + 1), "photo-too-large"),
        ("../../etc/passwd", b"", "photo-name"),
        (name_of(b"x").upper(), b"x", "photo-name"),
    ],
)
async def test_what_is_not_what_its_name_says_is_refused(
    photos: Photos, name: str, body: bytes, reference: str
) -> None:
    with pytest.raises(InputRefusedError) as caught:
        await photos.put(name, body)
    assert caught.value.reference == reference
    if reference != "photo-name":
        assert not await photos.has(name)


async def test_an_absent_photo_is_not_found(photos: Photos) -> None:
    with pytest.raises(NotFoundError) as caught:
        await photos.get("0" * 64)
    assert caught.value.reference == "photo-not-found"


async def test_missing_ones_are_named(photos: Photos) -> None:
    await photos.put(name_of(b"here"), b"here")
    asked = [name_of(b"here"), name_of(b"away"), name_of(b"gone")]
    assert await photos.list_missing(asked) == set(asked[1:])
    assert await photos.list_missing([]) == set()


async def test_a_deleted_photo_is_gone_and_deleting_again_is_harmless(photos: Photos) -> None:
    await photos.put(name_of(b"old"), b"old")
    await photos.delete(name_of(b"old"))
    await photos.delete(name_of(b"old"))
    assert not await photos.has(name_of(b"old"))
