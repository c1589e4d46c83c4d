"""Draw docs/lifecycle.md from the table of legal moves: `python -m scripts.draw_lifecycle` writes it.

tests/domain/test_lifecycle.py compares, so that the page and the table never drift apart.
"""

from pathlib import Path

from server.domain.lifecycle import FINAL, MOVES, UNDOABLE, Move
from server.domain.refusals import STATUS_WORDS
from server.domain.terms import UNDO_S, TicketStatus

PAGE = Path(__file__).resolve().parent.parent / "docs" / "lifecycle.md"

MEANING = {
    Move.CALL: "CallNext, or CallTicket with a reason (a missed or away ticket: CallTicket only) -> TicketCalled",
    Move.RECALL: "Recall -> TicketRecalled",
    Move.START: "StartServing -> ServingStarted",
    Move.FINISH: "Finish, or CallNext with `finish` -> TicketFinished",
    Move.NEXT_LEG: "the same while a joint matter has legs left -> LegFinished",
    Move.PLAN_LEGS: "PlanLegs, or IssueTicket with `legs` -> LegsPlanned",
    Move.MISS: "MarkMissed -> TicketMissed",
    Move.REINSTATE: "Reinstate -> TicketReinstated",
    Move.NO_SHOW: "MarkNoShow -> NoShowRecorded",
    Move.RETURN: "ReturnTicket -> TicketReturned",
    Move.HOLD: "Hold -> TicketHeld",
    Move.SEND_AWAY: "GiveNotice with `away` -> NoticeGiven, or AwaitResult -> ResultAwaited",
    Move.COME_BACK: "ComeBack (with the papers), or ReportResult -> TicketBack",
    Move.NOTICE: "GiveNotice -> NoticeGiven",
    Move.RESUME: "Resume -> TicketResumed",
    Move.TRANSFER: "Transfer -> TicketTransferred",
    Move.CANCEL: "Cancel -> TicketCancelled",
    Move.REPRINT: "Reprint -> ReprintRequested",
    Move.RATE: "Rate, RateAtWindow -> TicketRated",
    Move.EXPIRE: "CloseDay -> TicketExpired",
}


def page() -> str:
    """Give the page: a state diagram, the table of moves, and what each move is asked by and leaves in the ledger."""
    arrows: dict[tuple[TicketStatus, TicketStatus], list[str]] = {}
    for (before, move), after in MOVES.items():
        if move is not Move.EXPIRE:
            arrows.setdefault((before, after), []).append(move)
    lines = [
        "# The life of a ticket",
        "",
        "Drawn from `server/domain/lifecycle.py` by `python -m scripts.draw_lifecycle`; a test compares. What is not",
        "here is refused with `illegal_move`. Every open ticket expires when the day closes (not drawn).",
        "",
        "```mermaid",
        "stateDiagram-v2",
        "    [*] --> waiting",
        *(f"    {before} --> {after}: {', '.join(moves)}" for (before, after), moves in arrows.items()),
        *(f"    {status} --> [*]" for status in TicketStatus if status in FINAL and status is not TicketStatus.EXPIRED),
        "```",
        "",
        f"| move | {' | '.join(f'{status} {STATUS_WORDS[status][0]}' for status in TicketStatus)} |",
        f"|---|{'---|' * len(TicketStatus)}",
        *(
            f"| {move} | {' | '.join(MOVES.get((status, move), '') for status in TicketStatus)} |".replace("  ", " ")
            for move in Move
        ),
        "",
        "| move | asked by -> kept as |",
        "|---|---|",
        *(f"| {move} | {MEANING[move]} |" for move in Move),
        "",
        f"Within {UNDO_S} seconds {', '.join(UNDOABLE)} of the visitor at a window can be taken back:",
        "Undo -> MoveUndone. The ticket is again what it was. Refused with `undo_over` when anything has happened",
        "since to it or to the window.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
