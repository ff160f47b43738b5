"""G33: the signature was checked over text that had been parsed and written anew, so honest messages failed."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from guardian.domain.wire import BODY_BYTES_MAX
from tests.unit.access_app import SignedDevice, house

pytestmark = pytest.mark.anyio

BATCH = {"v": 1, "device_id": "car-1", "items": [{"text": "ABC1235", "note": "裏面有人", "probs": [0.99, 1e-7]}]}

SPELLINGS = {
    "plain": json.dumps(BATCH, ensure_ascii=False),
    "keys reversed": json.dumps(dict(reversed(BATCH.items()))),
    "spaces": json.dumps(BATCH, indent=4, separators=(" , ", " : ")),
    "10.0": '{"device_id":"car-1","items":[{"n":10.0}],"v":1}',
    "1e-7": '{"device_id":"car-1","items":[{"n":1e-7}],"v":1}',
    "0.00001": '{"device_id":"car-1","items":[{"n":0.00001}],"v":1}',
    "escaped": json.dumps(BATCH, ensure_ascii=True),
    "CRLF at the end": json.dumps(BATCH) + "\r\n",
    "no JSON at all": "\x00\x01 not json",
}


@pytest.mark.parametrize("name", SPELLINGS)
@pytest.mark.parametrize("packed", [False, True], ids=["as it is", "gzip"])
async def test_any_spelling_passes_and_one_changed_byte_is_a_wrong_signature(
    tmp_path: Path, name: str, packed: bool
) -> None:
    plain = SPELLINGS[name].encode()
    body = gzip.compress(plain) if packed else plain
    packing = {"content_encoding": "gzip"} if packed else {}
    async with house(tmp_path) as it:
        device = SignedDevice("car-1")
        await it.access.device_keys.enrol(device.id, device.public_key)
        sent = await device.send(it.client, body, **packing)
        assert sent.status_code == 201, sent.text
        assert sent.json() == {"device": "car-1", "bytes": len(plain)}, "the route gets the bytes that were meant"

        signed = device.headers("POST", "/device/v1/batches", body, **packing)
        changed = body[:-1] + bytes([body[-1] ^ 1])
        refused = await it.client.post("/device/v1/batches", content=changed, headers=signed)
        assert refused.status_code == 401
        assert refused.json()["reference"] == "signature-wrong"
        assert "signature" in refused.json()["sentence"] and "JSON" not in refused.text
        assert ("decision", "device.send", "refused", ("signature-wrong",)) in await it.trail()


@pytest.mark.parametrize(
    "changed",
    [
        {"content-type": "application/msgpack"},
        {"content-type": "application/json; charset=big5"},
        {"content-type": ""},
        {"content-encoding": "identity"},
    ],
    ids=str,
)
async def test_bytes_that_are_to_be_read_otherwise_than_signed_are_refused(
    tmp_path: Path, changed: dict[str, str]
) -> None:
    async with house(tmp_path) as it:
        device = SignedDevice("car-1")
        await it.access.device_keys.enrol(device.id, device.public_key)
        signed = device.headers("POST", "/device/v1/batches", b"{}")
        refused = await it.client.post("/device/v1/batches", content=b"{}", headers=signed | changed)
        assert refused.status_code == 401
        assert b"signature-wrong" in refused.content, "MessagePack or JSON, as the header asks"
        as_signed = await it.client.post("/device/v1/batches", content=b"{}", headers=signed)
        assert as_signed.status_code == 201, "the counter of a refused request is not spent"


async def test_a_signature_does_not_travel_to_another_path_query_method_or_device(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        device, other = SignedDevice("car-1"), SignedDevice("car-2")
        for one in (device, other):
            await it.access.device_keys.enrol(one.id, one.public_key)
        target = "/device/v1/watchlist?have=3"
        elsewhere = await it.client.get("/device/v1/watchlist?have=0", headers=device.headers("GET", target))
        assert elsewhere.json()["reference"] == "signature-wrong"
        method = await it.client.post("/device/v1/batches", headers=device.headers("GET", "/device/v1/batches"))
        assert method.json()["reference"] == "signature-wrong"
        lent = device.headers("GET", target) | {"guardian-device": other.id}
        assert (await it.client.get(target, headers=lent)).json()["reference"] == "signature-wrong"


async def test_a_bomb_is_refused_after_the_signature_and_unpacked_no_further_than_its_bound(tmp_path: Path) -> None:
    async with house(tmp_path) as it:
        device = SignedDevice("car-1")
        await it.access.device_keys.enrol(device.id, device.public_key)
        large = await device.send(it.client, bytes(BODY_BYTES_MAX + 1))
        assert (large.status_code, large.json()["reference"]) == (413, "body-too-large")
        bomb = gzip.compress(bytes(BODY_BYTES_MAX + 1))
        assert len(bomb) < 20_000
        refused = await device.send(it.client, bomb, content_encoding="gzip")
        assert (refused.status_code, refused.json()["reference"]) == (413, "body-too-large")
        cut = await device.send(it.client, gzip.compress(b"{}" * 100)[:-9], content_encoding="gzip")
        assert (cut.status_code, cut.json()["reference"]) == (400, "body-encoding")
        other = await device.send(it.client, b"{}", content_encoding="br")
        assert other.json()["reference"] == "body-encoding"
