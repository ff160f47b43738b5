"""What stands between a car and its cloud and answers in its place costs no read, no picture and no good name."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from guardian.device.cloudline import CloudBusyError, RefusedByCloudError, tls_context
from guardian.device.enrol import enrol
from guardian.device.identity import Identity
from guardian.device.spool import Spool
from guardian.device.uplink import PHOTO_LATER_MS
from guardian.domain.errors import GuardianError, NeighbourUnreachableError, NotAllowedError
from guardian.domain.wire import COUNTER_MAX
from tests.device.fake_cloud import FakeCloud
from tests.device.rig import crop_of, make_read, sha_of, stamp
from tests.device.station import Station, open_station

PAGE = "<h1>Free WiFi: please sign in</h1>"


class Between:
    """Answers some requests itself, by `says`, and lets the others through."""

    def __init__(self, station: Station, says: object) -> None:
        self._through = station.line._client
        self._says = says
        self.answered = 0
        self.is_closed = False
        station.line._client = self  # type: ignore[assignment]

    def request(self, method: str, url: str, **more: object) -> httpx.Response:
        status = self._says(method, url, more.get("content", b""))  # type: ignore[operator]
        if status is None:
            return self._through.request(method, url, **more)  # type: ignore[arg-type]
        self.answered += 1
        return httpx.Response(status, html=PAGE, request=httpx.Request(method, url))

    def close(self) -> None:
        self._through.close()


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 405, 409, 413, 422, 511])
def test_whatever_a_stranger_answers_everything_stays_in_the_spool(tmp_path: Path, status: int) -> None:
    with open_station(tmp_path) as s:
        s.put(1, photos=True, hit=True)
        s.put(2, photos=True)
        s.uplink.step()  # it has been on line
        waiting = (s.spool.state().reads, s.spool.state().photos)
        between = Between(s, lambda *_: status)
        for _ in range(12):
            s.clock.advance(6_000)
            with pytest.raises(NeighbourUnreachableError):
                s.uplink.step()
        assert between.answered == 12
        after = s.spool.state()
        assert (after.reads, after.photos, after.reads_refused_by_cloud) == (*waiting, 0)
        assert "device-revoked" not in s.said and s.uplink.state != "revoked"


def test_a_stranger_s_yes_to_a_picture_is_not_the_cloud_s(tmp_path: Path) -> None:
    with open_station(tmp_path) as s:
        s.put(1, photos=True)
        Between(s, lambda method, *_: 200 if method == "PUT" else None)
        with pytest.raises(AssertionError, match="the queue stands"):
            s.send_all(8)
        assert s.spool.state().photos == 2 and len(s.cloud.reads) == 1


def test_a_proxy_that_finds_bodies_too_large_gets_smaller_ones_and_costs_no_read(tmp_path: Path) -> None:
    with open_station(tmp_path) as s:
        s.put(*range(1, 41))
        Between(s, lambda _m, url, body: 413 if url.endswith("batches") and len(body) > 5_000 else None)
        s.send_all()
        assert len(s.cloud.reads) == 40 and max(s.cloud.arrivals) < 40
        assert s.spool.state().reads_refused_by_cloud == 0

        s.put(99)
        Between(s, lambda _m, url, _b: 413 if url.endswith("batches") else None)
        s.clock.advance(1)
        with pytest.raises(NeighbourUnreachableError):
            s.uplink.step()
        assert s.spool.state().reads == 1, "nobody but the cloud sets a read aside"


def test_a_picture_that_a_proxy_will_not_let_through_waits_while_the_others_go(tmp_path: Path) -> None:
    with open_station(tmp_path) as s:
        s.put(1, photos=True, hit=True)
        s.put(2, photos=True)
        held_up = sha_of(crop_of(s.boot, 1))
        between = Between(s, lambda _m, url, _b: 413 if url.endswith(held_up) else None)
        s.send_all()
        assert len(s.cloud.photos) == 3 and between.answered == 1
        assert s.spool.state().photos == 1
        between._says = lambda *_: None
        s.clock.advance(PHOTO_LATER_MS)
        s.send_all()
        assert s.spool.state().all_sent


def test_a_refusal_that_is_no_farewell_is_said_as_what_it_is(tmp_path: Path) -> None:
    with open_station(tmp_path) as s:
        s.cloud.keys["car-1"] = s.cloud.list_key.public_key()  # it believes another key: signature-wrong
        s.put(1)
        with pytest.raises(Exception, match="signature-wrong") as refused:
            s.uplink.step()
        s.uplink._refused(refused.value)  # type: ignore[arg-type]
        assert s.uplink.state == "offline" and "device-revoked" not in s.said
        assert "signature-wrong" in s.said["cloud-refuses"]


def test_pictures_that_were_given_up_are_not_remembered_as_wanted(tmp_path: Path) -> None:
    with open_station(tmp_path) as s:
        s.put(*range(1, 30), photos=True)
        s.uplink._want([sha_of(crop_of(s.boot, n)) for n in range(1, 60)])
        assert len(s.uplink._wanted) == 29, "those that are here"
        while s.spool.give_up_one():
            pass
        s.uplink._want([])
        assert s.uplink._wanted == frozenset()


def test_enrolling_says_what_the_cloud_said_and_not_that_the_code_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answering(status: int, **body: object) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(status, **body)))  # type: ignore[arg-type]

    identity = Identity(tmp_path)
    told = {"reference": "too-many-tries", "sentence": "Too many wrong codes came; none is taken for a minute."}
    with pytest.raises(NotAllowedError, match="Too many wrong codes") as refused:
        enrol(identity, cloud="http://x", code="7K3M-Q2XD", name="x", client=answering(403, json=told))
    assert refused.value.reference == "too-many-tries"
    with pytest.raises(NeighbourUnreachableError):
        enrol(identity, cloud="http://x", code="7K3M-Q2XD", name="x", client=answering(403, html=PAGE))
    assert not identity.enrolled


def test_what_cannot_be_kept_aside_is_not_said_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guardian.device.spool.REFUSED_KEPT", 1)
    with open_station(tmp_path) as s:
        for sequence, word in ((1, "已另存"), (2, "已捨棄")):
            s.put(sequence)
            s.spool.refuse((s.boot, sequence), "batch-malformed")
            assert word in s.said["read-refused"]
        assert isinstance(s.spool, Spool) and s.spool.state().reads_refused_by_cloud == 2
        s.spool.put(make_read(3, boot=s.boot, photos=False), stamp(3))
        assert s.spool.state().reads == 1


def test_a_cloud_that_answers_again_ends_what_was_said(tmp_path: Path) -> None:
    cloud = FakeCloud()
    with open_station(tmp_path, cloud) as s:
        s.say("cloud-refuses", "x")
        s.send_all()
        assert "cloud-refuses" not in s.said
    cloud.stop()


@pytest.mark.parametrize(
    ("status", "kind"),
    [(408, CloudBusyError), (425, CloudBusyError), (429, CloudBusyError), (500, CloudBusyError), (503, CloudBusyError)]
    + [(status, RefusedByCloudError) for status in (400, 404, 409, 422)],
)
def test_a_cloud_that_cannot_just_now_is_told_from_one_that_will_not(
    tmp_path: Path, status: int, kind: type[GuardianError]
) -> None:
    with open_station(tmp_path) as s:
        s.cloud.answer_with = status
        with pytest.raises(GuardianError) as caught:
            s.line.ask("GET", "/device/v1/watchlist", query="have=0&wait_s=0")
        assert type(caught.value) is kind


def test_a_floor_above_every_number_is_not_followed_and_the_line_works_again_afterwards(tmp_path: Path) -> None:
    with open_station(tmp_path) as s:
        s.cloud.counter_floor = COUNTER_MAX
        with pytest.raises(NeighbourUnreachableError) as caught:
            s.uplink.step()
        assert caught.value.reference == "cloud-replay"
        s.cloud.counter_floor = 0
        s.put(1)
        s.send_all()
        assert len(s.cloud.reads) == 1, "the device has not used up its numbers"


@pytest.mark.parametrize(
    ("clock_set", "trusted", "name", "passes"),
    [
        (True, True, "cloud.test", False),
        (False, True, "cloud.test", True),
        (False, False, "cloud.test", False),
        (False, True, "other.test", False),
    ],
    ids=["a clock that is set", "a clock that is not", "another issuer", "another name"],
)
def test_dates_of_the_cloud_s_certificate_count_only_for_a_clock_that_is_set(
    tmp_path: Path, clock_set: bool, trusted: bool, name: str, passes: bool
) -> None:
    """G14: a machine that wakes up in 1970 finds every certificate not yet valid; issuer and name count all the same."""
    key = ed25519.Ed25519PrivateKey.generate()
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "cloud.test")])
    begins = datetime.now(UTC) + timedelta(days=365)
    made = (
        x509.CertificateBuilder(
            who, who, key.public_key(), x509.random_serial_number(), begins, begins + timedelta(days=9)
        )
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("cloud.test")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, None)
    )
    pem = made.public_bytes(Encoding.PEM)
    both = tmp_path / "cloud.pem"
    both.write_bytes(pem + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(both)
    device_side = tls_context(clock_set=clock_set)
    if trusted:
        device_side.load_verify_locations(cadata=pem.decode())
    to_device, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    device = device_side.wrap_bio(to_device, to_server, server_hostname=name)
    server = server_side.wrap_bio(to_server, to_device, server_side=True)

    def shake() -> bool:
        for _ in range(4):
            for end in (device, server):
                try:
                    end.do_handshake()
                except ssl.SSLWantReadError:
                    continue
                except ssl.SSLCertVerificationError:
                    return False
        return True

    assert shake() is passes
