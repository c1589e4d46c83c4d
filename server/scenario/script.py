"""From a scenario file to steps, or to everything that is wrong with it at once."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from config import HallFileError, Problem, find, load_hall, shipped
from config.problems import nearest
from server.domain import commands as c
from server.domain.terms import CLOCK, Actor, ActorKind, HallPlan
from server.plan import plan_of
from server.scenario.language import DAY, HALL, NEXT_DAY, QUESTIONS, SENTENCES, Bad, Question, Said
from server.scenario.words import Word, answer_of, understood, wanted_of, words_of

LOOP_MAX = 10_000  # what one line may repeat: more than a series has numbers
NIGHT_HOURS = 30  # 25:30 is half past one at night, still the same business day
MS_PER_MIN = 60_000
SIGNS = ("->", "=")
CLOCK_TIME = re.compile(r"(\d{1,2})[:：](\d\d)")
LOOP = re.compile(r"(\d+)[x次]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line: commands or a question at an instant, and what is expected. `text` is what stands before -> or =."""

    line: int
    text: str
    at_ms: int
    times: int = 1
    every_ms: int = 0
    actor: Actor = CLOCK
    commands: tuple[c.Command, ...] = ()
    question: Question | None = None
    wanted: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A hall and what happens in it, in order of time."""

    file: str
    plan: HallPlan
    steps: tuple[Step, ...]


class ScenarioError(ValueError):
    """The file is no scenario; `problems` says everything that is wrong with it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Keep the problems, never empty."""
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{each.file}:{each.line}: {each.sentence('en')}" for each in problems))


def read(path: Path) -> Scenario:
    """Give the scenario a file describes.

    Raises:
        ScenarioError: with everything that is wrong, line by line; nothing was played.
    """
    reader = Reader(path)
    for number, text in enumerate(reader.lines(), 1):
        reader.take(number, text)
    return reader.scenario()


@dataclass(slots=True)
class Reader:
    """One pass over one file: hall, day and clock so far, steps and problems."""

    path: Path
    plan: HallPlan | None = None
    hall_named: bool = False
    day: date | None = None
    now_ms: int = 0
    steps: list[Step] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Give the lines of the file; none, and a problem, when it cannot be read."""
        try:
            return self.path.read_text(encoding="utf-8-sig").splitlines()
        except UnicodeDecodeError:
            self._note(0, Bad("文件不是 UTF-8 编码，请另存为 UTF-8。", "The file is not UTF-8. Save it as UTF-8."))
        except (OSError, ValueError) as trouble:  # ValueError: a NUL in the name
            reason = getattr(trouble, "strerror", None) or str(trouble)
            self._note(0, Bad(f"无法读取：{reason}。", f"Cannot be read: {reason}."))
        return []

    def take(self, line: int, text: str) -> None:
        """Read the next line."""
        words = words_of(text)
        if not words:
            return
        try:
            self._line(line, words)
        except Bad as bad:
            self._note(line, bad)

    def scenario(self) -> Scenario:
        """Give what was read, or raise ScenarioError."""
        if not self.problems and not self.steps:
            self._note(0, Bad("文件里没有 hall 和 day。", "The file has no hall and no day."))
        if self.problems or self.plan is None:
            raise ScenarioError(self.problems)
        return Scenario(file=str(self.path), plan=self.plan, steps=tuple(self.steps))

    def _line(self, line: int, words: list[Word]) -> None:
        if open_quote := next((word for word in words if word.raw in ('"', "“")), None):
            raise Bad(f"引号 {open_quote.raw} 没有结束。", f"The quote {open_quote.raw} does not end.")
        sign = next((index for index, word in enumerate(words) if word.text in SIGNS), len(words))
        left, right = words[:sign], words[sign + 1 :]
        at_ms, left = self._time(left)
        clock = sign - len(left)
        times, every_ms, left = _loop(left)
        sentence, slots = understood(left, self.plan)
        end_ms = at_ms + (times - 1) * every_ms
        if self.day is not None and end_ms >= self._starts_ms(self.day + timedelta(days=1)):
            raise Bad("这已过了营业日的结束时刻。", "That is after the end of the business day.")
        self.now_ms = max(self.now_ms, end_ms)
        if sentence in (HALL, DAY, NEXT_DAY):
            at_ms = self._frame(sentence, slots)
        elif self.day is None:
            raise Bad("前面要先写 hall 和 day。", "A hall line and a day line must come first.")
        asks = sentence in QUESTIONS
        if sign < len(words) and ((words[sign].text == "=") != asks or any(word.text in SIGNS for word in right)):
            raise Bad("提问的答案写在 = 后面，事情的结果写在 -> 后面。", "An answer stands after =, a result after ->.")
        wanted: dict[str, str] | None = None
        if asks:
            wanted = {"": answer_of(right, self.plan)} if right else None
            wanted = {"": "yes"} if sentence.startswith("board") and not right else wanted
        elif sign < len(words):
            wanted = wanted_of(right)
        if self.plan is None or self.day is None or sentence == HALL:
            return
        said = Said(who=left[0].text, day=self.day, plan=self.plan, slots=slots)
        step = Step(
            line=line,
            text=" ".join(word.raw for word in words[clock:sign] if word.raw),
            at_ms=at_ms,
            times=times,
            every_ms=every_ms,
            actor=_actor(said),
            commands=(c.StartDay(),) if sentence in (DAY, NEXT_DAY) else (),
            wanted=wanted,
        )
        if sentence in SENTENCES:
            step = replace(step, commands=tuple(SENTENCES[sentence](said)))
        elif asks:
            step = replace(step, question=QUESTIONS[sentence](said))
        self.steps.append(step)

    def _frame(self, sentence: str, slots: Mapping[str, tuple[str, ...]]) -> int:
        """Take over a hall or a day; give when the day begins."""
        if sentence == HALL:
            if self.hall_named:
                raise Bad("一个文件只能写一个 hall。", "A file has one hall line.")
            self.hall_named = True
            self._hall(slots["file"][0])
            return 0
        if not self.hall_named:
            raise Bad("前面要先写 hall。", "A hall line must come first.")
        if sentence == DAY:
            day = date.fromisoformat(slots["date"][0])
        elif self.day is None:
            raise Bad("前面要先写 day。", "A day line must come first.")
        else:
            day = self.day + timedelta(days=1)
        if self.day is not None and day <= self.day:
            raise Bad(f"日期不能倒退，现在是 {self.day}。", f"The days go on; it is {self.day} already.")
        self.day = day
        self.now_ms = self._starts_ms(day)
        return self.now_ms

    def _starts_ms(self, day: date) -> int:
        return _instant(self.plan, day, self.plan.day_starts_min if self.plan else 0)

    def _hall(self, name: str) -> None:
        beside = self.path.parent / name
        path = beside if beside.is_file() else find(name)
        if not path.is_file():
            path = shipped().get(path.stem, path)
        if not path.is_file():
            raise Bad(f"没有大厅文件 {name}。", f"There is no hall file {name}.", nearest(path.stem, shipped()))
        try:
            self.plan = plan_of(load_hall(path))
        except HallFileError as error:
            self.problems += error.problems

    def _time(self, words: list[Word]) -> tuple[int, list[Word]]:
        """Give the instant of a line (without a time: as before) and the words after it."""
        found = CLOCK_TIME.fullmatch(words[0].raw) if words else None
        if found is None:
            return self.now_ms, words
        hour, minute = int(found[1]), int(found[2])
        if hour >= NIGHT_HOURS or minute >= 60:
            raise Bad(f"{words[0].raw} 不是时刻。", f"{words[0].raw} is not a time of day.")
        if self.day is None:
            raise Bad("前面要先写 hall 和 day。", "A hall line and a day line must come first.")
        at_ms = _instant(self.plan, self.day, hour * 60 + minute)
        if at_ms < self.now_ms:
            now = clock_of(self.plan, self.now_ms)
            raise Bad(f"时间不能倒退，现在是 {now}。", f"Time does not go back; it is {now} already.")
        return at_ms, words[1:]

    def _note(self, line: int, bad: Bad) -> None:
        self.problems.append(
            Problem(
                file=str(self.path),
                line=line,
                column=1 if line else 0,
                path="",
                code="not_understood",
                zh=bad.zh,
                en=bad.en,
                suggestion=bad.suggestion,
            )
        )


def _loop(words: list[Word]) -> tuple[int, int, list[Word]]:
    """Give how often a line happens, the milliseconds between, and the words after `30x` or `30x every 2 min`."""
    found = LOOP.fullmatch(words[0].raw) if words else None
    if found is None:
        return 1, 0, words
    times = int(found[1])
    if not 1 <= times <= LOOP_MAX:
        raise Bad(f"次数应在 1 到 {LOOP_MAX} 之间。", f"A line happens 1 to {LOOP_MAX} times.")
    if len(words) < 2 or words[1].text != "every":
        return times, 0, words[1:]
    minutes, unit = [*(word.text for word in words[2:4]), "", ""][:2]
    if unit == "min" and re.fullmatch(r"\d{1,3}(\.\d)?", minutes):
        return times, round(float(minutes) * MS_PER_MIN), words[4:]
    raise Bad("every 后面应是分钟数，如 every 2 min。", "After every comes a time such as 2 min.")


def _actor(said: Said) -> Actor:
    match said.who:
        case "window" | "windows":
            return Actor(kind=ActorKind.PERSON, id=f"window-{said.word('window') or said.word('windows') or ''}")
        case "guide" | "manager":
            return Actor(kind=ActorKind.PERSON, id=said.who)
        case "agent" | "clerk":
            return Actor(kind=ActorKind.PERSON, id=said.word("clerk") or "")
        case "visitor":
            return Actor(kind=ActorKind.VISITOR, id="visitor")
        case "result":
            return Actor(kind=ActorKind.DEVICE, id="back-office")
        case kiosk if kiosk.startswith("kiosk"):
            return Actor(kind=ActorKind.DEVICE, id=kiosk)
        case _:
            return CLOCK


def _instant(plan: HallPlan | None, day: date, minutes: int) -> int:
    """Give the Unix ms of a clock time in the hall, counted in minutes from midnight."""
    local = datetime.combine(day, time()) + timedelta(minutes=minutes)
    return round(local.replace(tzinfo=plan.zone_info if plan else UTC).timestamp() * 1000)


def clock_of(plan: HallPlan | None, at_ms: int) -> str:
    """Give what the clock in the hall shows: 09:05."""
    return f"{datetime.fromtimestamp(at_ms / 1000, tz=UTC).astimezone(plan.zone_info if plan else UTC):%H:%M}"
