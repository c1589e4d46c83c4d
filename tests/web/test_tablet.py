"""The rating tablet at a window: who it is, what it may send, the photo it shows."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from server.people import People, PeopleError
from tests.web.stage import HALL, OTHER, Client, Stage

WINDOW = f"/halls/{HALL}/windows/1"


@pytest.fixture
def clerk(stage: Stage) -> Client:
    clerk = stage.person("clerk", window="1", hall=HALL)
    assert clerk.post(f"{WINDOW}/open").status_code == 200
    return clerk


def visit(stage: Stage, clerk: Client) -> str:
    """Play a visit to its end and give its ticket."""
    told = stage.issue()
    assert clerk.post(f"{WINDOW}/call-next").status_code == 200
    assert clerk.post(f"{WINDOW}/finish").status_code == 200
    return str(told["ticket"])


def test_a_page_becomes_the_tablet_of_a_window(stage: Stage, clerk: Client) -> None:
    page = stage.nobody()
    code = stage.people.new_code("tablet-1", role="display", hall=HALL, window="1")
    enrolled = page.post("/devices/enrol", {"code": code}).json
    assert enrolled is not None
    assert (enrolled["role"], enrolled["hall"], enrolled["window"]) == ("display", HALL, "1")
    me = page.get("/me").json
    assert me is not None
    assert (me["device"], me["window"], me["hall"]) == ("tablet-1", "1", HALL)
    page.csrf = me["csrf"]
    ticket = visit(stage, clerk)
    rated = page.post(f"{WINDOW}/rate", {"grade": 4, "ticket": ticket}, Idempotency_Key="press").json
    assert rated is not None
    assert (rated["label"], rated["grade"]) == ("A001", 4)
    assert page.post(f"{WINDOW}/rate", {"grade": 4, "ticket": ticket}, Idempotency_Key="press").json == rated
    again = page.post(f"{WINDOW}/rate", {"grade": 1, "ticket": ticket})
    assert (again.status_code, again.json["code"]) == (409, "already_rated")  # type: ignore[index]
    listed = stage.person("manager").get("/devices").json["devices"]  # type: ignore[index]
    assert [row["windows"] for row in listed if row["device"] == "tablet-1"] == [["1"]]


def test_a_tablet_names_the_visit_and_comes_in_time(stage: Stage, clerk: Client) -> None:
    ticket, tablet = visit(stage, clerk), stage.tablet("1")
    blind = tablet.post(f"{WINDOW}/rate", {"grade": 4})
    assert (blind.status_code, blind.json["code"]) == (422, "invalid")  # type: ignore[index]
    stage.clock.forward(121)
    late = tablet.post(f"{WINDOW}/rate", {"grade": 4, "ticket": ticket})
    assert (late.status_code, late.json["code"]) == (409, "rating_over")  # type: ignore[index]
    visit(stage, clerk)
    other = tablet.post(f"{WINDOW}/rate", {"grade": 4, "ticket": ticket})
    assert (other.status_code, other.json["code"]) == (409, "rating_over")  # type: ignore[index]


def test_a_window_is_for_displays_of_a_hall_and_does_not_change_by_itself(stage: Stage) -> None:
    for role, hall in (("kiosk", HALL), ("display", None)):
        with pytest.raises(PeopleError, match="display only"):
            stage.people.new_code("tablet-9", window="1", role=role, hall=hall)
    stage.people.add_device("tablet-9", role="display", hall=HALL, window="1")
    for window in ("2", None):
        with pytest.raises(PeopleError, match="at window 1: revoke it first"):
            stage.people.add_device("tablet-9", role="display", hall=HALL, window=window)
    stage.people.revoke_device("tablet-9")
    stage.people.add_device("tablet-9", role="display", hall=HALL, window="2")


def test_accounts_of_an_earlier_version_take_tablets(tmp_path: Path) -> None:
    path = tmp_path / "accounts.sqlite"
    with closing(sqlite3.connect(path)) as base, base:
        base.execute(
            "create table devices (name text primary key, role text not null, hall text,"
            " revoked integer not null default 0, last_seen integer, ip text) strict"
        )
        base.execute("insert into devices (name, role, hall) values ('board-1', 'display', 'qiao')")
    People(path)
    people = People(path)
    people.add_device("tablet-1", role="display", hall=HALL, window="1")
    assert [(device.name, device.window) for device in people.devices()] == [("board-1", None), ("tablet-1", "1")]


@pytest.mark.parametrize("kind", [".jpg", ".png"])
def test_a_clerk_with_a_photo_in_the_data_folder_is_shown(
    make_stage: Callable[..., Stage], tmp_path: Path, kind: str
) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / f"1001{kind}").write_bytes(b"a picture")
    (folder / "1002.svg").write_bytes(b"a program")
    (tmp_path / f"secret{kind}").write_bytes(b"not for everybody")
    stage = make_stage(photos=folder)
    tablet = stage.tablet("1")
    answer = tablet.get(f"/halls/{HALL}/clerks/1001/photo")
    assert answer.data == b"a picture"
    answer.close()
    assert answer.content_type == {".jpg": "image/jpeg", ".png": "image/png"}[kind]
    for name in ("1002", "1003", "..%2Fsecret", "1001.jpg", ".", "%2e%2e"):
        assert tablet.get(f"/halls/{HALL}/clerks/{name}/photo").status_code == 404, name
    assert tablet.get(f"/halls/{OTHER}/clerks/1001/photo").status_code == 403
    assert stage.nobody().get(f"/halls/{HALL}/clerks/1001/photo").status_code == 401


def test_without_a_folder_nobody_has_a_photo(stage: Stage) -> None:
    assert stage.tablet("1").get(f"/halls/{HALL}/clerks/1001/photo").status_code == 404
