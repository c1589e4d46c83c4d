"""Another system is told what visitors should know: a real server, a receiver that fails, refuses and comes back."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any

import pytest
from click.testing import CliRunner

from server.main import main
from tests.live.house import HALL, House
from tests.patience import until


class Receiver:
    """An HTTP server that checks signatures as the docs tell integrators to."""

    def __init__(self) -> None:
        self.secret = ""
        self.status = 204
        self.taken: list[tuple[str, dict[str, Any]]] = []
        self.tries = 0
        self._turn = Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(receiver.take(dict(self.headers), body))
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hook"

    def take(self, headers: dict[str, str], body: bytes) -> int:
        with self._turn:
            self.tries += 1
            if self.status != 204:
                return self.status
            id_, stamp = headers["webhook-id"], headers["webhook-timestamp"]
            key = base64.b64decode(self.secret.removeprefix("whsec_"))
            right = hmac.new(key, f"{id_}.{stamp}.".encode() + body, hashlib.sha256).digest()
            if headers["webhook-signature"] != "v1," + base64.b64encode(right).decode():
                return 401
            self.taken.append((id_, json.loads(body)))
            return 204

    def told(self, kind: str) -> list[dict[str, Any]]:
        return [message["data"] for _, message in list(self.taken) if message["type"] == kind]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def house(root: Path, tmp_path: Path, receiver: Receiver) -> Iterator[House]:
    """Give a server whose hall tells the receiver of calls, misses and who is next."""
    file = tmp_path / "demo.toml"
    table = f'\n[notify]\nurl = "{receiver.url}"\nevents = ["called", "near", "missed"]\nnear = 0\n'
    file.write_text((root / "config/demo.toml").read_text(encoding="utf-8") + table, encoding="utf-8")
    house = House(root, tmp_path / "data", file)
    words = ["notify", "secret", HALL, "--data", str(house.server.data)]
    receiver.secret = CliRunner().invoke(main, words).stdout.strip()
    house.server.start()
    try:
        yield house
    finally:
        house.close()


def test_a_visit_is_told_in_order_each_once(house: House, receiver: Receiver) -> None:
    clerk = house.person("1001", "1")
    clerk.hall("POST", "/windows/1/open")
    kiosk = house.api("kiosk")
    first, second = kiosk.press(), kiosk.press()
    until(lambda: [it["ticket"] for it in receiver.told("ticket.near")] == [first["ticket"]], "the first is next")
    assert clerk.hall("POST", "/windows/1/call-next")["ticket"] == first["ticket"]
    clerk.hall("POST", "/windows/1/recall")
    clerk.hall("POST", "/windows/1/missed")
    until(lambda: len(receiver.told("ticket.missed")) == 1, "told to be missed")
    called = receiver.told("ticket.called")
    assert [(it["ticket"], it["label"], it["window"], it["call_count"]) for it in called] == [
        (first["ticket"], first["label"], "1", 1),
        (first["ticket"], first["label"], "1", 2),
    ]
    assert first["track_url"].endswith("/" + called[0]["track"])
    until(lambda: len(receiver.told("ticket.near")) == 2, "the second is next")
    assert receiver.told("ticket.near")[1]["ticket"] == second["ticket"]
    ids = [id_ for id_, _ in receiver.taken]
    assert len(ids) == len(set(ids))
    assert "visitor" not in json.dumps(receiver.taken)


def test_what_happened_while_the_receiver_was_away_is_told_when_it_is_back(house: House, receiver: Receiver) -> None:
    """Also over a kill of the server; and what it refuses for good does not stand in the way."""
    clerk = house.person("1001", "1")
    clerk.hall("POST", "/windows/1/open")
    kiosk = house.api("kiosk")
    receiver.status = 503
    kiosk.press()
    clerk.hall("POST", "/windows/1/call-next")
    until(lambda: receiver.tries > 0, "it was tried")
    house.server.end(9)
    house.server.start()
    receiver.status = 204
    until(lambda: len(receiver.told("ticket.called")) == 1, "told after all")
    receiver.status = 400
    tries = receiver.tries
    house.person("9001").hall("POST", "/windows/1/recall")
    until(lambda: receiver.tries > tries, "refused")
    receiver.status = 204
    house.person("9001").hall("POST", "/windows/1/missed")
    until(lambda: len(receiver.told("ticket.missed")) == 1, "the next is told")
    assert len(receiver.told("ticket.called")) == 1


def test_an_installer_can_try_the_receiver(house: House, receiver: Receiver) -> None:
    words = ["--lang", "en", "notify", "test", str(house.server.hall_file), "--data", str(house.server.data)]
    told = CliRunner().invoke(main, words)
    assert (told.exit_code, told.stdout.strip()) == (0, f"{receiver.url} took it")
    assert [message["type"] for _, message in receiver.taken] == ["test"]
    receiver.secret = "whsec_" + base64.b64encode(b"another").decode()
    told = CliRunner().invoke(main, words)
    assert (told.exit_code, "status 401" in told.stderr) == (1, True)
