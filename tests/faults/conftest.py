"""Houses for fault tests, and the process that forks their servers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.spawned import SpawnedHouse, Spawner
from tests.live.conftest import _one_business_day, closed_house, house

__all__ = ["_one_business_day", "closed_house", "house"]


@pytest.fixture(scope="session")
def spawner(root: Path) -> Iterator[Spawner]:
    """Give the process that forks servers."""
    made = Spawner(root)
    yield made
    made.close()


@pytest.fixture
def spawned(spawner: Spawner, root: Path, tmp_path: Path) -> Iterator[SpawnedHouse]:
    """Give a house whose server does not run yet."""
    made = SpawnedHouse(spawner, root, tmp_path / "data")
    yield made
    made.close()
