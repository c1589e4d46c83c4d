"""What another system is told: one message that it stumbles over holds up no other, and an outage is told once."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from server.domain.commands import CallNext, IssueTicket, OpenWindow, PlanHall
from server.domain.terms import CLOCK, NoticeKind, NotifyRules, ServiceId, Track, WindowNo, WorkId
from server.feeds.notify import STUMBLES_MOST, Message, Notifier, NotTaken, Outbox
from server.hall import Hall
from tests.web.stage import HALL, PLAN, Clock, make_hall

ONE = WindowNo("1")


class Receiver:
    """Takes what `answer` lets it take."""

    def __init__(self) -> None:
        self.answer: Callable[[Message], None] = lambda _: None
        self.tried: list[str] = []
        self.taken: list[str] = []

    def send(self, message: Message) -> None:
        self.tried.append(message.id)
        self.answer(message)
        self.taken.append(message.id)


class Desk:
    """A hall whose calls are told."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.receiver = Clock(), Receiver()
        self.hall: Hall = make_hall(HALL, self.clock)
        rules = NotifyRules(url="http://messages.example/", events=(NoticeKind.CALLED,))
        self.hall.handle(PlanHall(plan=replace(PLAN, notify=rules)), actor=CLOCK)
        self.hall.handle(OpenWindow(window=ONE, clerk=WorkId("1001")), actor=CLOCK)
        self.outbox = Outbox(folder / "notify.sqlite")
        self.notifier = Notifier(self.hall, self.outbox, self.receiver)

    def call(self) -> str:
        """Call somebody and give the id of the notice."""
        self.hall.handle(IssueTicket(service=ServiceId("general"), track=Track(f"t{self.hall.seq}")), actor=CLOCK)
        commit = self.hall.handle(CallNext(window=ONE, finish=True), actor=CLOCK)
        index = next(place for place, event in enumerate(commit.events) if type(event).__name__ == "TicketCalled")
        return f"{HALL}.{commit.seq}.{index}"

    def waiting(self) -> list[str]:
        return [message.id for message in self.outbox.waiting(HALL, 100)]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def refuse(*ids: str, refused: bool = False, answered: bool = False) -> Callable[[Message], None]:
    """Let a receiver answer these with an error, all when none is named."""

    def answer(message: Message) -> None:
        if not ids or message.id in ids:
            raise NotTaken("status 500", refused=refused, answered=answered)

    return answer


def test_a_message_that_the_receiver_stumbles_over_lets_the_others_pass(desk: Desk) -> None:
    bad, good = desk.call(), desk.call()
    desk.receiver.answer = refuse(bad, answered=True)
    desk.notifier.step()
    assert (desk.receiver.taken, desk.waiting()) == ([good], [bad])
    assert desk.notifier.fault is None, "the receiver is well"
    later = desk.call()
    desk.notifier.step()
    assert desk.receiver.taken == [good, later]


def test_a_receiver_that_takes_nothing_is_left_alone_and_gets_all_in_order(desk: Desk) -> None:
    calls = [desk.call() for _ in range(STUMBLES_MOST + 2)]
    desk.receiver.answer = refuse(answered=True)
    desk.notifier.step()
    assert desk.receiver.tried == calls[:STUMBLES_MOST]
    assert desk.notifier.fault == "status 500"
    again = Notifier(desk.hall, desk.outbox, desk.receiver)  # as after a start: no pause is remembered
    desk.receiver.answer = lambda _: None
    again.step()
    assert desk.receiver.taken == calls


def test_nobody_there_ends_the_round_at_once(desk: Desk) -> None:
    first, _ = desk.call(), desk.call()
    desk.receiver.answer = refuse()
    desk.notifier.step()
    assert (desk.receiver.tried, desk.notifier.fault) == ([first], "status 500")


def test_an_address_that_refuses_everything_and_an_outage_are_told_in_one_line(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "server.feeds.notify")
    for _ in range(5):
        desk.call()
    desk.receiver.answer = refuse(refused=True, answered=True)
    desk.notifier.step()
    assert (len(desk.receiver.tried), desk.waiting()) == (5, [])
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert desk.notifier.fault == "refused, status 500"
    caplog.clear()
    for _ in range(5):
        desk.call()
    desk.receiver.answer = refuse()
    desk.notifier.step()
    desk.clock.forward(600)
    Notifier(desk.hall, desk.outbox, desk.receiver).step()
    assert desk.waiting() == []
    assert ["5 too late" in record.getMessage() for record in caplog.records] == [True]
