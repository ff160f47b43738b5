"""Where a command finds its cloud: the two parameters that every command of the cloud has."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

Home = Annotated[Path | None, Parameter(help="Folder of all data; default: var/cloud.")]
Config = Annotated[Path | None, Parameter(help="Settings file; default: guardian.toml where there is one.")]
