"""What people saw of a hall while things went wrong: asked, told, read, shown, printed, said.

A history is written by whoever plays clients (the simulation, the kill rigs, the houses with real servers) and judged
by `tests/checker/judge.py` together with the ledger that is left at the end. Times are of one clock that never goes
back: the monotonic clock in seconds, or the step of a simulation.

Source of the form: Jepsen's histories (https://github.com/jepsen-io/history): an operation ends ok, fail, or info, when
nobody knows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf
from types import MappingProxyType

from server.ledger.base import Commit


class End(StrEnum):
    """How a sending of a request ended."""

    OK = "ok"
    FAIL = "fail"  # a definite no: nothing was written because of this sending
    INFO = "info"  # no answer, 5xx, cut off: written or not


@dataclass(frozen=True, slots=True, kw_only=True)
class Op:
    """One sending of a request; sendings of one intent share the `key`. `told`: what an ok answer said, by name."""

    key: str
    end: End
    proc: str = ""
    f: str = ""
    args: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    t0: float = 0.0
    t1: float = inf
    server: str = ""
    told: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """Somebody read up to a commit: a snapshot, a replica, a backup. `hash` is that commit's, where it was told.

    With a `t0` it must hold what the server had acknowledged before.
    """

    who: str
    seq: int
    hash: str | None = None
    server: str = ""
    t0: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A picture that a screen took: on which connection, of which commit, what stood in it.

    `topic` is what `judge` can draw again: board or board:ZONE.
    """

    screen: str
    connection: int
    seq: int
    topic: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A ticket that came out of a printer: what was ordered, and the text on the paper where a simulator read it."""

    ticket: str
    label: str
    reprint: bool
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """A call that was spoken for a commit, `after_s` true seconds after it was written."""

    ticket: str
    window: str
    call_count: int
    seq: int
    after_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied:
    """A request that was refused for want of rights (401, 403)."""

    by: str
    source: str
    code: str


@dataclass(slots=True, kw_only=True)
class History:
    """What people saw; lists are only appended to, from any thread."""

    ops: list[Op] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)
    showing: dict[str, tuple[str, bytes]] = field(default_factory=dict)  # by screen, all mended: topic and picture
    papers: list[Paper] = field(default_factory=list)
    printer: bool = False  # whether a printer took every order: then each ticket of a kiosk has its paper
    spoken: list[Spoken] = field(default_factory=list)
    excused: set[int] = field(default_factory=set)  # commits whose age nobody could know: a start under a wrong clock
    denied: list[Denied] = field(default_factory=list)
    audit_lines: list[str] = field(default_factory=list)
    texts: list[tuple[str, bytes]] = field(default_factory=list)  # logs, exports: where, and what stands there
    states: list[tuple[str, int, str]] = field(default_factory=list)  # who served a state, as of which seq, its hash
    networked: bool = False  # whether commands came over a network, so that a commit says from where


def answer_of(commit: Commit) -> dict[str, object]:
    """Give what an answer that is made from a commit may say, by the names of the HTTP interface."""
    last = commit.events[-1]
    names = ("ticket", "label", "number", "window", "service", "zone", "call_count", "waited_s", "case", "id")
    said = {name: getattr(last, name) for name in names if hasattr(last, name)}
    return {"seq": commit.seq, "hash": commit.hash, "event": type(last).__name__, **said}
