"""Every route of the OpenAPI document, and every other one, is knocked at by those who may not: none goes round the seam.

`walk` takes any application behind the seam, so that a new room's routes are walked without a new test.
"""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from httpx import ASGITransport, AsyncClient, Response
from litestar import Litestar

from guardian.access.policy import POLICY, Keeping, decide
from guardian.access.seam import COOKIE, Access, unguarded_routes
from guardian.domain.subject import Role, Subject
from guardian.stores import StoreSettings
from tests.unit.access_app import ORIGIN, SignedDevice
from tests.unit.fleet_house import fleet_house

pytestmark = pytest.mark.anyio

SEAM = {"not-signed-in", "not-allowed", "device-revoked", "signature-missing", "device-unknown", "unguarded-route"}
NOT_ALLOWED_TWICE = frozenset({"session.close", "live.watch", "device.list"})
PEOPLE = (Role.OPERATOR, Role.DETECTIVE, Role.AUDITOR)


class Knocked(NamedTuple):
    """A route as it is knocked at."""

    method: str
    path: str
    action: str


def routes_of(app: Litestar) -> list[Knocked]:
    """Every route with its action, path parameters filled in."""
    found = []
    for route in app.routes:
        for handler in getattr(route, "route_handlers", None) or [route.route_handler]:  # type: ignore[union-attr]
            for method in sorted(str(method) for method in getattr(handler, "http_methods", {"GET"})):
                if method != "OPTIONS":
                    path = re.sub(r"\{(\w+):(\w+)\}", lambda found: "1" if found[2] == "int" else "x1", route.path)
                    found.append(Knocked(method, path, handler.opt.get("action", "")))
    return found


async def _knock(client: AsyncClient, route: Knocked, headers: dict[str, str]) -> Response:
    body = b"" if route.method in ("GET", "HEAD") else b"{}"
    kind = {} if route.method in ("GET", "HEAD") else {"content-type": "application/json"}
    return await client.request(route.method, route.path, content=body, headers={"origin": ORIGIN} | kind | headers)


async def walk(app: Litestar, access: Access, *, skip_allowed: frozenset[str] = NOT_ALLOWED_TWICE) -> int:
    """Knock at every route as everybody; gives how many refusals were seen and found on record.

    Args:
        skip_allowed: actions whose allowed answer does not end (a live stream), or ends the walker's session; their
            refusals are knocked all the same.
    """
    assert unguarded_routes(app) == []
    routes = routes_of(app)
    revoked, device = SignedDevice("car-revoked"), SignedDevice("car-good")
    for one in (revoked, device):
        await access.device_keys.enrol(one.id, one.public_key)
    await access.device_keys.revoke(revoked.id, "test", Subject("p-1", Role.OPERATOR, "林佳穎"))
    cookies = {}
    for role in PEOPLE:
        link = await access.sessions.make_link(f"人員 {role}", role, made_by="test")
        cookies[role] = {"cookie": f"{COOKIE}={(await access.sessions.open(link.token))[0]}"}
    refused: list[tuple[str, str]] = []
    async with AsyncClient(transport=ASGITransport(app), base_url=ORIGIN) as client:
        for route in routes:
            body = b"" if route.method in ("GET", "HEAD") else b"{}"
            roles = POLICY[route.action].roles
            callers: list[tuple[str, Role, dict[str, str]]] = [("anonymous", Role.NOBODY, {})]
            callers += [(f"a {role}", role, cookies[role]) for role in PEOPLE]
            callers += [("a device", Role.DEVICE, device.headers(route.method, route.path, body))]
            for name, role, headers in callers:
                who = f"{name} at {route.method} {route.path}"
                if role in roles:
                    if route.action not in skip_allowed:
                        answer = await _knock(client, route, headers)
                        assert _reference(answer) not in SEAM, f"{who} may, and was refused: {answer.text}"
                    continue
                answer = await _knock(client, route, headers)
                assert answer.status_code == (401 if role is Role.NOBODY else 403), f"{who}: {answer.status_code}"
                assert _reference(answer) in SEAM, who
                refused.append((route.action, _reason(route.action, role)))
            answer = await _knock(client, route, revoked.headers(route.method, route.path, body))
            assert (answer.status_code, _reference(answer)) == (401, "device-revoked"), route
            refused.append((route.action, "device-revoked"))
            answer = await _knock(client, route, {"cookie": f"{COOKIE}=made-up"})
            if Role.NOBODY not in roles:
                assert answer.status_code == 401, route
                refused.append((route.action, "not-signed-in"))
            rebound = await _knock(client, route, cookies[Role.OPERATOR] | {"host": "evil.example"})
            assert (rebound.status_code, _reference(rebound)) == (403, "host-unknown"), route
            refused.append((route.action, "host-unknown"))
    await access.flush()
    kept = [
        (row.action, row.reasons[0]) async for row in access.audit.rows() if row.verdict == "refused" and row.reasons
    ]
    for one in set(refused):
        assert kept.count(one) >= min(refused.count(one), 60), f"{one} was refused {refused.count(one)} times"
    assert (await access.audit.verify()).problem == ""
    return len(refused)


def _reference(answer: Response) -> str:
    if "json" not in answer.headers.get("content-type", ""):
        return ""
    body = answer.json()
    return str(body.get("reference", "")) if isinstance(body, dict) else ""


def _reason(action: str, role: Role) -> str:
    return decide(Subject("x", role, "x"), action).reasons[0]


@pytest.fixture
async def cloud(tmp_path: Path) -> AsyncIterator[Any]:
    from guardian.serve.wiring import open_cloud

    def now_ms() -> int:
        return time.time_ns() // 1_000_000

    opened = await open_cloud(StoreSettings(data=str(tmp_path / "data")), now_ms, archive_url="memory:")
    try:
        yield opened
    finally:
        await opened.close()


async def test_no_route_of_fleet_and_access_goes_round_the_seam(tmp_path: Path) -> None:
    async with fleet_house(tmp_path) as it:
        assert await walk(it.app, it.access) > 60


async def test_no_route_of_the_cloud_goes_round_the_seam(cloud: Any, tmp_path: Path) -> None:
    from guardian.serve.app import build_app

    app = build_app(cloud, console=tmp_path, basemap=tmp_path)
    refusals = await walk(app, cloud.access)
    assert refusals > 200


async def test_the_openapi_document_names_every_route(cloud: Any, tmp_path: Path) -> None:
    from guardian.serve.app import build_app

    app = build_app(cloud, console=tmp_path, basemap=tmp_path)
    documented = {
        (method.upper(), re.sub(r"\{\w+\}", "{}", path))
        for path, item in app.openapi_schema.to_schema()["paths"].items()
        for method in item
    }
    routed = {
        (method, re.sub(r"\{\w+(:\w+)?\}", "{}", route.path))
        for route in app.routes
        for handler in getattr(route, "route_handlers", [])
        for method in handler.http_methods
        if method != "OPTIONS" and handler.include_in_schema is not False
    }
    assert documented == routed
    assert {f"{method} {path}" for method, path in routed} >= {"POST /api/searches", "POST /device/v1/batches"}


def test_every_look_up_of_the_policy_is_kept_as_one() -> None:
    assert {action for action, rule in POLICY.items() if rule.keeping is Keeping.LOOKUP} == {
        "reads.search", "reads.view", "reads.export",
    }  # fmt: skip
