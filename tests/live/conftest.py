"""Houses for tests: one whose server does not run yet, one of its own, one shared by a file of tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.house import House
from tests.patience import past_the_turn_of_the_day


@pytest.fixture(autouse=True)
def _one_business_day() -> None:
    past_the_turn_of_the_day()


@pytest.fixture
def closed_house(root: Path, tmp_path: Path) -> Iterator[House]:
    """Give a house whose server does not run yet."""
    house = House(root, tmp_path / "data")
    yield house
    house.close()


@pytest.fixture
def house(closed_house: House) -> House:
    """Give a house with a running server."""
    closed_house.server.start()
    return closed_house


@pytest.fixture(scope="module")
def shared_house(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Give a house with a running server for tests that leave nothing behind that another minds."""
    house = House(root, tmp_path_factory.mktemp("shared") / "data")
    house.server.start()
    yield house
    house.close()
