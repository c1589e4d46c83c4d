"""Why a visitor was called, in words: the reasons that are kept with every call, for who asks about it afterwards."""

from server.domain import events as e
from server.domain.routing import CLEAR_MAX_MIN
from server.domain.terms import Text

WHYS: dict[str, Text] = {
    "head": {"zh": "主办事项中等候最久", "en": "oldest of the window's own work"},
    "priority": {"zh": "优先", "en": "priority"},
    "returning_leg": {"zh": "联办下一环节", "en": "next leg of a joint matter"},
    "relief": {"zh": "支援其他事项", "en": "helping another service"},
    "bound": {"zh": "指定本窗口", "en": "for this window"},
    "fairness": {"zh": "连续优先之后轮到普通号", "en": "turn of ordinary numbers after several priorities"},
    "waited_long": {"zh": "久等先叫", "en": "waited long, before a priority"},
    "roll": {"zh": "号卷的下一号", "en": "next number of a paper roll"},
}
HELPED: Text = {
    "zh": "支援：该区预计 {clear} 分钟清空，本区 {own} 分钟",
    "en": "helping: predicted wait {clear} min there against {own} min at home",
}


def why_of(call: e.TicketCalled) -> Text | None:
    """Give the reason of a call by language; None where somebody chose and wrote it down (`reason`)."""
    if call.clear_min is not None and call.own_clear_min is not None:
        clear, own = _minutes(call.clear_min), _minutes(call.own_clear_min)
        return {it: said.format(clear=clear, own=own) for it, said in HELPED.items()}
    return WHYS.get(call.why)


def _minutes(weighed_min: int) -> str:
    """Say minutes; from the most that counts on nothing is known but that it is more."""
    return f"{weighed_min}+" if weighed_min >= CLEAR_MAX_MIN else str(weighed_min)
