"""The hall's folded state at the start of a day, kept beside the ledger so that a start replays today only.

A snapshot is derived from the ledger and never more than a shortcut: it is used only when its checksum fits, when the
rules that folded it are the ones that run now (`fold_version`), and when the commit it ends with stands in the ledger
with the same hash. Whatever is wrong with it, the ledger is replayed from its first commit and the file written anew.

What is in a state is not listed here: the dataclasses say it (`HallState` and what it holds), so a new field is kept
from the day it exists. A file is two lines, what it is and the SHA-256 of all that follows, and then MessagePack.
"""

import hashlib
import json
import logging
import os
import secrets
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec

from server import domain
from server.domain.evolve import evolve
from server.domain.state import HallState
from server.domain.terms import HallId, HallPlan
from server.ledger import codec
from server.ledger.base import GENESIS, Commit, LedgerBroken

MARK = b"jiaohao snapshot 1\n"
SUFFIX = ".snapshot"

log = logging.getLogger(__name__)


class SnapshotUnusable(Exception):
    """The file is no snapshot that this program may use; the text says why. `damaged`: it is not what was written."""

    def __init__(self, why: str, *, damaged: bool = True) -> None:
        """Keep the reason."""
        self.damaged = damaged
        super().__init__(why)


@dataclass(slots=True, kw_only=True)
class Picture:
    """The commits of a hall up to `seq`, folded; `keys` are the request keys of the business day."""

    state: HallState = field(default_factory=HallState)
    seq: int = 0
    head: str = GENESIS
    keys: dict[str, Commit] = field(default_factory=dict)

    def apply(self, commit: Commit) -> None:
        """Fold the next commit in."""
        before = self.state.day
        for event in commit.events:
            evolve(self.state, event, at_ms=commit.at_ms)
        self.seq, self.head = commit.seq, commit.hash
        if self.state.day != before:
            self.keys.clear()
        if commit.key is not None:
            self.keys[commit.key] = commit

    def freeze(self) -> "Snapshot":
        """Give what no later commit changes."""
        return Snapshot(
            seq=self.seq,
            head=self.head,
            day=self.state.day or "",
            state=_STATE_ENCODER.encode(self.state),
            keys=dict(self.keys),
            plan=self.state.plan,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A picture that stays as it was. `state` is its state as bytes, `day` the business day (ISO, "" before the first).

    `plan` is that of the state: it never changes and is shared by all pictures made of the snapshot.
    """

    seq: int
    head: str
    day: str
    state: bytes
    keys: Mapping[str, Commit]
    plan: HallPlan

    def picture(self) -> Picture:
        """Give a picture to fold the next commits into."""
        state = _STATE_DECODER.decode(self.state)
        state.plan = self.plan
        return Picture(state=state, seq=self.seq, head=self.head, keys=dict(self.keys))

    @property
    def state_hash(self) -> str:
        """Give the hash of the state: the same for the same commits, however the state came about."""
        return state_hash(self.state)


class _Stored(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot as it is stored; `keys` are commits as [previous hash, hash, stored form]."""

    hall: str
    seq: int
    head: str
    day: str
    fold: str
    state_hash: str
    state: bytes
    keys: list[tuple[str, str, bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What a snapshot file says about itself."""

    hall: str
    seq: int
    head: str
    day: str
    fold: str
    state_hash: str


def beside(ledger: Path) -> Path:
    """Give the place of the snapshot of a ledger file (or of a hall's name in a data folder)."""
    return ledger.with_name(f"{ledger.stem}{SUFFIX}")


def encode(hall: HallId, snapshot: Snapshot) -> bytes:
    """Give a snapshot as it is kept, in a file or elsewhere."""
    stored = _Stored(
        hall=hall,
        seq=snapshot.seq,
        head=snapshot.head,
        day=snapshot.day,
        fold=fold_version(),
        state_hash=snapshot.state_hash,
        state=snapshot.state,
        keys=[(it.prev_hash, it.hash, codec.stored_form(it)) for it in snapshot.keys.values()],
    )
    body = msgspec.msgpack.encode(stored)
    return MARK + hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def keep(path: Path, hall: HallId, snapshot: Snapshot) -> None:
    """Write a snapshot in the place of the one before; a power cut leaves the one or the other.

    Raises:
        OSError: it cannot be written; the one before is still there.
    """
    text = encode(hall, snapshot)
    half = path.with_name(f"{path.name}.part")
    try:
        with half.open("wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        half.rename(path)
    finally:
        half.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def load(path: Path, hall: HallId) -> Snapshot | None:
    """Give the snapshot of a hall, None when there is none that may be used; the log says why."""
    try:
        return read(path, hall)
    except FileNotFoundError:
        return None
    except (SnapshotUnusable, OSError) as error:
        if isinstance(error, SnapshotUnusable) and not error.damaged:
            log.info("%s: %s; all commits are replayed once", path, error)
        else:
            log.error("%s is not used, all commits are replayed: %s", path, error)
        return None


def read(path: Path, hall: HallId) -> Snapshot:
    """Give the snapshot in a file, checked as `decode` does.

    Raises:
        SnapshotUnusable: it is damaged, of another hall, or folded by other rules.
        OSError: it cannot be read.
    """
    return decode(path.read_bytes(), hall)


def decode(text: bytes, hall: HallId) -> Snapshot:
    """Give a snapshot from what `encode` gave, checked in itself; whether it fits the ledger is for the hall to see.

    Raises:
        SnapshotUnusable: it is damaged, of another hall, or folded by other rules.
    """
    stored = _stored(text)
    if stored.hall != hall:
        raise SnapshotUnusable(f"it is of {stored.hall}, not of {hall}")
    if stored.fold != fold_version():
        raise SnapshotUnusable("another version of the program made it", damaged=False)
    try:
        plan = _STATE_DECODER.decode(stored.state).plan
        keyed = [codec.decode(body, prev_hash=before, hash_=hash_) for before, hash_, body in stored.keys]
        hash_ = state_hash(stored.state)
    except (msgspec.MsgspecError, LedgerBroken) as error:
        raise SnapshotUnusable(str(error)) from error
    if hash_ != stored.state_hash:
        raise SnapshotUnusable("its state does not fit its hash")
    return Snapshot(
        seq=stored.seq,
        head=stored.head,
        day=stored.day,
        state=stored.state,
        keys={commit.key: commit for commit in keyed if commit.key is not None},
        plan=plan,
    )


def label(path: Path) -> Label:
    """Give what a snapshot file says about itself, whoever made it.

    Raises:
        SnapshotUnusable: it is damaged.
        OSError: it cannot be read.
    """
    it = _stored(path.read_bytes())
    return Label(hall=it.hall, seq=it.seq, head=it.head, day=it.day, fold=it.fold, state_hash=it.state_hash)


def state_hash(state: bytes) -> str:
    """Give the SHA-256 of a state's canonical form: JSON with fields in order, maps as sorted pairs, sets sorted.

    Numbers are what the dataclasses say they are: a plan from a hall file may have 10 where one read back has 10.0.
    """
    plain = _plain(_STATE_DECODER.decode(state))
    return hashlib.sha256(json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


@cache
def fold_version() -> str:
    """Name the rules by which commits become a state: a hash over the sources that do it.

    So a program that was changed in any of them replays once and trusts no older snapshot. Where there are no sources
    to be read the name is a new one in each process, and nothing is ever trusted.
    """
    rules = sorted(Path(str(domain.__file__)).parent.glob("*.py"))
    sources = [*rules, Path(codec.__file__), Path(__file__)]
    made = hashlib.sha256(msgspec.__version__.encode())
    try:
        for source in sources:
            text = source.read_bytes()
            made.update(f"\n{source.name} {len(text)}\n".encode() + text)
    except OSError:
        return secrets.token_hex(32)
    return made.hexdigest() if rules else secrets.token_hex(32)


def _stored(text: bytes) -> _Stored:
    said, body = text[len(MARK) :].partition(b"\n")[::2]
    if not text.startswith(MARK):
        raise SnapshotUnusable("it is no snapshot")
    if hashlib.sha256(body).hexdigest().encode() != said:
        raise SnapshotUnusable("it is damaged: its checksum does not fit")
    try:
        return msgspec.msgpack.decode(body, type=_Stored)
    except msgspec.MsgspecError as error:
        raise SnapshotUnusable(str(error)) from error


def _to_plain(value: Any) -> Any:
    if isinstance(value, deque):
        return [value.maxlen, list(value)]
    raise NotImplementedError(f"a state cannot hold {type(value)}")


def _from_plain(wanted: type, value: Any) -> Any:
    if get_origin(wanted) is deque:
        maxlen, items = value
        return deque(msgspec.convert(items, list[get_args(wanted)[0]], dec_hook=_from_plain), maxlen=maxlen)  # type: ignore[misc]
    raise NotImplementedError(f"a state cannot hold {wanted}")


def _plain(value: Any) -> Any:
    """Give a value in lists, texts and numbers only."""
    if isinstance(value, str | int | float | None):
        return value
    if isinstance(value, Mapping):
        return sorted(([_plain(key), _plain(item)] for key, item in value.items()), key=_place)
    if isinstance(value, set | frozenset):
        return sorted((_plain(item) for item in value), key=json.dumps)
    if isinstance(value, deque | list | tuple):
        return [_plain(item) for item in value]
    return [[name, _plain(getattr(value, name))] for name in value.__dataclass_fields__]


def _place(pair: list[Any]) -> str:
    return json.dumps(pair[0])


_STATE_ENCODER = msgspec.msgpack.Encoder(enc_hook=_to_plain)
_STATE_DECODER = msgspec.msgpack.Decoder(HallState, dec_hook=_from_plain)
