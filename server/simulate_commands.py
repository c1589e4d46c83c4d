"""`jiaohao simulate` and `jiaohao plan`: what would be, on the hall's own rules and a virtual clock."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from server.console import BAD_INPUT, say

if TYPE_CHECKING:
    from config import Problem
    from server.domain.terms import HallPlan
    from server.simulate.changes import Variant
    from server.simulate.described import Described

POLICIES = ("balanced", "static", "home_first", "oldest_waiting")
LOAD_MAX = 3.0
DAYS_MAX = 1000

jobs_option = click.option(
    "--jobs", type=click.IntRange(1, 64), help="Processes to share the work (all processors without it)."
)


@click.command()
@click.argument("hall", metavar="HALL.toml")
@click.option("--days", type=click.IntRange(1, DAYS_MAX), default=10, show_default=True, help="Days to play.")
@click.option(
    "--load",
    type=click.FloatRange(0.05, LOAD_MAX),
    help="Offered work over the minutes windows are open (0.9 where the described day does not say).",
)
@click.option(
    "--policy",
    "policies",
    multiple=True,
    type=click.Choice([*POLICIES, "all"]),
    help="Who is next; again for more. Without it as the hall file says.",
)
@click.option(
    "--what-if",
    "what_ifs",
    multiple=True,
    metavar="TEXT",
    help="A variant to try beside the hall as it is: '5+=tax, close 7 12:00-14:00'; or a .txt file with one a line.",
)
@click.option(
    "--described",
    metavar="DAY.toml",
    type=click.Path(path_type=Path),
    help="What a day is like, where the assumed one does not fit.",
)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Same seed, same visitors.")
@click.option("--format", "format_", type=click.Choice(["table", "json"]), default="table", show_default=True)
@jobs_option
def simulate(
    *,
    hall: str,
    days: int,
    load: float | None,
    policies: Sequence[str],
    what_ifs: Sequence[str],
    described: Path | None,
    seed: int,
    format_: str,
    jobs: int | None,
) -> None:
    r"""Play days of a hall on its own rules and show who waits how long, and what another way would change.

    \b
    Examples:
      jiaohao simulate qiaocheng --days 30 --policy all
      jiaohao simulate hall.toml --load 1.0 --what-if '5+=tax, 6+=tax' --what-if 'lunch: close 7 12:00-13:00'
    """
    from server.simulate import show
    from server.simulate.draw import people_of
    from server.simulate.run import Experiment, described_days, run

    problems: list[Problem] = []
    plan = _plan(hall)
    day = _described(described, plan, load, problems)
    variants = _variants(plan, policies, what_ifs, problems)
    _stop(problems)
    source = described_days(plan, day, people_of(plan, day, seed), days=days, seed=seed)
    experiment = Experiment(
        plan=plan, source=source, variants=tuple(variants), without_hours=((day.opens_ms, day.closes_ms),)
    )
    with _progress(len(variants) * source.days) as tick:
        found = run(experiment, jobs=jobs, played=tick)
    rows = show.rows_of([it.name for it in variants], plan, found)
    if format_ == "json":
        click.echo(json.dumps({"hall": plan.hall, "variants": show.as_answer(rows)}, ensure_ascii=False, indent=2))
    else:
        click.echo(show.as_text(plan, rows))


def _plan(hall: str) -> "HallPlan":
    from config import HallFileError, find, load_hall
    from server.plan import plan_of

    try:
        return plan_of(load_hall(find(hall)))
    except HallFileError as error:
        _stop(error.problems)
        raise


def _described(path: Path | None, plan: "HallPlan", load: float | None, problems: "list[Problem]") -> "Described":
    from dataclasses import replace

    from server.simulate.described import Described, DescribedError, read

    day = Described()
    if path is not None:
        try:
            day = read(path, plan)
        except DescribedError as error:
            problems += error.problems
    return day if load is None else replace(day, load=load)


def _variants(
    plan: "HallPlan", policies: Sequence[str], what_ifs: Sequence[str], problems: "list[Problem]"
) -> "list[Variant]":
    """Give what is tried: the hall with each policy, then each what-if on the first of them."""
    from server.simulate.changes import Change, ChangeError, Does, Policy, Variant, read

    named = list(dict.fromkeys(POLICIES if "all" in policies else policies))
    found = [Variant(name=name, changes=(Change(does=Does.POLICY, policy=Policy(name)),)) for name in named]
    found = found or [Variant(name=say("现状", "as the file says"))]
    try:
        tried = read(what_ifs, plan)
    except ChangeError as error:
        problems += error.problems
        return found
    base = found[0].changes
    return found + [Variant(name=it.name, changes=(*base, *it.changes)) for it in tried]


def _stop(problems: "Sequence[Problem]") -> None:
    """End with every problem at once, if there are any."""
    from config import check_report

    if problems:
        click.echo(check_report(problems, say("zh", "en")), err=True)
        sys.exit(BAD_INPUT)


@contextmanager
def _progress(steps: int) -> Iterator[Callable[[], None]]:
    """Show how far long work has come, when somebody watches."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    with click.progressbar(length=steps, label=say("模拟", "days"), file=sys.stderr) as bar:
        yield lambda: bar.update(1)
