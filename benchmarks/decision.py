"""What a decision costs when the hall is full: `python -m benchmarks.decision`.

The cost of choosing who is next must follow the number of lanes, not of people. 500 waiting at 30 windows against 50
waiting should therefore be about 1; a ratio near 10 means that somebody looks at everybody. The hall is the worst there
is for weighing: ten zones, and every window may help in most of them.
"""

from collections.abc import Callable
from dataclasses import replace
from time import perf_counter

from server.domain import commands as c
from server.domain.balance import suggest
from server.domain.decide import decide
from server.domain.evolve import evolve
from server.domain.routing import choose, preview
from server.domain.state import HallState
from server.domain.terms import (
    CallingRule,
    Fairness,
    HallId,
    HallPlan,
    PriorityId,
    PriorityRule,
    Service,
    ServiceId,
    Track,
    Window,
    WindowNo,
    WorkId,
    Zone,
    ZoneId,
)

WINDOWS, SERVICES, ZONES = 30, 30, 10
PREFIXES = "ABCDEFGHJK"
START_MS = 1_772_413_200_000
REPEAT = 300


def _zone(number: int) -> ZoneId:
    return ZoneId(f"z{number * ZONES // SERVICES}")


def a_hall(waiting: int, rule: CallingRule = CallingRule.BALANCED) -> tuple[HallState, int]:
    """Give a hall of 30 open windows with so many waiting, and the time."""
    services = [ServiceId(f"s{number}") for number in range(SERVICES)]
    plan = HallPlan(
        hall=HallId("bench"),
        name={"zh": "测量"},
        time_zone="Asia/Shanghai",
        languages=("zh",),
        zones=tuple(Zone(id=ZoneId(f"z{number}"), name={"zh": "区"}) for number in range(ZONES)),
        services=tuple(
            Service(
                id=it, name={"zh": it}, zone=_zone(number), prefix="ABCDEFGHJK"[number * ZONES // SERVICES], last=99_999
            )
            for number, it in enumerate(services)
        ),
        windows=tuple(
            Window(
                no=WindowNo(str(number)),
                name={"zh": str(number)},
                zone=_zone(number),
                serves=(services[number], services[(number + 1) % SERVICES]),
                relief=tuple(services[(number + step) % SERVICES] for step in range(2, 20, 3)),
                trained=tuple(services[(number + step) % SERVICES] for step in range(20, 29, 3)),
            )
            for number in range(WINDOWS)
        ),
        priorities=(PriorityRule(id=PriorityId("green"), name={"zh": "绿"}),),
        rule=rule,
        fairness=Fairness(ratio=2, oldest_first_after_min=30),
    )
    state, now_ms = HallState(), START_MS
    commands: list[c.Command] = [c.PlanHall(plan=plan), c.StartDay()]
    commands += [c.OpenWindow(window=it.no, clerk=WorkId(it.no)) for it in plan.windows]
    commands += [
        c.IssueTicket(
            service=services[number * 7 % SERVICES],
            track=Track(str(number)),
            priority=PriorityId("green") if number % 6 == 0 else None,
        )
        for number in range(waiting)
    ]
    for command in commands:
        for event in decide(state, command, now_ms=now_ms):
            evolve(state, event, at_ms=now_ms)
        now_ms += 5_000
    return state, now_ms


def in_a_row(state: HallState) -> HallState:
    """Give the hall after two priorities in a row: the guard has to look for an ordinary visitor."""
    state.in_a_row = dict.fromkeys(state.plan.zone, 2)
    return state


def by_age(state: HallState) -> HallState:
    """Give the hall under the rule that weighs nothing."""
    plan = _BY_AGE.setdefault(id(state), replace(state.plan, rule=CallingRule.OLDEST_WAITING))
    return replace(state, plan=plan)


_BY_AGE: dict[int, HallPlan] = {}


def cost_us(what: Callable[[], object]) -> float:
    """Give the best of five rounds in microseconds per call."""
    best = float("inf")
    for _ in range(5):
        start = perf_counter()
        for _ in range(REPEAT):
            what()
        best = min(best, (perf_counter() - start) / REPEAT)
    return best * 1e6


def main() -> None:
    """Print the costs of the decisions that are made most, and how they grow."""
    window, few, many = WindowNo("7"), 50, 500
    halls = {count: a_hall(count) for count in (few, many)}
    call = c.CallNext(window=window)
    press = c.IssueTicket(service=ServiceId("s3"), track=Track("t"))
    decisions: dict[str, Callable[[HallState, int], object]] = {
        "choose": lambda state, now_ms: choose(state, window, now_ms),
        "choose, oldest waiting": lambda state, now_ms: choose(by_age(state), window, now_ms),
        "preview 8": lambda state, now_ms: preview(state, window, now_ms),
        "decide CallNext": lambda state, now_ms: decide(state, call, now_ms=now_ms),
        "decide CallNext, guard": lambda state, now_ms: decide(
            in_a_row(state), c.CallNext(window=window), now_ms=now_ms
        ),
        "suggest (every 5 min)": lambda state, now_ms: suggest(state, now_ms),
        "decide IssueTicket": lambda state, now_ms: decide(state, press, now_ms=now_ms),
    }
    print(f"{'':24}{few:>7} waiting{many:>9} waiting    ratio")
    for name, decision in decisions.items():
        cost = {count: cost_us(lambda it=hall, run=decision: run(*it)) for count, hall in halls.items()}  # type: ignore[misc]
        print(f"{name:24}{cost[few]:>12.1f} us{cost[many]:>14.1f} us{cost[many] / cost[few]:>9.2f}")


if __name__ == "__main__":
    main()
