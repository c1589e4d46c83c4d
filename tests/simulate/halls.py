"""Simple halls of one zone, and days for them, so that theory can be asked."""

from collections.abc import Iterable, Sequence
from random import Random

from server.domain.terms import (
    Fairness,
    HallId,
    HallPlan,
    PriorityId,
    PriorityRule,
    Service,
    ServiceId,
    Window,
    WindowNo,
    Zone,
    ZoneId,
)
from server.simulate.play import Outcome, morning, play
from server.simulate.visits import MIN, Day, Stay, Visit

TAX = ServiceId("tax")
GREEN = PriorityId("green")
MONDAY = "2026-03-02"


def hall(windows: int, *, slope: float = 3.0, head_start_min: float = 10.0) -> HallPlan:
    """Give a hall of one zone and one service, open round the clock; `green` goes ahead, without any guard."""
    return HallPlan(
        hall=HallId("simple"),
        name={"zh": "简单", "en": "Simple"},
        time_zone="Asia/Shanghai",
        languages=("zh", "en"),
        day_starts_min=0,
        zones=(Zone(id=ZoneId("tax"), name={"zh": "税务", "en": "Tax"}),),
        services=(Service(id=TAX, name={"zh": "税务", "en": "Tax"}, zone=ZoneId("tax"), prefix="A", last=999_999),),
        windows=tuple(
            Window(no=WindowNo(str(no)), name={"zh": f"{no}"}, zone=ZoneId("tax"), serves=(TAX,))
            for no in range(1, windows + 1)
        ),
        priorities=(PriorityRule(id=GREEN, name={"zh": "绿色"}, slope=slope, head_start_min=head_start_min),),
        fairness=Fairness(ratio=0, oldest_first_after_min=0),
    )


def day_of(plan: HallPlan, visits: Iterable[Visit], *, until_ms: int) -> Day:
    """Give a day with every window open from its begin on."""
    return Day(day=MONDAY, visits=tuple(visits), shifts={it.no: ((0, until_ms),) for it in plan.windows}, slowness={})


def poisson(chance: Random, count: int, gap_min: float, work_min: float, *, green: float = 0.0) -> list[Visit]:
    """Give visitors at random (exponential gaps and work), a part of them with the green channel."""
    found: list[Visit] = []
    at = 0.0
    for _ in range(count):
        at += chance.expovariate(1 / gap_min)
        work_ms = max(1, round(chance.expovariate(1 / work_min) * MIN))
        is_green = chance.random() < green
        found.append(
            Visit(
                at_ms=round(at * MIN),
                stays=(Stay(service=TAX, work_ms=work_ms),),
                **({"priority": GREEN} if is_green else {}),  # type: ignore[arg-type]  # its only key
            )
        )
    return found


def played(plan: HallPlan, visits: Sequence[Visit]) -> Outcome:
    """Play visitors in a hall that is open until the last one has come."""
    return play(morning(plan, MONDAY), day_of(plan, visits, until_ms=visits[-1].at_ms + MIN))
