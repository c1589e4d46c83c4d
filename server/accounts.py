"""Where accounts are kept: in a file of this machine, or in Redis with a copy in each server's file.

`server.people` says what is in the tables. Here is how a change becomes safe, and how several servers have the same.

Shared accounts are small and read with every request, so each server has all of them in its own file and reads only
there; a change goes through Redis, which takes it only on top of the last one (as a hall's ledger does), and from there
into every file, row by row. So signing in at one server counts at all, and closing an account ends its sessions
everywhere. While Redis is away everybody who is signed in stays so, and nobody else signs in.
"""

import json
import logging
import os
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Event as Flag
from threading import Lock
from time import monotonic
from typing import Any

from server.ledger.base import LedgerDown
from server.ledger.redis_address import RedisAddress
from server.ledger.redis_line import RedisLine

BUSY_WAIT_S = 5.0
LOCK_MS = 5000  # a server that dies in the middle of a change holds the others up for so long
LOCK_WAIT_S = 3.0
LOOK_EVERY_S = 1.0
REST_S = 0.5  # between tries while Redis is away
CHANGES_MAX = 1000  # kept in Redis; who is further behind reads everything
TABLES = ("facts", "users", "failures", "sessions", "devices", "tokens", "codes")

log = logging.getLogger(__name__)

Row = Mapping[str, Any]
Changes = list[tuple[str, str, Row | None]]  # table, key, the whole row; None: it is gone

# KEYS: the changes, the rows. ARGV: last id and mark that the writer knows, the new mark, what changed as JSON, then by
# row: table and key, the row as JSON ('': gone).
_CHANGE = """
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
local id, mark = '0-0', ''
if #last > 0 then id, mark = last[1][1], last[1][2][2] end
if id ~= ARGV[1] or mark ~= ARGV[2] then return 'stale' end
local next = string.format('%d-0', tonumber(string.match(id, '^%d+')) + 1)
redis.call('XADD', KEYS[1], 'MAXLEN', '~', 'CHANGES_MAX', next, 'mark', ARGV[3], 'rows', ARGV[4])
for i = 5, #ARGV, 2 do
  if ARGV[i + 1] == '' then redis.call('HDEL', KEYS[2], ARGV[i])
  else redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
end
return 'written'
""".replace("CHANGES_MAX", str(CHANGES_MAX))

# Everything as of one moment. Gives last id and mark, then the rows.
_LOAD = """
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
if #last == 0 then return {'0-0', '', {}} end
return {last[1][1], last[1][2][2], redis.call('HVALS', KEYS[2])}
"""

_UNLOCK = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


class AccountsAway(sqlite3.OperationalError):
    """The shared accounts cannot be changed or asked now: to who asks the same as a file that is locked or full."""


class AccountsFile:
    """The accounts of one machine, in a file that is opened for each operation: a command line shares it."""

    def __init__(self, path: Path) -> None:
        """Make the file if there is none."""
        self.path = path
        self.busy_wait_s = BUSY_WAIT_S
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600, exist_ok=True)
        # Stays open: closing any handle of the file would drop SQLite's own locks in this process.
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def open(self) -> sqlite3.Connection:
        """Give a connection for one operation."""
        base = sqlite3.connect(self.path, timeout=self.busy_wait_s, isolation_level="IMMEDIATE")
        base.execute("pragma synchronous = extra")  # full would let a power cut undo what was just written
        return base

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give a connection in a transaction: what is changed on it is safe when the block ends.

        Raises:
            sqlite3.OperationalError: it cannot be changed now; nothing was.
            AccountsAway: it is a server's copy of shared accounts.
        """
        with closing(self.open()) as base, base:
            base.execute("begin immediate")
            if base.execute("select 1 from sqlite_schema where name = 'replica'").fetchone():
                raise AccountsAway(f"{self.path} is a copy of shared accounts: name their Redis with --ledger")
            yield base

    def version(self) -> bytes:
        """Give a mark that changes with every write, here or in another process."""
        return os.pread(self._file, 4, 24)  # the file change counter: SQLite "Database File Format" 1.3.7

    def catch_up(self) -> bool:
        """Take in what others changed, and say whether there was something. A file has no others."""
        return False

    def join(self) -> None:
        """Begin, once the tables are there."""

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)


class SharedAccounts(AccountsFile):
    """The accounts of several servers, and this server's file with all of them. `run` follows what others change."""

    def __init__(self, path: Path, address: RedisAddress, *, first: Path | None = None) -> None:
        """Reach Redis. Where it has no accounts yet, those of the file at `path`, else at `first`, are brought there.

        Raises:
            LedgerDown: Redis cannot be reached, or would lose what it acknowledged.
        """
        super().__init__(path)
        self._first = first
        self._line = RedisLine(address)
        self._turn = Lock()  # one change at a time here; between servers the lock in Redis
        self._stopped = Flag()
        self.fault: str | None = None
        """Why nothing can be heard now, for the health page."""
        self.beat = monotonic()
        """When the loop last went round, for the health page."""

    def join(self) -> None:
        """Have the accounts that are in Redis; the first server brings its own there.

        Raises:
            AccountsAway: Redis cannot be asked.
        """
        with closing(self.open()) as base, base:
            base.execute("create table if not exists replica (version integer not null, mark text not null) strict")
            if base.execute("select 1 from replica").fetchone() is None:
                base.execute("insert into replica values (0, '')")
        with self._turn, self._alone():
            if self._ask("XLEN", "jiaohao:{accounts}:changes"):
                self._sync()
            else:
                self._bring()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give a connection in a transaction: what is changed on it is safe, and on its way to all servers, at the end.

        Raises:
            AccountsAway: Redis cannot be asked, or nobody knows whether it has the change: asking again finds out.
            sqlite3.OperationalError: the file cannot be changed now.
        """
        with self._turn, self._alone():
            self._sync()
            with closing(self.open()) as base, base:
                base.execute("begin immediate")
                _watch(base)
                yield base
                changes = _changes(base)
                if changes:
                    self._publish(base, changes)

    def catch_up(self) -> bool:
        """Take in what other servers changed, and say whether there was something.

        Raises:
            AccountsAway: Redis cannot be asked.
        """
        with self._turn:
            return self._sync()

    def run(self) -> None:
        """Follow the other servers until `stop`."""
        while not self._stopped.is_set():
            self.beat = monotonic()
            try:
                with closing(self.open()) as base:
                    version, _ = _place(base)
                self._ask("XREAD", "BLOCK", int(LOOK_EVERY_S * 1000), "STREAMS", _CHANGES, f"{version}-0")
                if not self._stopped.is_set():
                    self.catch_up()
            except sqlite3.OperationalError as error:
                if self.fault is None and not self._stopped.is_set():
                    log.error("accounts are not shared now: %s", error)
                self.fault = str(error)
                self._stopped.wait(REST_S)
                continue
            if self.fault is not None:
                log.info("accounts are shared again")
            self.fault = None

    def stop(self) -> None:
        """End `run`."""
        self._stopped.set()

    def close(self) -> None:
        """Let go of the file and of Redis."""
        self._line.close()
        super().close()

    def _sync(self) -> bool:
        """Bring the file up to what Redis has."""
        with closing(self.open()) as base:
            version, mark = _place(base)
        rows = self._ask("XRANGE", _CHANGES, f"{version}-0", "+") if version else []
        if rows and rows[0][0] == f"{version}-0".encode() and rows[0][1][1].decode() == mark:
            if len(rows) == 1:
                return False
            news = [json.loads(fields[3]) for _, fields in rows[1:]]
            to, mark = int(rows[-1][0].partition(b"-")[0]), rows[-1][1][1].decode()
            return self._apply(version, to, mark, [tuple(change) for changes in news for change in changes])
        return self._reload(version)

    def _reload(self, version: int) -> bool:
        """Take everything anew: too many changes were missed, or a failover lost what this file has."""
        id_, mark, stored = self._ask("EVAL", _LOAD, 2, _CHANGES, _ROWS)
        to = int(id_.partition(b"-")[0])
        if not to:
            raise AccountsAway("there are no accounts in Redis any more: start this server again to bring its own")
        changes: Changes = [tuple(json.loads(text)) for text in stored]
        return self._apply(version, to, mark.decode(), sorted(changes, key=_row_number), anew=True)

    def _apply(self, version: int, to: int, mark: str, changes: Iterable[Any], *, anew: bool = False) -> bool:
        with closing(self.open()) as base, base:
            base.execute("begin immediate")
            if _place(base)[0] != version:
                return True  # another process on this file was quicker
            if anew:
                for table in TABLES:
                    base.execute(f"delete from {table}")  # noqa: S608 - one of ours
            for table, key, row in changes:
                _put(base, table, key, row)
            base.execute("update replica set version = ?, mark = ?", (to, mark))
        return True

    def _bring(self) -> None:
        """Put accounts into a Redis that has none: those that this server had from there, or those of its one PC."""
        with closing(self.open()) as base, base:
            base.execute("begin immediate")
            if not _place(base)[0] and self._first is not None and self._first.is_file():
                base.execute("attach ? as first", (str(self._first),))
                for table in TABLES:
                    _copy(base, table)
            base.execute("update replica set version = 0, mark = ''")
            self._publish(base, _everything(base))
            log.info("the accounts of this server are in Redis now")

    def _publish(self, base: sqlite3.Connection, changes: Changes) -> None:
        version, mark = _place(base)
        new, values = secrets.token_hex(8), list[str]()
        for table, key, row in changes:
            values += [f"{table} {key}", "" if row is None else json.dumps([table, key, row])]
        try:
            said = self._line.write(
                "EVAL", _CHANGE, 2, _CHANGES, _ROWS, f"{version}-0", mark, new, json.dumps(changes), *values,
                counts=lambda said: said == b"written",
            )  # fmt: skip
        except LedgerDown as error:
            raise AccountsAway(str(error)) from error
        if said != b"written":
            raise AccountsAway("another server was quicker")
        base.execute("update replica set version = ?, mark = ?", (version + 1, new))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Change accounts alone, as a rule: that a change is on top of the last one, Redis looks at itself."""
        token, deadline = secrets.token_hex(8), monotonic() + LOCK_WAIT_S
        while not self._ask("SET", _LOCK, token, "NX", "PX", LOCK_MS):
            if monotonic() > deadline:
                raise AccountsAway("other servers change accounts all the time")
            self._stopped.wait(0.01)
        try:
            yield
        finally:
            with suppress(AccountsAway):
                self._ask("EVAL", _UNLOCK, 1, _LOCK, token)

    def _ask(self, *command: str | int) -> Any:
        try:
            return self._line.ask(*command)
        except LedgerDown as error:
            raise AccountsAway(str(error)) from error


_CHANGES, _ROWS, _LOCK = (f"jiaohao:{{accounts}}:{part}" for part in ("changes", "rows", "lock"))


def _place(base: sqlite3.Connection) -> tuple[int, str]:
    version, mark = base.execute("select version, mark from replica").fetchone()
    return int(version), str(mark)


def _columns(base: sqlite3.Connection, table: str) -> tuple[str, dict[str, str]]:
    """Give the name of a table's key, and its columns with their types."""
    found = base.execute(f"pragma table_info({table})").fetchall()
    return next(row[1] for row in found if row[5]), {row[1]: row[2] for row in found}


def _as_json(base: sqlite3.Connection, table: str, of: str = "") -> str:
    """Give the SQL of a row as JSON, with its rowid, which says what came first. Bytes are written in hex."""
    _, columns = _columns(base, table)
    parts = [f"'{name}', {f'hex({of}{name})' if kind == 'BLOB' else of + name}" for name, kind in columns.items()]
    return f"json_object('rowid', {of}rowid, {', '.join(parts)})"


def _watch(base: sqlite3.Connection) -> None:
    """Note every row that changes on this connection."""
    base.execute("create temp table seen (n integer primary key, tab text, key text, row text)")
    for table in TABLES:
        key, _ = _columns(base, table)
        put = f"insert into seen (tab, key, row) values ('{table}', NEW.{key}, {_as_json(base, table, 'NEW.')})"  # noqa: S608
        gone = f"insert into seen (tab, key, row) values ('{table}', OLD.{key}, null)"  # noqa: S608 - ours
        for when, then in (("insert", put), ("update", put), ("delete", gone)):
            base.execute(f"create temp trigger {table}_{when} after {when} on main.{table} begin {then}; end")


def _changes(base: sqlite3.Connection) -> Changes:
    """Give the last state of each row that changed, in the order in which that was."""
    last = "select max(n) from seen group by tab, key"
    rows = base.execute(f"select tab, key, row from seen where n in ({last}) order by n")  # noqa: S608 - ours
    return [(table, key, None if row is None else json.loads(row)) for table, key, row in rows]


def _everything(base: sqlite3.Connection) -> Changes:
    found: Changes = []
    for table in TABLES:
        key, _ = _columns(base, table)
        rows = base.execute(f"select {key}, {_as_json(base, table)} from {table} order by rowid")  # noqa: S608 - ours
        found += [(table, name, json.loads(row)) for name, row in rows]
    return found


def _copy(base: sqlite3.Connection, table: str) -> None:
    """Copy a table of the file that is attached; one of an older version has fewer columns."""
    _, here = _columns(base, table)
    there = {row[1] for row in base.execute(f"pragma first.table_info({table})")}
    names = ", ".join(name for name in here if name in there)
    if names:
        base.execute(f"delete from {table}")  # noqa: S608 - ours
        base.execute(f"insert into {table} ({names}) select {names} from first.{table} order by rowid")  # noqa: S608


def _put(base: sqlite3.Connection, table: str, name: str, row: Row | None) -> None:
    """Put a row as another server has it; columns that this version does not know are left out."""
    if table not in TABLES:
        return  # of a later version
    key, columns = _columns(base, table)
    if row is None:
        base.execute(f"delete from {table} where {key} = ?", (name,))  # noqa: S608 - ours
        return
    known = {it: bytes.fromhex(row[it]) if kind == "BLOB" else row[it] for it, kind in columns.items() if it in row}
    names = ["rowid", *known]
    values: Sequence[Any] = [row["rowid"], *known.values()]
    base.execute(f"delete from {table} where rowid = ? and {key} != ?", (row["rowid"], name))  # noqa: S608 - ours
    base.execute(
        f"insert into {table} ({', '.join(names)}) values ({', '.join('?' * len(names))})"  # noqa: S608 - ours
        f" on conflict ({key}) do update set {', '.join(f'{it} = excluded.{it}' for it in known)}",
        values,
    )


def _row_number(change: tuple[str, str, Row | None]) -> int:
    return int(change[2]["rowid"]) if change[2] is not None else 0
