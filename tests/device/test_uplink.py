"""The way to the cloud: order, signatures, the list, what an officer pressed, and what happens when it is refused."""

from __future__ import annotations

import threading
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from guardian.device.cloudline import RefusedByCloudError
from guardian.device.enrol import enrol
from guardian.device.identity import Identity
from guardian.device.listupdate import ListRefusedError
from guardian.device.uplink import ANSWERS_MAX, PHOTO_LATER_MS, Pauses
from guardian.domain.errors import NeighbourUnreachableError, NotAllowedError
from guardian.domain.read import FrameVote, PhotoRef
from guardian.domain.wire import DeviceAnswer, Heartbeat
from tests.device.fake_cloud import FakeCloud
from tests.device.rig import NOW_MS, crop_of, entry, make_read, overview_of, sha_of, stamp
from tests.device.station import open_station


def test_reads_go_in_order_of_capture_whatever_the_order_of_keeping(tmp_path: Path) -> None:
    with open_station(tmp_path) as s:
        for sequence, mono in ((1, 5000), (2, 3000), (3, 9000), (4, 1000)):
            s.spool.put(make_read(sequence, boot=s.boot, photos=False), stamp(mono))
        s.send_all()
        assert [i.rsplit(".", 1)[1] for i in s.cloud.order] == ["4", "2", "1", "3"]


def test_pictures_follow_their_reads_and_those_of_hits_come_first(tmp_path: Path) -> None:
    with open_station(tmp_path) as s:
        s.put(1, photos=True)
        s.put(2, photos=True, hit=True)
        s.send_all()
        assert len(s.cloud.photos) == 4
        assert s.cloud.photo_order[0] == sha_of(crop_of(s.boot, 2))
        assert s.spool.state().all_sent


def test_plates_of_a_hit_s_single_reads_follow_its_crop_and_overview_and_precede_those_of_no_hit(
    tmp_path: Path,
) -> None:
    with open_station(tmp_path) as s:
        s.put(1, photos=True)
        vote = b"vote " * 40
        read = make_read(2, boot=s.boot, hit=True, votes=(FrameVote("BKD8869", 0.9, NOW_MS, sha_of(vote)),))
        s.spool.put(
            read,
            stamp(2),
            crop=crop_of(s.boot, 2),
            overview=overview_of(s.boot, 2),
            votes={sha_of(vote): vote},
        )
        s.send_all()
        mine = [crop_of(s.boot, 2), overview_of(s.boot, 2), vote, crop_of(s.boot, 1), overview_of(s.boot, 1)]
        assert s.cloud.photo_order == [sha_of(p) for p in mine]
        assert s.spool.state().all_sent


def test_an_overview_of_two_vehicles_is_kept_once_and_sent_once_and_counts_as_the_hit_s(tmp_path: Path) -> None:
    shared = overview_of(1, 1)
    with open_station(tmp_path) as s:
        for sequence, hit in ((1, False), (2, True)):
            read = make_read(sequence, boot=s.boot, hit=hit)
            read = msgspec.structs.replace(read, overview=PhotoRef(sha_of(shared), 0))
            crop = crop_of(1, sequence)
            read = msgspec.structs.replace(read, crop=PhotoRef(sha_of(crop), 0))
            s.spool.put(read, stamp(s.clock.mono), crop=crop, overview=shared)
        assert s.spool.state().photos == 3
        while s.spool.give_up_one():
            pass
        assert s.spool.state().photos == 2, "the plain one's crop went; what the hit shows stays"
        s.send_all()
        assert s.cloud.photo_order.count(sha_of(shared)) == 1
        assert s.spool.state().all_sent


def test_a_picture_for_which_the_cloud_has_no_room_waits_in_the_spool_while_the_others_go(tmp_path: Path) -> None:
    with open_station(tmp_path) as s:
        s.put(1, photos=True, hit=True)
        s.put(2, photos=True)
        first = sha_of(crop_of(s.boot, 1))
        s.cloud.photos_unnamed.add(first)
        s.send_all()
        assert set(s.cloud.photos) == {
            sha_of(overview_of(s.boot, 1)),
            *map(sha_of, (crop_of(s.boot, 2), overview_of(s.boot, 2))),
        }
        assert s.cloud.photos_knocked.count(first) == 1, "asked once, not over and over"
        assert s.uplink.state == "online", "the line is as good as before"
        assert s.spool.state().photos == 1
        s.clock.advance(PHOTO_LATER_MS)
        s.send_all()
        assert s.cloud.photos_knocked.count(first) == 2 and s.spool.state().photos == 1
        s.cloud.photos_unnamed.clear()
        s.clock.advance(PHOTO_LATER_MS)
        s.send_all()
        assert s.cloud.photos[first] == crop_of(s.boot, 1)
        assert s.spool.state().all_sent


def test_a_request_number_is_never_used_twice_over_restarts(tmp_path: Path) -> None:
    cloud = FakeCloud()
    for _ in range(3):
        with open_station(tmp_path, cloud) as s:
            s.put(1)
            s.send_all()
    assert len(cloud.reads) == 3
    assert cloud.requests - 1 == len(cloud.seen_counters), "no request was a replay"
    cloud.stop()


def test_a_cloud_that_names_a_floor_for_numbers_is_followed(tmp_path: Path) -> None:
    with open_station(tmp_path) as s:
        s.cloud.counter_floor = 50_000
        s.put(1)
        s.send_all()
        assert len(s.cloud.reads) == 1
        assert min(s.cloud.seen_counters) > 50_000


def test_a_wrong_code_is_refused_and_leaves_the_device_unenrolled(tmp_path: Path) -> None:
    cloud = FakeCloud()
    identity = Identity(tmp_path)
    with pytest.raises(NotAllowedError):
        enrol(identity, cloud=cloud.address, code="WRONG", name="x")
    assert not Identity(tmp_path).enrolled
    cloud.stop()


def test_reads_made_before_enrolment_are_sent_under_the_new_name(tmp_path: Path) -> None:
    with open_station(tmp_path) as s:
        s.spool.put(make_read(1, boot=s.boot, photos=False, text="ABC1235"), stamp(1))
        lone = make_read(2, boot=s.boot, photos=False)
        import msgspec

        s.spool.put(msgspec.structs.replace(lone, device_id="unenrolled"), stamp(2))
        s.send_all()
        assert {r.device_id for r in s.cloud.reads.values()} == {"car-1"}


def test_a_revoked_device_says_so_and_keeps_everything(tmp_path: Path) -> None:
    with open_station(tmp_path) as s:
        s.put(1, 2, 3)
        s.cloud.answer_with = 401
        with pytest.raises(RefusedByCloudError) as refused:
            s.uplink.step()
        s.uplink._refused(refused.value)
        assert s.uplink.state == "revoked"
        assert "不再接受" in s.said["device-revoked"]
        assert s.spool.state().reads == 3
        s.cloud.answer_with = None
        s.send_all()
        assert "device-revoked" not in s.said
        assert len(s.cloud.reads) == 3


def test_what_an_officer_pressed_goes_with_heartbeats_until_one_is_answered(tmp_path: Path) -> None:
    with open_station(tmp_path) as s:
        s.uplink.tell_answer(DeviceAnswer("car-1.1.1", "e1", "not_this", NOW_MS))
        s.cloud.answer_with = 502
        with pytest.raises(NeighbourUnreachableError):
            s.uplink.step()
        s.cloud.answer_with = None
        s.send_all()
        s.clock.advance(6_000)
        s.send_all()
        assert [len(beat.answers) for beat in s.cloud.heartbeats] == [1, 0]
        assert s.cloud.heartbeats[0].answers[0].answer == "not_this"


def test_what_is_pressed_while_a_heartbeat_is_on_its_way_goes_with_the_next(tmp_path: Path) -> None:
    with open_station(tmp_path) as s:
        made = s.uplink._heartbeat

        def press_meanwhile() -> Heartbeat:
            if not s.cloud.heartbeats:
                s.uplink.tell_answer(DeviceAnswer("car-1.1.2", "e1", "seen", NOW_MS))
            return made()

        s.uplink._heartbeat = press_meanwhile
        s.uplink.tell_answer(DeviceAnswer("car-1.1.1", "e1", "not_this", NOW_MS))
        s.send_all()
        s.clock.advance(6_000)
        s.send_all()
        assert [[a.read_id for a in beat.answers] for beat in s.cloud.heartbeats] == [["car-1.1.1"], ["car-1.1.2"]]


def test_of_more_answers_than_are_held_the_oldest_goes(tmp_path: Path) -> None:
    with open_station(tmp_path) as s:
        for n in range(ANSWERS_MAX + 1):
            s.uplink.tell_answer(DeviceAnswer(f"car-1.1.{n}", "e1", "seen", NOW_MS))
        s.send_all()
        assert [a.read_id for a in s.cloud.heartbeats[0].answers] == [f"car-1.1.{n}" for n in range(1, ANSWERS_MAX + 1)]


@pytest.mark.parametrize("status", [401, 403])
def test_a_cloud_that_takes_nothing_from_this_device_is_not_asked_picture_by_picture(
    tmp_path: Path, status: int
) -> None:
    with open_station(tmp_path) as s:
        s.put(1, photos=True)
        while not s.cloud.reads:
            s.uplink.step()
        s.cloud.answer_with = status
        with pytest.raises(RefusedByCloudError):
            s.uplink.step()
        s.cloud.answer_with = None
        s.send_all()
        assert len(s.cloud.photos) == 2, "none was put off for ten minutes"


def test_another_device_under_this_name_is_said_until_it_is_so_no_more(tmp_path: Path) -> None:
    with open_station(tmp_path) as s:
        s.cloud.notice = "identity-forked"
        s.send_all()
        assert "identity-forked" in s.said
        s.cloud.notice = ""
        s.clock.advance(6_000)
        s.send_all()
        assert "identity-forked" not in s.said


def test_the_cloud_s_time_is_taken_as_of_the_middle_of_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_station(tmp_path) as s:
        ask = s.line.ask

        def slowly(*asked: object, **more: object) -> object:
            s.clock.advance(400)
            answer = ask(*asked, **more)  # type: ignore[arg-type]
            s.clock.advance(400)
            return answer

        monkeypatch.setattr(s.line, "ask", slowly)
        s.uplink._beat()
        assert s.clock.now_ms() == s.cloud.server_ms + 400


def test_a_login_page_in_between_is_not_taken_for_the_cloud(tmp_path: Path) -> None:
    with open_station(tmp_path) as s:
        s.put(1)

        class Portal:
            def request(self, *_a: object, **_k: object) -> object:
                import httpx

                return httpx.Response(200, html="<h1>Free WiFi</h1>", request=httpx.Request("POST", "http://x"))

            def close(self) -> None:
                pass

        s.line._client = Portal()  # type: ignore[assignment]
        with pytest.raises(NeighbourUnreachableError):
            s.uplink.step()
        assert s.spool.state().reads == 1


def test_pauses_grow_to_thirty_seconds_and_are_uneven() -> None:
    import random

    pauses = Pauses(random.Random(3))
    seen = [pauses.next_s() for _ in range(40)]
    assert max(seen) <= 30
    assert seen[0] < 1
    assert min(seen[10:]) >= 15
    assert len({round(s, 3) for s in seen[10:]}) > 20


def test_a_list_comes_into_force_by_delta_and_by_whole(tmp_path: Path) -> None:
    with open_station(tmp_path) as s:
        a, b, c = entry("ABC1235", "a"), entry("BKD8869", "b"), entry("MHD0012", "c")
        s.cloud.give_list(40, [a, b])
        assert s.uplink.fetch_list(wait_s=0)
        s.cloud.give_list(41, [c], base=40, removed=("a",), whole=[b, c])
        assert s.uplink.fetch_list(wait_s=0)
        assert set(s.lists.in_force.entries) == {"b", "c"}
        assert s.lists.in_force.version == 41
        assert not s.uplink.fetch_list(wait_s=0)
        assert s.cloud.list_requests == [0, 40, 41]


def test_a_list_that_another_key_signed_is_refused(tmp_path: Path) -> None:
    with open_station(tmp_path) as s:
        s.cloud.give_list(40, [entry("ABC1235")], key=Ed25519PrivateKey.generate())
        with pytest.raises(ListRefusedError) as refused:
            s.uplink.fetch_list(wait_s=0)
        assert refused.value.reference == "list-signature"
        assert s.lists.in_force.version == 0


def test_a_change_that_does_not_fit_the_list_held_brings_the_whole_list_by_itself(tmp_path: Path) -> None:
    """As after a cloud was restored from an old copy: version 40 here is none of that cloud's."""
    with open_station(tmp_path) as s:
        a, b, c = entry("ABC1235", "a"), entry("BKD8869", "b"), entry("MHD0012", "c")
        s.cloud.give_list(40, [a, b])
        assert s.uplink.fetch_list(wait_s=0)
        s.cloud.give_list(41, [c], base=40, whole=[b, c])
        stop = threading.Event()
        said: list[str] = []

        def say(reference: str, sentence: str) -> None:
            if reference == "list-refused" and sentence:
                said.append(sentence)
                s.cloud.give_list(41, [b, c])  # what the question for version 0 is answered with
            s.say(reference, sentence)

        s.uplink._say = say
        s.uplink._on_list = lambda _list: stop.set()
        thread = threading.Thread(target=s.uplink.run_list, args=(stop,))
        thread.start()
        assert stop.wait(30)
        thread.join(30)
        assert s.cloud.list_requests[:3] == [0, 40, 0], "asked for the whole list, not for the same change again"
        assert (s.lists.in_force.version, set(s.lists.in_force.entries)) == (41, {"b", "c"})
        assert said == ["收到的名單未套用（list-digest），仍用第 40 版"]
        assert "list-refused" not in s.said, "and that it was refused is said no more"
