"""G31 on the device: a cloned identity is said on the screen, and nothing is thrown away for it."""

from __future__ import annotations

from pathlib import Path

from tests.device.station import open_station


def test_the_notice_of_a_fork_stands_on_the_screen_until_it_is_over(tmp_path: Path) -> None:
    with open_station(tmp_path) as s:
        s.cloud.notice = "identity-forked"
        s.put(1, 2)
        s.send_all()
        assert "重新註冊" in s.said["identity-forked"]
        assert len(s.cloud.reads) == 2, "reads go on all the same"
        s.cloud.notice = ""
        s.clock.advance(6_000)
        s.send_all()
        assert "identity-forked" not in s.said
