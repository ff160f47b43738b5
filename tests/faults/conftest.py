"""One real cloud for the cases that only need one that runs: started once, told apart by unit and plate."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.house import RunningCloud, running_cloud


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCloud]:
    with running_cloud(tmp_path_factory.mktemp("weather") / "home") as running:
        yield running


@pytest.fixture(scope="session")
def operator(cloud: RunningCloud) -> httpx.Client:
    return cloud.sign_in("operator", "值勤員甲")


@pytest.fixture(scope="session")
def detective(cloud: RunningCloud) -> httpx.Client:
    return cloud.sign_in("detective", "偵查佐乙")
