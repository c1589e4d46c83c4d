"""How well waits are foretold: `python -m benchmarks.forecast [--layout qiaocheng] [--load 0.9] [--days 6]`.

What a visitor is told at the number, against the wait until the call, on simulated days: of our forecast, and beside it
what is usually told. `per window`: people ahead x the mean visit, over the open windows; `last`: the wait of who was
called last in the zone; `last 20`: the mean of the last twenty; `head`: how long the first of the zone waits already.
All of them meet the same visitors in the same order of calls. Without `--history` every day is the first one of a new
hall with other people; with it one hall lives through that many days before it is measured.
"""

import json
import math
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

import click

from benchmarks.engine import DomainEngine, Spec, make_engine
from benchmarks.simulator import LAYOUTS, SKILLS, Layout, Leg, draw, mean, over, play, staff
from server.domain.forecast import open_windows
from server.domain.routing import ahead
from server.domain.state import HallState, Ticket
from server.domain.terms import TicketId, ZoneId

PEOPLE = 100_000  # seeds of people apart from each other
OURS = "ours"
MIN = 60_000
SAME_TIME_MIN = 0.01  # seconds are whole


@dataclass(slots=True)
class Waits:
    """The last waits of a zone, in minutes."""

    last: deque[float] = field(default_factory=lambda: deque(maxlen=20))


Estimator = Callable[[HallState, Ticket, Waits, int], float]


def per_window(state: HallState, ticket: Ticket, _: Waits, now_ms: int) -> float:
    """Give people ahead times the mean visit, over the windows."""
    windows = open_windows(state, ticket.service)
    return ahead(state, ticket.id, now_ms) * state.mean_s(ticket.service) / 60 / windows if windows else math.nan


def last_called(_: HallState, __: Ticket, waits: Waits, ___: int) -> float:
    """Give the wait of who was called last."""
    return waits.last[-1] if waits.last else 0.0


def last_twenty(_: HallState, __: Ticket, waits: Waits, ___: int) -> float:
    """Give the mean of the last twenty waits."""
    return mean(list(waits.last)) if waits.last else 0.0


def head_of_line(state: HallState, ticket: Ticket, _: Waits, now_ms: int) -> float:
    """Give how long the first of the zone waits."""
    zone = state.plan.service[ticket.service].zone
    since = [lane[0][0] for (service, _, _), lane in state.lane_items() if state.plan.service[service].zone == zone]
    return (now_ms - min(since)) / MIN


NAIVE: dict[str, Estimator] = {
    "per window": per_window,
    "last": last_called,
    "last 20": last_twenty,
    "head": head_of_line,
}


class Watched(DomainEngine):
    """The engine, with what others would have told beside it."""

    told: dict[str, dict[str, float]]
    waits: dict[ZoneId, Waits]

    def eta(self, ticket: str, t: float) -> tuple[float, float, float]:
        """Give our forecast, and note the others'."""
        now_ms = self._at(t)
        known = self.state.tickets[TicketId(ticket)]
        waits = self.waits.setdefault(known.zone, Waits())
        self.told[ticket] = {name: of(self.state, known, waits, now_ms) for name, of in NAIVE.items()}
        return super().eta(ticket, t)

    def call_next(self, window: str, t: float) -> str | None:
        """Call, and note the wait."""
        found = super().call_next(window, t)
        if found is not None:
            ticket = self.state.tickets[TicketId(found)]
            self.waits.setdefault(ticket.zone, Waits()).last.append((ticket.waited_s or 0) / 60)
        return found


def watched(spec: Spec, seed: int) -> Watched:
    """Give a hall at its first morning."""
    engine = make_engine(spec, None, seed)
    engine.__class__ = Watched
    assert isinstance(engine, Watched)
    engine.told, engine.waits = {}, {}
    return engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """How good a forecast was: errors in minutes; `coverage` of the 80 % range, `width` of it over the mean wait."""

    layout: str
    load: float
    forecast: str
    mean_wait: float
    mae: float
    mae_of_mean: float
    bias: float
    coverage: float
    width_of_mean: float
    foretold: int
    unknown: int


def judge(
    layout: Layout,
    *,
    load: float,
    days: int,
    seed: int,
    skills: str = "S25",
    history: int = 0,
    played: Callable[[], None] = lambda: None,
) -> list[Row]:
    """Play days and give a row for ours and for each of the others; `played` is called after each day."""
    legs: list[tuple[Leg, dict[str, float]]] = []
    waited: list[float] = []
    engine: Watched | None = None
    for number in range(history + days):
        hall = staff(layout, skills=skills, seed=seed if history else seed * PEOPLE + number)
        if engine is None or not history:
            engine = watched(hall.spec(), seed)
        engine.told.clear()
        engine.waits.clear()
        outcome = play(engine, hall, draw(hall, load=load, seed=seed, number=number))
        played()
        if number >= history:
            legs += [(leg, engine.told[leg.ticket]) for leg in outcome.legs if leg.foretold is not None]
            waited += [leg.waited for leg in outcome.legs]
    wait = mean(waited)
    ours = [leg.foretold if leg.foretold is not None else (math.nan,) * 3 for leg, _ in legs]
    told = {OURS: [p50 for p50, _, _ in ours]} | {name: [it[name] for _, it in legs] for name in NAIVE}
    covered = [
        low - SAME_TIME_MIN <= leg.waited <= high + SAME_TIME_MIN
        for (leg, _), (p50, low, high) in zip(legs, ours, strict=True)
        if not math.isnan(p50)
    ]
    widths = [high - low for p50, low, high in ours if not math.isnan(p50)]
    rows = []
    for name, values in told.items():
        errors = [value - leg.waited for value, (leg, _) in zip(values, legs, strict=True) if not math.isnan(value)]
        mae = mean([abs(error) for error in errors])
        rows.append(
            Row(
                layout=layout.name,
                load=load,
                forecast=name,
                mean_wait=wait,
                mae=mae,
                mae_of_mean=over(mae, wait),
                bias=mean(errors),
                coverage=mean(covered) if name == OURS else math.nan,
                width_of_mean=over(mean(widths), wait) if name == OURS else math.nan,
                foretold=len(errors),
                unknown=len(values) - len(errors),
            )
        )
    return rows


def show(rows: list[Row]) -> None:
    """Print the rows under each other."""
    print(
        f"{'layout':10}{'load':>5}  {'forecast':11}{'mean wait':>10}{'MAE':>7}{'/mean':>7}{'bias':>7}{'in range':>9}"
        f"{'width/mean':>11}{'told':>7}{'unknown':>8}"
    )
    for row in rows:
        of_ours = f"{row.coverage:>9.2f}{row.width_of_mean:>11.2f}" if row.forecast == OURS else f"{'':20}"
        print(
            f"{row.layout:10}{row.load:>5.2f}  {row.forecast:11}{row.mean_wait:>10.1f}{row.mae:>7.2f}"
            f"{row.mae_of_mean:>7.3f}{row.bias:>7.2f}{of_ours}{row.foretold:>7}{row.unknown:>8}"
        )


@click.command(help=__doc__)
@click.option("--days", default=6, show_default=True, type=click.IntRange(1), help="Days measured.")
@click.option("--load", "loads", multiple=True, default=(0.8, 0.9, 1.0), type=click.FloatRange(0.1, 2.0))
@click.option("--layout", "layouts", multiple=True, default=tuple(LAYOUTS), type=click.Choice([*LAYOUTS]))
@click.option("--skills", default="S25", show_default=True, type=click.Choice(SKILLS))
@click.option("--history", default=0, show_default=True, type=click.IntRange(0), help="Days lived through before.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0))
@click.option("--format", "format_", default="table", show_default=True, type=click.Choice(["table", "json"]))
def main(
    *,
    days: int,
    loads: tuple[float, ...],
    layouts: tuple[str, ...],
    skills: str,
    history: int,
    seed: int,
    format_: str,
) -> None:
    """Play and print."""
    rows: list[Row] = []
    steps = len(loads) * len(layouts) * (days + history)
    with click.progressbar(length=steps, file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        for layout in layouts:
            for load in loads:
                rows += judge(
                    LAYOUTS[layout],
                    load=load,
                    days=days,
                    seed=seed,
                    skills=skills,
                    history=history,
                    played=lambda: bar.update(1),
                )
    if format_ == "json":
        plain = [{key: None if value != value else value for key, value in asdict(row).items()} for row in rows]  # NaN
        print(json.dumps(plain, indent=2))
        return
    show(rows)


if __name__ == "__main__":
    main()
