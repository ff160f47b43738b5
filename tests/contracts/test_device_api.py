"""What a device is answered is what the OpenAPI document says: in MessagePack, and in JSON for who asks in JSON."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from guardian.domain.read import Alternative, Read
from guardian.domain.wire import Heartbeat
from tests.houses import CloudHouse
from tests.night import Reporter, at, now_ms

DOCUMENT = json.loads((Path(__file__).parents[2] / "console" / "openapi.json").read_text(encoding="utf-8"))
MSGPACK = "application/msgpack"


def faults(method: str, path: str, answer: httpx.Response) -> list[str]:
    """What the document says otherwise."""
    told = DOCUMENT["paths"][path][method]["responses"][str(answer.status_code)]
    schema = {**told["content"][MSGPACK]["schema"], "components": DOCUMENT["components"]}
    said = (
        msgspec.json.decode(answer.content)
        if "json" in answer.headers["content-type"]
        else msgspec.msgpack.decode(answer.content)
    )
    return [
        f"{path} {fault.message}" for fault in jsonschema_rs.Draft202012Validator(schema).iter_errors(as_json(said))
    ]


def as_json(value: Any) -> Any:
    """MessagePack's bytes as JSON has them."""
    return msgspec.json.decode(msgspec.json.encode(value))


def test_a_devices_answers_fit_the_document(real_house: CloudHouse) -> None:
    operator = real_house.client("operator")
    code = operator.post("/api/devices/codes", json={"unit": "大安 8 號", "kind": "car"}).json()["code"]
    key = base64.b64encode(Ed25519PrivateKey.generate().public_key().public_bytes_raw()).decode()
    asked = {"code": code, "public_key": key, "name": "測試車", "kind": "car"}
    enrolled = httpx.post(f"{real_house.cloud.address}/device/v1/enrol", json=asked, timeout=60)
    assert faults("post", "/device/v1/enrol", enrolled) == []

    reporter = Reporter(real_house.cloud.enrol("大安 8 號", operator=operator), "car")
    car = reporter.car
    good = reporter.read("KLD207", now_ms(), place=at(0, 0))
    bad = msgspec.structs.replace(reporter.read("KLD207", now_ms(), place=at(0, 0)), captured_ms=0)
    batch = car.post_batch([good, bad])
    assert msgspec.msgpack.decode(batch.content)["exceptions"], "one is set apart, and said so"
    assert faults("post", "/device/v1/batches", batch) == []
    beat = car.request("POST", "/device/v1/heartbeat", msgspec.msgpack.encode(Heartbeat(car.device_id, now_ms())))
    assert faults("post", "/device/v1/heartbeat", beat) == []
    whole = car.request("GET", "/device/v1/watchlist?have=0")
    assert whole.status_code == 200
    assert faults("get", "/device/v1/watchlist", whole) == []
    newest = operator.get("/api/lists").json()["version"]
    nothing = car.request("GET", f"/device/v1/watchlist?have={newest}")
    assert nothing.status_code == 204
    assert "content" not in DOCUMENT["paths"]["/device/v1/watchlist"]["get"]["responses"]["204"]


def test_an_alternative_is_an_array_in_the_document_as_on_the_wire() -> None:
    schema = {"$ref": "#/components/schemas/Read", "components": DOCUMENT["components"]}
    judge = jsonschema_rs.Draft202012Validator(schema)
    read = Read(
        device_id="car-1", boot=1, sequence=1, captured_ms=1, text="A", raw_text="A", char_probs=(0.5,), confidence_prob=0.5,
        alternatives=((Alternative("B", 0.4),),),
    )  # fmt: skip
    said = as_json(read)
    assert said["alternatives"] == [[["B", 0.4]]]
    assert judge.is_valid(said)
    for wrong in ([{"sign": "B", "prob": 0.4}], [["B"]], [["B", 0.4, 1]], [[0.4, "B"]]):
        assert not judge.is_valid({**said, "alternatives": [wrong]})


@pytest.mark.parametrize("path", sorted(path for path in DOCUMENT["paths"] if path.startswith("/device/")))
def test_no_answer_of_a_device_is_left_undescribed(path: str) -> None:
    for method, told in DOCUMENT["paths"][path].items():
        for status, answer in told["responses"].items():
            if status.startswith("2"):
                schemas = [kind["schema"] for kind in answer.get("content", {}).values()]
                assert all("$ref" in schema for schema in schemas), f"{method} {path} {status}"
