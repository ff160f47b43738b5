"""Secrets in a folder that only we may enter: one file each, made once, by whoever comes first.

The folder is 0700 and the files 0600; a file that others may read is refused rather than used, because it may have been
read already. Names are shown, values never.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
from collections.abc import Callable
from pathlib import Path

from guardian.domain.errors import InputRefusedError
from guardian.stores.failures import disk_full, is_disk_full
from guardian.stores.files import _sync_folder, folder_of
from guardian.stores.ports import Secrets

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,99}")


class FileSecrets:
    """Made by `open_secrets("file:///…")`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)

    def __repr__(self) -> str:
        return "FileSecrets(…)"

    def find(self, name: str) -> bytes | None:
        path = self._path(name)
        try:
            with path.open("rb") as file:
                if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                    raise InputRefusedError(
                        f"The secret {name!r} may be read by others; it is not used.",
                        hint="If nobody has seen it, set its file to mode 600; otherwise remove it and enrol anew.",
                        reference="secret-open-to-others",
                    )
                return file.read()
        except FileNotFoundError:
            return None

    def get_or_create(self, name: str, make: Callable[[], bytes]) -> bytes:
        found = self.find(name)
        if found is not None:
            return found
        beside = self._write_beside(name, make())
        try:
            with contextlib.suppress(FileExistsError):  # another process was first: its secret is the one
                os.link(beside, self._path(name))
        finally:
            beside.unlink()
        _sync_folder(self.folder)
        made = self.find(name)
        if made is None:
            raise RuntimeError("a secret that was just made is not there")
        return made

    def replace(self, name: str, value: bytes) -> None:
        self._write_beside(name, value).rename(self._path(name))
        _sync_folder(self.folder)

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise InputRefusedError("A secret's name has letters, digits, '-' and '.'.", reference="secret-name")
        return self.folder / name

    def _write_beside(self, name: str, value: bytes) -> Path:
        beside = self._path(name).with_name(f"_{secrets.token_hex(8)}")
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(value)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            beside.unlink(missing_ok=True)
            if is_disk_full(error):
                raise disk_full("secrets") from error
            raise
        return beside


def open_secrets(url: str) -> Secrets:
    """The secrets behind `url`: `file:///folder`.

    Raises:
        InputRefusedError: no such engine (`store-url`).
    """
    if url.partition(":")[0] != "file":
        raise InputRefusedError("Secrets are kept in a folder.", hint="Use file:///….", reference="store-url")
    return FileSecrets(folder_of(url))
