"""Clients of a real server that write down all they ask and are told, and ask again under the same key until they know.

Kiosks press, clerks call, recall, start and finish, an auditor reads the ledger's tail, a board watches, and a kiosk
tries what it may not. `judged` has `tests/checker` judge their history against the ledger that is left.
"""

import http.client
import json
import random
import threading
import time
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from server.ledger.audit import Finding
from server.ledger.base import Commit
from server.ledger.sqlite import SqliteLedger
from tests.checker.history import Denied, End, History, Op, Read, Shown
from tests.checker.judge import judge
from tests.live.house import HALL, Api, House, Watcher
from tests.patience import PATIENCE_S, until

SERVICES = ("general", "general", "tax", "social")
KIOSKS = 2
CLERKS = {"1001": "1", "1002": "3"}
PRESS_EVERY_S = 0.02
KNOWN = ("seq", "ticket", "label", "number")  # fields of an answer that the ledger knows under the same name


class Line:
    """HTTP to a server that may be gone at any moment, with somebody's rights; one connection, made again when lost."""

    def __init__(self, house: House, who: Api) -> None:
        self._server = house.server
        self._headers = {str(name): str(it) for name, it in who._session.headers.items()}
        self._headers["Cookie"] = "; ".join(f"{name}={it}" for name, it in who.cookies.items())
        self._line: http.client.HTTPConnection | None = None

    def ask(self, method: str, path: str, body: object = None, key: str = "") -> tuple[int, dict[str, Any]]:
        """Give status and answer. Raises OSError, HTTPException: nobody knows what became of it."""
        headers = self._headers | {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
        try:
            if self._line is None:
                host, _, port = self._server.url.removeprefix("http://").partition(":")
                self._line = http.client.HTTPConnection(host, int(port), timeout=PATIENCE_S)
            self._line.request(
                method, f"/api/v1/halls/{HALL}{path}", None if body is None else json.dumps(body), headers
            )
            response = self._line.getresponse()
            return response.status, json.loads(response.read())
        except (OSError, http.client.HTTPException):
            self.close()
            raise

    def close(self) -> None:
        """Hang up."""
        if self._line is not None:
            self._line.close()
        self._line = None


class Board(Watcher):
    """A board that remembers on which connection it got which picture."""

    def _on_picture(self, picture: dict[str, Any]) -> None:
        super()._on_picture({**picture, "connection": self.connects})


class Clients:
    """People and machines at work on a house, each in a thread of its own, until `stop`."""

    def __init__(self, house: House, *, seed: int = 0, kiosks: int = KIOSKS, watching: bool = True) -> None:
        self.house, self.history = house, History(networked=True)
        self.answers = 0
        self._stopped, self._faults = threading.Event(), list[BaseException]()
        self._keys, self._seed, self._lines = count(1), seed, list[Line]()
        self._tries: list[Callable[[random.Random], None]] = [
            *(self._kiosk(f"kiosk {number}") for number in range(kiosks)),
            *(self._clerk(work_id, window) for work_id, window in CLERKS.items()),
            self._auditor(),
        ]
        self._board: Board | None = None
        if watching:
            self._board = Board(house.server, token=house.tokens["display"])
            self._board.connect().watch("board")
        self._threads = [
            threading.Thread(target=self._work, args=(act, number), daemon=True)
            for number, act in enumerate(self._tries)
        ]
        for thread in self._threads:
            thread.start()

    def until_answers(self, more: int) -> None:
        """Wait for so many more answers."""
        goal = self.answers + more
        until(lambda: self.answers >= goal or self._faults, f"{more} answers")
        self._raise()

    def stop(self) -> None:
        """Let everybody finish what they are at; the server must run."""
        self._stopped.set()
        for thread in self._threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive()
        self._raise()
        if self._board is not None:
            self._look_at(self._board)
        for line in self._lines:
            line.close()

    def ask(self, who: Api, path: str, body: dict[str, object]) -> None:
        """Ask something more as somebody else, and write it down."""
        line = Line(self.house, who)
        assert not self._ask(line, "more", path, body)
        line.close()

    def judged(self) -> list[Finding]:
        """Give every rule that is broken by what everybody saw and what the ledger holds; the server must be over."""
        errors = self.house.server.errors.read_text()
        self.history.audit_lines = [line for line in errors.splitlines() if "refused" in line]
        self.history.texts.append(("the server's log", errors.encode()))
        return judge(commits_in(self.house.server.data / f"{HALL}.sqlite"), self.history)

    def _raise(self) -> None:
        if self._faults:
            raise self._faults[0]

    def _work(self, act: Callable[[random.Random], None], number: int) -> None:
        dice = random.Random(f"{self._seed} {number}")
        try:
            while not self._stopped.is_set():
                act(dice)
        except BaseException as fault:  # noqa: BLE001 - the test raises it
            self._faults.append(fault)

    def _kiosk(self, proc: str) -> Callable[[random.Random], None]:
        line = self._line("kiosk")

        def act(dice: random.Random) -> None:
            body: dict[str, object] = {"service": dice.choice(SERVICES)}
            if dice.random() < 0.15:
                body["priority"] = "green_channel"
            self._ask(line, proc, "/tickets", body)
            if dice.random() < 0.01:
                self._ask(line, proc, "/windows/1/call-next", {}, denied_as="kiosk-1")
            self._stopped.wait(PRESS_EVERY_S * dice.random())

        return act

    def _clerk(self, work_id: str, window: str) -> Callable[[random.Random], None]:
        line = self._line(work_id, window)
        self._ask(line, work_id, f"/windows/{window}/open", {})

        def act(dice: random.Random) -> None:
            said = self._ask(line, work_id, f"/windows/{window}/call-next", {"finish": True})
            if said == "window_closed":  # at the turn of the day
                self._ask(line, work_id, f"/windows/{window}/open", {})
            for word in dice.choice((("recall",), ("start", "finish"), (), ("missed",), ("start",))):
                self._ask(line, work_id, f"/windows/{window}/{word}", {})
            self._stopped.wait(PRESS_EVERY_S * dice.random())

        return act

    def _auditor(self) -> Callable[[random.Random], None]:
        line = self._line("9001")
        after = 0

        def act(_: random.Random) -> None:
            nonlocal after
            t0 = time.monotonic()
            try:
                status, tail = line.ask("GET", f"/commits?after={after}&limit=500")
            except (OSError, http.client.HTTPException):
                self._stopped.wait(PRESS_EVERY_S)
                return
            if status == 200:
                for row in tail["commits"]:
                    self.history.reads.append(Read(who="auditor", seq=row["seq"], hash=row["hash"]))
                after = tail["seq"]
                self.history.reads.append(Read(who="auditor", seq=after, t0=t0))
            self._stopped.wait(0.1)

        return act

    def _line(self, who: str, window: str | None = None) -> Line:
        house = self.house
        line = Line(house, house.api(who) if who in house.tokens else house.person(who, window))
        self._lines.append(line)
        return line

    def _ask(self, line: Line, proc: str, path: str, body: dict[str, object], *, denied_as: str = "") -> str:
        """Ask until there is a yes or a no, always under the same key, and write each try down; give a no's code."""
        key = f"{proc}-{next(self._keys)}".replace(" ", "-")
        deadline = time.monotonic() + PATIENCE_S
        while True:
            t0 = time.monotonic()
            end, told, code = End.INFO, dict[str, object](), ""
            try:
                status, answer = line.ask("POST", path, body, key)
            except (OSError, http.client.HTTPException):
                pass  # nobody knows
            else:
                if status < 300:
                    end, told = End.OK, {name: answer[name] for name in KNOWN if name in answer}
                elif status < 500:
                    end, code = End.FAIL, answer["code"]
                    assert status == (403 if denied_as else 409), answer
                    if denied_as:
                        self.history.denied.append(Denied(by=denied_as, source="127.0.0.1", code=code))
            self.history.ops.append(
                Op(key=key, end=end, proc=proc, f=path, args=body, t0=t0, t1=time.monotonic(), told=told)
            )
            if end is not End.INFO:
                self.answers += 1
                return code
            assert time.monotonic() < deadline, (path, "no answer")
            self._stopped.wait(0.02)
            if self._stopped.is_set():
                return ""

    def _look_at(self, board: Board) -> None:
        """Wait for the end on the board, and put what it showed into the history."""
        self._stopped.clear()
        self._ask(self._line("kiosk"), "the last", "/tickets", {"service": "general"})
        last = self.history.ops[-1].told["seq"]
        until(lambda: board.of("board") and board.of("board")[-1]["seq"] == last, "the end on the board")
        for picture in board.of("board"):
            data = msgspec.json.encode(picture["data"])
            self.history.shown.append(
                Shown(screen="board", connection=picture["connection"], seq=picture["seq"], topic="board", data=data)
            )
        self.history.showing["board"] = ("board", self.history.shown[-1].data)
        board.close()


def commits_in(path: Path) -> Sequence[Commit]:
    """Give all commits of a ledger that nobody holds any more."""
    ledger = SqliteLedger(path)
    try:
        return list(ledger.read())
    finally:
        ledger.close()
