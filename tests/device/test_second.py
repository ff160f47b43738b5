"""The second opinion on the device: after the alarm, once for each read, whatever the reader does; and on its way out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardian.device.alarm import OPINION_MS, REPEAT_MS, AlarmDesk
from guardian.device.card import PENDING, AlarmCard, card_opinion
from guardian.device.enrol import enrol
from guardian.device.follow import FilmFollower
from guardian.device.identity import Identity
from guardian.device.opinionbook import WAITING_MAX as BOOK_MAX
from guardian.device.opinionbook import OpinionBook
from guardian.device.run import Device, Options
from guardian.device.screen import opinion_line
from guardian.device.seal import Sealer
from guardian.device.second import WAITING_MAX, Asked, SecondOpinions
from guardian.device.uplink import OPINIONS_AT_ONCE
from guardian.domain.errors import GuardianError, NeighbourUnreachableError
from guardian.domain.opinion import NotAsked, OpinionVerdict, SecondOpinion, not_asked, opinion_on
from guardian.domain.plate import ALPHABET
from guardian.vision.ports import Crop
from tests.device.cards import HIGH, URGENT, card, near_card
from tests.device.fake_cloud import FakeCloud
from tests.device.rig import KEY, ScriptedEngine, ScriptedSource, entry, plate_seen
from tests.device.sim_disk import SimDisk
from tests.device.station import open_station
from tests.device.test_pipeline import pipeline

WAIT_S = 60.0


class Reads:
    """A second reader that reads one text, whatever it is shown; `before` runs first."""

    name, version = "told", "1"

    def __init__(self, text: str, before: Callable[[], object] = lambda: None) -> None:
        self.text = text
        self.before = before
        self.shown: list[Sequence[Crop]] = []

    def opinion(self, read_text: str, crops: Sequence[Crop]) -> SecondOpinion:
        self.shown.append(crops)
        self.before()
        return opinion_on(
            read_text,
            self.text,
            char_probs=(0.9,) * len(self.text),
            reader="told",
            reader_version="1",
            crops=len(crops),
        )


class Answers:
    """What was told, and waiting for it."""

    def __init__(self) -> None:
        self.all: list[tuple[Asked, SecondOpinion]] = []
        self._more = threading.Condition()

    def __call__(self, asked: Asked, opinion: SecondOpinion) -> None:
        with self._more:
            self.all.append((asked, opinion))
            self._more.notify_all()

    def wait_for(self, count: int) -> None:
        with self._more:
            assert self._more.wait_for(lambda: len(self.all) >= count, WAIT_S)

    @property
    def said(self) -> list[tuple[int, str, str]]:
        return [(asked.key[1], str(opinion.verdict), opinion.reason) for asked, opinion in self.all]


def asked(sequence: int, text: str = "BKD8869") -> Asked:
    return Asked((3, sequence), f"car-1.3.{sequence}", text, (np.zeros((48, 100, 3), np.uint8),))


@pytest.fixture
def stop():  # type: ignore[no-untyped-def]
    event = threading.Event()
    yield event
    event.set()


def running(second: SecondOpinions, stop: threading.Event) -> threading.Thread:
    thread = threading.Thread(target=second.run, args=(stop,), daemon=True)
    thread.start()
    return thread


# ---- asking ----------------------------------------------------------------------------------------------------------


def test_the_reader_is_loaded_at_the_first_would_be_hit_and_once(stop: threading.Event) -> None:
    loads, answers = [], Answers()

    def load() -> Reads:
        loads.append(1)
        return Reads("BKD8869")

    second = SecondOpinions(load, answers)
    running(second, stop)
    assert loads == []
    for sequence in (1, 2):
        second.ask(asked(sequence))
        answers.wait_for(sequence)
    assert loads == [1]
    assert answers.said == [(1, "agrees", ""), (2, "agrees", "")]


def test_asking_never_waits_for_a_slow_reader_and_the_oldest_are_told_to_be_too_late(stop: threading.Event) -> None:
    begun, go_on, answers = threading.Event(), threading.Event(), Answers()

    def slow() -> None:
        begun.set()
        assert go_on.wait(WAIT_S)

    second = SecondOpinions(lambda: Reads("BKD8869", slow), answers)
    running(second, stop)
    second.ask(asked(1))
    assert begun.wait(WAIT_S)
    for sequence in range(2, WAITING_MAX + 4):
        second.ask(asked(sequence))  # comes back, although the reader stands still
    assert answers.all == []
    go_on.set()
    answers.wait_for(WAITING_MAX + 3)
    assert sorted(answers.said) == sorted(
        [(1, "agrees", ""), (2, "not_asked", "too-late"), (3, "not_asked", "too-late")]
        + [(n, "agrees", "") for n in range(4, WAITING_MAX + 4)]
    )


@pytest.mark.parametrize("error", [GuardianError("gone", reference="engine-missing"), RuntimeError("bad file")])
def test_a_reader_that_does_not_load_is_said_for_each_hit_and_not_tried_again(
    stop: threading.Event, error: Exception
) -> None:
    tries, answers = [], Answers()

    def load() -> Reads:
        tries.append(1)
        raise error

    second = SecondOpinions(load, answers)
    running(second, stop)
    for sequence in (1, 2):
        second.ask(asked(sequence))
        answers.wait_for(sequence)
    assert tries == [1]
    assert answers.said == [(1, "not_asked", "no-reader"), (2, "not_asked", "no-reader")]
    assert not second.there


def test_a_reader_that_breaks_on_one_read_is_asked_about_the_next(stop: threading.Event) -> None:
    breaks, answers = [True, False], Answers()

    def maybe() -> None:
        if breaks.pop(0):
            raise ValueError("a picture that nobody thought of")

    second = SecondOpinions(lambda: Reads("BKD8869", maybe), answers)
    running(second, stop)
    second.ask(asked(1))
    second.ask(asked(2))
    answers.wait_for(2)
    assert answers.said == [(1, "not_asked", "broken"), (2, "agrees", "")]


def test_beside_a_reader_of_the_same_kind_nobody_is_asked_and_that_is_said(stop: threading.Event) -> None:
    answers = Answers()
    second = SecondOpinions(None, answers, why_none=NotAsked.SAME_READER)
    running(second, stop)
    second.ask(asked(1))
    answers.wait_for(1)
    assert answers.said == [(1, "not_asked", "same-reader")]


def test_when_the_device_stops_each_read_has_one_answer_also_from_a_reader_that_hangs(stop: threading.Event) -> None:
    begun, hangs, answers = threading.Event(), threading.Event(), Answers()

    def hang() -> None:
        begun.set()
        assert hangs.wait(WAIT_S)

    second = SecondOpinions(lambda: Reads("BKD8869", hang), answers)
    thread = running(second, stop)
    for sequence in range(1, 4):
        second.ask(asked(sequence))
    assert begun.wait(WAIT_S)
    second.finish(0.01)
    assert sorted(answers.said) == [(n, "not_asked", "too-late") for n in range(1, 4)]
    second.ask(asked(9))
    hangs.set()
    thread.join(WAIT_S)
    assert len(answers.all) == 3, "what comes after that is nobody's any more"


def test_finishing_waits_for_an_answer_that_is_nearly_there(stop: threading.Event) -> None:
    answers = Answers()
    second = SecondOpinions(lambda: Reads("BKD8869"), answers)
    thread = running(second, stop)
    second.ask(asked(1))
    second.finish(WAIT_S)
    assert answers.said == [(1, "agrees", "")]
    thread.join(WAIT_S)
    assert not thread.is_alive()


# ---- in the pipeline -------------------------------------------------------------------------------------------------


def test_a_crop_that_says_something_else_is_said_on_the_card_and_the_alarm_did_not_wait_for_it(
    stop: threading.Event,
) -> None:
    """The reader stands still until the run is over: card, sound and read are there without it."""
    go_on, answers = threading.Event(), Answers()
    reader = Reads("BKD8889", lambda: bool(go_on.wait(WAIT_S)))
    desks: list[AlarmDesk] = []

    def tell(one: Asked, opinion: SecondOpinion) -> None:
        desks[0].opine(one.read_id, opinion)
        answers(one, opinion)

    second = SecondOpinions(lambda: reader, tell)
    running(second, stop)
    script = [[plate_seen("BKD8869", x=100 + 8 * i), plate_seen("MXB8063", x=300, y=350)] for i in range(6)]
    moments = [1_000_000 + 80 * i for i in range(6)]
    line, kept, desk, _ = pipeline(
        ScriptedEngine(script),
        ScriptedSource(moments),
        FilmFollower(),
        entry("BKD8869"),
        every_frame=True,
        second=second,
    )
    desks.append(desk)
    line.run(threading.Event())
    before = desk.view()
    assert before.card is not None
    assert before.card.opinion is PENDING
    assert before.sound is not None
    hit = next(read for read in kept.reads if read.hits)
    go_on.set()
    answers.wait_for(1)
    after = desk.view()
    assert after.card is not None
    assert after.card.opinion is not None
    assert after.card.opinion.words == "第二判讀：不一致（第 6 字），讀作 BKD-8889"
    assert (after.card.sure, after.card.rank, after.sound) == (before.card.sure, before.card.rank, before.sound)
    assert [one.read_id for one, _ in answers.all] == [hit.id], "reads without a hit are nobody's matter"
    (crops,) = reader.shown
    assert [crop.shape[0] for crop in crops] == [96, *[48] * (len(hit.votes) - 1)], (
        "the best first, then those that voted"
    )


# ---- on the card -----------------------------------------------------------------------------------------------------

signs = st.text(ALPHABET, min_size=4, max_size=7)
opinions = st.one_of(
    st.builds(lambda t: opinion_on("MXB8063", t, char_probs=(1.0,) * len(t), reader="r", reader_version="1", crops=1), signs),
    st.sampled_from([not_asked(why) for why in NotAsked]),
    st.just(SecondOpinion("cannot_read")),
    st.just(SecondOpinion("of a newer device", "MXB8063")),
)  # fmt: skip


@given(opinions, st.sampled_from(["sure", "near"]))
def test_no_opinion_hides_a_card_or_changes_its_strength_rank_or_sound(opinion: SecondOpinion, kind: str) -> None:
    desk = AlarmDesk(lambda: 0)
    shown = card(URGENT) if kind == "sure" else near_card()
    desk.raise_card(shown)
    before = desk.view()
    assert desk.opine(shown.read_id, opinion)
    after = desk.view()
    assert after.card is not None
    assert (after.card.id, after.card.sure, after.card.rank, after.card.tone) == (
        shown.id, shown.sure, shown.rank, shown.tone,
    )  # fmt: skip
    assert after.sound == before.sound
    assert after.version > before.version


@pytest.mark.parametrize(
    ("shown", "text", "mark", "words"),
    [
        (card(URGENT), "MXB8063", "same", "第二判讀：一致"),
        (card(URGENT), "MXB8083", "other", "第二判讀：不一致（第 6 字），讀作 MXB-8083"),
        (card(URGENT), "XB8063", "other", "第二判讀：不一致，讀作 XB-8063"),
        (card(URGENT), "", "none", "第二判讀：無法判讀"),
        # RBK-2159 was read, RBK-2189 is listed.
        (near_card(), "RBK2189", "same", "第二判讀：讀作 RBK-2189，與名單相同"),
        (near_card(), "RBK2159", "other", "第二判讀：也讀作 RBK-2159，與名單不同"),
        (near_card(), "RBK2169", "other", "第二判讀：不一致（第 6 字），讀作 RBK-2169"),
    ],
)
def test_the_words_on_a_card_speak_of_the_entry(shown: AlarmCard, text: str, mark: str, words: str) -> None:
    opinion = opinion_on(shown.text, text, char_probs=(0.9,) * len(text), reader="r", reader_version="1", crops=1)
    said = card_opinion(opinion, shown)
    assert said is not None
    assert (said.mark, said.words) == (mark, words)


def test_every_reason_has_words_but_that_a_device_has_one_reader_is_no_line_on_a_card() -> None:
    said = {why: card_opinion(not_asked(why), card(URGENT)) for why in NotAsked}
    assert said.pop(NotAsked.SAME_READER) is None
    assert len({one.words for one in said.values() if one}) == len(said)


def test_an_opinion_finds_its_card_where_it_waits_and_where_it_has_become_a_row() -> None:
    desk = AlarmDesk(lambda: 0)
    first, second = card(URGENT, sequence=1), card(HIGH, sequence=2)
    desk.raise_card(first)
    desk.raise_card(second)
    for one in (first, second):
        assert desk.opine(
            one.read_id, opinion_on(one.text, one.text, char_probs=(), reader="r", reader_version="1", crops=1)
        )
    desk.answer(first.id, "received")
    view = desk.view()
    assert view.card is not None
    assert [view.card.opinion, view.rows[0].card.opinion] == [
        card_opinion(SecondOpinion("agrees", c.text), c) for c in (second, first)
    ]
    assert desk.opine(first.read_id, SecondOpinion("cannot_read"))
    assert desk.view().rows[0].card.opinion == card_opinion(SecondOpinion("cannot_read"), first)
    assert not desk.opine("car-1.9.9", SecondOpinion("cannot_read"))


def test_a_sure_card_is_repeated_with_the_disagreement_and_an_agreement_is_not_spoken() -> None:
    for text, spoken in (("MXB8083", True), ("MXB8063", False)):
        now = [0]
        desk = AlarmDesk(lambda: now[0])  # noqa: B023 - called within the turn
        shown = card(URGENT)
        desk.raise_card(shown)
        first = desk.view().sound
        desk.opine(shown.read_id, opinion_on("MXB8063", text, char_probs=(), reader="r", reader_version="1", crops=1))
        now[0] = REPEAT_MS
        desk.tick()
        again = desk.view().sound
        assert first is not None
        assert again is not None
        assert "第二判讀" not in first.sentence
        assert ("第二判讀不一致" in again.sentence) is spoken


def test_a_card_does_not_say_for_ever_that_an_opinion_is_coming() -> None:
    now = [0]
    desk = AlarmDesk(lambda: now[0])
    desk.raise_card(card(URGENT, opinion=PENDING))
    now[0] = OPINION_MS - 1
    desk.tick()
    view = desk.view()
    assert view.card is not None
    assert view.card.opinion is PENDING
    now[0] = OPINION_MS
    desk.tick()
    view = desk.view()
    assert view.card is not None
    assert view.card.opinion is not None
    assert view.card.opinion.mark == "none"


def test_the_terminal_says_it_with_a_sign_of_its_own() -> None:
    told = [card(URGENT, opinion=card_opinion(opinion_on("MXB8063", t, char_probs=(), reader="r", reader_version="1", crops=1), card(URGENT)))
            for t in ("MXB8063", "MXB8083", "")]  # fmt: skip
    assert [opinion_line(one)[0] for one in told] == ["✓", "≠", "–"]
    assert opinion_line(card(URGENT)) == ""


# ---- on its way out --------------------------------------------------------------------------------------------------


def test_opinions_are_told_with_heartbeats_until_one_is_answered_and_outlive_a_restart(tmp_path: Path) -> None:
    with open_station(tmp_path) as s:
        s.opinions.put((s.boot, 1), SecondOpinion("agrees", "BKD8869"))
        s.cloud.answer_with = 502
        with pytest.raises(NeighbourUnreachableError):
            s.uplink.step()
        again = OpinionBook(SimDisk(), Sealer(KEY))
        assert len(again) == 0
        assert len(s.opinions) == 1
        s.cloud.answer_with = None
        s.uplink.hurry()
        s.send_all()
        assert len(s.opinions) == 0
        s.uplink.hurry()
        s.send_all()
        told = [beat.opinions for beat in s.cloud.heartbeats]
        assert [len(one) for one in told] == [1, 0]
        assert told[0][0].read_id == f"{s.identity.file.device_id}.{s.boot}.1"
        assert told[0][0].opinion.verdict == OpinionVerdict.AGREES


def test_more_opinions_than_one_heartbeat_takes_go_with_the_next_at_once(tmp_path: Path) -> None:
    with open_station(tmp_path) as s:
        for n in range(OPINIONS_AT_ONCE + 5):
            s.opinions.put((s.boot, n), SecondOpinion("cannot_read"))
        s.uplink.step()
        s.uplink.step()
        assert [len(beat.opinions) for beat in s.cloud.heartbeats] == [OPINIONS_AT_ONCE, 5]


def test_what_is_kept_is_found_again_in_order_and_what_was_told_is_not() -> None:
    disk = SimDisk()
    book = OpinionBook(disk, Sealer(KEY))
    for n in range(5):
        book.put((1, n), SecondOpinion("agrees", "BKD8869", crops=n))
    book.told([(1, 1), (1, 3), (9, 9)])
    again = OpinionBook(disk.survivors("kept"), Sealer(KEY))
    assert [(key, one.crops) for key, one in again.batch(10)] == [((1, 0), 0), ((1, 2), 2), ((1, 4), 4)]
    again.told([key for key, _ in again.batch(10)])
    assert len(OpinionBook(disk.survivors("kept"), Sealer(KEY))) == 3, "another disk: nothing was told there"


def test_segments_of_which_all_is_told_leave_the_disk() -> None:
    disk = SimDisk()
    for start in range(4):
        book = OpinionBook(disk, Sealer(KEY))
        book.put((start, 1), SecondOpinion("cannot_read"))
        book.told([key for key, _ in book.batch(10)])
    assert len(disk.names("spool/opinions")) <= 2


def test_a_disk_that_takes_nothing_keeps_them_in_memory_and_of_too_many_the_oldest_go() -> None:
    book = OpinionBook(SimDisk(capacity=0), Sealer(KEY))
    for n in range(BOOK_MAX + 3):
        book.put((1, n), SecondOpinion("cannot_read"))
    assert len(book) == BOOK_MAX
    assert book.batch(1)[0][0] == (1, 3)


def test_a_damaged_opinion_costs_itself_only() -> None:
    disk = SimDisk()
    book = OpinionBook(disk, Sealer(KEY))
    for n in range(3):
        book.put((1, n), SecondOpinion("cannot_read"))
    (name,) = disk.names("spool/opinions")
    data = disk.read(f"spool/opinions/{name}")
    middle = len(data) // 2
    disk.cut(f"spool/opinions/{name}", 0)
    disk.append(f"spool/opinions/{name}", data[:middle] + bytes([data[middle] ^ 255]) + data[middle + 1 :])
    disk.sync(f"spool/opinions/{name}")
    left = OpinionBook(disk.survivors("kept"), Sealer(KEY))
    assert [key for key, _ in left.batch(9)] == [(1, 0), (1, 2)]


def test_a_whole_device_alarms_asks_and_tells_the_cloud_before_it_is_done(tmp_path: Path) -> None:
    """All threads of `guardian device run` but the engine and the second reader: list, alarm, read, opinion."""
    home, photos = tmp_path / "home", tmp_path / "photos"
    photos.mkdir()
    (photos / "a.jpg").write_bytes(bytes(cv2.imencode(".jpg", np.full((300, 400, 3), 90, np.uint8))[1]))
    cloud = FakeCloud()
    try:
        enrol(Identity(home), cloud=cloud.address, code=cloud.code, name="大安 3 號")
        cloud.give_list(7, [entry("BKD8869")])
        device = Device(
            Options(str(photos), home, muted=True, page_port=None, drain_s=60),
            engine=ScriptedEngine([[plate_seen("BKD8869")]], delay=lambda: wait_for_list(device)),  # type: ignore[arg-type]
            second_reader=lambda: Reads("BKD8889"),
        )
        summary = device.run(threading.Event())
        assert (summary.reads, summary.alarms, summary.waiting) == (1, 1, 0)
        told = [one for beat in cloud.heartbeats for one in beat.opinions]
        (read,) = cloud.reads.values()
        assert [(one.read_id, one.opinion.verdict, one.opinion.text) for one in told] == [
            (read.id, "partly", "BKD8889")
        ]
        assert len(device.opinions) == 0
        shown = device.desk.view().card
        assert shown is not None
        assert shown.opinion is not None
        assert shown.opinion.mark == "other"
        assert {stage.name: stage.items for stage in device.stages.health()}["second"] == 1
    finally:
        cloud.stop()


def wait_for_list(device: Device) -> None:
    until = time.monotonic() + WAIT_S
    while device.lists.in_force.version == 0 and time.monotonic() < until:
        time.sleep(0.01)
