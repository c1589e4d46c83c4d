"""The life of a ticket as one table of legal moves. Whatever is not in the table is refused.

waiting -> called -> serving -> finished is the plain visit; missed, held and away visitors come back, the rest is
final. In a joint matter finishing a leg leads back to waiting until the last one.
"""

from enum import StrEnum

from server.domain.terms import TicketStatus


class Move(StrEnum):
    """What can be done to a ticket."""

    CALL = "call"
    RECALL = "recall"
    START = "start"
    FINISH = "finish"
    NEXT_LEG = "next_leg"
    PLAN_LEGS = "plan_legs"
    MISS = "miss"
    REINSTATE = "reinstate"
    NO_SHOW = "no_show"
    RETURN = "return"
    HOLD = "hold"
    SEND_AWAY = "send_away"
    COME_BACK = "come_back"
    NOTICE = "notice"
    RESUME = "resume"
    TRANSFER = "transfer"
    CANCEL = "cancel"
    REPRINT = "reprint"
    RATE = "rate"
    EXPIRE = "expire"


_S = TicketStatus

MOVES: dict[tuple[TicketStatus, Move], TicketStatus] = {
    (_S.WAITING, Move.CALL): _S.CALLED,
    (_S.WAITING, Move.PLAN_LEGS): _S.WAITING,
    (_S.WAITING, Move.CANCEL): _S.CANCELLED,
    (_S.WAITING, Move.REPRINT): _S.WAITING,
    (_S.WAITING, Move.EXPIRE): _S.EXPIRED,
    (_S.CALLED, Move.RECALL): _S.CALLED,
    (_S.CALLED, Move.START): _S.SERVING,
    (_S.CALLED, Move.FINISH): _S.FINISHED,
    (_S.CALLED, Move.NEXT_LEG): _S.WAITING,
    (_S.CALLED, Move.PLAN_LEGS): _S.CALLED,
    (_S.CALLED, Move.MISS): _S.MISSED,
    (_S.CALLED, Move.NO_SHOW): _S.NO_SHOW,
    (_S.CALLED, Move.RETURN): _S.WAITING,
    (_S.CALLED, Move.HOLD): _S.HELD,
    (_S.CALLED, Move.SEND_AWAY): _S.AWAY,
    (_S.CALLED, Move.NOTICE): _S.CALLED,
    (_S.CALLED, Move.TRANSFER): _S.WAITING,
    (_S.CALLED, Move.CANCEL): _S.CANCELLED,
    (_S.CALLED, Move.REPRINT): _S.CALLED,
    (_S.CALLED, Move.EXPIRE): _S.EXPIRED,
    (_S.SERVING, Move.FINISH): _S.FINISHED,
    (_S.SERVING, Move.NEXT_LEG): _S.WAITING,
    (_S.SERVING, Move.PLAN_LEGS): _S.SERVING,
    (_S.SERVING, Move.HOLD): _S.HELD,
    (_S.SERVING, Move.SEND_AWAY): _S.AWAY,
    (_S.SERVING, Move.NOTICE): _S.SERVING,
    (_S.SERVING, Move.TRANSFER): _S.WAITING,
    (_S.SERVING, Move.REPRINT): _S.SERVING,
    (_S.SERVING, Move.EXPIRE): _S.EXPIRED,
    (_S.HELD, Move.RESUME): _S.CALLED,
    (_S.HELD, Move.FINISH): _S.FINISHED,
    (_S.HELD, Move.NEXT_LEG): _S.WAITING,
    (_S.HELD, Move.PLAN_LEGS): _S.HELD,
    (_S.HELD, Move.NO_SHOW): _S.NO_SHOW,
    (_S.HELD, Move.SEND_AWAY): _S.AWAY,
    (_S.HELD, Move.NOTICE): _S.HELD,
    (_S.HELD, Move.TRANSFER): _S.WAITING,
    (_S.HELD, Move.CANCEL): _S.CANCELLED,
    (_S.HELD, Move.REPRINT): _S.HELD,
    (_S.HELD, Move.EXPIRE): _S.EXPIRED,
    (_S.MISSED, Move.CALL): _S.CALLED,
    (_S.MISSED, Move.REINSTATE): _S.WAITING,
    (_S.MISSED, Move.NO_SHOW): _S.NO_SHOW,
    (_S.MISSED, Move.CANCEL): _S.CANCELLED,
    (_S.MISSED, Move.REPRINT): _S.MISSED,
    (_S.MISSED, Move.EXPIRE): _S.EXPIRED,
    (_S.AWAY, Move.COME_BACK): _S.WAITING,
    (_S.AWAY, Move.CALL): _S.CALLED,
    (_S.AWAY, Move.CANCEL): _S.CANCELLED,
    (_S.AWAY, Move.REPRINT): _S.AWAY,
    (_S.AWAY, Move.EXPIRE): _S.EXPIRED,
    (_S.FINISHED, Move.RATE): _S.FINISHED,
}

# What the clerk may take back in the first seconds, if nothing happened since: the ticket is again where it was before.
UNDOABLE = (Move.START, Move.FINISH, Move.MISS, Move.NO_SHOW, Move.RETURN, Move.HOLD)
FINAL = frozenset({_S.FINISHED, _S.NO_SHOW, _S.CANCELLED, _S.EXPIRED})
AT_WINDOW = frozenset({_S.CALLED, _S.SERVING})


def is_legal(status: TicketStatus, move: Move) -> bool:
    """Say whether a ticket in this status can make the move."""
    return (status, move) in MOVES
