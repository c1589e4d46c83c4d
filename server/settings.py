"""Which settings a hall runs with: those of its file, or those that somebody applied on its page.

One rule. The hall file counts at every start, until somebody changes the hall on its page. From then on what was
applied stands, and the file is only compared with it: the server says at its start, in `/readyz` and on the page that
they differ. The file counts again once it says the same as what runs (download it and put it in its place), or when
`jiaohao serve --take-file` says so. Whatever is taken over is an edition in the ledger, so nothing is ever lost.
"""

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from config.compare import Change, Difference, shown
from config.loader import Reading, load_written, read_hall
from config.schema import Window
from server.domain import calendar
from server.domain.commands import PlanHall
from server.domain.forecast import open_windows
from server.domain.refusals import Refusal
from server.domain.state import HallState
from server.domain.terms import CLOCK, AppointmentStatus, HallPlan, PlanSource, ServiceId, Text
from server.hall import Hall
from server.plan import plan_of

READ_MAX = 16  # texts of which what they say is kept: reading one takes some hundredths of a second
PICTURE = "logo"  # a text with this key says what the file of the picture says at the moment

log = logging.getLogger("server")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed:
    """A hall file as the server read it at its start."""

    path: Path
    text: str
    plan: HallPlan


def seed_of(path: Path) -> Seed:
    """Give what a hall file says.

    Raises:
        HallFileError: with every problem of the file.
    """
    file, text = load_written(path)
    return Seed(path=path, text=text, plan=plan_of(file))


def read(text: str, beside: Path) -> Reading:
    """Give the hall that a text describes, in the place of the file `beside`, or every problem in it."""
    return read_hall(text, beside) if PICTURE in text else _read(text, beside)


_read = lru_cache(maxsize=READ_MAX)(read_hall)


def begin(hall: Hall, seed: Seed, *, take_file: bool = False) -> None:
    """Let a hall run with the settings that count at a start, by the rule above, and say which.

    Plans are made anew of what counts: holidays that became known since come in that way.

    Raises:
        LedgerDown: the ledger cannot be written.
    """
    now, text, running = hall.read(lambda state, _: (state.edition, state.text, state.plan.digest))
    plan, source = seed.plan, PlanSource.FILE
    if now is not None and now.source is PlanSource.PAGE and not take_file and running != plan.digest:
        reading = read_hall(text, seed.path)
        if reading.hall is None:
            log.warning("hall %s: what was applied on its page cannot be read anew, its old plan goes on", hall.id)
            return
        anew = plan_of(reading.hall)
        if anew.digest != plan.digest:  # else the file says the same, only a new program makes another plan of it
            plan, source = anew, PlanSource.PAGE
    wanted = text if source is PlanSource.PAGE else seed.text
    if now is not None and (running, text, now.source) == (plan.digest, wanted, source):
        return
    try:
        hall.handle(PlanHall(plan=plan, text=wanted, source=source), actor=CLOCK)
    except Refusal as refusal:
        log.warning("hall %s goes on with its old plan: %s", hall.id, refusal)
    else:
        what = seed.path if source is PlanSource.FILE else "what was applied on its page"
        log.info("hall %s: took over %s (%s)", hall.id, what, plan.digest)


def unlike(state: HallState, seed: Seed) -> tuple[str, str] | None:
    """Say (zh, en) that a hall runs with other settings than its file has, None when it does not."""
    if state.plan.digest == seed.plan.digest:
        return None
    now, name = state.edition, seed.path.name
    if now is not None and now.source is PlanSource.PAGE:
        said = next((one for one in reversed(state.editions) if one.by), now)  # later ones are the same, made anew
        at, who, version = f"{calendar.local(state.plan, said.at_ms):%Y-%m-%d %H:%M}", said.by or "-", said.version
        zh = (
            f"{name} 与运行的设置不同：{who} 于 {at} 在管理页面应用了第 {version} 版，以它为准，文件没有采用。"
            "对比：jiaohao check --diff；改用文件：在管理页面“设置”中采用，或用 --take-file 启动一次。"
        )
        en = (
            f"{name} differs from what runs: {who} applied version {version} on the manager's page at {at}, which"
            " stands; the file is not taken. Compare: jiaohao check --diff. To take the file: use it on the page,"
            " under Settings, or start once with --take-file."
        )
        return zh, en
    zh = f"{name} 与运行的设置不同：今天还有人在用会被去掉的内容，文件在营业日结束后的下次启动时采用。"
    en = (
        f"{name} differs from what runs: it drops what is in use today and is taken at the next start after the"
        " business day has closed."
    )
    return zh, en


def live(state: HallState) -> Iterator[Difference]:
    """Give what windows do otherwise than the settings say, for now: assigned by a manager, the balance or a tide."""
    for no, window in state.windows.items():
        planned = state.plan.window[no]
        for key, before, after in (
            ("serves", planned.serves, window.serves),
            ("relief", planned.relief, window.relief),
        ):
            if set(before) != set(after):
                means = next(one for one in Window.model_fields[key].metadata if hasattr(one, "zh"))
                yield Difference(
                    section="[[window]]",
                    row=no,
                    row_name=dict(planned.name),
                    key=key,
                    change=Change.CHANGED,
                    before=shown(before),
                    after=shown(after),
                    means={"zh": means.zh, "en": means.en},
                    live=True,
                )


def effects(before: HallState, after: HallState, now_ms: int) -> Iterator[Text]:
    """Give what a change does at once to people in the hall, in words; `after` is the state with the change."""
    old, new = before.plan, after.plan
    kept = [one for one in old.service if one in new.service]
    shut = [one for one in kept if calendar.is_open(old, one, now_ms) and not calendar.is_open(new, one, now_ms)]
    opened = [one for one in kept if calendar.is_open(new, one, now_ms) and not calendar.is_open(old, one, now_ms)]
    if shut:
        zh, en = _names(new, shut)
        yield {"zh": f"马上停止取号：{zh}。", "en": f"No more numbers from now on: {en}."}
    if opened:
        zh, en = _names(new, opened)
        yield {"zh": f"马上可以取号：{zh}。", "en": f"Numbers are given from now on: {en}."}
    for service in kept:
        count = before.waiting(service)
        if count and open_windows(before, service) and not open_windows(after, service):
            zh, en = _names(new, [service])
            yield {
                "zh": f"等候“{zh}”的 {count} 人将没有开着的窗口。",
                "en": f"{count} who wait for {en} will have no window that is open.",
            }
    for no, window in before.windows.items():
        planned, then = old.window[no], after.windows.get(no)
        was_live = (window.serves, window.relief) != (planned.serves, planned.relief)
        if then is not None and was_live and (then.serves, then.relief) != (window.serves, window.relief):
            yield {
                "zh": f"{no} 号窗口的现场改派会被新的设置代替。",
                "en": f"What window {no} was assigned live is replaced by the new settings.",
            }
    yield from _bookings(before, new)


def _bookings(before: HallState, new: HallPlan) -> Iterator[Text]:
    """Say who has booked what can no longer be booked."""
    booked = Counter(one.service for one in before.appointments.values() if one.status is AppointmentStatus.BOOKED)
    for service, count in booked.items():
        if service not in new.service:
            zh, en = _names(before.plan, [service])
            yield {
                "zh": f"已预约“{zh}”的 {count} 人将不能签到，请另行通知他们。",
                "en": f"{count} who booked {en} cannot check in any more: tell them.",
            }


def _names(plan: HallPlan, services: list[ServiceId]) -> tuple[str, str]:
    names = [plan.service[one].name if one in plan.service else {"zh": one} for one in services]
    return "、".join(one["zh"] for one in names), ", ".join(one.get("en", one["zh"]) for one in names)
