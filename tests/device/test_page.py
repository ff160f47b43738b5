"""The alarm page's server: what it gives, to whom, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest

from guardian.device.alarm import AlarmDesk
from guardian.device.page import SCREENS_MAX, AlarmPage, CardPictures
from guardian.device.status import DeviceStatus
from guardian.domain.errors import NeighbourUnreachableError
from tests.device.cards import URGENT, card
from tests.device.rig import NOW_MS


@pytest.fixture
def served() -> Iterator[tuple[AlarmPage, AlarmDesk]]:
    desk = AlarmDesk(lambda: 0)
    pictures = CardPictures()
    pictures.keep("ab" * 32, b"\xff\xd8jpeg")
    page = AlarmPage(desk, pictures, lambda: DeviceStatus(at_ms=NOW_MS, device_id="car-1"))
    page.start()
    yield page, desk
    page.stop()


def base(page: AlarmPage) -> str:
    return page.address.removesuffix("/alarm")


def test_the_page_its_files_and_its_pictures_are_served(served: tuple[AlarmPage, AlarmDesk]) -> None:
    page, _ = served
    for path, kind in (
        ("/alarm", "text/html"),
        ("/alarm.css", "text/css"),
        ("/alarm.js", "text/javascript"),
        ("/plate.woff2", "font/woff2"),
        ("/picture/" + "ab" * 32, "image/jpeg"),
    ):
        answer = httpx.get(base(page) + path)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(kind)
        assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert httpx.get(base(page) + "/picture/" + "cd" * 32).status_code == 404
    assert httpx.get(base(page) + "/../identity.py").status_code == 404
    assert httpx.get(base(page) + "/", follow_redirects=False).headers["location"] == "/alarm"


def test_the_stream_tells_a_new_card_at_once(served: tuple[AlarmPage, AlarmDesk]) -> None:
    page, desk = served
    with httpx.stream("GET", base(page) + "/events", timeout=60) as stream:
        lines = stream.iter_lines()
        first = json.loads(next(line for line in lines if line.startswith("data: "))[6:])
        assert first["card"] is None
        desk.raise_card(card(URGENT))
        seen = json.loads(next(line for line in lines if line.startswith("data: "))[6:])
        assert seen["card"]["entry_display"] == "MXB-8063"
        assert seen["card"]["yes"] == "收到"
        assert seen["sound"]["tone"] == "urgent"
        assert seen["night"] in (True, False)


def test_a_press_answers_the_card_and_a_late_one_is_told_so(served: tuple[AlarmPage, AlarmDesk]) -> None:
    page, desk = served
    shown = card(URGENT)
    desk.raise_card(shown)
    press = {"card": shown.id, "answer": "received"}
    assert httpx.post(base(page) + "/answer", json=press).status_code == 200
    assert desk.view().card is None
    assert httpx.post(base(page) + "/answer", json=press).status_code == 409


def test_foreign_pages_and_foreign_names_get_nothing(served: tuple[AlarmPage, AlarmDesk]) -> None:
    page, desk = served
    shown = card(URGENT)
    desk.raise_card(shown)
    press = {"card": shown.id, "answer": "received"}
    foreign = {"Origin": "http://evil.example"}
    assert httpx.post(base(page) + "/answer", json=press, headers=foreign).status_code == 403
    assert httpx.get(base(page) + "/state", headers={"Host": "evil.example"}).status_code == 403
    assert httpx.post(base(page) + "/answer", content=b"x" * 2000).status_code in (400, 403)
    assert httpx.post(base(page) + "/answer", json={"card": shown.id, "answer": "shoot"}).status_code == 400
    assert desk.view().card is not None


def test_screens_are_bounded(served: tuple[AlarmPage, AlarmDesk]) -> None:
    page, _ = served
    for _ in range(SCREENS_MAX):
        page.screens.acquire(blocking=False)
    assert httpx.get(base(page) + "/events").status_code == 503


def test_a_taken_port_is_said_with_a_way_out(served: tuple[AlarmPage, AlarmDesk]) -> None:
    page, desk = served
    with pytest.raises(NeighbourUnreachableError) as taken:
        AlarmPage(desk, CardPictures(), page.status, port=page.port)
    assert taken.value.reference == "page-port-taken"
