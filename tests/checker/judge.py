"""The judge: every promise of a hall, checked on what people saw and on the ledger that is left after all faults.

From the ledger alone, by the shipped auditor (`server/ledger/audit.py`, `jiaohao ledger verify`), which knows
nothing of the domain's rules: L1 commits dense and chained, L2 a key once in a day, T1 to T4 numbers, C1 C2 C5 moves of
tickets, C3 first come first called inside a service and class, A1 somebody stands behind it, A2 no identity number and
no telephone number, W1 W2 windows.

From what clients asked and were told (`ops`), against the ledger:
L3 what was acknowledged is there; L4 every answer, also a repeated one, says what is there; L5 what was only ever
refused is not there; L6 nothing is there that nobody asked for, the clock's own doings apart; L7 who was answered
before another first asked stands before them.

From what was read: L8 it is a prefix of the ledger, and holds what that server had acknowledged before.

From the ledger replayed by the domain: C3 who is called is who `routing.choose` names at that moment, for that reason,
or out of turn with a reason; C4 nobody ordinary is passed over more often or longer than the plan's `fairness` allows,
counted here again; C6 a recall changes nobody's place; A3 the state read again is the state that was served (`states`).

From screens: D1 none goes back within a connection, and each shows the end once all is mended (`showing`); D2 the same
commit shown again looks the same; D3 a picture is that of its commit's prefix. From the loudspeaker: D4 a call is
spoken at most once and never late. From paper: T5 the ledger's label, one original a ticket, no copy that nobody asked
for. From refusals, logs, pictures, paper: A1 where a command came from, and a record of each refusal for want of
rights; A2 again.

Sources: Jepsen (histories, linearizability by a given order), TigerBeetle (client ids, one pass), the reliability
chapters of SQLite's testing page. The ledger gives the order, so every rule is one pass.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import inf
from types import NoneType

import msgspec

from server.domain import events as e
from server.domain import routing
from server.domain.evolve import evolve
from server.domain.forecast import Outlook, outlook
from server.domain.state import HallState, Ticket
from server.domain.terms import ORDINARY, ActorKind, CallingRule, WindowNo, ZoneId
from server.ledger.audit import Finding, audit, holds_personal_number
from server.ledger.base import Commit
from server.projections.board import board
from server.projections.jobs import PRINTING_CHANNELS, SAY_WITHIN_MS
from tests.checker.history import End, History, Op, answer_of

MS_PER_MIN = 60_000
OUT_OF_TURN = frozenset({"chosen", "roll"})  # a clerk's choice with a reason; the next of a paper roll
AROUND_S = 5.0
"""What the network and the voice may add to the time within which a call is spoken."""

Say = Callable[[str, int, str], None]
"""Takes a rule, a commit (0: none) and what is wrong."""


def judge(commits: Sequence[Commit], history: History, *, around_s: float = AROUND_S) -> list[Finding]:
    """Give every broken rule; an empty list is a clean bill."""
    found = audit(commits)

    def say(rule: str, seq: int, what: str) -> None:
        found.append(Finding(rule=rule, seq=seq, what=what))

    by_key: dict[str, list[Commit]] = defaultdict(list)
    for commit in commits:
        if commit.key is not None:
            by_key[commit.key].append(commit)
    _answers(by_key, history.ops, say)
    _phantoms(commits, history, say)
    _real_time(commits, by_key, history.ops, say)
    _reads(commits, by_key, history, say)
    _papers(commits, history, say)
    _voices(history, say, around_s)
    _records(commits, history, say)
    _lines(history, say)
    _replayed(commits, history, say)
    return found


def rules(findings: Sequence[Finding]) -> set[str]:
    """Give which rules are broken."""
    return {it.rule for it in findings}


def draw(state: HallState, topic: str, waits: Outlook | None = None) -> bytes:
    """Give a board as it goes over the wire: `topic` is board or board:ZONE."""
    zone = topic.partition(":")[2]
    return msgspec.json.encode(board(state, zone=ZoneId(zone) if zone else None, waits=waits))


def same(a: bytes, b: bytes) -> bool:
    """Say whether two pictures show the same: the names of a ledger that was read again stand in another order."""
    return a == b or msgspec.json.decode(a) == msgspec.json.decode(b)


def state_hash(state: HallState) -> str:
    """Give one hash over everything a hall knows."""
    return hashlib.sha256(msgspec.json.encode(_plain(state), order="deterministic")).hexdigest()


def _plain(value: object) -> object:
    """Give a value in types that JSON has; keys that are no text are written out, so that nothing is left out."""
    kind = type(value)
    if kind in _ATOMS:
        return value
    if (names := getattr(kind, "__dataclass_fields__", None)) is not None:
        return [kind.__name__, *[_plain(getattr(value, name)) for name in names]]
    if isinstance(value, Mapping):
        return {str(key): _plain(it) for key, it in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    if isinstance(value, str | int | float):
        return value
    return [_plain(it) for it in value]  # type: ignore[attr-defined]  # lists, tuples, deques


_ATOMS = frozenset({str, int, float, bool, NoneType})


# what was answered


def _answers(by_key: Mapping[str, list[Commit]], ops: Sequence[Op], say: Say) -> None:
    only_refused: dict[str, bool] = {}
    for op in ops:
        only_refused[op.key] = only_refused.get(op.key, True) and op.end is End.FAIL
        if op.end is not End.OK:
            continue
        kept = by_key.get(op.key, [])
        if not kept:
            say("L3", 0, f"{op.key}: acknowledged as {dict(op.told)} and lost")
        elif not any(_fits(op.told, answer_of(commit)) for commit in kept):
            say("L4", kept[0].seq, f"{op.key}: told {dict(op.told)}, kept {answer_of(kept[0])}")
    for key, only in only_refused.items():
        if only and by_key.get(key):
            say("L5", by_key[key][0].seq, f"{key} was refused and written")


def _fits(told: Mapping[str, object], kept: Mapping[str, object]) -> bool:
    return all(kept[name] == value for name, value in told.items() if name in kept)


def _phantoms(commits: Sequence[Commit], history: History, say: Say) -> None:
    asked = {op.key for op in history.ops}
    for commit in commits:
        if commit.actor.kind is not ActorKind.CLOCK and commit.key not in asked:
            say("L6", commit.seq, f"nobody asked for {commit.key or 'it'}")


def _real_time(commits: Sequence[Commit], by_key: Mapping[str, list[Commit]], ops: Sequence[Op], say: Say) -> None:
    """A key's start is its first attempt's: of a retry alone it would be too late, and the order falsely wrong."""
    start: dict[str, float] = {}
    end: dict[str, float] = {}
    for op in ops:
        start[op.key] = min(start.get(op.key, inf), op.t0)
        if op.end is End.OK:
            end[op.key] = min(end.get(op.key, inf), op.t1)
    earliest, whose = inf, ""  # end of all who stand later
    for commit in reversed(commits):
        if commit.key is None or commit.key not in start or len(by_key[commit.key]) > 1:
            continue  # the same key on two days: two requests
        if earliest < start[commit.key]:
            say("L7", commit.seq, f"{commit.key} asked after {whose} was answered and stands before it")
        if end.get(commit.key, inf) < earliest:
            earliest, whose = end[commit.key], commit.key


def _reads(commits: Sequence[Commit], by_key: Mapping[str, list[Commit]], history: History, say: Say) -> None:
    told: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for op in history.ops:
        if op.end is End.OK and isinstance(seq := op.told.get("seq"), int):
            told[op.server].append((op.t1, seq))
    for read in history.reads:
        if read.seq > len(commits):
            say("L8", read.seq, f"{read.who} read it, and it is not there")
        elif read.hash is not None and read.seq > 0 and commits[read.seq - 1].hash != read.hash:
            say("L8", read.seq, f"{read.who} read another one")
        least = max((seq for t1, seq in told[read.server] if t1 < read.t0), default=0)
        if read.seq < least:
            say("L8", least, f"{read.who} read {read.seq} from {read.server or 'the server'} after it told this one")


# what came out of machines


def _papers(commits: Sequence[Commit], history: History, say: Say) -> None:
    issued: dict[str, tuple[int, e.TicketIssued]] = {}
    reprints: Counter[str] = Counter()
    for commit in commits:
        for event in commit.events:
            if isinstance(event, e.TicketIssued):
                issued.setdefault(event.ticket, (commit.seq, event))
            elif isinstance(event, e.ReprintRequested):
                reprints[event.ticket] += 1
    originals: Counter[str] = Counter()
    copies: Counter[str] = Counter()
    for paper in history.papers:
        (copies if paper.reprint else originals)[paper.ticket] += 1
        if paper.ticket not in issued:
            say("T5", 0, f"{paper.ticket} is on paper, and nobody got it")
            continue
        seq, given = issued[paper.ticket]
        if given.label != paper.label or (paper.text is not None and given.label not in paper.text):
            say("T5", seq, f"{paper.ticket}: another number is on the paper")
    for ticket, (seq, given) in issued.items():
        if originals[ticket] > 1:
            say("T5", seq, f"{ticket}: {originals[ticket]} originals")
        if copies[ticket] > reprints[ticket]:
            say("T5", seq, f"{ticket}: {copies[ticket]} copies, {reprints[ticket]} asked for")
        if history.printer and given.channel in PRINTING_CHANNELS and not originals[ticket]:
            say("T5", seq, f"{ticket} did not come out")


def _voices(history: History, say: Say, around_s: float) -> None:
    calls = Counter((it.seq, it.ticket, it.window, it.call_count) for it in history.spoken)
    for (seq, ticket, window, _), times in calls.items():
        if times > 1:
            say("D4", seq, f"{ticket} to {window} was spoken {times} times")
    for it in history.spoken:
        if it.after_s > SAY_WITHIN_MS / 1000 + around_s and it.seq not in history.excused:
            say("D4", it.seq, f"{it.ticket} was spoken {it.after_s:.0f} s after the call")


def _records(commits: Sequence[Commit], history: History, say: Say) -> None:
    """Who did it, and what nobody may keep. What the ledger alone tells says the auditor."""
    for commit in commits if history.networked else ():
        if commit.actor.kind is not ActorKind.CLOCK and not commit.actor.source:
            say("A1", commit.seq, f"{commit.actor.id} came from nowhere")
    lines = Counter(
        (it.by, it.source, it.code)
        for line in history.audit_lines
        for it in set(history.denied)
        if it.code in line and it.by in line and it.source in line
    )
    for denied, times in Counter(history.denied).items():
        if lines[denied.by, denied.source, denied.code] < times:
            say("A1", 0, f"{denied.by} was refused ({denied.code}) and there is no record")
    texts = [*history.texts, *((it.screen, it.data) for it in history.shown)]
    texts += [(f"the paper of {it.ticket}", (it.text or "").encode()) for it in history.papers]
    for where in {where for where, text in texts if holds_personal_number(text)}:
        say("A2", 0, f"{where} shows an identity number or a telephone number")


def _lines(history: History, say: Say) -> None:
    """Each connection of each screen by itself."""
    last: dict[str, tuple[int, int, bytes]] = {}
    for it in history.shown:
        connection, seq, data = last.get(it.screen, (0, 0, b""))
        if connection == it.connection and it.seq < seq:
            say("D1", it.seq, f"{it.screen} went back from {seq}")
        if connection == it.connection and it.seq == seq and not same(it.data, data):
            say("D2", it.seq, f"{it.screen} shows it again, and otherwise")
        last[it.screen] = (it.connection, it.seq, it.data)


# what the ledger says when it is read again


def _replayed(commits: Sequence[Commit], history: History, say: Say) -> None:
    shown: dict[int, dict[tuple[str, bytes], str]] = defaultdict(dict)
    for it in history.shown:
        shown[it.seq].setdefault((it.topic, it.data), it.screen)
    served: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for who, seq, hash_ in history.states:
        served[seq].append((who, hash_))
    state = HallState()
    guard = _Guard()
    try:
        for commit in commits:
            for event in commit.events:  # as the hall decides it: on what was before this commit
                if isinstance(event, e.TicketCalled):
                    _turn(state, event, commit, say)
                    guard.call(state, event, commit, say)
                elif isinstance(event, e.DayOpened):
                    guard = _Guard()
            for event in commit.events:
                before = _order(state) if isinstance(event, e.TicketRecalled) else None
                evolve(state, event, at_ms=commit.at_ms)
                if before is not None and before != _order(state):
                    say("C6", commit.seq, "the recall changed the order")
            pictures = shown.get(commit.seq, {})
            waits = outlook(state, state.last_ms) if pictures else None
            drawn = {topic: draw(state, topic, waits) for topic in dict.fromkeys(topic for topic, _ in pictures)}
            for (topic, data), screen in pictures.items():
                if not same(drawn[topic], data):
                    say("D3", commit.seq, f"{screen} shows something else")
            if commit.seq in served:
                now = state_hash(state)
                for who, hash_ in served[commit.seq]:
                    if hash_ != now:
                        say("A3", commit.seq, f"{who} served another state")
    except Exception as bug:  # noqa: BLE001 - a ledger that breaks rules may also break who reads it
        say("A3", 0, f"the ledger cannot be read again: {bug!r}")
        return
    for screen, (topic, data) in history.showing.items():
        if not same(data, draw(state, topic)):
            say("D1", len(commits), f"{screen} does not show the end")


def _turn(state: HallState, event: e.TicketCalled, commit: Commit, say: Say) -> None:
    """C3: by the routing of the domain, whatever policy it follows."""
    if event.why in OUT_OF_TURN:
        return
    joining = next((_joining(state, it) for it in commit.events if isinstance(it, e.LegFinished)), None)
    choice = routing.choose(state, event.window, commit.at_ms, joining)
    if choice is None or choice.ticket != event.ticket:
        say("C3", commit.seq, f"{event.ticket} was called, {choice.ticket if choice else 'nobody'} was next")
    elif choice.why != event.why:
        say("C3", commit.seq, f"{event.ticket} was called as {event.why}, not as {choice.why}")


def _joining(state: HallState, leg: e.LegFinished) -> routing.Joining:
    """Give the visitor whose leg the same press finishes: that one waits already."""
    ticket = state.tickets[leg.ticket]
    return (leg.next_service, ticket.priority, None), (leg.since_ms, ticket.order, ticket.id)


class _Guard:
    """C4: the guard of the plan (`fairness`), counted here again and not taken from the routing."""

    def __init__(self) -> None:
        self._row: dict[ZoneId, int] = {}  # priorities called since the last ordinary visitor
        self._their_turn: dict[ZoneId, bool] = {}  # the last one called was somebody who had waited too long

    def call(self, state: HallState, event: e.TicketCalled, commit: Commit, say: Say) -> None:
        """Count a call, and say when it passed somebody over who had a right to it."""
        if event.why == "chosen":
            return
        zone, fairness = event.zone, state.plan.fairness
        oldest_ms = commit.at_ms - fairness.oldest_first_after_min * MS_PER_MIN
        ticket = state.tickets.get(event.ticket)  # none: a number of a paper roll, which begins with this call
        if event.priority == ORDINARY or ticket is None:
            self._row[zone] = 0
            self._their_turn[zone] = ticket is not None and ticket.since_ms < oldest_ms
            return
        called_at_home = (
            ticket.bound == event.window or event.service in state.windows[event.window].serves
        )  # of its next leg, maybe
        passed = [it for it in _eligible(state, event.window) if it.priority == ORDINARY and it.zone == zone]
        if state.plan.rule is CallingRule.BALANCED:  # own work or relief was weighed before: the guard looks there
            passed = [it for it in passed if _is_home(state, event.window, it) is called_at_home]
        row = self._row.get(zone, 0)
        if 0 < fairness.ratio <= row and passed:
            say("C4", commit.seq, f"{row + 1} priorities in a row passed {passed[0].id} over")
        long = [
            it for it in passed if it.since_ms < oldest_ms and (_is_home(state, event.window, it) or not called_at_home)
        ]
        if fairness.oldest_first_after_min and long and not self._their_turn.get(zone, False):
            say("C4", commit.seq, f"{long[0].id} has waited too long to be passed over by {event.ticket}")
        self._row[zone], self._their_turn[zone] = row + 1, False


def _eligible(state: HallState, no: WindowNo) -> Iterator[Ticket]:
    window = state.windows[no]
    for ticket in state.tickets.values():
        if ticket.status == "waiting" and (
            ticket.bound == no or (ticket.bound is None and ticket.service in {*window.serves, *window.relief})
        ):
            yield ticket


def _is_home(state: HallState, no: WindowNo, ticket: Ticket) -> bool:
    return ticket.bound == no or ticket.service in state.windows[no].serves


def _order(state: HallState) -> object:
    """Give who stands where: all that a recall must leave as it is."""
    return (
        {key: tuple(lane) for key, lane in state.lanes.items()},
        {id_: ticket.status for id_, ticket in state.tickets.items()},
        {no: (it.current, tuple(it.held), tuple(it.missed), tuple(it.away)) for no, it in state.windows.items()},
        dict(state.in_a_row),
    )
