"""The judge: what people were told, shown, given and called, against the ledger at the end.

- L1, L2, T1, T2, T4, C1-C5 and more: `server.ledger.audit` over the whole ledger;
- L3 what was acknowledged is there, L4 as it was told, L5 what was only ever refused is not there, L6 nothing is there
  that nobody asked for, L7 who was answered before another asked stands before them;
- L8, D3 a picture is that of its commit's prefix, and no server shows less than it told;
- D1 a screen never goes back within a connection, and shows the end when all is mended;
- D4 a call is spoken at most once and never late; T5 a ticket comes out once as original, under the ledger's label,
  and everything works again once all is mended;
- A3 the state read again is the state that was served.

Source of the rules: Jepsen's histories (invocation, answer, or nobody knows) and TigerBeetle's simulator.
"""

from collections import Counter, defaultdict

import msgspec

from server.domain import events as e
from server.domain.evolve import evolve
from server.domain.state import HallState
from server.domain.terms import ActorKind, Track, ZoneId
from server.ledger.audit import audit
from server.ledger.base import Commit
from server.projections.board import board
from server.projections.jobs import SAY_WITHIN_MS
from tests.simulation.world import DELAY_MAX_MS, Attempt, World


def judge(world: World) -> list[str]:
    """Give every broken rule, in words; empty is good."""
    commits = world.commits
    found = [str(finding) for finding in audit(commits)]
    found += _answers(commits, world.history.attempts)
    found += _devices(commits, world)
    found += _pictures(commits, world)
    return found


def _answers(commits: list[Commit], attempts: list[Attempt]) -> list[str]:
    found: list[str] = []
    by_key: dict[str, list[Commit]] = defaultdict(list)
    asked = {attempt.key for attempt in attempts}
    for commit in commits:
        if commit.key is not None:
            by_key[commit.key].append(commit)
        if commit.actor.kind is not ActorKind.CLOCK and commit.key not in asked:
            found.append(f"L6 commit {commit.seq}: nobody asked for it")
    begun: dict[str, int] = {}
    ended: dict[str, int] = {}
    refused: dict[str, bool] = {}
    for it in attempts:
        begun[it.key] = min(begun.get(it.key, it.begun), it.begun)
        refused[it.key] = refused.get(it.key, True) and it.refused
        if it.told is None or it.ended is None:
            continue
        ended[it.key] = min(ended.get(it.key, it.ended), it.ended)
        kept = by_key[it.key]
        if not kept:
            found.append(f"L3 {it.key}: acknowledged as {it.told[0]} and lost")
        elif it.told not in [(commit.seq, commit.hash) for commit in kept]:
            found.append(f"L4 {it.key}: told {it.told[0]}, kept {[commit.seq for commit in kept]}")
    found += [f"L5 {key}: refused and written" for key, only in refused.items() if only and by_key[key]]
    earliest_end = 1 << 60  # of all who stand later
    for commit in reversed(commits):
        if commit.key is None or commit.key not in begun or len(by_key[commit.key]) > 1:
            continue  # the same key of two days: two requests
        if earliest_end < begun[commit.key]:
            found.append(f"L7 {commit.key}: asked after one was answered that stands behind it")
        earliest_end = min(earliest_end, ended.get(commit.key, 1 << 60))
    return found


def _devices(commits: list[Commit], world: World) -> list[str]:
    history = world.history
    found = list(history.behind)
    labels: dict[str, str] = {}
    last = ""
    for commit in commits:
        for event in commit.events:
            if isinstance(event, e.TicketIssued):
                labels[event.ticket] = event.label
                last = event.ticket if event.track == Track("last") else last
    originals = Counter(paper.ticket for paper in history.papers if not paper.reprint)
    found += [f"T5 {ticket}: {times} originals" for ticket, times in originals.items() if times > 1]
    found += [
        f"T5 {it.ticket}: {it.label} stands on the paper" for it in history.papers if labels.get(it.ticket) != it.label
    ]
    if last not in originals:
        found.append("T5 all is mended and the next ticket does not come out")
    calls = Counter((it.ticket, it.window, it.call_count, it.seq) for it in history.spoken)
    found += [f"D4 {call} spoken {times} times" for call, times in calls.items() if times > 1]
    for it in history.spoken:
        after_ms = it.at_ms - history.written_at_ms[it.seq]
        if after_ms > SAY_WITHIN_MS + 2 * DELAY_MAX_MS and it.seq not in history.excused:
            found.append(f"D4 {it.ticket} spoken {after_ms / 1000:.0f} s after the call")
    return found


def _pictures(commits: list[Commit], world: World) -> list[str]:
    """Draw again what was shown, from the ledger alone."""
    found: list[str] = []
    wanted: dict[int, list[tuple[str, bytes]]] = defaultdict(list)
    line: dict[str, tuple[int, int]] = {}
    for it in world.history.shown:
        connection, seq = line.get(it.screen, (0, 0))
        if connection == it.connection and it.seq < seq:
            found.append(f"D1 {it.screen} went back from {seq} to {it.seq}")
        line[it.screen] = (it.connection, it.seq)
        wanted[it.seq].append((it.screen, it.data))
    state = HallState()
    for commit in commits:
        for event in commit.events:
            evolve(state, event, at_ms=commit.at_ms)
        for screen in dict(wanted.get(commit.seq, ())):
            data = _draw(state, screen)
            found += [
                f"D3 {name} shows something else at {commit.seq}"
                for name, shown in wanted[commit.seq]
                if name == screen and shown != data
            ]
    found += [
        f"D1 {screen.name} does not show the end"
        for screen in world.screens
        if screen.data != _draw(state, screen.name)
    ]
    served, seq = world.leader.hall.read(lambda state, seq: (state, seq))
    if seq == len(commits) and served != state:
        found.append("A3 the state that is served is not the state of the ledger")
    if seq != len(commits):
        found.append(f"L8 the server that leads stands at {seq} of {len(commits)}")
    return found


def _draw(state: HallState, screen: str) -> bytes:
    return msgspec.json.encode(board(state, zone=ZoneId("hall") if screen == "side" else None))
