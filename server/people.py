"""Who may act: people and their roles, devices and their tokens, one-time codes, signed-in sessions.

Kept in `accounts.sqlite` in the data folder, opened for each operation so that the command line and the running server
share it; several servers of the same halls share theirs (`server.accounts`). Secrets are kept as hashes only: passwords
argon2id, tokens, codes and session cookies SHA-256.

Sources: RFC 9106 and the OWASP password storage sheet (argon2id, 19 MiB, 2 passes); GB/T 22239-2019 8.1.4.1 (handling
of failed sign-ins: five failures, fifteen minutes); OWASP ASVS 5.0 chapters 6 and 7 (same answer and same work for
unknown names, sessions end when the account does).
"""

import hashlib
import hmac
import re
import secrets
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from threading import Lock

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from server.accounts import AccountsAway, AccountsFile
from server.domain.terms import HallId, WindowNo, WorkId

PASSWORD_LENGTH_MIN = 8
PASSWORD_LENGTH_MAX = 128
SESSION_IDLE_S = 12 * 3600  # a clerk's day
SESSION_TOUCH_S = 300  # how exactly the last use of a session is written down
SEEN_TOUCH_S = 60  # how exactly the last sign of a device is written down
FAILURES_MAX = 5
LOCK_S = 15 * 60
FAILURE_ROWS_MAX = 10_000
CODE_LIFE_S = 24 * 3600
CODE_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # nothing that is misread: no 0 O 1 I
CODE_LENGTH = 8
TOKENS_PER_DEVICE = 8  # a device enrolled again keeps its newest tokens
CACHE_ROWS_MAX = 4096
NAME = re.compile(r"[0-9A-Za-z\u4e00-\u9fff][0-9A-Za-z\u4e00-\u9fff._-]{0,63}")

Check = Callable[[], bool]


class Role(StrEnum):
    """What somebody is trusted with. People first, then devices."""

    CLERK = "clerk"
    GUIDE = "guide"
    MANAGER = "manager"
    ADMIN = "admin"
    AUDITOR = "auditor"
    KIOSK = "kiosk"
    DEVICES = "devices"
    DISPLAY = "display"
    INTEGRATION = "integration"


PERSON_ROLES = frozenset({Role.CLERK, Role.GUIDE, Role.MANAGER, Role.ADMIN, Role.AUDITOR})
DEVICE_ROLES = frozenset({Role.KIOSK, Role.DEVICES, Role.DISPLAY, Role.INTEGRATION})


class PeopleError(Exception):
    """An account cannot be made or changed like this; the text says why. Nothing was changed."""


class SignInFailed(Exception):
    """Work id and password do not belong together, or the account is disabled: always the same answer."""


class Locked(Exception):
    """Too many failures; `retry_after_s` until the next try is looked at."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"locked for {retry_after_s} s")
        self.retry_after_s = retry_after_s


class CodeUnknown(Exception):
    """The one-time code is wrong, used or too old."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person's account. Without `windows` a clerk may sign in at any window, without `hall` in any hall."""

    work_id: WorkId
    name: str
    role: Role
    windows: tuple[WindowNo, ...] = ()
    hall: HallId | None = None
    disabled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """An enrolled device; `last_seen` is Unix seconds, None before the first contact.

    A display with a `window` stands there: it may send that window's grades (the rating tablet).
    """

    name: str
    role: Role
    hall: HallId | None = None
    window: WindowNo | None = None
    revoked: bool = False
    last_seen: int | None = None
    ip: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who sends a request, proved by a session cookie, a device cookie or a bearer token."""

    id: str
    role: Role
    name: str
    proof: str  # SHA-256 of the token: names the session or the device token, opens nothing
    cookie: bool  # came as a cookie, so commands need the CSRF header
    hall: HallId | None = None
    window: WindowNo | None = None
    csrf: str = ""

    @property
    def is_person(self) -> bool:
        """Say whether a person is behind it (otherwise a device)."""
        return self.role in PERSON_ROLES


_TABLES = """
create table if not exists facts (name text primary key, value blob not null) strict;
create table if not exists users (
    work_id text primary key, name text not null, role text not null, windows text not null, hall text,
    password text not null, disabled integer not null default 0) strict;
create table if not exists failures (work_id text primary key, count integer not null, until integer not null) strict;
create table if not exists sessions (
    proof text primary key, work_id text not null, hall text, window text, csrf text not null,
    used integer not null) strict;
create table if not exists devices (
    name text primary key, role text not null, hall text, revoked integer not null default 0,
    last_seen integer, ip text, window text) strict;
create table if not exists tokens (
    proof text primary key, device text not null, made integer not null) strict;
create table if not exists codes (
    proof text primary key, device text not null, until integer not null, many integer not null) strict;
"""


class People:
    """The accounts of one server, or of several. Safe to use from many threads, greenlets and processes."""

    def __init__(
        self,
        accounts: Path | AccountsFile,
        *,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] | None = None,
        offload: Callable[[Check], bool] = lambda check: check(),
    ) -> None:
        """Open or make the accounts: a file of this machine, or what several servers share.

        `offload` runs the slow password check beside an event loop.

        Both clocks give Unix seconds: `clock` is what is shown; sessions, locks and codes end by `steady`, so that a
        clock that is set while the server runs signs nobody out and lets nobody in.

        Raises:
            PeopleError: the file is there but is no accounts file.
            AccountsAway: shared accounts cannot be asked now.
        """
        self._clock, self._steady, self._offload = clock, steady or clock, offload
        self.accounts = AccountsFile(accounts) if isinstance(accounts, Path) else accounts
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._lock = Lock()
        self._cache: dict[str, tuple[Identity | None, int | None]] = {}
        self._cache_of = b""
        self._seen: dict[str, int] = {}
        try:
            with closing(self.accounts.open()) as base, base:
                base.executescript(_TABLES)
                if not any(row[1] == "window" for row in base.execute("pragma table_info(devices)")):
                    base.execute("alter table devices add column window text")  # a file of an earlier version
            self.accounts.join()
            self._secret = self._known_secret()
        except AccountsAway:
            self.accounts.close()
            raise
        except sqlite3.DatabaseError as error:
            self.accounts.close()
            raise PeopleError(f"{self.accounts.path} cannot be used as the accounts file: {error}") from error
        if steady is not None:
            self._forget_the_future()
        self._nobody = self._hasher.hash(secrets.token_hex(16))

    # ------------------------------------------------------------------------------------------------------ people

    def add_user(
        self,
        work_id: str,
        password: str,
        *,
        role: str,
        name: str = "",
        windows: tuple[str, ...] = (),
        hall: str | None = None,
    ) -> User:
        """Make an account; without a name the work id is shown.

        Raises:
            PeopleError: the work id is taken or misshapen, the password too weak, or the role no person's role.
        """
        _check_name(work_id, "work id")
        _check_password(password, work_id)
        if role not in PERSON_ROLES:
            raise PeopleError(f"unknown role {role!r}: use one of {', '.join(sorted(PERSON_ROLES))}")
        if windows and role != Role.CLERK:
            raise PeopleError("windows can be set for clerks only")
        hashed = self._hasher.hash(password)
        row = (work_id, name or work_id, role, ",".join(windows), hall, hashed)
        with self.accounts.writing() as base:
            if base.execute("select 1 from users where work_id = ?", (work_id,)).fetchone():
                raise PeopleError(f"work id {work_id!r} is taken already")
            base.execute("insert into users (work_id, name, role, windows, hall, password) values (?,?,?,?,?,?)", row)
        return self.user(work_id)

    def set_password(self, work_id: str, password: str) -> None:
        """Set a new password, lift a lock and end the person's sessions.

        Raises:
            PeopleError: there is no such account, or the password is too weak.
        """
        _check_password(password, work_id)
        hashed = self._hasher.hash(password)
        with self.accounts.writing() as base:
            if not base.execute("update users set password = ? where work_id = ?", (hashed, work_id)).rowcount:
                raise PeopleError(f"there is no account {work_id!r}")
            base.execute("delete from sessions where work_id = ?", (work_id,))
            base.execute("delete from failures where work_id = ?", (work_id,))

    def disable_user(self, work_id: str, *, disabled: bool = True) -> None:
        """Close an account (its sessions end at once), or open it again.

        Raises:
            PeopleError: there is no such account.
        """
        with self.accounts.writing() as base:
            if not base.execute("update users set disabled = ? where work_id = ?", (disabled, work_id)).rowcount:
                raise PeopleError(f"there is no account {work_id!r}")
            base.execute("delete from sessions where work_id = ?", (work_id,))

    def user(self, work_id: str) -> User:
        """Give one account.

        Raises:
            PeopleError: there is no such account.
        """
        with closing(self.accounts.open()) as base:
            row = base.execute(f"{_USER} where work_id = ?", (work_id,)).fetchone()
        if row is None:
            raise PeopleError(f"there is no account {work_id!r}")
        return _user(row)

    def role_of(self, work_id: str) -> Role | None:
        """Give the role of an account, None when there is none of this name."""
        with closing(self.accounts.open()) as base:
            row = base.execute("select role from users where work_id = ?", (work_id,)).fetchone()
        return Role(row[0]) if row else None

    def users(self) -> list[User]:
        """Give all accounts by work id."""
        with closing(self.accounts.open()) as base:
            return [_user(row) for row in base.execute(f"{_USER} order by work_id")]

    # ---------------------------------------------------------------------------------------------------- sessions

    def check_password(self, work_id: str, password: str) -> User:
        """Give the account that work id and password open.

        Unknown, disabled and existing accounts cost the same work and lock alike, so the answer tells nothing.

        Raises:
            SignInFailed: they do not belong together.
            Locked: too many failures for this work id; the password was not looked at.
        """
        self.accounts.catch_up()  # a password changed at another server counts here, too
        now = int(self._steady())
        with closing(self.accounts.open()) as base:
            failed = base.execute("select count, until from failures where work_id = ?", (work_id,)).fetchone()
            if failed is not None and failed[0] >= FAILURES_MAX and failed[1] > now:
                raise Locked(failed[1] - now)
            row = base.execute(f"{_USER} where work_id = ? and disabled = 0", (work_id,)).fetchone()
            hashed = base.execute("select password from users where work_id = ?", (work_id,)).fetchone()
        stored = hashed[0] if hashed is not None else self._nobody
        good = self._offload(lambda: self._verify(stored, password))
        if not good or row is None:
            self._note_failure(work_id, now)
            raise SignInFailed(work_id)
        if failed is not None:
            with self.accounts.writing() as base:
                base.execute("delete from failures where work_id = ?", (work_id,))
        return _user(row)

    def sign_in(self, user: User, *, hall: str | None = None, window: str | None = None) -> tuple[str, Identity]:
        """Begin a session; give the cookie's token and who it stands for."""
        token, csrf, now = secrets.token_urlsafe(32), secrets.token_urlsafe(24), int(self._steady())
        row = (_proof(token), user.work_id, hall or user.hall, window, csrf, now)
        with self.accounts.writing() as base:
            base.execute("delete from sessions where used < ?", (now - SESSION_IDLE_S,))
            base.execute("insert into sessions values (?,?,?,?,?,?)", row)
        identity = self.by_session(token)
        if identity is None:
            raise SignInFailed(user.work_id)  # disabled in this very moment
        return token, identity

    def sign_out(self, identity: Identity) -> None:
        """End a session."""
        with self.accounts.writing() as base:
            base.execute("delete from sessions where proof = ?", (identity.proof,))

    def by_session(self, token: str) -> Identity | None:
        """Give who signed in with this session cookie, None when the session has ended."""
        proof = _proof(token)
        identity = self._identity("s", proof)
        if identity is not None:
            self._use_session(proof)
        return identity

    def clerk_at(self, hall: str, window: str) -> WorkId | None:
        """Give the clerk who signed in at a window last and still is, or None."""
        with closing(self.accounts.open()) as base:
            row = base.execute(
                "select work_id from sessions where window = ? and (hall = ? or hall is null) and used >= ?"
                " order by rowid desc limit 1",
                (window, hall, int(self._steady()) - SESSION_IDLE_S),
            ).fetchone()
        return None if row is None else WorkId(row[0])

    # ----------------------------------------------------------------------------------------------------- devices

    def add_device(self, name: str, *, role: str, hall: str | None = None, window: str | None = None) -> str:
        """Enrol a device at once and give its token; a known device of the same role gets one more.

        Raises:
            PeopleError: the name is misshapen or stands for a device of another role, hall or window, the role is
                unknown, or a window is named for what is no display of a hall.
        """
        with self.accounts.writing() as base:
            self._keep_device(base, name, role, hall, window)
            return self._new_token(base, name)

    def new_code(
        self, name: str, *, role: str, hall: str | None = None, window: str | None = None, many: bool = False
    ) -> str:
        """Give a one-time code (24 h) with which the device gets its token; `many` lets it be used again and again.

        Raises:
            PeopleError: as for `add_device`.
        """
        code = "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))
        now = int(self._steady())
        with self.accounts.writing() as base:
            self._keep_device(base, name, role, hall, window)
            base.execute("delete from codes where until < ?", (now,))
            base.execute("insert into codes values (?,?,?,?)", (_proof(code), name, now + CODE_LIFE_S, many))
        return f"{code[:4]}-{code[4:]}"

    def use_code(self, code: str) -> tuple[str, Device]:
        """Give the token and the device that a one-time code stands for; the code is used up.

        Raises:
            CodeUnknown: the code is wrong, used or too old.
        """
        proof = _proof(code.strip().upper().replace("-", "").replace(" ", ""))
        with self.accounts.writing() as base:
            row = base.execute(
                "select device, many from codes where proof = ? and until >= ?", (proof, int(self._steady()))
            ).fetchone()
            if row is None:
                raise CodeUnknown
            if not row[1]:
                base.execute("delete from codes where proof = ?", (proof,))
            token = self._new_token(base, row[0])
            device = _device(base.execute(f"{_DEVICE} where name = ?", (row[0],)).fetchone())
        return token, device

    def revoke_device(self, name: str) -> None:
        """Take a device's tokens and codes away, at once.

        Raises:
            PeopleError: there is no such device.
        """
        with self.accounts.writing() as base:
            if not base.execute("update devices set revoked = 1 where name = ?", (name,)).rowcount:
                raise PeopleError(f"there is no device {name!r}")
            base.execute("delete from tokens where device = ?", (name,))
            base.execute("delete from codes where device = ?", (name,))

    def devices(self) -> list[Device]:
        """Give all enrolled devices by name, revoked ones too."""
        with closing(self.accounts.open()) as base:
            return [_device(row) for row in base.execute(f"{_DEVICE} order by name")]

    def by_token(self, token: str, *, cookie: bool = False) -> Identity | None:
        """Give the device of a token, None when it has none or it was revoked."""
        return self._identity("c" if cookie else "d", _proof(token))

    def seen(self, identity: Identity, ip: str | None = None) -> None:
        """Note a sign of life of a device, and from where when that is known."""
        now = int(self._steady())
        if identity.is_person or now - self._seen.get(identity.id, 0) < SEEN_TOUCH_S:
            return
        self._seen[identity.id] = now
        with (
            suppress(sqlite3.OperationalError),
            self.accounts.writing() as base,
        ):  # a full disk must not stop those who only read
            base.execute(
                "update devices set last_seen = ?, ip = coalesce(?, ip) where name = ?",
                (int(self._clock()), ip, identity.id),
            )

    # --------------------------------------------------------------------------------------------------------- all

    def is_valid(self, identity: Identity) -> bool:
        """Say whether an identity still stands: session not ended, account or device not closed; asked by open lines.

        It is no use of a session: a page left open alone does not keep a person in.
        """
        kind = "s" if identity.is_person else "c" if identity.cookie else "d"
        return self._identity(kind, identity.proof) is not None

    def keyed_hash(self, purpose: str, data: bytes) -> str:
        """Give the HMAC-SHA-256 (hex) of data under the secret of these accounts."""
        return hmac.new(self._secret, purpose.encode() + b"\0" + data, hashlib.sha256).hexdigest()

    def _forget_the_future(self) -> None:
        """After a start under a clock that was set back: no lock lasts longer than from now on, no session neither."""
        now = int(self._steady())
        with self.accounts.writing() as base:
            base.execute("update failures set until = ? where until > ?", (now + LOCK_S, now + LOCK_S))
            base.execute("update sessions set used = ? where used > ?", (now, now))

    def _known_secret(self) -> bytes:
        sql = "select value from facts where name = 'secret'"
        with closing(self.accounts.open()) as base:
            row = base.execute(sql).fetchone()
        if row is None:
            with self.accounts.writing() as base:
                base.execute("insert or ignore into facts values ('secret', ?)", (secrets.token_bytes(32),))
                row = base.execute(sql).fetchone()
        return bytes(row[0])

    def _verify(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False

    def _note_failure(self, work_id: str, now: int) -> None:
        with self.accounts.writing() as base:
            base.execute("delete from failures where until <= ?", (now,))
            if base.execute("select count(*) from failures").fetchone()[0] >= FAILURE_ROWS_MAX:
                base.execute(
                    "delete from failures where rowid in (select rowid from failures order by until limit 100)"
                )
            base.execute(
                "insert into failures values (?, 1, ?) on conflict do update set count = count + 1, until = ?",
                (work_id, now + LOCK_S, now + LOCK_S),
            )

    def _keep_device(
        self, base: sqlite3.Connection, name: str, role: str, hall: str | None, window: str | None
    ) -> None:
        _check_name(name, "device name")
        if role not in DEVICE_ROLES:
            raise PeopleError(f"unknown role {role!r}: use one of {', '.join(sorted(DEVICE_ROLES))}")
        if window is not None and (role != Role.DISPLAY or hall is None):
            raise PeopleError("a window can be set for a display only, and together with its hall")
        row = base.execute("select role, hall, revoked, window from devices where name = ?", (name,)).fetchone()
        if row is not None and not row[2] and (row[0], row[1], row[3]) != (role, hall, window):
            where = (f" in {row[1]}" if row[1] else "") + (f" at window {row[3]}" if row[3] else "")
            raise PeopleError(f"device {name!r} is enrolled already as {row[0]}{where}: revoke it first")
        base.execute(
            "insert into devices (name, role, hall, window) values (?,?,?,?) on conflict do update"
            " set role = excluded.role, hall = excluded.hall, window = excluded.window, revoked = 0",
            (name, role, hall, window),
        )

    def _new_token(self, base: sqlite3.Connection, name: str) -> str:
        token = secrets.token_urlsafe(32)
        base.execute("insert into tokens values (?,?,?)", (_proof(token), name, int(self._clock())))
        base.execute(
            "delete from tokens where device = ? and rowid not in"
            " (select rowid from tokens where device = ? order by rowid desc limit ?)",
            (name, name, TOKENS_PER_DEVICE),
        )
        return token

    def _identity(self, kind: str, proof: str) -> Identity | None:
        """Give who a proof stands for: `s` a session, `c` a device's cookie, `d` a device's bearer token."""
        identity, used = self._cached(kind, proof)
        if identity is None or used is None:
            return identity
        return None if int(self._steady()) - used > SESSION_IDLE_S else identity

    def _use_session(self, proof: str) -> None:
        """Write down that the session is in use, now and then."""
        _, used = self._cached("s", proof)
        now = int(self._steady())
        if used is not None and now - used > SESSION_TOUCH_S:
            with suppress(sqlite3.OperationalError), self.accounts.writing() as base:  # as in `seen`
                base.execute("update sessions set used = ? where proof = ?", (now, proof))

    def _cached(self, kind: str, proof: str) -> tuple[Identity | None, int | None]:
        """Look an identity up; the cache holds while nobody, here or elsewhere, has changed accounts.

        One that is not known here may have been made at another server just now.
        """
        key = kind + proof
        with self._lock:
            version = self.accounts.version()
            if version != self._cache_of or len(self._cache) >= CACHE_ROWS_MAX:
                self._cache.clear()
                self._cache_of = version
            elif key in self._cache:
                return self._cache[key]
        found = self._found(kind, proof)
        if found[0] is None and self.accounts.catch_up():
            return self._found(kind, proof)
        with self._lock:
            if self._cache_of == version:
                self._cache[key] = found
        return found

    def _found(self, kind: str, proof: str) -> tuple[Identity | None, int | None]:
        return self._session(proof) if kind == "s" else (self._token(proof, cookie=kind == "c"), None)

    def _session(self, proof: str) -> tuple[Identity | None, int | None]:
        with closing(self.accounts.open()) as base:
            row = base.execute(
                "select u.work_id, u.role, u.name, s.hall, s.window, s.csrf, s.used from sessions s"
                " join users u using (work_id) where s.proof = ? and u.disabled = 0",
                (proof,),
            ).fetchone()
        if row is None:
            return None, None
        identity = Identity(
            id=row[0],
            role=Role(row[1]),
            name=row[2],
            proof=proof,
            cookie=True,
            hall=_hall(row[3]),
            window=_window(row[4]),
            csrf=row[5],
        )
        return identity, row[6]

    def _token(self, proof: str, *, cookie: bool) -> Identity | None:
        with closing(self.accounts.open()) as base:
            row = base.execute(
                "select d.name, d.role, d.hall, d.window from tokens t join devices d on d.name = t.device"
                " where t.proof = ? and d.revoked = 0",
                (proof,),
            ).fetchone()
        if row is None:
            return None
        return Identity(
            id=row[0],
            role=Role(row[1]),
            name=row[0],
            proof=proof,
            cookie=cookie,
            hall=_hall(row[2]),
            window=_window(row[3]),
        )


_USER = "select work_id, name, role, windows, hall, disabled from users"
_DEVICE = "select name, role, hall, revoked, last_seen, ip, window from devices"


def _user(row: tuple[str, str, str, str, str | None, int]) -> User:
    work_id, name, role, windows, hall, disabled = row
    return User(
        work_id=WorkId(work_id),
        name=name,
        role=Role(role),
        windows=tuple(WindowNo(no) for no in windows.split(",") if no),
        hall=_hall(hall),
        disabled=bool(disabled),
    )


def _device(row: tuple[str, str, str | None, int, int | None, str | None, str | None]) -> Device:
    name, role, hall, revoked, last_seen, ip, window = row
    return Device(
        name=name,
        role=Role(role),
        hall=_hall(hall),
        window=_window(window),
        revoked=bool(revoked),
        last_seen=last_seen,
        ip=ip,
    )


def _hall(hall: str | None) -> HallId | None:
    return None if hall is None else HallId(hall)


def _window(no: str | None) -> WindowNo | None:
    return None if no is None else WindowNo(no)


def _proof(token: str) -> str:
    """Give what is kept of a token. Tokens are random, so a plain hash is enough."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _check_name(name: str, what: str) -> None:
    if not NAME.fullmatch(name):
        raise PeopleError(f"{name!r} is no {what}: 1 to 64 letters, digits and . _ - (first a letter or digit)")


def _check_password(password: str, work_id: str) -> None:
    if len(password) < PASSWORD_LENGTH_MIN:
        raise PeopleError(f"the password is too short: at least {PASSWORD_LENGTH_MIN} characters")
    if len(password) > PASSWORD_LENGTH_MAX:
        raise PeopleError(f"the password is too long: at most {PASSWORD_LENGTH_MAX} characters")
    if password.casefold() == work_id.casefold() or len(set(password)) == 1:
        raise PeopleError("the password is too easy: not the work id, not one character repeated")
