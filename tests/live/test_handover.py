"""A case between two halls of a real server: it arrives by itself, also after a kill, and its end is told back."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from server.people import People
from tests.live.house import Api, ServerProcess, until

HERE, THERE = "/halls/hefeng-village/cases", "/halls/hefeng-county/cases"
BOSS, PASSWORD = "boss", "a long password"


@pytest.fixture
def server(root: Path, tmp_path: Path) -> Iterator[ServerProcess]:
    """Give a server that does not run yet; the administrator has an account."""
    People(tmp_path / "accounts.sqlite").add_user(BOSS, PASSWORD, role="admin")
    server = ServerProcess(root, tmp_path, root / "config/hefeng-village.toml")
    yield server
    if server.process is not None:
        server.end(signal.SIGTERM)


def signed_in(server: ServerProcess) -> Api:
    """Give the interface as the administrator, who may act in both halls."""
    api = server.api()
    csrf = api.send("POST", "/login", {"work_id": BOSS, "password": PASSWORD})["csrf"]
    api._session.headers["X-CSRF-Token"] = csrf
    return api


def test_a_case_arrives_by_itself_and_its_end_is_told_back(server: ServerProcess) -> None:
    server.start()  # the county's hall is not there yet
    boss = signed_in(server)
    asked = {"kind": "agency", "client": "王先生", "service": "assist", "elsewhere": True}
    case = boss.send("POST", HERE, asked)["case"]
    boss.send("POST", f"{HERE}/{case}/hand-over", {"hall": "hefeng-county", "note": "材料齐全"})
    assert boss.send("GET", f"{HERE}/{case}")["status"] == "handed_over"
    boss.close()

    server.end(signal.SIGKILL)
    server.start("hefeng-county")  # now it is
    boss = signed_in(server)

    def ours() -> Any:
        return boss.send("GET", f"{HERE}/{case}")

    until(lambda: ours()["status"] == "passed_on", "the village knows that the county has it")
    theirs = ours()["their_case"]
    there = boss.send("GET", f"{THERE}/{theirs}")
    assert (there["from_hall"], there["from_case"], there["client"]) == ("hefeng-village", case, "王先生")
    boss.send("POST", f"{THERE}/{theirs}/take", {})
    boss.send("POST", f"{THERE}/{theirs}/finish", {"outcome": "证已寄出"})
    until(lambda: ours()["log"][-1]["what"] == "reported", "the village knows that it is done")
    assert ours()["log"][-1]["note"] == "证已寄出"
    boss.close()
