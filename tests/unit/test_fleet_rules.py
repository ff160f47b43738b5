"""The pure rules of fleet: the last true place, what is usual, what is out of band, codes."""

from __future__ import annotations

import math
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardian.domain.position import Position
from guardian.domain.wire import Heartbeat
from guardian.fleet.codes import SIGNS, code_digest, make_code, normal_code
from guardian.fleet.health import Hour, Usual, findings_of, state_of, usual_of
from guardian.fleet.places import FUTURE_MS, is_jump, newer_place, unit_state
from guardian.fleet.views import FindingCode, HealthFinding
from guardian.fleet.wording import WORDS, age_words

NOW = 1_795_600_000_000

positions = st.builds(
    Position,
    lat_deg=st.one_of(st.floats(-95, 95), st.just(0.0), st.just(math.nan)),
    lon_deg=st.one_of(st.floats(-200, 200), st.just(0.0)),
    fixed_ms=st.integers(NOW - 10**12, NOW + 10**12),
)


@given(st.lists(st.tuples(positions, st.integers(0, 60_000)), max_size=30))
def test_the_last_place_is_never_from_the_future_never_nowhere_and_never_goes_back(
    come: list[tuple[Position, int]],
) -> None:
    kept: Position | None = None
    now = NOW
    for position, later in come:
        now += later
        before, kept = kept, newer_place(kept, position, now_ms=now)
        if kept is not None:
            assert kept.problem() is None and kept.fixed_ms <= now
        if before is not None:
            assert kept is not None and kept.fixed_ms >= before.fixed_ms


@given(positions, st.integers(0, 10**9))
def test_an_honest_fix_of_now_always_moves_the_map(liar: Position, later: int) -> None:
    kept = newer_place(None, liar, now_ms=NOW)
    honest = Position(25.03, 121.56, NOW + later)
    assert newer_place(kept, honest, now_ms=NOW + later) == honest


def test_a_fix_from_two_minutes_ahead_counts_as_now_and_one_from_further_not_at_all() -> None:
    near = newer_place(None, Position(25.0, 121.5, NOW + 120_000), now_ms=NOW)
    assert near is not None and near.fixed_ms == NOW
    assert newer_place(None, Position(25.0, 121.5, NOW + FUTURE_MS + 1), now_ms=NOW) is None


def test_a_unit_is_as_old_as_its_fix_or_its_silence_whichever_is_older() -> None:
    fix = Position(25.0, 121.5, NOW)
    assert unit_state(fix, NOW, now_ms=NOW + 60_000) == "fresh"
    assert unit_state(fix, NOW, now_ms=NOW + 60_001) == "old"
    assert unit_state(fix, NOW + 600_000, now_ms=NOW + 300_001) == "lost"
    assert unit_state(None, NOW, now_ms=NOW + 300_000) == "old"


def test_taipei_to_kaohsiung_in_a_minute_is_two_places_and_a_drive_is_not() -> None:
    taipei, kaohsiung = Position(25.03, 121.56, NOW), Position(22.62, 120.31, NOW + 60_000)
    assert is_jump(taipei, kaohsiung)
    assert not is_jump(taipei, Position(22.62, 120.31, NOW + 4 * 3_600_000))
    assert not is_jump(taipei, Position(25.04, 121.57, NOW + 5_000)), "a bad fix nearby is no second machine"


def _hours(reads: int = 400, chars: float = 6.8, days: int = 7) -> list[Hour]:
    this = NOW // 3_600_000
    return [Hour(this - i, reads, chars) for i in range(1, days * 24)]


def test_usual_is_the_median_of_its_own_past_and_unknown_without_one() -> None:
    this = NOW // 3_600_000
    usual = usual_of([*_hours(), Hour(this, 0, 1.0), Hour(this - 3, 100_000, 1.0)], before_hour=this)
    assert usual.chars_per_read == 6.8
    assert set(usual.reads_by_hour_of_day) == {400}
    assert usual_of(_hours(days=1)[:4], before_hour=this) == Usual()


@given(
    st.lists(
        st.builds(
            Hour, hour=st.integers(1, 500), reads=st.integers(0, 1000), chars_per_read=st.none() | st.floats(4, 7)
        ),
        max_size=50,
    )
)
def test_usual_does_not_depend_on_the_order_of_the_hours(hours: list[Hour]) -> None:
    assert usual_of(hours, before_hour=400) == usual_of(reversed(hours), before_hour=400)


KNOWN = usual_of(_hours(), before_hour=NOW // 3_600_000)
HERE = Position(25.03, 121.56, NOW)


def _beat(**said: object) -> Heartbeat:
    known: dict[str, object] = {
        "device_id": "car-1",
        "sent_ms": NOW,
        "list_version": 9,
        "list_issued_ms": NOW - 1000,
        "clock_source": "gps",
        "picture_since_ms": NOW,
        "reads_last_hour": 400,
        "chars_per_read": 6.8,
    }
    return Heartbeat(**(known | said))  # type: ignore[arg-type]


def _found(
    beat: Heartbeat, *, position: Position | None = HERE, issued_ago_ms: int = 10**7
) -> list[tuple[str, str, str]]:
    found = findings_of(
        beat,
        seen_ms=NOW,
        now_ms=NOW,
        usual=KNOWN,
        list_version=9,
        list_issued_ms=NOW - issued_ago_ms,
        position=position,
    )
    assert all(finding.sentence and finding.cure for finding in found)
    return [(finding.figure, finding.level, finding.sentence) for finding in found]


def test_a_healthy_device_has_nothing_to_say() -> None:
    assert _found(_beat()) == []


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({"chars_per_read": 5.1}, ("lens", "attention", "鏡頭可能髒污：近一小時每車字數 5.1，平常 6.8")),
        ({"reads_last_hour": 40}, ("reads", "attention", "近一小時判讀 40 輛，這個時段平常約 400 輛")),
        ({"clock_source": "unset"}, ("clock", "fault", "設備時鐘未校正，紀錄的時間存疑")),
        ({"clock_offset_ms": 9400}, ("clock", "attention", "設備時鐘慢 9.4 秒，紀錄已更正")),
        ({"clock_offset_ms": -2000}, ("clock", "attention", "設備時鐘快 2.0 秒，紀錄已更正")),
        ({"backlog_items": 1204, "backlog_oldest_ms": NOW - 41 * 60_000}, ("backlog", "attention", "待送 1,204 筆，最舊 41 分")),
        ({"backlog_items": 9, "backlog_oldest_ms": NOW - 3 * 3_600_000}, ("backlog", "fault", "待送 9 筆，最舊 3 小時")),
        ({"picture_since_ms": None}, ("picture", "fault", "尚無影像")),
        ({"picture_since_ms": NOW - 600_000}, ("picture", "fault", "已 10 分沒有影像")),
        ({"list_version": 8, "list_issued_ms": NOW - 3 * 86_400_000}, ("list", "fault", "名單是第 8 版（3 天前），現行第 9 版")),
        ({"list_version": 8}, ("list", "attention", "名單是第 8 版（1 秒前），現行第 9 版")),
        ({"list_version": 0}, ("list", "fault", "設備上沒有名單，不會比對")),
        ({"list_version": 12, "list_issued_ms": NOW - 600_000}, ("list", "fault", "設備名單第 12 版，比雲端現行第 9 版新；收不到名單異動")),
        ({"temperature_c": 68.0}, ("heat", "attention", "主機過熱：68 °C")),
        ({"temperature_c": 84.6}, ("heat", "fault", "主機過熱：85 °C")),
        ({"spool_bytes": 85, "spool_bytes_max": 100}, ("disk", "attention", "暫存空間已用 85%")),
        ({"spool_bytes": 99, "spool_bytes_max": 100}, ("disk", "fault", "暫存空間已用 99%")),
        ({"photos_given_up": 1200}, ("photos", "attention", "空間不足，已放棄 1,200 張一般影像（紀錄與比對不受影響）")),
        ({"reads_in_memory": 1204}, ("memory", "fault", "設備磁碟已滿：1,204 筆紀錄只在記憶體，關機就會遺失")),
        ({"reads_lost": 3}, ("lost", "fault", "遺失 3 筆紀錄")),
        ({"reads_lost": 3, "reads_missing": 12}, ("lost", "fault", "遺失 3 筆紀錄、上次斷電缺 12 筆紀錄")),
        ({"reads_refused": 2}, ("refused", "attention", "雲端退回 2 筆紀錄，另存在設備上")),
        ({"picture_since_ms": None, "waiting": "camera-login"}, ("picture", "fault", "尚無影像：攝影機不接受帳號或密碼")),
        ({"picture_since_ms": NOW - 600_000, "waiting": "of-a-newer-device"}, ("picture", "fault", "已 10 分沒有影像")),
    ],
)  # fmt: skip
def test_a_figure_out_of_band_is_a_sentence(said: dict[str, object], found: tuple[str, str, str]) -> None:
    assert _found(_beat(**said)) == [found]


def test_a_lost_fix_and_an_old_one_are_said() -> None:
    assert _found(_beat(), position=None) == [("position", "attention", "沒有定位")]
    old = Position(25.03, 121.56, NOW - 20 * 60_000)
    assert _found(_beat(), position=old) == [("position", "attention", "定位停在 20 分前")]


def test_a_clock_that_is_a_day_off_is_seen_by_ours_and_the_other_figures_by_its_own() -> None:
    day = 86_400_000
    beat = _beat(sent_ms=NOW - day, picture_since_ms=NOW - day, backlog_items=5, backlog_oldest_ms=NOW - day - 1000)
    assert _found(beat) == [("clock", "fault", "設備時鐘比雲端慢 24 小時")]


def test_a_list_that_was_issued_this_minute_is_not_missed_yet() -> None:
    assert _found(_beat(list_version=8), issued_ago_ms=59_000) == []


def test_a_new_device_is_not_called_unusual() -> None:
    beat = _beat(chars_per_read=4.0, reads_last_hour=1)
    assert not findings_of(
        beat, seen_ms=NOW, now_ms=NOW, usual=Usual(), list_version=9, list_issued_ms=NOW, position=HERE
    )


def test_the_state_is_the_worst_that_is_true() -> None:
    assert state_of((), seen_ms=NOW, now_ms=NOW, revoked=True, forked=True) == "revoked"
    assert state_of((), seen_ms=NOW, now_ms=NOW, revoked=False, forked=True) == "forked"
    assert state_of((), seen_ms=None, now_ms=NOW, revoked=False, forked=False) == "unknown"
    assert state_of((), seen_ms=NOW, now_ms=NOW + 300_001, revoked=False, forked=False) == "offline"
    assert state_of((), seen_ms=NOW, now_ms=NOW, revoked=False, forked=False) == "normal"


@pytest.mark.parametrize(
    ("ms", "words"),
    [(0, "0 秒"), (44_000, "44 秒"), (60_000, "1 分"), (3_600_000, "1 小時"), (3 * 86_400_000, "3 天"), (-5, "0 秒")],
)
def test_ages_are_said_as_people_say_them(ms: int, words: str) -> None:
    assert age_words(ms) == words


def test_every_code_of_a_finding_has_words_of_its_own() -> None:
    codes = set(get_args(FindingCode)) - {""}
    assert set(WORDS) == codes
    facts = dict.fromkeys(
        [
            "reason",
            "age_ms",
            "apart_ms",
            "offset_ms",
            "items",
            "version",
            "current",
            "celsius",
            "limit_celsius",
            "share",
            "photos",
            "reads",
            "lost",
            "missing",
            "chars",
            "usual",
        ],
        1,
    )
    said = {code: sentence(facts) for code, (sentence, _) in WORDS.items()}
    assert len(set(said.values())) == len(codes)


def test_a_finding_carries_the_facts_for_a_client_that_has_words_of_its_own() -> None:
    (found,) = findings_of(
        _beat(backlog_items=1204, backlog_oldest_ms=NOW - 41 * 60_000),
        seen_ms=NOW,
        now_ms=NOW,
        usual=KNOWN,
        list_version=9,
        list_issued_ms=NOW - 10**7,
        position=HERE,
    )
    assert found.code == "backlog-old" and found.facts == {"items": 1204, "age_ms": 41 * 60_000}
    assert msgspec.json.decode(msgspec.json.encode(found), type=HealthFinding) == found


def test_a_finding_of_an_older_cloud_is_its_sentence_alone() -> None:
    old = b'{"figure":"heat","level":"fault","sentence":"x","cure":"y"}'
    assert msgspec.json.decode(old, type=HealthFinding) == HealthFinding("heat", "fault", "x", "y")


def test_a_code_is_typed_as_it_looks() -> None:
    code = make_code()
    assert len(normal_code(code)) == 10 and set(normal_code(code)) <= set(SIGNS)
    assert code_digest(code) == code_digest(f" {code.lower().replace('-', ' ')} ")
    assert normal_code("ｏil0u-ＡＢ") == "0110VAB"
    assert len({make_code() for _ in range(1000)}) == 1000


DAY = 86_400_000
MINUTE = 60_000


@pytest.mark.parametrize(
    ("said", "codes"),
    [
        ({"picture_since_ms": NOW - 30_000}, []),
        ({"picture_since_ms": NOW - 30_001}, [("picture-stopped", "fault")]),
        ({"sent_ms": NOW - 59_999, "picture_since_ms": NOW - 59_999}, []),
        ({"sent_ms": NOW - 60_000, "picture_since_ms": NOW - 60_000}, [("clock-apart", "fault")]),
        ({"sent_ms": NOW + 60_000, "picture_since_ms": NOW + 60_000}, [("clock-apart", "fault")]),
        ({"clock_offset_ms": 1_999}, []),
        ({"clock_offset_ms": 2_000}, [("clock-corrected", "attention")]),
        ({"clock_offset_ms": -59_999}, [("clock-corrected", "attention")]),
        ({"clock_offset_ms": -60_000}, [("clock-corrected", "fault")]),
        ({"backlog_items": 9, "backlog_oldest_ms": NOW - 10 * MINUTE + 1}, []),
        ({"backlog_items": 9, "backlog_oldest_ms": NOW - 10 * MINUTE}, [("backlog-old", "attention")]),
        ({"backlog_items": 9, "backlog_oldest_ms": NOW - 60 * MINUTE + 1}, [("backlog-old", "attention")]),
        ({"backlog_items": 9, "backlog_oldest_ms": NOW - 60 * MINUTE}, [("backlog-old", "fault")]),
        ({"backlog_items": 0, "backlog_oldest_ms": NOW - DAY}, []),
        ({"list_version": 10, "list_issued_ms": NOW - MINUTE + 1}, []),
        ({"list_version": 10, "list_issued_ms": NOW - MINUTE}, [("list-ahead", "fault")]),
        ({"list_version": 8, "list_issued_ms": NOW - DAY + 1}, [("list-old", "attention")]),
        ({"list_version": 8, "list_issued_ms": NOW - DAY}, [("list-old", "fault")]),
        ({"temperature_c": 64.9}, []),
        ({"temperature_c": 65.0}, [("heat", "attention")]),
        ({"temperature_c": 79.9}, [("heat", "attention")]),
        ({"temperature_c": 80.0}, [("heat", "fault")]),
        ({"spool_bytes": 79, "spool_bytes_max": 100}, []),
        ({"spool_bytes": 80, "spool_bytes_max": 100}, [("spool-full", "attention")]),
        ({"spool_bytes": 94, "spool_bytes_max": 100}, [("spool-full", "attention")]),
        ({"spool_bytes": 95, "spool_bytes_max": 100}, [("spool-full", "fault")]),
        ({"spool_bytes": 80, "spool_bytes_max": 0}, []),
        ({"reads_in_memory": 1}, [("reads-in-memory", "fault")]),
        ({"reads_missing": 1}, [("reads-lost", "fault")]),
        ({"reads_lost": -1}, []),
        ({"reads_refused": 1}, [("reads-refused", "attention")]),
        ({"chars_per_read": 6.8 * 0.88}, []),
        ({"chars_per_read": 6.8 * 0.88 - 0.01}, [("lens-dirty", "attention")]),
        ({"reads_last_hour": 120}, []),
        ({"reads_last_hour": 119}, [("reads-few", "attention")]),
        ({"reads_last_hour": 119, "picture_since_ms": None}, [("picture-none", "fault")]),
        ({"photos_given_up": 1, "clock_source": "unset"}, [("clock-unset", "fault"), ("photos-given-up", "attention")]),
        ({"photos_given_up": 1, "reads_lost": 1}, [("reads-lost", "fault"), ("photos-given-up", "attention")]),
    ],
)  # fmt: skip
def test_each_bound_lies_where_it_says_and_faults_come_first(
    said: dict[str, object], codes: list[tuple[str, str]]
) -> None:
    found = findings_of(
        _beat(**said), seen_ms=NOW, now_ms=NOW, usual=KNOWN, list_version=9, list_issued_ms=NOW - MINUTE, position=HERE
    )
    assert [(one.code, one.level) for one in found] == codes


def test_a_fix_is_old_after_two_minutes_and_a_forked_identity_is_a_fault_of_its_own() -> None:
    def codes(fix_age_ms: int, forked: bool = False) -> list[str]:
        place = Position(25.03, 121.56, NOW - fix_age_ms)
        beat = _beat()
        return [
            one.code
            for one in findings_of(
                beat, seen_ms=NOW, now_ms=NOW, usual=KNOWN, list_version=9, list_issued_ms=NOW, position=place,
                forked=forked,
            )
        ]  # fmt: skip

    assert codes(120_000) == [] and codes(120_001) == ["position-old"]
    assert codes(120_001, forked=True) == ["identity-forked", "position-old"]


def test_what_is_usual_speaks_only_of_hours_busy_enough_and_of_this_hour_of_the_day() -> None:
    this = NOW // 3_600_000
    by_hour: list[float | None] = [None] * 24
    by_hour[this % 24] = 30.0

    def codes(reads: int, chars: float, wanted: float | None = 30.0) -> list[str]:
        by_hour[this % 24] = wanted
        usual = Usual(6.8, tuple(by_hour))
        beat = _beat(reads_last_hour=reads, chars_per_read=chars)
        found = findings_of(
            beat, seen_ms=NOW, now_ms=NOW, usual=usual, list_version=9, list_issued_ms=NOW, position=HERE
        )
        return [one.code for one in found]

    assert codes(20, 5.0) == ["lens-dirty"] and codes(19, 5.0) == [], "too few reads to judge a lens by"
    assert codes(8, 6.8) == ["reads-few"] and codes(8, 6.8, wanted=29.9) == [] and codes(8, 6.8, wanted=None) == []


def test_an_hour_takes_its_neighbours_along_and_five_make_a_usual() -> None:
    def hours(*numbers: int, reads: int = 20) -> list[Hour]:
        return [Hour(number, reads, 6.0) for number in numbers]

    usual = usual_of(hours(9, 10, 11, 33, 34), before_hour=100)
    assert usual.chars_per_read == 6.0
    assert [hour for hour, reads in enumerate(usual.reads_by_hour_of_day) if reads is not None] == [10]
    assert usual_of(hours(9, 10, 11, 33), before_hour=100) == Usual()
    assert usual_of(hours(9, 10, 11, 33, 34, reads=19), before_hour=100).chars_per_read is None
    assert usual_of(hours(9, 10, 11, 33, 34), before_hour=34) == Usual(), "the hour that runs is not its past"


@pytest.mark.parametrize(
    ("levels", "seen_ago_ms", "state"),
    [
        ((), 300_000, "normal"),
        (("fault",), 300_001, "offline"),
        (("attention", "fault"), 0, "fault"),
        (("attention",), 0, "attention"),
    ],
)
def test_one_fault_among_others_makes_the_row_a_fault(levels: tuple[str, ...], seen_ago_ms: int, state: str) -> None:
    found = [HealthFinding("x", level, "x", "x") for level in levels]
    assert state_of(found, seen_ms=NOW - seen_ago_ms, now_ms=NOW, revoked=False, forked=False) == state
