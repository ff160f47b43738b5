"""The pure rules of access: the policy table, the chain, where requests come from, what stands out, what is counted."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardian.access.chain import GENESIS, ChainCheck, Entry, Line, hash_of, link
from guardian.access.model import Verdict
from guardian.access.origin import LOOPBACK_NAMES, SECURITY_HEADERS, host_is_ours, is_same_origin
from guardian.access.policy import POLICY, Keeping, actions_of, decide
from guardian.access.standouts import QUESTIONS_PER_HOUR, STANDOUTS_MAX, WINDOW_MS, Asked, standouts
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


def test_only_what_machines_and_open_pages_ask_for_by_themselves_is_counted_and_all_else_is_a_line() -> None:
    counted = {action for action, rule in POLICY.items() if rule.keeping is Keeping.COUNTED}
    assert counted == {
        "console.load", "health.view", "openapi.view", "basemap.view", "reader.use", "live.watch",  # pages and what they fetch
        "session.open", "session.view", "device.enrol",  # recorded by the room, under the name that comes out
        "hits.list", "photos.view", "lists.view", "devices.view", "quarantine.view",
        "device.send", "device.list",
    }  # fmt: skip
    assert {action for action, rule in POLICY.items() if rule.keeping is Keeping.LOOKUP} == {
        "reads.search", "reads.view", "reads.export",
    }  # fmt: skip


def test_a_refusal_says_whether_to_sign_in_or_to_ask_somebody_else() -> None:
    def reasons(role: Role, action: str) -> tuple[str, ...]:
        return decide(Subject("x", role, "x"), action).reasons

    assert reasons(Role.NOBODY, "hits.view") == ("not-signed-in",)
    assert reasons(Role.AUDITOR, "hits.view") == ("role-auditor-not-enough",)
    assert reasons(Role.OPERATOR, "hits.view") == ("role-operator-ok",)
    assert reasons(Role.OPERATOR, "no.such") == reasons(Role.NOBODY, "no.such") == ("action-unknown",)


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
    assert [one.who for one in both] == ["p-2", "p-1"]


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


def test_questions_count_within_any_hour_whenever_it_begins_and_by_person_and_case() -> None:
    at_ms = 1_795_600_000_000
    half = QUESTIONS_PER_HOUR // 2

    def asked(first_ms: int, count: int, *, case: str = "115-0832", who: str = "p-1", tag: str = "a") -> list[Asked]:
        return [Asked(who, "", case, first_ms + n, f"{tag}{n}") for n in range(count)]

    early, late = asked(at_ms, half), asked(at_ms + WINDOW_MS - half + 1, half, tag="b")
    (one,) = standouts([*late, *early])
    assert (one.who, one.case_number, one.questions) == ("p-1", "115-0832", QUESTIONS_PER_HOUR)
    assert standouts([*early, *asked(at_ms + WINDOW_MS + half, half, tag="b")]) == (), "an hour and a moment apart"
    assert standouts([*early, *asked(at_ms, half, who="p-2", tag="b")]) == (), "two people"
    assert standouts([*early, *asked(at_ms, half, case="115-0999", tag="b")]) == (), "two cases"
    edge = [Asked("p-1", "", "115-0832", at_ms + (WINDOW_MS if n else 0), str(n)) for n in range(QUESTIONS_PER_HOUR)]
    assert len(standouts(edge)) == 1, "an hour to the millisecond is one hour"


def test_the_most_striking_hour_is_told_with_its_end_and_so_many_sentences_at_most() -> None:
    at_ms = 1_795_600_000_000  # 2026-11-25, 17:46 in Taipei
    busy = [Asked("p-1", "王小明", "115-0832", at_ms + n * 1000, str(n)) for n in range(60)]
    later = [Asked("p-1", "王小明", "115-0832", at_ms + 5 * WINDOW_MS + n * 1000, str(n)) for n in range(60)]
    (one,) = standouts([*busy, *later])
    assert one.until_ms == at_ms + 59_000
    assert one.sentence == "王小明 以同一案號 115-0832 在一小時內查詢 60 個不同對象（至 2026-11-25 17:47）。", (
        "the first of two equal"
    )
    many = [
        one for who in range(STANDOUTS_MAX + 5) for one in _asked(QUESTIONS_PER_HOUR, every_ms=1000, who=f"p-{who}")
    ]
    assert len(standouts(many)) == STANDOUTS_MAX


def test_a_question_that_left_the_hour_and_was_asked_again_counts_once_each_hour() -> None:
    at_ms = 1_795_600_000_000
    again = [
        Asked("p-1", "", "115-0832", at_ms + turn * WINDOW_MS // 2 + n, str(n))
        for turn in range(6)
        for n in range(QUESTIONS_PER_HOUR - 1)
    ]
    assert standouts(again) == ()


def test_counts_are_kept_by_subject_action_and_verdict_with_their_first_and_last_time() -> None:
    tally = Tally()
    lin, chen = Subject("p-1", Role.OPERATOR, "林", "大安"), Subject("p-2", Role.DETECTIVE, "陳")
    for subject, action, verdict, at_ms in (
        (lin, "hits.list", "allowed", 5), (lin, "hits.list", "allowed", 7), (lin, "hits.list", "refused", 8),
        (lin, "live.watch", "allowed", 9), (chen, "hits.list", "allowed", 6),
    ):  # fmt: skip
        tally.count(subject, action, verdict, at_ms)
    said = [(e.subject_name, e.agency, e.action, e.verdict, e.count, e.elements) for e in tally.take(100)]
    assert said == [
        ("林", "大安", "hits.list", "allowed", 2, {"from_ms": "5", "to_ms": "7"}),
        ("林", "大安", "hits.list", "refused", 1, {"from_ms": "8", "to_ms": "8"}),
        ("林", "大安", "live.watch", "allowed", 1, {"from_ms": "9", "to_ms": "9"}),
        ("陳", "", "hits.list", "allowed", 1, {"from_ms": "6", "to_ms": "6"}),
    ]


def test_refusals_are_lines_by_subject_and_action_each_for_itself() -> None:
    tally, nobody = Tally(), Subject("", Role.NOBODY, "")
    for _ in range(REFUSALS_PER_MINUTE + 1):
        tally.line_due(nobody, "hits.view", 1000)
    assert tally.line_due(nobody, "hits.list", 1000) and tally.line_due(
        Subject("p", Role.OPERATOR, ""), "hits.view", 1000
    )


def test_a_flood_of_subjects_is_counted_together_and_forgets_no_flood_of_this_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("guardian.access.tally.KEYS_MAX", 3)
    tally = Tally()
    for n in range(10):
        tally.count(Subject(f"p-{n}", Role.OPERATOR, ""), "hits.list", "allowed", n)
    assert [(e.subject_id, e.count) for e in tally.take(100)] == [("p-0", 1), ("p-1", 1), ("p-2", 1), ("…", 7)]
    nobody = Subject("", Role.NOBODY, "")
    for _ in range(REFUSALS_PER_MINUTE):
        assert tally.line_due(nobody, "hits.view", 61_000)
    for n in range(5):
        tally.line_due(Subject(f"p-{n}", Role.OPERATOR, ""), "hits.view", 61_000)
    assert not tally.line_due(nobody, "hits.view", 61_000), "what was refused this minute is still known"
    assert tally.line_due(nobody, "hits.view", 121_000) and len(tally._minutes) <= 2, "the minute before is forgotten"


def test_the_walk_ends_at_the_first_line_that_does_not_fit_and_names_what_is_missing() -> None:
    lines = _chain([Entry(at_ms=n, kind="deed", subject_id="p-1") for n in range(6)])
    assert _problem([*lines[:2], lines[3]]) == "缺少第 3 列：稽核紀錄被移除。"
    assert _problem([*lines[:2], lines[5]]) == "缺少第 3–5 列：稽核紀錄被移除。"
    assert _problem(lines[1:])[:5] == "缺少第 1"
    check = ChainCheck()
    check.take(lines[:2])
    check.take(lines[2:4])
    assert (check.rows, check.first, check.last, check.head, check.problem) == (4, 1, 4, lines[3].hash, "")
    check.take([lines[5], lines[4]])
    said = check.problem
    check.take(lines[4:])
    assert (check.problem, check.rows, check.last) == (said, 4, 4) and said


@pytest.mark.parametrize("column", ["at_ms", "kind", "subject_id", "action", "case_number", "lookup_id", "about"])
def test_a_column_that_says_otherwise_than_its_line_is_named(column: str) -> None:
    lines = _chain([Entry(at_ms=1, kind="lookup", subject_id="p-1", action="reads.search", case_number="115-0832")])
    changed = lines[0]._replace(**{column: 2 if column == "at_ms" else "x"})
    assert _problem([changed]) == f"第 1 列的索引欄 {column} 與內容不符：這一欄遭更動。"


def test_a_line_that_hangs_on_rightly_and_says_nothing_readable_is_named() -> None:
    body = b"\xc1"
    line = Line(1, 1, "deed", "", "", "", "", "", body, hash_of(1, GENESIS, body))
    assert _problem([line]) == "第 1 列的內容無法解讀。"


def test_the_hash_of_a_line_is_the_same_for_ever() -> None:
    # Kept: a record of today must verify in ten years, by whatever is written anew meanwhile.
    assert hash_of(1, GENESIS, b"x").hex() == ("ae27fd3cc5a9001d5e4bbb59a2d6cf896b7c9816471b7ae83b8a862b3a49c06f")
    assert Entry(at_ms=1, kind="deed", elements={"a": "1"}).about == ""
    one, other = (Entry(at_ms=1, kind="lookup", elements=e).about for e in ({"a": "1", "b": "2"}, {"b": "2", "a": "1"}))
    assert one == other and len(one) == 16
