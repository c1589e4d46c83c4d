"""How evenly the hall works: `python -m benchmarks.balance [--layout qiaocheng] [--load 0.9] [--days 6]`.

Our engine, alone and with a manager who clicks its suggestions, against each zone for itself (static), the oldest
waiting of all, own zone first, and the bound: one pooled queue in which everybody serves everything at no cost. Every
policy meets the same visitors on the same days, so ratios are paired; the ranges are 95 % by bootstrap over the days.
Without `--history` every day has new people and an engine that knows nothing but the typed-in minutes; with it one
engine lives through that many days first.
"""

import json
import math
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from random import Random

import click

from benchmarks.engine import make_engine
from benchmarks.simulator import (
    COSTS,
    LAYOUTS,
    NO_COSTS,
    SKILLS,
    Costs,
    Hall,
    Layout,
    Measures,
    Outcome,
    draw,
    mean,
    measure,
    over,
    play,
    pooled,
    quantile,
    staff,
)

RESAMPLES = 300
RANGE = (0.025, 0.975)
PEOPLE = 100_000  # seeds of people apart from each other


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A row of the table: a policy of the engine, the hall it runs in and what it costs there."""

    policy: str | None
    hall: Callable[[Hall], Hall] = lambda hall: hall
    costs: Costs = COSTS
    advised: bool = False


CONTENDERS = {
    "static": Contender(policy="static"),
    "home_first": Contender(policy="home_first"),
    "oldest": Contender(policy="oldest"),
    "ours": Contender(policy=None),
    "ours, advised": Contender(policy=None, advised=True),
    "pooled bound": Contender(policy="oldest", hall=pooled, costs=NO_COSTS),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A policy at a load: its measures, the range of the mean, and [ratio, low, high] of others paired by day."""

    layout: str
    load: float
    policy: str
    days: int
    mean_range: tuple[float, float]
    of_static: tuple[float, float, float]
    of_oldest: tuple[float, float, float]
    worst_of_oldest: tuple[float, float, float]
    of_pooled: tuple[float, float, float]
    measures: Measures


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Some days of one contender, played in one process; with a history the engine lives through it first."""

    layout: str
    contender: str
    load: float
    skills: str
    seed: int
    numbers: tuple[int, ...]
    history: int


def compare(
    layout: Layout,
    *,
    load: float,
    days: int,
    seed: int,
    skills: str = "S25",
    history: int = 0,
    processes: int = 1,
    played: Callable[[int], None] = lambda _: None,
) -> list[Row]:
    """Play every contender on the same days and give the rows; `played` is told how many days are done."""
    numbers = range(history, history + days)
    chunk = days if history else max(1, math.ceil(days / processes / 2))
    jobs = [
        Job(
            layout=layout.name,
            contender=name,
            load=load,
            skills=skills,
            seed=seed,
            numbers=tuple(numbers[first : first + chunk]),
            history=history,
        )
        for name in CONTENDERS
        for first in range(0, days, chunk)
    ]
    outcomes: dict[str, list[Outcome]] = {name: [] for name in CONTENDERS}
    if processes == 1:
        for job in jobs:
            outcomes[job.contender] += _played(job)
            played(len(job.numbers) + history)
    else:
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
            for job, found in zip(jobs, pool.map(_played, jobs), strict=True):
                outcomes[job.contender] += found
                played(len(job.numbers) + history)
    return [_row(layout, load, name, outcomes, Random(f"resample {seed}")) for name in CONTENDERS]


def _played(job: Job) -> list[Outcome]:
    it, layout = CONTENDERS[job.contender], LAYOUTS[job.layout]
    found, engine = [], None
    for number in (*range(job.history), *job.numbers):
        people = job.seed if job.history else job.seed * PEOPLE + number
        home = staff(layout, skills=job.skills, seed=people)
        hall = it.hall(home)
        if engine is None or not job.history:
            engine = make_engine(hall.spec(), it.policy, job.seed)
        day = draw(home, load=job.load, seed=job.seed, number=number)
        outcome = play(engine, hall, day, costs=it.costs, advised=it.advised)
        if it.advised and job.history:  # a manager begins the next morning as the file says
            for no, zones in hall.serves.items():
                engine.set_skills(no, zones, 24 * 60.0 - 1)
        if number >= job.history:
            found.append(outcome)
    return found


def _row(layout: Layout, load: float, name: str, outcomes: dict[str, list[Outcome]], chance: Random) -> Row:
    own = outcomes[name]
    samples = [[chance.randrange(len(own)) for _ in own] for _ in range(RESAMPLES)]

    def ratio(base: str, of: Callable[[Sequence[Outcome]], float]) -> tuple[float, float, float]:
        return _with_range(lambda picked: _over(own, outcomes[base], picked, of), samples)

    _, low, high = _with_range(lambda picked: _mean_wait([own[place] for place in picked]), samples)
    return Row(
        layout=layout.name,
        load=load,
        policy=name,
        days=len(own),
        mean_range=(low, high),
        of_static=ratio("static", _mean_wait),
        of_oldest=ratio("oldest", _mean_wait),
        worst_of_oldest=ratio("oldest", _worst_zone),
        of_pooled=ratio("pooled bound", _mean_wait),
        measures=measure(own),
    )


def _with_range(of: Callable[[Sequence[int]], float], samples: list[list[int]]) -> tuple[float, float, float]:
    """Give a figure of all days, and the range it has on days drawn from them with replacement."""
    values = [of(picked) for picked in samples]
    low, high = (quantile(values, part) for part in RANGE)
    return of(range(len(samples[0]))), low, high


def _over(
    own: list[Outcome], base: list[Outcome], picked: Sequence[int], of: Callable[[Sequence[Outcome]], float]
) -> float:
    return over(of([own[place] for place in picked]), of([base[place] for place in picked]))


def _mean_wait(outcomes: Sequence[Outcome]) -> float:
    legs = sum(len(outcome.legs) for outcome in outcomes)
    return math.fsum(outcome.waited_min for outcome in outcomes) / legs


def _worst_zone(outcomes: Sequence[Outcome]) -> float:
    """Give the mean over the days of the worst zone's P95 on each: quick to draw again, unlike the P95 of all days."""
    return mean([outcome.worst_p95 for outcome in outcomes])


def show(rows: list[Row]) -> None:
    """Print the rows under each other."""
    print(
        f"{'load':>4}  {'policy':14}{'mean':>6} {'95 %':>13}{'P95 worst':>10}{'x static':>9} {'95 %':>11}"
        f"{'x oldest':>9} {'95 %':>11}{'worst x':>8}{'x pool':>7}{'util cv':>8}{'cold':>6}{'order':>6}{'left':>5}"
        f"{'green':>6}{'MAE':>6}{'/mean':>6}{'bias':>6}{'P80':>5}"
    )
    for row in rows:
        it = row.measures
        print(
            f"{row.load:>4.2f}  {row.policy:14}{it.mean:>6.1f} {_range(row.mean_range, 1):>13}{it.worst_p95:>10.0f}"
            f"{row.of_static[0]:>9.2f} {_range(row.of_static[1:], 2):>11}"
            f"{row.of_oldest[0]:>9.2f} {_range(row.of_oldest[1:], 2):>11}{row.worst_of_oldest[0]:>8.2f}"
            f"{row.of_pooled[0]:>7.2f}{it.utilisation_cv:>8.2f}{it.cold_share:>6.2f}{it.violations:>6}{it.left_over:>5}"
            f"{it.green_ratio:>6.2f}{it.mae:>6.1f}{over(it.mae, it.mean):>6.2f}{it.bias:>6.1f}{it.coverage:>5.2f}"
        )


def _range(bounds: Sequence[float], places: int) -> str:
    low, high = bounds
    return f"{low:.{places}f}-{high:.{places}f}"


def _plain(value: object) -> object:
    """Give a value as JSON has it: null for what could not be measured."""
    match value:
        case dict():
            return {key: _plain(each) for key, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case float() if math.isnan(value):
            return None
        case _:
            return value


LEGEND = """\
mean, P95 worst: minutes of waiting, P95 of the worst zone; worst x: the same over oldest's, by day; cold: share of the
minutes in which a window is idle while somebody has waited 10; order: calls past an earlier visitor of the same class;
left: never called; green: P95 of the green channel over the ordinary; MAE, bias, P80: of the wait foretold at issue"""


@click.command(help=__doc__)
@click.option("--days", default=6, show_default=True, type=click.IntRange(1), help="Days measured.")
@click.option("--load", "loads", multiple=True, default=(0.9,), type=click.FloatRange(0.1, 2.0), help="Again for more.")
@click.option("--layout", default="qiaocheng", show_default=True, type=click.Choice([*LAYOUTS]))
@click.option("--skills", default="S25", show_default=True, type=click.Choice(SKILLS))
@click.option("--history", default=0, show_default=True, type=click.IntRange(0), help="Days lived through before.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0))
@click.option("--processes", default=2, show_default=True, type=click.IntRange(1, 64), help="At the same time.")
@click.option("--format", "format_", default="table", show_default=True, type=click.Choice(["table", "json"]))
def main(
    *,
    days: int,
    loads: tuple[float, ...],
    layout: str,
    skills: str,
    history: int,
    seed: int,
    processes: int,
    format_: str,
) -> None:
    """Play and print."""
    steps = len(loads) * len(CONTENDERS) * (days + history)
    rows: list[Row] = []
    with click.progressbar(length=steps, file=sys.stderr, hidden=not sys.stderr.isatty()) as bar:
        for load in loads:
            rows += compare(
                LAYOUTS[layout],
                load=load,
                days=days,
                seed=seed,
                skills=skills,
                history=history,
                processes=processes,
                played=bar.update,
            )
    if format_ == "json":
        print(json.dumps([_plain(asdict(row)) for row in rows], indent=2))
        return
    print(f"{layout}, {skills}, {days} days after {history}, seed {seed}")
    show(rows)
    print(LEGEND)


if __name__ == "__main__":
    main()
