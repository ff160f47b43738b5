"""The console's live stream over real HTTP, cut and taken up again: what was missed comes once and in order, or a gap is said."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import msgspec

from tests.house import RunningCloud
from tests.stories import a_read


def events(answer: httpx.Response) -> Iterator[tuple[str, str, dict]]:  # type: ignore[type-arg]
    """(id, kind, body) of each server-sent event; ends with the stream."""
    fields: dict[str, str] = {}
    for line in answer.iter_lines():
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "event" in fields:
            yield fields["id"], fields["event"], msgspec.json.decode(fields["data"])
            fields = {}


def follow(operator: httpx.Client, after: str, *, reads_of: str, until: int) -> tuple[list[int], str]:
    """Sequences of a device's reads that come after the cursor, until the given one; and the cursor then."""
    seen: list[int] = []
    with operator.stream("GET", "/api/live/events", params={"after": after}, timeout=60) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        for cursor, kind, body in events(answer):
            assert kind != "gap"
            if kind == "read" and body["device_id"] == reads_of:
                seen.append(int(body["id"].rsplit(".", 1)[1]))
                if seen[-1] == until:
                    return seen, cursor
    raise AssertionError("the stream ended")


def test_a_stream_that_was_cut_goes_on_where_it_stood(cloud: RunningCloud, operator: httpx.Client) -> None:
    car = cloud.enrol("直播 1 號", operator=operator)
    cursor = operator.get("/api/live").raise_for_status().json()["cursor"]
    car.send([a_read(car, n, f"VAA000{n}") for n in (1, 2, 3)])
    seen, cursor = follow(operator, cursor, reads_of=car.device_id, until=2)  # cut here: the third was not read
    assert seen == [1, 2]
    car.send([a_read(car, n, f"VAA000{n}") for n in (5, 6, 7)])
    car.send([a_read(car, n, f"VAA000{n}") for n in (8, 9)])
    seen, cursor = follow(operator, cursor, reads_of=car.device_id, until=9)
    assert seen == [3, 5, 6, 7, 8, 9], "what was missed: once, and in order"
    car.send([a_read(car, 10, "VAA0010")])
    seen, _ = follow(operator, cursor, reads_of=car.device_id, until=10)
    assert seen == [10]


def test_a_cursor_of_another_process_gives_a_gap_first(cloud: RunningCloud, operator: httpx.Client) -> None:
    for strange in ("deadbeef.7", "nonsense", operator.get("/api/live").json()["cursor"].split(".")[0] + ".999999999"):
        with operator.stream("GET", "/api/live/events", params={"after": strange}, timeout=60) as answer:
            _, kind, body = next(events(answer))
            assert (kind, body) == ("gap", {})
