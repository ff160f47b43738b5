"""The pure rules of access: the policy table, the chain, where requests come from, what stands out, what is counted."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardian.access.chain import GENESIS, ChainCheck, Entry, Line, link
from guardian.access.model import Verdict
from guardian.access.origin import LOOPBACK_NAMES, SECURITY_HEADERS, host_is_ours, is_same_origin
from guardian.access.policy import POLICY, actions_of, decide
from guardian.access.standouts import QUESTIONS_PER_HOUR, WINDOW_MS, Asked, standouts
from guardian.access.tally import REFUSALS_PER_MINUTE, Tally
from guardian.domain.subject import Role, Subject

API = Path(__file__).resolve().parents[2] / "docs" / "api.md"
WORDS = {
    "anybody with a token": set(Role),
    "anybody": set(Role),
    "all signed in": {Role.OPERATOR, Role.DETECTIVE, Role.AUDITOR},
    "anybody signed in": {Role.OPERATOR, Role.DETECTIVE, Role.AUDITOR},
    "a one-time code": {Role.NOBODY},
    "device": {Role.DEVICE},
}


def _documented() -> dict[str, set[Role]]:
    found: dict[str, set[Role]] = {}
    for line in API.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)]
        if len(cells) == 6 and re.match(r"(GET|POST|PUT|DELETE) ", cells[1]):
            said = cells[4]
            roles = WORDS.get(said) or {Role(role.strip()) for role in said.split(",")}
            found.setdefault(cells[2].split()[0], set()).update(roles)
    return found


def test_the_policy_is_the_table_of_the_documentation() -> None:
    documented = _documented()
    assert len(documented) > 20
    assert {action: set(rule.roles) for action, rule in POLICY.items() if action != "openapi.view"} == documented


@given(st.sampled_from(list(Role)), st.one_of(st.sampled_from(list(POLICY)), st.text(max_size=20)))
def test_a_decision_allows_exactly_what_the_table_says_and_carries_a_reason(role: Role, action: str) -> None:
    decision = decide(Subject("x", role, "x"), action)
    assert decision.reasons
    assert decision.allowed == (action in POLICY and role in POLICY[action].roles)
    assert decision.allowed == (action in actions_of(role))


def test_operator_detective_and_auditor_differ() -> None:
    operator, detective, auditor = (set(actions_of(role)) for role in (Role.OPERATOR, Role.DETECTIVE, Role.AUDITOR))
    assert "hits.check" in operator and "hits.check" not in detective
    assert "reads.search" in detective and "reads.search" not in auditor
    assert "audit.view" in auditor and "audit.view" not in operator | detective
    assert decide(Subject("x", Role.AUDITOR, "x"), "hits.check").verdict is Verdict.REFUSED


entries = st.lists(
    st.builds(
        Entry,
        at_ms=st.integers(0, 2**53),
        kind=st.sampled_from(["decision", "deed", "lookup", "delivered", "counted"]),
        subject_id=st.text(max_size=5),
        action=st.text(max_size=5),
        case_number=st.text(max_size=5),
        elements=st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=3),
        count=st.none() | st.integers(0, 1000),
    ),
    min_size=1,
    max_size=8,
)


def _chain(said: list[Entry]) -> list[Line]:
    lines, head = [], GENESIS
    for number, entry in enumerate(said, 1):
        lines.append(link(entry, number, head))
        head = lines[-1].hash
    return lines


def _problem(lines: list[Line]) -> str:
    check = ChainCheck()
    check.take(lines)
    return check.problem


@given(entries, st.data())
@settings(deadline=None)
def test_any_one_flipped_bit_is_found_at_its_line(said: list[Entry], data: st.DataObject) -> None:
    lines = _chain(said)
    assert _problem(lines) == ""
    at = data.draw(st.integers(0, len(lines) - 1))
    name = data.draw(st.sampled_from(["body", "hash"]))
    old = getattr(lines[at], name)
    bit = data.draw(st.integers(0, len(old) * 8 - 1))
    new = bytearray(old)
    new[bit // 8] ^= 1 << bit % 8
    lines[at] = lines[at]._replace(**{name: bytes(new)})
    assert f"第 {at + 1} 列" in _problem(lines)


@given(entries, st.data())
@settings(deadline=None)
def test_a_line_taken_out_put_in_or_moved_is_found(said: list[Entry], data: st.DataObject) -> None:
    lines = _chain(said)
    at = data.draw(st.integers(0, len(lines) - 1))
    without = lines[:at] + lines[at + 1 :]
    if at < len(lines) - 1:
        assert f"第 {at + 1} 列" in _problem(without)
        moved = [line._replace(number=number) for number, line in enumerate([*without, lines[at]], 1)]
        assert (_problem(moved) != "") or moved == lines
    doubled = [line._replace(number=number) for number, line in enumerate([*lines[: at + 1], *lines[at:]], 1)]
    assert _problem(doubled) != ""


@given(entries)
@settings(deadline=None)
def test_a_line_written_anew_with_a_hash_that_fits_it_breaks_the_line_after(said: list[Entry]) -> None:
    lines = _chain([*said, Entry(at_ms=1, kind="deed")])
    forged = msgspec.structs.replace(said[-1], purpose="forged")
    before = lines[-3].hash if len(lines) > 2 else GENESIS
    lines[-2] = link(forged, len(lines) - 1, before)
    assert f"第 {len(lines)} 列" in _problem(lines)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8400", "LOCALHOST:1", "[::1]:8400", "localhost."])
def test_loopback_names_are_ours(host: str) -> None:
    assert host_is_ours(host, LOOPBACK_NAMES)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost@evil",
        "localhost:8400:1",
        "127.0.0.2",
        "a b",
        "localhost/..",
    ],
)
def test_other_names_are_not(host: str) -> None:
    assert not host_is_ours(host, LOOPBACK_NAMES)


@pytest.mark.parametrize(
    ("method", "headers", "ours"),
    [
        ("GET", {}, True),
        ("POST", {}, False),
        ("POST", {"origin": "http://127.0.0.1:8400"}, True),
        ("POST", {"origin": "http://127.0.0.1:8401"}, False),
        ("POST", {"origin": "null"}, False),
        ("POST", {"origin": "https://evil.example"}, False),
        ("POST", {"origin": "http://127.0.0.1:8400.evil.example"}, False),
        ("DELETE", {"sec-fetch-site": "same-origin"}, True),
        ("POST", {"sec-fetch-site": "same-site", "origin": "http://127.0.0.1:8400"}, False),
        ("POST", {"sec-fetch-site": "cross-site", "origin": "http://127.0.0.1:8400"}, False),
        ("POST", {"sec-fetch-site": "none"}, False),
    ],
)
def test_what_changes_something_comes_from_our_own_pages(method: str, headers: dict[str, str], ours: bool) -> None:
    assert is_same_origin(method, "127.0.0.1:8400", headers) is ours


def test_the_browser_is_told_to_load_nothing_from_elsewhere() -> None:
    rules = dict(part.strip().split(" ", 1) for part in SECURITY_HEADERS["content-security-policy"].split(";"))
    assert rules["default-src"] == "'self'" and rules["frame-ancestors"] == "'none'"
    assert "blob:" in rules["worker-src"] and rules["script-src"] == "'self'"
    assert not any("http" in value or "*" in value for value in rules.values())
    assert SECURITY_HEADERS["referrer-policy"] == "no-referrer" and SECURITY_HEADERS["x-frame-options"] == "DENY"


def _asked(count: int, *, every_ms: int, case: str = "115-0832", who: str = "p-1", same: bool = False) -> list[Asked]:
    return [Asked(who, who, case, 1_795_600_000_000 + i * every_ms, "0" if same else str(i)) for i in range(count)]


def test_what_stands_out_is_many_questions_under_one_case_in_any_hour() -> None:
    assert standouts([]) == ()
    assert standouts(_asked(QUESTIONS_PER_HOUR - 1, every_ms=1000)) == ()
    assert len(standouts(_asked(QUESTIONS_PER_HOUR, every_ms=1000))) == 1
    assert standouts(_asked(500, every_ms=1000, same=True)) == (), "one question again and again is one question"
    assert standouts(_asked(500, every_ms=WINDOW_MS // QUESTIONS_PER_HOUR * 2)) == (), "spread over days"
    many = [one for case in range(30) for one in _asked(2, every_ms=1000, case=f"115-{case:04}")]
    assert standouts(many) == ()
    both = standouts(_asked(40, every_ms=1000, who="p-1") + _asked(60, every_ms=1000, who="p-2"))
    assert [sentence[:3] for sentence in both] == ["p-2", "p-1"]


def test_a_flood_of_refusals_is_lines_first_and_then_a_count() -> None:
    tally, nobody = Tally(), Subject("", Role.NOBODY, "")
    lines = sum(tally.line_due(nobody, "hits.view", 1000) for _ in range(500))
    assert lines == REFUSALS_PER_MINUTE
    (entry,) = tally.take(2000)
    assert (entry.kind, entry.verdict, entry.count) == ("counted", "refused", 500 - REFUSALS_PER_MINUTE)
    assert tally.take(2000) == []
    assert tally.line_due(nobody, "hits.view", 61_000), "the next minute has lines again"


def test_an_entry_of_today_is_read_by_its_bytes_tomorrow() -> None:
    body = link(Entry(at_ms=1, kind="lookup", elements={"b": "2", "a": "1"}), 1, GENESIS).body
    assert body == bytes.fromhex("83a561745f6d7301a46b696e64a66c6f6f6b7570a8656c656d656e747382a161a131a162a132")
    assert msgspec.msgpack.decode(body, type=Entry).verdict == "allowed"
