"""A read as the stream and the result table show it."""

from __future__ import annotations

from collections.abc import Iterable

from guardian.archive.model import ArchivedRead
from guardian.archive.ports import Places
from guardian.archive.views import ReadRow
from guardian.domain.plate import Plate
from guardian.domain.read import Read


def read_row(
    read: Read,
    received_ms: int,
    *,
    places: Places | None = None,
    photo_ref: str = "live",
    lookalike: bool = False,
    time_doubtful: bool = False,
) -> ReadRow:
    """Make the row of a read.

    Args:
        photo_ref: what gives the viewer its pictures: `live`, `lookup:ID` or `hit:ID`.
        lookalike: it answers the question only as a look-alike.
    """
    position = read.position
    age_ms = None if position is None else max(0, read.captured_ms - position.fixed_ms)
    return ReadRow(
        id=read.id,
        text=read.text,
        display=Plate(read.text, read.dash_after).display,
        doubtful=read.doubtful,
        captured_ms=read.captured_ms,
        received_ms=received_ms,
        device_id=read.device_id,
        unit=read.unit,
        place="" if position is None or places is None else places.name(position.lat_deg, position.lon_deg),
        lat_deg=None if position is None else position.lat_deg,
        lon_deg=None if position is None else position.lon_deg,
        position_age_ms=age_ms,
        confidence_prob=read.confidence_prob,
        kind=read.look.kind,
        colour=read.look.colour,
        crop_url=_url(read.crop.sha256 if read.crop else "", photo_ref),
        overview_url=_url(read.overview.sha256 if read.overview else "", photo_ref),
        lookalike=lookalike,
        time_doubtful=time_doubtful,
    )


def row_of(
    held: ArchivedRead, *, places: Places | None = None, photo_ref: str = "live", lookalike: bool = False
) -> ReadRow:
    """The row of an archived read."""
    return read_row(
        held.read,
        held.received_ms,
        places=places,
        photo_ref=photo_ref,
        lookalike=lookalike,
        time_doubtful=held.time_doubtful,
    )


def photos_of(read: Read) -> tuple[str, ...]:
    """The pictures that belong to a read."""
    hashes = [photo.sha256 for photo in (read.crop, read.overview) if photo is not None]
    hashes += [vote.crop_sha256 for vote in read.votes if vote.crop_sha256]
    return tuple(hashes)


def photos_of_all(reads: Iterable[Read]) -> list[str]:
    """The pictures of many reads, a batch at the door: a third of the time of asking each."""
    hashes: list[str] = []
    for read in reads:
        if read.crop is not None:
            hashes.append(read.crop.sha256)
        if read.overview is not None:
            hashes.append(read.overview.sha256)
        if read.votes:
            hashes += [vote.crop_sha256 for vote in read.votes if vote.crop_sha256]
    return hashes


def _url(sha256: str, photo_ref: str) -> str:
    return f"/api/photos/{sha256}?ref={photo_ref}" if sha256 else ""
