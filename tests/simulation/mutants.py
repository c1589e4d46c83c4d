"""Halls that are broken in one place, to see that the judge sees it."""

from collections.abc import Sequence
from dataclasses import replace

from server.domain import commands as c
from server.domain import events as e
from server.domain import routing
from server.domain.terms import Actor, TicketStatus
from server.feeds import devices as devices_feed
from server.feeds.devices import JobFeed
from server.hall import Check, Hall, _Request
from server.ledger import codec
from server.ledger.base import Commit, Stale
from server.ledger.memory import MemoryLedger
from tests.simulation.world import Disk, SharedStore, Variant, World


class AcknowledgesFirst(Disk):
    """Says that commits are written and writes them with the next ones; what dies in between is gone."""

    def __init__(self, store: MemoryLedger, world: World, server: str) -> None:
        super().__init__(store, world, server)
        self._late: list[Commit] = []

    def append(self, commits: Sequence[Commit]) -> None:
        late, self._late = self._late, list(commits)
        if late:
            self._store.append(late)


class Loses(Disk):
    """Loses the newest commit now and then when it is opened again."""

    def __init__(self, store: MemoryLedger, world: World, server: str) -> None:
        super().__init__(store, world, server)
        if world.faulty and len(store._rows) > 10:
            store._rows.pop()


class TakesStale(SharedStore):
    """Says yes to who was slower than the other server, and writes nothing."""

    def append(self, commits: Sequence[Commit]) -> None:
        try:
            super().append(commits)
        except Stale:
            return


class Redraws(Hall):
    """Writes something else than was decided."""

    def _draft(self, request: _Request) -> Commit:
        commit = super()._draft(request)
        events = tuple(self.other(event) for event in commit.events)
        return codec.seal(replace(commit, events=events), commit.prev_hash)

    def other(self, event: e.Event) -> e.Event:
        """Give what is written in the place of an event."""
        return event


class LeavesGap(Redraws):
    """Leaves a number out."""

    def other(self, event: e.Event) -> e.Event:
        if isinstance(event, e.TicketIssued) and event.number == 3:
            return replace(event, number=4)
        return event


class GivesTwice(Redraws):
    """Gives a number twice."""

    def other(self, event: e.Event) -> e.Event:
        if isinstance(event, e.TicketIssued) and event.number == 3:
            return replace(event, number=2)
        return event


class ForgetsKeys(Hall):
    """Does what is asked again again."""

    def handle(
        self,
        command: c.Command,
        *,
        actor: Actor,
        key: str | None = None,
        fingerprint: str = "",
        allowed: Check | None = None,
    ) -> Commit:
        again = key is not None and key in self._now.keys
        key = None if again else key
        return super().handle(command, actor=actor, key=key, fingerprint=fingerprint, allowed=allowed)


class CallsLast(Redraws):
    """Calls who came last."""

    def other(self, event: e.Event) -> e.Event:
        if not isinstance(event, e.TicketCalled):
            return event
        last = routing.preview(self._now.state, event.window, self.now_ms(), limit=99)[-1:]
        return self.call(event, last[0].ticket) if last else event

    def call(self, event: e.TicketCalled, id_: str) -> e.TicketCalled:
        """Give the call of another ticket."""
        ticket = next(it for it in self._now.state.tickets.values() if it.id == id_)
        return replace(event, ticket=ticket.id, label=ticket.label, number=ticket.number, priority=ticket.priority)


class CallsTwice(CallsLast):
    """Calls somebody who stands at another window."""

    def other(self, event: e.Event) -> e.Event:
        if not isinstance(event, e.TicketCalled):
            return event
        busy = [it.id for it in self._now.state.tickets.values() if it.status is TicketStatus.CALLED]
        return self.call(event, busy[0]) if busy else event


class BelievesItsClock(JobFeed):
    """Takes the clock's word for how old a call is, whenever it looks."""

    def step(self) -> None:
        for kept in self._tail:
            left_ms = kept.job.expires_ms - self._hall.now_ms()
            kept.until_s = vars(devices_feed)["monotonic"]() + left_ms / 1000
        super().step()


MUTANTS: dict[str, tuple[Variant, str]] = {
    "acknowledge before commit": (Variant(disk=AcknowledgesFirst, shared=False), "L3"),
    "loss after acknowledgement": (Variant(disk=Loses, shared=False), "L3"),
    "stale writer on a shared ledger": (Variant(store=TakesStale, shared=True), "L3"),
    "gap": (Variant(hall=LeavesGap), "T2"),
    "duplicate number": (Variant(hall=GivesTwice), "T1"),
    "no idempotency": (Variant(hall=ForgetsKeys), "L6"),
    "last in, first out": (Variant(hall=CallsLast), "C3"),
    "double call": (Variant(hall=CallsTwice), "C2"),
    "job printed twice": (Variant(forgetful_agent=True), "T5"),
    "screen goes back": (Variant(screens_take_all=True), "D1"),
    "late speech": (Variant(late_speech=True), "D4"),
    "age of calls by the clock": (Variant(jobs=BelievesItsClock), "D4"),
}
"""What is broken, and the rule that must say so."""
