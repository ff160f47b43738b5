"""What the console is answered is what the OpenAPI document says, by its stand-in and by a real cloud alike.

Every address of the document that answers JSON to a person is asked once. Checked more strictly than the document itself
says: no field that it does not know, and all that it knows (answers carry every field; the console counts on it), but for
structs that leave out what is at its default (reads, entries, facts: what devices send too).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import msgspec
import pytest

import guardian.serve.app  # noqa: F401 - every struct that is answered exists once this is imported
from tests.houses import DECIDED, House

pytestmark = pytest.mark.real("node")

DOCUMENT = json.loads((Path(__file__).parents[2] / "console" / "openapi.json").read_text(encoding="utf-8"))
REASON = {"purpose": "偵辦刑案", "case_number": "中山分局 115-0832 案"}
LIST_FILE = "車號,類別,案號\nBOO-2718,失竊,甲\nAVK-7713,失竊,乙\n".encode("big5")

NOT_ASKED = {
    "GET /api": "the document's own page",
    "GET /api/{path}": "the document's own pages",
    "GET /api/openapi.json": "the document",
    "GET /api/live/events": "a stream: tests/unit/test_live_feed.py",
    "GET /api/photos/{sha256}": "a picture",
    "GET /basemap/{name}": "a map file",
    "GET /api/health": "no screen asks for it",
    "GET /api/audit/export.csv": "a table",
    "GET /api/hits.csv": "a table",
    "GET /api/imports/{import_id}/refused.csv": "a table",
    "GET /api/lists/{list_id}/export.csv": "a table",
    "GET /api/searches/{search_id}/export.csv": "a table",
    "DELETE /api/session": "nothing is answered",
}

Asked = tuple[str, httpx.Response]


def walk(house: House) -> Iterator[Asked]:
    """Every question of the console, in an order in which each has an answer."""
    operator, auditor = house.client("operator"), house.client("auditor")

    def ask(method: str, template: str, *, by: httpx.Client = operator, body: Any = None, **names: str) -> Asked:
        more = {} if body is None else {"json": body}
        return f"{method} {template.split('?')[0]}", by.request(method, template.format(**names), **more)

    link = house.link_for("detective").split("#token=")[1]
    with httpx.Client(base_url=operator.base_url, headers={"origin": str(operator.base_url)}) as new:
        yield ask("POST", "/api/session", by=new, body={"token": link})
    yield ask("GET", "/api/session")
    yield ask("POST", "/api/links", body={"name": "黃俊傑", "role": "detective", "agency": "偵查隊"})
    yield ask("GET", "/api/live")
    yield ask("GET", "/api/hits")
    hit = house.hit_id("MXB8063")
    yield ask("GET", "/api/hits/{hit_id}", hit_id=hit)
    yield ask("POST", "/api/hits/{hit_id}/claim", hit_id=hit, body={"take_over": True})
    yield (asked := ask("POST", "/api/hits/{hit_id}/keep", hit_id=hit))
    for deed, body in (("verdict", {"verdict": "confirmed"}), ("outcome", {"outcome": "stopped"}), ("undo", {})):
        seen = asked[1].json()["card"]["facts"]
        yield (asked := ask("POST", f"/api/hits/{{hit_id}}/{deed}", hit_id=hit, body={**body, "seen_fact": seen}))
    while asked[1].json()["card"]["state"] in DECIDED:
        seen = asked[1].json()["card"]["facts"]
        yield (asked := ask("POST", "/api/hits/{hit_id}/undo", hit_id=hit, body={"seen_fact": seen}))
    yield ask("POST", "/api/hits/{hit_id}/release", hit_id=hit)

    yield (asked := ask("POST", "/api/searches", body={**REASON, "plate": "B?D-01*"}))
    found = asked[1].json()
    search = found["search_id"]
    yield ask("POST", "/api/searches/{search_id}/pages", search_id=search, body={"cursor": ""})
    yield ask("POST", "/api/searches/{search_id}/open", search_id=search, body=REASON)
    yield ask("POST", "/api/reads/{read_id}", read_id=found["rows"][0]["id"], body=REASON)

    yield (asked := ask("GET", "/api/lists"))
    version = asked[1].json()["version"]
    yield ask("GET", "/api/lists/{list_id}/entries", list_id="stolen")
    yield ask("POST", "/api/lists/{list_id}/find", list_id="stolen", body={"find": "BFR"})
    yield ask("POST", "/api/plates/inspect", body={"plate": "avk7713"})
    draft = {"plate": "AVK-7713", "category": "stolen", "reason": "失竊", "case_number": "甲"}
    yield (
        asked := ask(
            "POST", "/api/lists/{list_id}/changes", list_id="stolen", body={"base_version": version, "put": [draft]}
        )
    )
    yield ask("POST", "/api/lists/undo", body={"version": asked[1].json()["version"]})
    plan = operator.post(
        "/api/lists/stolen/imports", files={"file": ("a.csv", LIST_FILE, "text/csv")}, data={"mode": "add"}
    )
    yield "POST /api/lists/{list_id}/imports", plan
    name = plan.json()["id"]
    yield ask("GET", "/api/imports/{import_id}", import_id=name)
    yield ask("POST", "/api/imports/{import_id}/apply", import_id=name, body={"confirm_removal": None})
    yield ask("POST", "/api/imports/{import_id}/undo", import_id=name)
    yield (asked := ask("POST", "/api/lists", body={"name": f"試辦 {version}", "source": "大安分局"}))
    made = asked[1].json()["list_id"]
    yield ask("POST", "/api/lists/{list_id}/name", list_id=made, body={"name": f"試辦甲 {version}", "source": ""})
    yield ask("POST", "/api/lists/{list_id}/close", list_id=made, body={"confirm_entries": 0})
    yield ask("POST", "/api/lists/{list_id}/reopen", list_id=made)
    yield ask("POST", "/api/lists/{list_id}/close", list_id=made, body={"confirm_entries": 0})

    yield ask("GET", "/api/devices")
    yield ask("POST", "/api/devices/codes", body={"unit": "大安 9 號", "kind": "car"})
    spare = house.spare_device()
    yield ask("POST", "/api/devices/{device_id}/revoke", device_id=spare, body={"device_id": spare, "reason": "遺失"})
    yield ask("GET", "/api/quarantine")
    yield (asked := ask("GET", f"/api/quarantine/items?reason={house.quarantine_reason}"))
    items = asked[1].json()["items"]
    yield ask("POST", "/api/quarantine/replay", body={"ids": [items[0]["id"]], "note": "校時後"})
    yield ask("POST", "/api/quarantine/reject", body={"ids": [house.spare_item()], "note": "時鐘未校"})
    yield ask("GET", "/api/audit", by=auditor)
    yield ask("POST", "/api/audit/verify", by=auditor)


def structs() -> dict[str, type[msgspec.Struct]]:
    """Every struct of the house by its name."""
    found: dict[str, type[msgspec.Struct]] = {}
    waiting = list(msgspec.Struct.__subclasses__())
    while waiting:
        one = waiting.pop()
        found[one.__name__] = one
        waiting += one.__subclasses__()
    return found


def strict_schemas() -> dict[str, Any]:
    """The document's schemas, closed, and with every field that an answer carries required."""
    known = structs()
    schemas = json.loads(json.dumps(DOCUMENT["components"]["schemas"]))
    for name, schema in schemas.items():
        if schema.get("type") == "object" and "properties" in schema:
            schema["additionalProperties"] = False
            if name in known and not known[name].__struct_config__.omit_defaults:
                schema["required"] = sorted(schema["properties"])
    return schemas


def judge_of(template: str) -> tuple[str, Callable[[Any], list[str]]]:
    """The status of success, and what is wrong with an answer."""
    method, path = template.split(" ")
    told = DOCUMENT["paths"][path][method.lower()]["responses"]
    status = next(code for code in told if code.startswith("2"))
    schema = {**told[status]["content"]["application/json"]["schema"], "components": {"schemas": strict_schemas()}}
    validator = jsonschema_rs.Draft202012Validator(schema)
    return status, lambda answer: [
        f"{'/'.join(map(str, e.instance_path))}: {e.message[:200]}" for e in validator.iter_errors(answer)
    ]


def test_every_answer_is_what_the_document_says(house: House) -> None:
    wrong: list[str] = []
    asked: set[str] = set()
    for template, answer in walk(house):
        status, judge = judge_of(template)
        asked.add(template)
        if str(answer.status_code) != status:
            wrong.append(f"{template}: {answer.status_code} instead of {status} {answer.text[:200]}")
        if answer.is_success:
            wrong += [f"{template} {fault}" for fault in judge(answer.json())[:5]]
    assert not wrong, "\n".join(wrong)
    every = {f"{m.upper()} {path}" for path, told in DOCUMENT["paths"].items() for m in told if path.startswith("/api")}
    assert every - asked - NOT_ASKED.keys() == set(), "an address that nobody asked"


def test_a_refusal_has_one_shape(house: House) -> None:
    operator = house.client("operator")
    for answer in (
        operator.get("/api/hits/no-such-hit"),
        operator.post("/api/searches", json={**REASON, "plate": "*"}),
        operator.post("/api/searches", json={"purpose": "", "case_number": "", "plate": "ABC-1235"}),
        httpx.get(operator.base_url.join("/api/live")),
    ):
        assert not answer.is_success
        assert answer.json().keys() == {"reference", "sentence", "hint", "status"}, answer.text
        assert answer.json()["status"] == answer.status_code
