"""What loudspeakers may have to call soon."""

from server.domain import commands as c
from server.domain.terms import TicketStatus
from server.projections.voice import voice
from tests.projections.scene import a_morning


def test_tickets_that_are_not_over_are_named_in_the_order_of_their_issue() -> None:
    day = a_morning()
    over = {TicketStatus.FINISHED, TicketStatus.NO_SHOW, TicketStatus.CANCELLED, TicketStatus.EXPIRED}
    tickets = day.read(
        lambda state: sorted(state.tickets.values(), key=lambda ticket: (ticket.issued_ms, ticket.label))
    )
    assert {ticket.status for ticket in tickets} & over, "the morning has some that are over"
    picture = day.read(voice)
    assert picture.labels == tuple(ticket.label for ticket in tickets if ticket.status not in over)
    assert picture.windows == day.read(
        lambda state: tuple(no for no, window in state.plan.window.items() if window.staffed)
    )


def test_a_ticket_is_named_from_its_issue_on_and_no_longer_when_it_is_cancelled() -> None:
    day = a_morning()
    before = day.read(voice).labels
    ticket = day.issue("tax")
    after = day.read(voice).labels
    assert after[:-1] == before
    assert after[-1] == day.read(lambda state: state.tickets[ticket].label)
    day.do(c.Cancel(ticket=ticket))
    assert day.read(voice).labels == before
