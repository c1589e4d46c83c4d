"""The kiosk's door for its browser, and the agent's door for the kiosk: who may come in, and what each is told."""

import json
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from drivers.door import LocalDoor
from kiosk.desk import Desk
from kiosk.door import Door
from kiosk.journal import Journal
from kiosk.link import Link
from kiosk.printing import LocalPrinter, NoPrinter
from tests.patience import PATIENCE_S

TICKETS = "/api/v1/halls/demo/tickets"


@pytest.fixture
def door(tmp_path: Path) -> Iterator[str]:
    """Give the address of a kiosk whose server was never there."""
    journal = Journal(tmp_path / "journal.sqlite")
    desk = Desk("demo", Link("http://127.0.0.1:9", "token"), journal, None)
    made = Door(0, desk, "http://127.0.0.1:9", "token", TICKETS)
    desk.start()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{made.server_address[1]}"
    made.shutdown()
    thread.join()
    made.server_close()
    desk.stop()
    journal.close()


def ask(method: str, url: str, **how: Any) -> requests.Response:
    with requests.Session() as session:
        return session.request(method, url, timeout=PATIENCE_S, allow_redirects=False, **how)


def test_the_page_comes_from_here(door: str, root: Path) -> None:
    assert ask("GET", f"{door}/").headers["Location"] == "/kiosk"
    page = ask("GET", f"{door}/kiosk")
    assert page.status_code == (200 if (root / "kiosk/pages/kiosk.html").is_file() else 503)
    if page.status_code == 200:
        assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/pages/kiosk/../__init__.py", "/pages/kiosk/%2e%2e/main.py", "/pages/kiosk/", "/x"])
def test_nothing_else_of_the_disk_does(door: str, path: str) -> None:
    request = requests.Request("GET", door).prepare()
    request.url = f"{door}{path}"  # as it is, not made tidy
    with requests.Session() as session:
        assert session.send(request, timeout=PATIENCE_S).status_code == 404


def test_other_names_and_pages_of_others_are_refused(door: str) -> None:
    assert ask("GET", f"{door}/kiosk", headers={"Host": "evil.example"}).status_code == 400
    assert ask("POST", door + TICKETS, json={}, headers={"Host": "evil.example"}).status_code == 403
    assert ask("POST", door + TICKETS, json={}, headers={"Origin": "http://evil.example"}).status_code == 403
    own = ask("POST", door + TICKETS, json={"service": "general"}, headers={"Origin": door})
    assert (own.status_code, own.json()["code"]) == (503, "server_away")


def test_what_is_too_large_or_of_unknown_length_is_refused(door: str) -> None:
    assert ask("POST", door + TICKETS, data=b"x" * 70_000).status_code == 413
    assert ask("POST", door + TICKETS, data=iter([b"{}"])).status_code == 413


def test_a_refusal_speaks_the_visitor_s_language(door: str) -> None:
    for language, word in (("zh", "网络中断"), ("en", "network is down")):
        answer = ask("GET", f"{door}/api/v1/halls/demo/tickets/A001", headers={"Accept-Language": language})
        assert (answer.status_code, answer.headers["Content-Type"]) == (503, "application/problem+json")
        assert word in answer.json()["detail"]


def test_the_health_says_that_the_server_is_away(door: str) -> None:
    assert ask("GET", f"{door}/healthz").json()["up"] is False


class Printers:
    """An agent with one printer."""

    def __init__(self) -> None:
        self.jobs: list[object] = []

    def print_here(self, device: str | None, kiosk: str, job: object) -> dict[str, object] | None:
        if device not in (None, "printer-1"):
            return None
        self.jobs.append(job)
        return {} if job == {"stopping": True} else {"id": "1", "result": {"status": "printed", "detail": ""}}

    def printers_here(self) -> list[dict[str, object]]:
        return [{"device": name, "kiosks": [], "health": "ok", "paper": "ok"} for name in ("printer-1", "printer-2")]


@pytest.fixture
def agent() -> Iterator[tuple[Path, Printers]]:
    printers = Printers()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "print.sock"
        path.write_text("left by a killed agent")
        local = LocalDoor(path, printers)
        local.start()
        yield path, printers
        local.stop()
        assert not path.exists()


def test_a_job_is_printed_through_the_agent_s_door(agent: tuple[Path, Printers]) -> None:
    path, printers = agent
    assert path.stat().st_mode & 0o777 == 0o600
    assert LocalPrinter(path, None, "kiosk-1").print({"id": "1"}) == "printed"
    assert printers.jobs == [{"id": "1"}]
    assert [row["device"] for row in LocalPrinter(path, "printer-2", "kiosk-1").printers()] == ["printer-2"]


def test_without_a_printer_or_an_agent_nothing_is_printed(agent: tuple[Path, Printers]) -> None:
    path, _ = agent
    with pytest.raises(NoPrinter, match="no printer"):
        LocalPrinter(path, "printer-9", "kiosk-1").print({})
    with pytest.raises(NoPrinter, match="stopping"):
        LocalPrinter(path, None, "kiosk-1").print({"stopping": True})
    with pytest.raises(NoPrinter):
        LocalPrinter(path.with_name("none.sock"), None, "kiosk-1").printers()


@pytest.mark.parametrize("body", [b"", b"[]", b"no json", json.dumps({"device": 3, "kiosk": "k"}).encode()])
def test_what_is_no_job_is_refused(agent: tuple[Path, Printers], body: bytes) -> None:
    door = json.loads(agent[0].read_text())
    key = {"Authorization": f"Bearer {door['key']}"}
    at = f"http://127.0.0.1:{door['port']}/print"
    assert requests.post(at, body, headers=key, timeout=PATIENCE_S).status_code == 400


@pytest.mark.parametrize("key", [{}, {"Authorization": "Bearer "}, {"Authorization": "Bearer \xe9"}])
def test_who_does_not_know_the_key_of_the_door_prints_nothing(
    agent: tuple[Path, Printers], key: dict[str, str]
) -> None:
    path, printers = agent
    at = f"http://127.0.0.1:{json.loads(path.read_text())['port']}"
    job = {"device": None, "kiosk": "kiosk-1", "job": {"id": "1"}}
    assert requests.post(f"{at}/print", json=job, headers=key, timeout=PATIENCE_S).status_code == 401
    assert requests.get(f"{at}/printers", headers=key, timeout=PATIENCE_S).status_code == 401
    assert printers.jobs == []
    path.write_text('{"port": 1, "key": "of another start"}')
    with pytest.raises(NoPrinter):
        LocalPrinter(path, None, "kiosk-1").print({"id": "1"})
