"""The kiosk with the server or without it: presses, numbers of its own, and telling the server of them afterwards.

While the server answers, every press goes there and the kiosk only keeps what it will need: the structure of the hall,
the paper of each service, blocks of numbers. When it does not answer, the kiosk gives the next number of its block.

A press of which nobody knows whether it reached the server is given a number here, too. The server is told of it under
the same key: it says `key_reused` when the press did arrive, and then that other number, which nobody holds, is
cancelled first. So each press ends as one number in the queue, whatever the network did.
"""

import json
import logging
import secrets
import sqlite3
import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from kiosk import alone
from kiosk.journal import KEPT, Block, Given, Journal, NoNumberLeft
from kiosk.link import Answer, HallClock, Link, ServerAway
from kiosk.printing import LocalPrinter, NoPrinter

LOOK_EVERY_S = 1.0
LEARN_EVERY_S = 60.0
PRINT_AGAIN_S = 1.0
TRACK_BYTES = 16  # 128 bits: nobody guesses a phone page
PRESS_BURST, PRESS_PER_S = 8.0, 1.0  # many hands on the glass must not use up the block
KEY_MAX = 200

log = logging.getLogger(__name__)


class Revoked(Exception):
    """The server does not know this kiosk's token any more."""


class NotHere(Exception):
    """What was asked cannot be answered without the server; the word names why."""

    def __init__(self, why: alone.Why) -> None:
        self.why = why
        super().__init__(why)


class Desk:
    """One kiosk of one hall."""

    def __init__(self, hall: str, link: Link, journal: Journal, printer: LocalPrinter | None) -> None:
        """Begin with what the journal knows; `start` looks for the server."""
        self._base = f"/api/v1/halls/{quote(hall, safe='')}"
        self._link, self._journal, self._printer = link, journal, printer
        self._clock = HallClock(journal.kept("offset_ms") or 0, journal.kept("seen_ms") or 0)
        self._leases: Mapping[str, Any] | None = journal.kept("leases")
        self._services = alone.services_of(self._leases)
        self._up = False
        self._trouble = ""
        self._level, self._level_at = PRESS_BURST, time.monotonic()
        self._lock = threading.Lock()
        self._wake, self._to_print, self._stopping = threading.Event(), threading.Event(), threading.Event()
        self._looked = threading.Event()
        self._threads = [
            threading.Thread(target=run, name=name, daemon=True)
            for name, run in (("follow", self._follow), ("print", self._print))
        ]

    def start(self) -> None:
        """Begin to look for the server, and print what was not printed when the kiosk was interrupted.

        Comes back when the server answered or did not: a press is never the first to find out.
        """
        self._to_print.set()
        for thread in self._threads:
            thread.start()
        self._looked.wait()

    def stop(self) -> None:
        """End soon; what is under way is safe in the journal."""
        self._stopping.set()
        self._wake.set()
        self._to_print.set()
        for thread in self._threads:
            thread.join(2.0)

    @property
    def up(self) -> bool:
        """Say whether the server answered when it was last asked."""
        return self._up

    # --------------------------------------------------------------------------------------------- what the page asks

    def forward(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        """Give the server's answer to a request of the page.

        Raises:
            ServerAway: there is none.
        """
        if not self._up:
            raise ServerAway("the server is away")
        try:
            return self._link.ask(method, path, body, headers)
        except ServerAway as away:
            self._lost(away)
            raise

    def press(self, body: bytes, headers: Mapping[str, str]) -> Answer | dict[str, Any]:
        """Give a number: the server's answer, or that of this kiosk.

        Raises:
            NotHere: the server is away and the kiosk cannot give this one.
        """
        key = headers.get("Idempotency-Key", "")[:KEY_MAX]
        if key and (known := self._journal.of_key(key)) is not None:
            return self._told(known)
        try:
            return self.forward("POST", f"{self._base}/tickets", body, headers)
        except ServerAway:
            return self._give(key or secrets.token_hex(TRACK_BYTES), body)

    def lonely(self, path: str) -> dict[str, Any] | None:
        """Give what the page may see without the server: what was last learned, None where that says nothing."""
        if path == f"{self._base}/state":
            state = self._journal.kept("state")
            return None if state is None else alone.lonely_state(state, self._open_services())
        if path == "/api/v1/devices":
            return {"devices": self._printers()}
        names = {"/api/v1/me": "me", "/api/v1/halls": "halls", self._base: "hall"}
        known: dict[str, Any] | None = self._journal.kept(names[path]) if path in names else None
        return known

    def now_ms(self) -> int:
        """Give the hall's time."""
        return self._clock.now_ms()

    def health(self) -> dict[str, Any]:
        """Say how the kiosk is, for `jiaohao doctor` and people: {up, untold, left, refused, trouble}."""
        now_ms = self.now_ms()
        return {
            "up": self._up,
            "untold": len(self._journal.untold()),
            "left": {prefix: self._journal.left(prefix, now_ms) for prefix in self._prefixes()},
            "refused": [f"{it.day} {it.label}: {it.told}" for it in self._journal.refused()],
            "trouble": self._trouble,
        }

    # --------------------------------------------------------------------------------------------- without the server

    def _give(self, key: str, raw: bytes) -> dict[str, Any]:
        try:
            body = json.loads(raw or b"{}")
        except ValueError:
            raise NotHere("server_away") from None
        if not alone.is_bare(body):
            raise NotHere("server_away")
        now_ms = self.now_ms()
        service = self._services.get(str(body.get("service")))
        if service is None:
            raise NotHere("server_away" if not self._services else "service_not_found")
        if not service.is_open(now_ms):
            raise NotHere("service_closed")
        if not self._take():
            raise NotHere("too_many")
        try:
            given = self._journal.give(
                service.prefix, key=key, body=body, track=secrets.token_urlsafe(TRACK_BYTES), now_ms=now_ms
            )
        except (NoNumberLeft, sqlite3.Error) as error:
            log.warning("no number of %s: %r", service.prefix, error)
            raise NotHere("offline_used_up") from error
        log.info("gave %s without the server", given.label)
        self._to_print.set()
        return self._told(given)

    def _told(self, given: Given) -> dict[str, Any]:
        service = self._services.get(str(given.body["service"]))
        if service is None or self._leases is None:
            raise NotHere("server_away")
        return alone.answer(given, service, self._leases)

    def _take(self) -> bool:
        """Take a token out of the bucket that bounds presses."""
        with self._lock:
            now = time.monotonic()
            self._level = min(PRESS_BURST, self._level + (now - self._level_at) * PRESS_PER_S)
            self._level_at = now
            if self._level < 1:
                return False
            self._level -= 1
            return True

    def _open_services(self) -> dict[str, bool]:
        now_ms = self.now_ms()
        left = {prefix: self._journal.left(prefix, now_ms) for prefix in self._prefixes()}
        return {it.id: left[it.prefix] > 0 and it.is_open(now_ms) for it in self._services.values()}

    def _prefixes(self) -> list[str]:
        return sorted({it.prefix for it in self._services.values()})

    def _printers(self) -> list[dict[str, Any]]:
        if self._printer is None:
            return []
        try:
            return [{**row, "kind": "printer"} for row in self._printer.printers()]
        except NoPrinter:
            return []

    # ------------------------------------------------------------------------------------------------------- the paper

    def _print(self) -> None:
        while not self._stopping.is_set():
            self._to_print.wait()
            self._to_print.clear()
            while not self._stopping.is_set() and not self._print_all():
                self._stopping.wait(PRINT_AGAIN_S)

    def _print_all(self) -> bool:
        """Print what was not printed; False: the agent does not answer, try again while it is worth it."""
        if self._printer is None:
            return True
        for given in self._journal.unprinted(self.now_ms() - alone.PRINT_WITHIN_MS):
            service = self._services.get(str(given.body["service"]))
            if service is None or self._leases is None or given.body.get("paperless") is True:
                continue
            job = alone.paper_job(given, service, self._leases, self._journal.kept("hall"), self.now_ms())
            try:
                how = self._printer.print(job)
            except NoPrinter as error:
                log.warning("%s is not printed: %s", given.label, error)
                return False
            self._journal.note_printed(given, how)
        return True

    # ------------------------------------------------------------------------------------------------------ the server

    def _follow(self) -> None:
        learned_s = -LEARN_EVERY_S
        while not self._stopping.is_set():
            try:
                self._tell_all()
                if not self._up or time.monotonic() - learned_s >= LEARN_EVERY_S:
                    self._learn()
                    learned_s = time.monotonic()
                else:
                    self._link.ask("GET", "/healthz")
                self._found()
            except ServerAway as away:
                self._lost(away)
            except Revoked:
                self._end()
                learned_s = time.monotonic()
            except sqlite3.Error as error:
                self._say(f"the journal cannot be written: {error}")
            self._looked.set()
            self._wake.wait(LOOK_EVERY_S)
            self._wake.clear()

    def _tell_all(self) -> None:
        """Tell the server of every number that it has not heard of, in order.

        Raises:
            ServerAway: the rest later.
            Revoked: this kiosk is not let in.
        """
        for given in self._journal.untold():
            how = self._tell(given)
            self._journal.note_told(given, how)
            log.log(logging.INFO if how == KEPT else logging.WARNING, "told of %s: %s", given.label, how)

    def _tell(self, given: Given) -> str:
        path, told = f"{self._base}/offline-tickets", alone.told(given)
        answer = self._command(path, told, given.key)
        if _code(answer) == "key_reused":  # the press did reach the server, and its answer was lost
            self._cancel_other(given)
            answer = self._command(path, told, f"{given.key}.offline")
        return KEPT if answer.status < 400 else _code(answer)

    def _cancel_other(self, given: Given) -> None:
        """Cancel the number that the server gave for this press: the visitor holds ours."""
        other = self._command(f"{self._base}/tickets", dict(given.body), given.key)
        if other.status >= 400:
            return
        track = quote(_body(other)["track"], safe="")
        path = f"{self._base}/tickets/{track}/cancel?track={track}"
        answer = self._command(path, {"reason": f"离线号 {given.label}"}, f"{given.key}.cancel")
        log.info("cancelled %s instead of %s: %s", _body(other)["label"], given.label, answer.status)

    def _learn(self) -> None:
        """Learn what is needed without the server, and hold enough numbers."""
        for name, path in (("me", "/api/v1/me"), ("halls", "/api/v1/halls"), ("hall", self._base)):
            self._journal.keep(name, self._get(path))
        self._journal.keep("state", self._get(f"{self._base}/state"))
        leases = self._get(f"{self._base}/leases")
        self._leases, self._services = leases, alone.services_of(leases)
        self._journal.keep("leases", {name: leases[name] for name in ("ends_at", "track_base", "services")})
        self._journal.keep("seen_ms", self.now_ms())
        self._give_back(leases)
        if leases["day_open"]:
            for prefix in self._prefixes():
                self._hold(prefix, leases["hold"])
        self._journal.forget_old(self.now_ms())

    def _give_back(self, leases: Mapping[str, Any]) -> None:
        """Drop blocks that are over, and give back those that this kiosk has no memory of."""
        mine = {(it.day, it.lease): it for it in self._journal.all_blocks()}
        day = leases["business_day"]
        theirs = {(day, row["lease"]) for row in leases["leases"] if row["open"]}
        for place, block in mine.items():
            if place not in theirs:
                self._journal.drop(block)
        for _, lease in sorted(theirs - mine.keys()):
            self._command(f"{self._base}/leases/{quote(lease, safe='')}/return", {}, None)

    def _hold(self, prefix: str, hold: int) -> None:
        """Lease more of a series when half of what may be held is used."""
        left = self._journal.left(prefix, self.now_ms())
        if left > hold // 2:
            return
        answer = self._command(f"{self._base}/leases", {"prefix": prefix, "count": hold - left}, None)
        if answer.status >= 400:
            self._say(f"no numbers of {prefix} are leased: {_code(answer)}")
            return
        got = _body(answer)
        self._journal.lease(
            Block(
                lease=got["lease"],
                day=got["business_day"],
                prefix=prefix,
                first=got["first"],
                last=got["last"],
                next=got["first"],
                ends_ms=alone.ms_of(got["ends_at"]),
            )
        )

    def _get(self, path: str) -> dict[str, Any]:
        answer = self._checked(self._link.ask("GET", path))
        if answer.status >= 400:
            raise ServerAway(f"{path}: {answer.status} {_code(answer)}")
        return _body(answer)

    def _command(self, path: str, body: Mapping[str, Any], key: str | None) -> Answer:
        headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key is not None else {})
        answer = self._checked(self._link.ask("POST", path, json.dumps(body).encode(), headers))
        if answer.status == 429:
            raise ServerAway("the server asks us to wait")
        return answer

    def _checked(self, answer: Answer) -> Answer:
        if answer.status in {401, 403}:
            raise Revoked
        offset_ms = self._clock.learn(answer)
        if offset_ms is not None and abs(offset_ms - (self._journal.kept("offset_ms") or 0)) > 1_500:
            self._journal.keep("offset_ms", offset_ms)
        return answer

    def _end(self) -> None:
        """Give no numbers any more: this kiosk was put out of service."""
        for block in self._journal.all_blocks():
            self._journal.drop(block)
        self._up = True  # the server answers, and says no
        self._say("the server does not let this kiosk in: enrol it again")

    def _lost(self, away: ServerAway) -> None:
        if self._up:
            log.warning("the server is away: %s", away)
        self._up = False
        self._wake.set()

    def _found(self) -> None:
        if not self._up:
            log.info("the server answers")
        self._up, self._trouble = True, ""

    def _say(self, trouble: str) -> None:
        if trouble != self._trouble:
            log.warning("%s", trouble)
        self._trouble = trouble


def _body(answer: Answer) -> dict[str, Any]:
    try:
        body = json.loads(answer.body)
    except ValueError as error:
        raise ServerAway("no JSON") from error
    if not isinstance(body, dict):
        raise ServerAway("no JSON object")
    return body


def _code(answer: Answer) -> str:
    return str(_body(answer).get("code", "")) if answer.status >= 400 else ""
