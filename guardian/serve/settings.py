"""Settings of the cloud: `guardian.toml`, then `GUARDIAN_*` of the environment, then the command line; typed, nothing unknown.

An unknown key is refused with its line, because a setting that is silently ignored is worse than none.

    port = 8480
    archive = "chdb:"
    [stores]
    data = "var/cloud"
    records = "postgresql://guardian@127.0.0.1/guardian"
    photos = "s3://photos?endpoint=http://127.0.0.1:9000"
    events = "nats://127.0.0.1:4222"

In the environment a dot becomes two underscores: `GUARDIAN_STORES__RECORDS`, `GUARDIAN_PORT`.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from guardian.domain.errors import InputRefusedError
from guardian.stores import StoreSettings

DEFAULT_FILE = Path("guardian.toml")
PREFIX = "GUARDIAN_"
OTHER_VARIABLES = {"GUARDIAN_NO_SKIP", "GUARDIAN_PYTEST"}
"""Names with our prefix that belong to the test scripts."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one cloud is told."""

    stores: StoreSettings = StoreSettings(data="var/cloud")
    archive: str = "chdb:"
    port: int = 8480


def _line_of(text: str, table: str, key: str) -> int | None:
    """The line (from 1) on which `key` of `table` (dotted, "" at the top) is set or opened; None where it is not."""
    inside = ""
    wanted = f"{table}.{key}" if table else key
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[+\s*([^\]]+?)\s*\]", line):
            inside = header[1].replace('"', "").replace(" ", "")
            if inside == wanted or inside.startswith(f"{wanted}."):
                return number
        elif setting := re.match(r"""\s*([\w."'-]+)\s*=(.*)""", line):
            name = setting[1].replace('"', "").replace("'", "")
            full = f"{inside}.{name}" if inside else name
            if full == wanted or full.startswith(f"{wanted}."):
                return number
            if full == table and re.search(rf"[{{,]\s*{re.escape(key)}\s*=", setting[2]):  # an inline table
                return number
    return None


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in environment.items():
        if not name.startswith(PREFIX) or name in OTHER_VARIABLES:
            continue
        *path, last = name[len(PREFIX) :].lower().split("__")
        place = found
        for part in path:
            place = place.setdefault(part, {})
        place[last] = value
    return found


def _merge(base: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    for key, value in over.items():
        if isinstance(value, Mapping) and isinstance(base.get(key), dict):
            _merge(base[key], value)
        else:
            base[key] = value
    return base


def load_settings(
    config: Path | None = None,
    *,
    home: Path | None = None,
    port: int | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """The settings in force.

    Args:
        config: the file; None takes `guardian.toml` where there is one.
        home: overrides `stores.data`.
        port: overrides `port`.

    Raises:
        InputRefusedError: no such file, no TOML, an unknown key (with its line), or a value of the wrong kind.
    """
    text, name = "", ""
    if config is not None or DEFAULT_FILE.exists():
        path = config or DEFAULT_FILE
        name = str(path)
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise InputRefusedError(
                f"The settings file {name} cannot be read: {error.strerror}.",
                hint="Check the path given with --config; without one guardian.toml is read where there is one, else nothing.",
                reference="settings-file",
            ) from error
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputRefusedError(
            f"{name} is no TOML: {error}.", hint="Mend that line of it.", reference="settings-file"
        ) from error
    _merge(values, _from_environment(os.environ if environment is None else environment))
    if home is not None:
        _merge(values, {"stores": {"data": str(home)}})
    if port is not None:
        values["port"] = port
    values.setdefault("stores", {})
    if isinstance(values["stores"], dict):
        values["stores"].setdefault("data", "var/cloud")
    try:
        return msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        said = str(error)
        unknown = re.search(r"unknown field `([^`]+)`(?: - at `\$\.?([^`]*)`)?", said)
        if unknown is None:
            raise InputRefusedError(
                f"A setting has the wrong kind of value: {said}.", reference="settings-value"
            ) from error
        key = unknown[1]
        line = _line_of(text, unknown[2] or "", key)
        where = f"{name}, line {line}" if line else f"the environment ({PREFIX}…{key.upper()})"
        raise InputRefusedError(
            f"{where}: there is no setting '{key}'.",
            reference="settings-unknown",
            hint="Take it out, or mend its spelling; guardian doctor lists the settings.",
        ) from error
