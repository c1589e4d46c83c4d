"""`jiaohao simulate` and `jiaohao plan`: what would be, on the hall's own rules and a virtual clock."""

import json
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from server.console import BAD_INPUT, FOUND_TROUBLE, Trouble, data_option, say

if TYPE_CHECKING:
    from typing import TypeAlias

    from config import Problem
    from server.domain.terms import HallPlan, ServiceId, WindowNo, ZoneId
    from server.simulate.changes import Variant
    from server.simulate.described import Described
    from server.simulate.past import PastDays
    from server.simulate.play import Outcome
    from server.simulate.run import Source
    from server.simulate.show import Row

    NumberType: TypeAlias = click.ParamType[float]
    WordType: TypeAlias = click.ParamType[str]
else:  # older versions of click take no types there
    NumberType = WordType = click.ParamType

POLICIES = {
    "balanced": ("均衡 balanced", "balanced"),
    "static": ("各办各的 static", "static"),
    "home_first": ("本区优先 home_first", "home_first"),
    "oldest_waiting": ("最久优先 oldest_waiting", "oldest_waiting"),
}
LOAD_MAX = 3.0
SEED_MAX = 999_999
DAYS_MAX = 1000
DAYS_OF_DESCRIBED = 10
BUDGET_MAX = 60
AS_IS = ("现状", "as the file says")
MIXED = ("描述的一天与过去的日子不能同时使用", "a described day and past days do not go together")

PROBLEMS = "jiaohao.problems"  # of a context: what is wrong with the options so far


class _Number(NumberType):
    """A number within bounds. A wrong one is noted, not raised, so that all mistakes are told at once."""

    name = "number"

    def __init__(self, low: float, high: float, *, whole: bool = True) -> None:
        """Keep the bounds, both included."""
        self.low, self.high, self.whole = low, high, whole

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Show the bounds."""
        del param, ctx
        return f"{self.low:g}..{self.high:g}"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Give the number; the lower bound in the place of a wrong one."""
        try:
            number = int(value) if self.whole else float(value)
        except ValueError:
            number = math.nan
        if self.low <= number <= self.high:
            return number
        bounds = f"{self.low:g}", f"{self.high:g}"
        what = ("整数", "a whole number") if self.whole else ("数字", "a number")
        _note(
            ctx,
            param,
            f"请写 {bounds[0]} 到 {bounds[1]} 之间的{what[0]}，不是 {value}",
            f"write {what[1]} from {bounds[0]} to {bounds[1]}, not {value}",
        )
        return int(self.low) if self.whole else self.low


class _OneOf(WordType):
    """One of some words; noted when it is another."""

    name = "word"

    def __init__(self, words: Sequence[str]) -> None:
        """Keep the words."""
        self.words = tuple(words)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Show the words."""
        del param, ctx
        return f"[{'|'.join(self.words)}]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Give the word; the first in the place of an unknown one."""
        if value in self.words:
            return str(value)
        from config.problems import nearest

        known = ", ".join(self.words)
        guess = nearest(str(value), self.words)
        _note(ctx, param, f"没有 {value}，可以写 {known}", f"there is no {value}: known are {known}", guess)
        return self.words[0]


def _note(
    ctx: click.Context | None, param: click.Parameter | None, zh: str, en: str, suggestion: str | None = None
) -> None:
    """Keep what is wrong with an option until all have been looked at."""
    name = param.opts[0] if param is not None else ""
    if ctx is not None:
        _bad(ctx.meta.setdefault(PROBLEMS, []), name, zh, en, suggestion)


jobs_option = click.option("--jobs", type=_Number(1, 64), help="Processes to share the work (all processors without).")
_format_option = click.option(
    "--format",
    "format_",
    type=_OneOf(["table", "json"]),
    default="table",
    show_default=True,
    help="For people or machines.",
)
_seed_option = click.option(
    "--seed", type=_Number(0, SEED_MAX), default=1, show_default=True, help="Same seed, same visitors, same answer."
)
_load_option = click.option(
    "--load",
    type=_Number(0.05, LOAD_MAX, whole=False),
    help="Offered work over the minutes windows are open (0.9 where the described day does not say).",
)


_chart_option = click.option(
    "--chart",
    "charts",
    multiple=True,
    metavar="FILE.png|svg|html",
    type=click.Path(path_type=Path),
    help="Draw it, too; again for more formats.",
)


def _past_options(command: "Callable[..., None]") -> "Callable[..., None]":
    """Give a command the options that say which past days are meant."""
    options = (
        click.option("--day", metavar="YYYY-MM-DD", default="", help="One past day."),
        click.option("--from", "first", metavar="YYYY-MM-DD", default="", help="Past days from this one on."),
        click.option("--to", "last", metavar="YYYY-MM-DD", default="", help="Past days up to this one."),
        click.option(
            "--from-ledger",
            metavar="FILE",
            type=click.Path(path_type=Path),
            help="Past days out of this ledger, backup or export; otherwise the hall's ledger in the data folder.",
        ),
        data_option,
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@click.argument("hall", metavar="HALL.toml")
@click.option(
    "--days",
    type=_Number(1, DAYS_MAX),
    help=f"Days to play (without it {DAYS_OF_DESCRIBED}, or the past days as they were; with it drawn from those).",
)
@_load_option
@click.option(
    "--policy",
    "policies",
    multiple=True,
    type=_OneOf([*POLICIES, "all"]),
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
@_past_options
@click.option("--foretell", is_flag=True, help="Tell every visitor a wait as the hall does, and show how right it was.")
@_seed_option
@_format_option
@_chart_option
@jobs_option
def simulate(
    *,
    hall: str,
    days: int | None,
    load: float | None,
    policies: Sequence[str],
    what_ifs: Sequence[str],
    described: Path | None,
    foretell: bool,
    seed: int,
    format_: str,
    charts: Sequence[Path],
    jobs: int | None,
    **past: Any,
) -> None:
    """Play days of a hall on its own rules and show who waits how long, and what another way would change.

    Without past days the visitors come as on an assumed day, or on one described in a file. With --day, --from, --to,
    --from-ledger or --data the hall's own past visitors come again. All about it: docs/simulate.md

    Example: jiaohao simulate qiaocheng --days 30 --policy all --chart qiaocheng.html

    Example: jiaohao simulate hall.toml --load 1.0 --what-if '5+=tax, 6+=tax' --what-if 'lunch: close 7 12:00-13:00'

    Example: jiaohao simulate hall.toml --data /var/lib/jiaohao --day 2026-03-02 --what-if 'policy static'
    """
    from server.simulate import show
    from server.simulate.draw import people_of
    from server.simulate.past import PastDays
    from server.simulate.run import Experiment, described_days, run

    problems: list[Problem] = click.get_current_context().meta.get(PROBLEMS, [])
    plan = _plan(hall, problems)
    wanted = _wanted(past, problems)
    if wanted is not None and described is not None:
        _bad(problems, "--described", *MIXED)
    day = _described(described, plan, load, problems)
    variants = _variants(plan, policies, what_ifs, problems, is_past=wanted is not None, format_=format_)
    _check_charts(charts, problems)
    _stop(problems)
    source: Source
    really: tuple[Outcome, ...] = ()
    if wanted is None:
        people = people_of(plan, day, seed)
        source = described_days(plan, day, people, days=days or DAYS_OF_DESCRIBED, seed=seed)
    else:
        source = _past(plan, wanted, seed)
        really = source.really
        if days is not None or load is not None:
            from server.simulate.past import resampled

            source, really = resampled(source, plan, days=days or source.days, load=load, seed=seed), ()
        assert isinstance(source, PastDays)
    _check_open(source)
    hours = ((day.opens_ms, day.closes_ms),)
    experiment = Experiment(plan=plan, source=source, without_hours=hours, foretell=foretell)
    with _playing(), _progress(len(variants) * source.days, say("模拟", "playing days")) as tick:
        found = run(experiment, variants, jobs=jobs, played=tick)
    rows = show.rows_of([it.name for it in variants], plan, found, really=really)
    told = _told(
        source,
        past=wanted is not None,
        drawn=days is not None or load is not None,
        seed=seed,
        load=day.load if wanted is None else load,
    )
    if format_ == "json":
        answer = {"hall": plan.hall, "days": told[1], "seed": seed, "variants": show.as_answer(rows)}
        click.echo(json.dumps(answer, ensure_ascii=False, indent=2))
    else:
        click.echo(f"{show.name_of(plan.name)} · {say(*told)}\n\n{show.as_text(plan, rows)}")
    _draw(charts, plan, rows, say(*told))


def _told(source: "Source", *, past: bool, drawn: bool, seed: int, load: float | None = None) -> tuple[str, str]:
    """Say which days were played (zh, en)."""
    dates = [source.day(number).day for number in range(source.days)]
    span = dates[0] if len(set(dates)) == 1 else f"{min(dates)} … {max(dates)}"
    if past and not drawn:
        return f"过去的日子：{span}", f"past days: {span}"
    of_load = ("", "") if load is None else (f"，负荷 {load:g}", f" at load {load:g}")
    if past:
        return (
            f"取自过去的日子（{span}）{of_load[0]}，种子 {seed}",
            f"drawn from past days ({span}){of_load[1]}, seed {seed}",
        )
    return f"描述的日子{of_load[0]}，种子 {seed}", f"described days{of_load[1]}, seed {seed}"


def _check_charts(charts: "Sequence[Path]", problems: "list[Problem]") -> None:
    from server.simulate.charts import SUFFIXES, is_missing

    for path in charts:
        known = "、".join(SUFFIXES), ", ".join(SUFFIXES)
        if path.suffix not in SUFFIXES:
            _bad(problems, "--chart", f"{path} 的后缀要是 {known[0]}", f"the name {path} must end in one of {known[1]}")
        if not path.absolute().parent.is_dir():
            _bad(problems, "--chart", f"没有 {path.parent} 这个文件夹", f"there is no folder {path.parent}")
    if charts and is_missing():
        _bad(
            problems,
            "--chart",
            "画图需要 matplotlib，请运行 pip install 'jiaohao[charts]'",
            "charts need matplotlib: pip install 'jiaohao[charts]'",
        )


def _draw(charts: "Sequence[Path]", plan: "HallPlan", rows: "Sequence[Row]", subtitle: str) -> None:
    from server.simulate.charts import write

    for path in charts:
        try:
            write(path, plan, rows, subtitle)
        except OSError as error:
            raise Trouble(say(f"不能写入文件：{error}", f"cannot write the file: {error}")) from error
        click.echo(say(f"已写入 {path}", f"wrote {path}"), err=True)


@click.command("plan")
@click.argument("hall", metavar="HALL.toml")
@click.option(
    "--budget",
    type=_Number(1, BUDGET_MAX),
    default=4,
    show_default=True,
    help="Trainings at most: one window for one zone (or service) is one.",
)
@click.option("--windows", "windows", metavar="LIST", default="", help="Only these windows' clerks: 1..6,17 .")
@click.option("--for", "targets", metavar="LIST", default="", help="Only for these zones or services: tax,social .")
@click.option("--each", type=_Number(1, 20), default=3, show_default=True, help="Trainings of one window.")
@click.option("--anew", is_flag=True, help="Forget whom windows relieve now and place the budget from the beginning.")
@click.option("--days", type=_Number(9, DAYS_MAX), help="Days to draw, described ones or out of the past days.")
@_load_option
@click.option(
    "--described",
    metavar="DAY.toml",
    type=click.Path(path_type=Path),
    help="What a day is like, for a hall without past days.",
)
@_past_options
@_seed_option
@_format_option
@_chart_option
@jobs_option
def plan_skills(
    *,
    hall: str,
    budget: int,
    windows: str,
    targets: str,
    each: int,
    anew: bool,
    days: int | None,
    load: float | None,
    described: Path | None,
    seed: int,
    format_: str,
    charts: Sequence[Path],
    jobs: int | None,
    **past: Any,
) -> None:
    """Find which windows to train for what: the most minutes of waiting saved for a budget of trainings.

    Judged on the hall's own past days; without a ledger on described ones. Some days are searched on, others kept apart
    to judge what was found. It says when the gain cannot be told from nothing. Takes some minutes.

    Example: jiaohao plan hall.toml --from 2026-02-01 --to 2026-02-28 --budget 6

    Example: jiaohao plan qiaocheng --budget 3 --windows 7..10,17..26 --for household
    """
    from server.simulate import show
    from server.simulate.run import Experiment
    from server.simulate.training import Wanted, search, split, steps

    problems: list[Problem] = click.get_current_context().meta.get(PROBLEMS, [])
    plan = _plan(hall, problems)
    wanted_days = _wanted(past, problems, plan)
    if wanted_days is not None and described is not None:
        _bad(problems, "--described", *MIXED)
    day = _described(described, plan, load, problems)
    trained, may = _windows(windows, plan, problems), _targets(targets, plan, problems)
    _check_charts(charts, problems)
    _stop(problems)
    source, told = _days_to_plan(plan, wanted_days, day, days, load, seed)
    searched, judged = split(source.days)
    experiment = Experiment(plan=plan, source=source, without_hours=((day.opens_ms, day.closes_ms),))
    wanted = Wanted(budget=budget, each=each, windows=trained, targets=may, anew=anew)
    count = steps(wanted, len(searched), len(judged))
    with _playing(), _progress(count, say("搜索", "searching")) as tick:
        found = search(experiment, wanted, searched=searched, judged=judged, jobs=jobs, played=tick)
    names = (_named(*AS_IS, format_), _named("培训后", "with the training", format_))
    rows = show.rows_of(names, plan, (found.before, found.after))
    if format_ == "json":
        answer = show.training_answer(plan, found, rows, told[1], searched=len(searched), seed=seed)
        click.echo(json.dumps(answer, ensure_ascii=False, indent=2))
    else:
        click.echo(
            f"{show.name_of(plan.name)} · {say(*told)}\n\n{show.training_text(plan, found, rows, len(searched))}"
        )
    _draw(charts, plan, rows, say(*told))


def _days_to_plan(
    plan: "HallPlan",
    wanted: "_Wanted | None",
    day: "Described",
    days: int | None,
    load: float | None,
    seed: int,
) -> "tuple[Source, tuple[str, str]]":
    """Give the days to search and to judge on, and what they are (zh, en)."""
    from server.simulate.draw import people_of
    from server.simulate.past import resampled
    from server.simulate.run import described_days
    from server.simulate.training import DRAWN_DAYS, FEWEST_DAYS

    if wanted is None:
        source: Source = described_days(plan, day, people_of(plan, day, seed), days=days or DRAWN_DAYS, seed=seed)
        _check_open(source)
        return source, _told(source, past=False, drawn=True, seed=seed, load=day.load)
    past = _past(plan, wanted, seed)
    drawn = days is not None or load is not None or past.days < FEWEST_DAYS
    if drawn:
        past = resampled(past, plan, days=days or max(past.days, DRAWN_DAYS), load=load, seed=seed)
    return past, _told(past, past=True, drawn=drawn, seed=seed, load=load)


def _check_open(source: "Source") -> None:
    if not source.days:
        raise Trouble(say("这个大厅一年内没有开放日", "this hall opens on no day within a year"))


def _windows(text: str, plan: "HallPlan", problems: "list[Problem]") -> "tuple[WindowNo, ...]":
    """Give the windows of a list, without one all that are staffed."""
    from server.simulate.changes import ChangeError, windows_of

    try:
        return windows_of(text, plan, "--windows")
    except ChangeError as error:
        problems += error.problems
        return ()


def _targets(
    text: str, plan: "HallPlan", problems: "list[Problem]"
) -> "tuple[tuple[ZoneId | None, tuple[ServiceId, ...]], ...]":
    """Give the zones and services of a list, without one all zones."""
    from server.simulate.changes import ChangeError, targets_of

    try:
        return targets_of(text, plan, "--for")
    except ChangeError as error:
        problems += error.problems
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """Which past days: the ledger's file (or the data folder in which to look for it), the first and the last day."""

    file: Path | None
    data: Path
    first: str
    last: str


def _wanted(past: "dict[str, Any]", problems: "list[Problem]", plan: "HallPlan | None" = None) -> "_Wanted | None":
    """Give which past days are asked for, or None; with a `plan` also all days of its ledger, where there is one."""
    from server.ledger import files

    day, first, last = past["day"], past["first"], past["last"]
    for name, text in (("--day", day), ("--from", first), ("--to", last)):
        if text and not _is_date(text):
            _bad(problems, name, f"没有 {text} 这一天，请写成 2026-03-02", f"{text} is no date: write it as 2026-03-02")
    if day and (first or last):
        _bad(problems, "--day", "不能与 --from 或 --to 同时使用", "it does not go together with --from or --to")
    if first and last and first > last:
        _bad(problems, "--from", f"{first} 晚于 {last}", f"{first} is later than {last}")
    file = past["from_ledger"]
    if file is not None and not file.is_file():
        _bad(problems, "--from-ledger", f"没有 {file} 这个文件", f"there is no file {file}")
    named = click.get_current_context().get_parameter_source("data") is ParameterSource.COMMANDLINE
    has_past = plan is not None and plan.hall in files.ledgers(past["data"])
    if not (day or first or last or file is not None or named or has_past):
        return None
    return _Wanted(file=file, data=past["data"], first=day or first or "0001-01-01", last=day or last or "9999-12-31")


def _past(plan: "HallPlan", wanted: _Wanted, seed: int) -> "PastDays":
    """Give the past days, or end with a clear line."""
    from server.ledger import files
    from server.ledger.base import LedgerBroken, LedgerDown
    from server.simulate import past

    path = wanted.file or files.ledgers(wanted.data).get(plan.hall)
    if path is None:
        raise Trouble(
            say(
                f"{wanted.data} 里没有 {plan.hall} 的账本；请用 --data 或 --from-ledger 指明",
                f"there is no ledger of {plan.hall} in {wanted.data}: name it with --data or --from-ledger",
            )
        )
    try:
        with _reading(path) as tick:
            found = past.read(path, plan, wanted.first, wanted.last, seed=seed, tick=tick)
    except past.OtherHall as error:
        sentences = (
            f"{path} 是 {error} 的账本，不是 {plan.hall} 的",
            f"{path} is the ledger of {error}, not of {plan.hall}",
        )
        raise Trouble(say(*sentences)) from error
    except LedgerBroken as error:
        click.echo(f"jiaohao: {say('账本损坏', 'the ledger is damaged')}: {error}", err=True)
        sys.exit(FOUND_TROUBLE)
    except (LedgerDown, OSError) as error:
        raise Trouble(say(f"账本读不了：{error}", f"the ledger cannot be read: {error}")) from error
    if not found.days:
        raise Trouble(
            say(
                f"{path} 在这些日子里没有来办事的人",
                f"nobody came on these days, says {path}",
            )
        )
    if found.left_out:
        click.echo(
            say(
                f"注意：{found.left_out} 人次的事项不在 {plan.hall} 的大厅文件里，未计入",
                f"note: {found.left_out} visits were for services that the hall file does not have; they are left out",
            ),
            err=True,
        )
    return found


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _bad(problems: "list[Problem]", option: str, zh: str, en: str, suggestion: str | None = None) -> None:
    """Note what is wrong with an option."""
    from config import Problem

    sentences = f"{zh}。", f"{en[0].upper()}{en[1:]}."
    problems.append(
        Problem(
            file=option,
            line=0,
            column=0,
            path="",
            code="bad_option",
            zh=sentences[0],
            en=sentences[1],
            suggestion=suggestion,
        )
    )


def _plan(hall: str, problems: "list[Problem]") -> "HallPlan":
    """Give the plan of a hall; without one nothing else can be looked at."""
    from config import HallFileError, find, load_hall
    from server.plan import plan_of

    try:
        return plan_of(load_hall(find(hall)))
    except HallFileError as error:
        _stop([*problems, *error.problems])
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
    plan: "HallPlan",
    policies: Sequence[str],
    what_ifs: Sequence[str],
    problems: "list[Problem]",
    *,
    is_past: bool,
    format_: str,
) -> "list[Variant]":
    """Give what is tried: the hall with each policy, then each what-if on the first of them."""
    from server.domain.terms import CallingRule
    from server.simulate.changes import Change, ChangeError, Does, Variant, read

    named = list(dict.fromkeys(POLICIES if "all" in policies else policies))
    rules = {name: (Change(does=Does.POLICY, policy=CallingRule(name)),) for name in named}
    found = [Variant(name=_named(*POLICIES[name], format_), changes=changes) for name, changes in rules.items()]
    as_is = ("重放", "replayed as it was") if is_past else AS_IS
    found = found or [Variant(name=_named(*as_is, format_))]
    try:
        tried = read(what_ifs, plan)
    except ChangeError as error:
        problems += error.problems
        return found
    base = found[0].changes
    return found + [Variant(name=it.name, changes=(*base, *it.changes)) for it in tried]


def _named(zh: str, en: str, format_: str) -> str:
    """Give a name for people in their language; machines read the same in every language."""
    return en if format_ == "json" else say(zh, en)


def _stop(problems: "Sequence[Problem]") -> None:
    """End with every problem at once, if there are any."""
    from config import check_report

    if problems:
        click.echo(check_report(problems, say("zh", "en")), err=True)
        sys.exit(BAD_INPUT)


@contextmanager
def _playing() -> Iterator[None]:
    """Say in one line when a process that plays days was ended from outside, or the work was broken off."""
    from concurrent.futures.process import BrokenProcessPool

    try:
        yield
    except BrokenProcessPool:
        lost = (
            "推演用的一个进程被外部结束（内存不够？），请减少 --jobs 再试",
            ("a process that played days was ended from outside (out of memory?): try again with fewer --jobs"),
        )
        click.echo(f"jiaohao: {say(*lost)}", err=True)
        sys.exit(FOUND_TROUBLE)


@contextmanager
def _progress(steps: int, label: str) -> Iterator[Callable[[], None]]:
    """Show how far long work has come, when somebody watches."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    with click.progressbar(length=steps, label=label, file=sys.stderr) as bar:
        yield lambda: bar.update(1)
        bar.update(steps - bar.pos)  # a search may be over early


@contextmanager
def _reading(path: Path) -> Iterator[Callable[[int], None]]:
    """Show how far the reading of a ledger has come, when somebody watches; exports do not know how long they are."""
    from server.ledger import files

    if not sys.stderr.isatty() or path.suffix != files.SUFFIX:
        yield lambda _: None
        return
    with click.progressbar(length=files.status(path).commits, label=say("读账本", "reading"), file=sys.stderr) as bar:
        yield lambda seen: bar.update(seen - bar.pos)
