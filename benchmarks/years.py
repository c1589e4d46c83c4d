"""A ledger of many days, made quickly: one real day is played on the real rules, then told again for every day after.

That day is kept as text with holes for what differs from day to day: seq, instants, days, ids of tickets. The hashes
are made anew, so the result is a ledger like any other: it chains, it folds, it breaks no rule. A million commits take
some ten seconds.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Protocol

from server.domain import commands as c
from server.domain.refusals import Refusal
from server.domain.terms import CLOCK, HallPlan, ServiceId, Track, WindowNo, WorkId
from server.hall import Hall
from server.ledger import codec, table
from server.ledger.base import GENESIS, Commit
from server.ledger.memory import MemoryLedger
from server.ledger.sqlite import SqliteLedger
from server.ledger.table import Row

DAY_MS = 24 * 3600 * 1000
PAGE = 10_000  # rows written at a time
FIRST_DAY = date(2020, 1, 6)
PLACE = re.compile(rb'"seq":\d+,"at_ms":(\d+)')
SINCE = re.compile(rb'"since_ms":(\d+)')


class Years:
    """The commits of a hall over many days: `begin` of them on the first one, `per_day` on every other."""

    def __init__(self, plan: HallPlan, *, visits: int, first: date = FIRST_DAY) -> None:
        """Play two days, with so many visits each: the second is the one that comes again and again."""
        self.first = first
        now_ms = [_eight(plan, first)]
        memory = MemoryLedger()
        hall = Hall(plan.hall, memory, clock=lambda: now_ms[0])
        hall.handle(c.PlanHall(plan=plan), actor=CLOCK)
        _play(hall, plan, now_ms, visits)
        begin = list(memory.read())
        now_ms[0] = _eight(plan, first + timedelta(days=1))
        _play(hall, plan, now_ms, visits)
        day = list(memory.read(len(begin)))
        self._begin = [(it.day, it.key, codec.stored_form(it)) for it in begin]
        self.begin, self.per_day = len(begin), len(day)
        self.events_per_day = sum(len(it.events) for it in day)
        self._told = _Told(day, first + timedelta(days=1))

    def commits(self, days: int) -> int:
        """Give how many commits so many days have."""
        return self.begin + (days - 1) * self.per_day

    def rows(self) -> Iterator[Row]:
        """Give the rows of the ledger, day after day for ever."""
        seq, head = 0, GENESIS
        for label, key, body in self._begin:
            seq, before, head = seq + 1, head, codec.chain(head, body)
            yield Row(seq, label, key, before, head, body)
        day = 1
        while True:
            today = self.first + timedelta(days=day)
            label = (today - timedelta(days=1)).isoformat()
            for key, body in self._told.again(today, seq, (day - 1) * DAY_MS):
                seq, before, head = seq + 1, head, codec.chain(head, body)
                yield Row(seq, label, key, before, head, body)
                label = today.isoformat()  # the commit that turns the day bears the name of the day before
            day += 1

    def write(self, path: Path, commits: int) -> None:
        """Write a ledger file of so many commits."""
        SqliteLedger(path).close()  # makes the tables
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.execute("PRAGMA synchronous=OFF")
            rows = islice(self.rows(), commits)
            while page := list(islice(rows, PAGE)):
                db.execute("BEGIN")
                db.executemany(table.INSERT, page)
                db.execute("COMMIT")


class _Told:
    """The commits of a day, with holes for what differs from day to day."""

    def __init__(self, commits: list[Commit], day: date) -> None:
        """Find the holes in the commits of `day`."""
        before = day - timedelta(days=1)
        self._keys = [it.key for it in commits]
        self._at_ms = [it.at_ms for it in commits]
        bodies = [codec.stored_form(it) for it in commits]
        split = [PLACE.search(body) for body in bodies]
        self._front = bodies[0][: split[0].start()] if split[0] else b""
        rests = [body[it.end() :] for body, it in zip(bodies, split, strict=True) if it is not None]
        if len(rests) != len(bodies) or not all(body.startswith(self._front) for body in bodies):
            raise AssertionError("the stored form begins otherwise now")
        text = b"\n".join(rests)
        self._text = (
            text.replace(f"{day:%Y%m%d}-".encode(), b"@IDS@")
            .replace(f'"{day}"'.encode(), b"@DAY@")
            .replace(f'"{before}"'.encode(), b"@BEFORE@")
        )

    def again(self, day: date, after: int, later_ms: int) -> Iterator[tuple[str | None, bytes]]:
        """Give (key, stored form) of the commits as they would be on another day, behind seq `after`."""
        before = day - timedelta(days=1)
        text = (
            self._text.replace(b"@IDS@", f"{day:%Y%m%d}-".encode())
            .replace(b"@DAY@", f'"{day}"'.encode())
            .replace(b"@BEFORE@", f'"{before}"'.encode())
        )
        text = SINCE.sub(lambda it: b'"since_ms":%d' % (int(it.group(1)) + later_ms), text)
        form = self._front + b'"seq":%d,"at_ms":%d'
        for seq, (key, at_ms, rest) in enumerate(
            zip(self._keys, self._at_ms, text.split(b"\n"), strict=True), after + 1
        ):
            yield key, form % (seq, at_ms + later_ms) + rest


class _Do(Protocol):
    def __call__(self, command: c.Command, key: str | None = None) -> None: ...


def _eight(plan: HallPlan, day: date) -> int:
    return int(datetime(day.year, day.month, day.day, 8, tzinfo=plan.zone_info).timestamp() * 1000)


def _play(hall: Hall, plan: HallPlan, now_ms: list[int], visits: int) -> None:
    """Play a day: windows open, so many visitors come and are served, some are missed or come back; the day ends."""

    def do(command: c.Command, key: str | None = None) -> None:
        now_ms[0] += 1500
        try:
            hall.handle(command, actor=CLOCK, key=key)
        except Refusal:
            return  # nobody to call, nothing to move: as in a hall

    windows = [window for window in plan.windows if window.staffed and window.serves]
    for window in windows:
        do(c.OpenWindow(window=window.no, clerk=WorkId(f"clerk-{window.no}")))
    for number in range(visits):
        window = windows[number % len(windows)]
        service = ServiceId(window.serves[number // len(windows) % len(window.serves)])
        do(c.IssueTicket(service=service, track=Track(f"track-{number:06d}-of-a-visitor")), f"press-{number}")
        if number % 10 == 9:
            _do_something_odd(do, window.no, number // 10)
        elif number % 3 == 0:
            do(c.CallNext(window=window.no, finish=True), f"next-{number}")
        else:
            do(c.CallNext(window=window.no), f"next-{number}")
            do(c.StartServing(window=window.no))
            do(c.Finish(window=window.no))
    do(c.CloseDay())


def _do_something_odd(do: _Do, window: WindowNo, number: int) -> None:
    match number % 5:
        case 0:
            do(c.MarkMissed(window=window))
        case 1:
            do(c.MarkNoShow(window=window))
        case 2:
            do(c.Hold(window=window, reason="copies"))
            do(c.Resume(window=window))
        case 3:
            do(c.Recall(window=window))
        case _:
            do(c.ReturnTicket(window=window))
