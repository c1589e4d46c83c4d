"""The server that the tests of this folder talk to."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from server.people import PERSON_ROLES, People
from server.register import Register
from server.web.app import create_app
from server.web.doors import Doors
from server.web.site import PageFolders, Site
from tests.web.stage import HALL, OTHER, PASSWORD, Clock, Stage, make_hall


@pytest.fixture(scope="session")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Make the accounts once: hashing passwords is meant to be slow."""
    path = tmp_path_factory.mktemp("accounts") / "accounts.sqlite"
    people = People(path)
    for role in sorted(PERSON_ROLES):
        people.add_user(role, PASSWORD, role=role, name=f"{role} 甲", hall=None if role == "clerk" else HALL)
    people.add_user("clerk2", PASSWORD, role="clerk", windows=("2", "3"), hall=HALL)
    people.add_user("boss", PASSWORD, role="admin")
    return path.read_bytes()


@pytest.fixture
def make_stage(tmp_path: Path, accounts: bytes) -> Callable[..., Stage]:
    """Give a function that builds the server; its arguments go into the site."""

    def build(**more: Any) -> Stage:
        data = tmp_path / "data"
        data.mkdir(exist_ok=True)
        (data / "accounts.sqlite").write_bytes(accounts)
        clock, wall = Clock(), Clock()
        parts: dict[str, Any] = {
            "halls": {hall: make_hall(hall, clock) for hall in (HALL, OTHER)},
            "people": People(data / "accounts.sqlite", clock=lambda: wall.ms / 1000),
            "register": Register(data / "devices.sqlite", clock=lambda: wall.ms / 1000),
            "doors": Doors(hosts=["hall.example.cn"], port=8000, public_urls=lambda: ["https://queue.example.cn"]),
            "pages": PageFolders(server=data / "server", kiosk=data / "kiosk", display=data / "display"),
        }
        site = Site(**(parts | more))
        app = create_app(site)
        return Stage(site=site, clock=clock, wall=wall, new_http=app.test_client)

    return build


@pytest.fixture
def stage(make_stage: Callable[..., Stage]) -> Stage:
    """Give the server."""
    return make_stage()
