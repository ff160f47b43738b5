"""Police Safety Guardian Cloud (警政安全守護雲): from a plate before a lens to a case in a detective's hands.

Rooms are capabilities; `docs/house.md` draws them and `pyproject.toml` says which may import which.
"""

__version__ = "0.1.0"
