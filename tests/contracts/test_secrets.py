"""What keeps secrets keeps them from others, and is of one mind about them."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from guardian.domain.errors import InputRefusedError
from guardian.stores import Secrets, open_secrets


@pytest.fixture
def secrets(tmp_path: Path) -> Secrets:
    return open_secrets((tmp_path / "secrets").as_uri())


def test_a_secret_is_made_once_and_then_found(secrets: Secrets, tmp_path: Path) -> None:
    assert secrets.find("list-key") is None
    assert secrets.get_or_create("list-key", lambda: b"\x00first") == b"\x00first"
    again = open_secrets((tmp_path / "secrets").as_uri())
    assert again.get_or_create("list-key", lambda: b"second") == b"\x00first"
    assert again.find("list-key") == b"\x00first"


def test_all_who_come_at_once_get_the_same(secrets: Secrets) -> None:
    found: list[bytes] = []
    gate = threading.Barrier(8)

    def come(number: int) -> None:
        gate.wait()
        found.append(secrets.get_or_create("key", lambda: b"%d" % number))

    threads = [threading.Thread(target=come, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and len(set(found)) == 1


def test_a_secret_can_be_replaced(secrets: Secrets) -> None:
    secrets.get_or_create("key", lambda: b"old")
    secrets.replace("key", b"new")
    assert secrets.find("key") == b"new"


def test_nobody_else_may_read(secrets: Secrets, tmp_path: Path) -> None:
    secrets.get_or_create("key", lambda: b"value")
    folder = tmp_path / "secrets"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()] == [0o600]


def test_a_secret_open_to_others_is_refused_by_name_without_its_value(secrets: Secrets, tmp_path: Path) -> None:
    secrets.get_or_create("key", lambda: b"valuable")
    (tmp_path / "secrets" / "key").chmod(0o644)
    with pytest.raises(InputRefusedError) as caught:
        secrets.find("key")
    assert caught.value.reference == "secret-open-to-others"
    assert "valuable" not in str(caught.value) and "valuable" not in repr(secrets)


@pytest.mark.parametrize("name", ["../key", "", ".hidden", "a/b", "a\x00", "x" * 101])
def test_a_name_that_is_a_path_is_refused(secrets: Secrets, name: str) -> None:
    with pytest.raises(InputRefusedError):
        secrets.get_or_create(name, lambda: b"")
