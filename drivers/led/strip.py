"""The state driver of all strips on one line, whatever their maker: it paints what each window is.

A maker's protocol is a `Dialect`, which knows bytes and nothing of time. This file knows time: each frame is answered
before the next one goes out, a strip that does not answer is asked three times and then left alone for a while so that
it does not slow the others, and what a strip shows is derived from the newest picture only. After a reconnection, when
a silent strip answers again, and now and then, it is painted anew: a strip that lost its power for a moment would else
stay dark.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from drivers.daytimes import level_at
from drivers.driver import wall_clock
from drivers.faults import Fault, FaultCode, Health, HealthStatus
from drivers.led.options import clock_due

if TYPE_CHECKING:
    from datetime import datetime

    from drivers.driver import Wiring
    from drivers.jobs import Press, Rating, WindowPicture
    from drivers.led.options import StripOptions

TRIES = 3
LEFT_ALONE_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One frame for one strip. `mark` is what its answer carries, None when nobody answers it.

    `rest_s` is how long the line must be quiet behind it, where the strip needs longer than usual.
    """

    frame: bytes
    mark: Hashable | None = None
    rest_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a strip said; `refusal` is why it did not obey, in the maker's terms, None when it did.

    `version`: what it runs, where the answer tells.
    """

    mark: Hashable
    refusal: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """How one talks to this maker's strips. Times begin when the last byte of a frame has left."""

    answer_within_s: float = 0.7
    gap_s: float = 0.05  # half-duplex transceivers need it to turn round
    repaint_every_s: float = 30.0
    hello_every_s: float = 15.0


class Dialect(Protocol):
    """A maker's protocol, sans-IO. Where there is nothing to send, the sequence is empty."""

    @property
    def manners(self) -> Manners:
        """How one talks to these strips."""
        ...

    def set_up(self, address: int) -> Sequence[Ask]:
        """Give what a strip must be told once before it can show anything."""
        ...

    def paint(self, address: int, picture: WindowPicture) -> Sequence[Ask]:
        """Give what makes the strip show this window; the same for the same picture, because it is compared."""
        ...

    def light(self, address: int, percent: int) -> Sequence[Ask]:
        """Give what sets the brightness; 0 is dark."""
        ...

    def set_clock(self, address: int, now: datetime) -> Sequence[Ask]:
        """Give what sets the clock."""
        ...

    def hello(self, address: int) -> Sequence[Ask]:
        """Give a question that changes nothing and that every strip answers."""
        ...

    def feed(self, data: bytes) -> Sequence[Answer]:
        """Take bytes at any cut and with noise, and give the answers they hold. Never raises, keeps one frame."""
        ...

    def forget(self) -> None:
        """Drop half an answer: the line was opened anew."""
        ...


_Kind: TypeAlias = Literal["set_up", "paint", "light", "clock", "hello"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """Frames for one strip that belong together, in order. `value`: the brightness or clock it has afterwards."""

    address: int
    kind: _Kind
    asks: tuple[Ask, ...]
    value: object = None


@dataclass(slots=True, kw_only=True)
class _Strip:
    """One address of the line: what it ought to show, and how it has answered."""

    window: str
    wanted: tuple[Ask, ...] = ()
    painted: tuple[Ask, ...] | None = None  # what it took last; None: unknown
    painted_s: float = 0.0
    set_up: bool = False
    sure: bool = False  # it was set up since it last took or refused a text
    level: object = None
    clock: object = None
    tries: int = 0
    not_before_s: float = 0.0
    heard_s: float | None = None
    silent: FaultCode | None = None
    refusal: str | None = None
    refused: tuple[Ask, ...] | None = None  # a text it said no to: sent again only after a pause, another text at once
    refused_s: float = 0.0
    version: str | None = None


@dataclass(slots=True)
class Strips:
    """All strips of one line that speak one dialect. See `drivers.driver.StateDriver` and `HoldsLine`."""

    dialect: Dialect
    options: StripOptions
    windows: dict[int, str]
    byte_s: float = 0.0
    now: Callable[[], datetime] = wall_clock
    _strips: dict[int, _Strip] = field(init=False)
    _task: _Task | None = field(init=False, default=None)
    _place: int = field(init=False, default=0)  # in the task's frames
    _awaited_s: float | None = field(init=False, default=None)  # until when the frame there may be answered
    _noise: bool = field(init=False, default=False)  # bytes came that were no answer to it
    _quiet_until_s: float = field(init=False, default=0.0)
    _turn: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        """Make one strip per address, each not yet told anything."""
        self._strips = {address: _Strip(window=window) for address, window in sorted(self.windows.items())}

    def line_up(self, now_s: float) -> None:
        """Note that the port was opened: nothing on the strips is known any more."""
        self.dialect.forget()
        self._task, self._awaited_s = None, None
        self._quiet_until_s = now_s
        for strip in self._strips.values():
            strip.painted = strip.refused = strip.level = strip.clock = None
            strip.set_up = False
            strip.tries = 0
            strip.not_before_s = now_s

    def show(self, picture: WindowPicture) -> None:
        """Keep what the strips of this window ought to show."""
        for address, strip in self._strips.items():
            if strip.window == picture.window:
                strip.wanted = tuple(self.dialect.paint(address, picture))

    def due(self, now_s: float) -> bytes:
        """Give the next frame, or b"" while an answer is awaited, in the gap, or when all is well."""
        if self._awaited_s is not None:
            if now_s < self._awaited_s:
                return b""
            self._no_answer(now_s)
        if now_s < self._quiet_until_s:
            return b""
        if self._task is None:
            self._task, self._place = self._next(now_s), 0
        if self._task is None:
            return b""
        ask = self._task.asks[self._place]
        out_s = now_s + len(ask.frame) * self.byte_s
        if ask.mark is None:
            self._step(ask, now_s, out_s)
        else:
            self._awaited_s = self._quiet_until_s = out_s + self.dialect.manners.answer_within_s
            self._noise = False
        return ask.frame

    def holds_line(self, now_s: float) -> bool:
        """Say whether others must be quiet: bytes are on their way, an answer is, or the next frame belongs to it."""
        return self._task is not None or now_s < self._quiet_until_s

    def feed(self, data: bytes, now_s: float) -> Sequence[Press | Rating]:
        """Take answers. Strips have no keys, so there is never a press."""
        self._noise = self._noise or bool(data)  # forgotten when it turns out to be the answer
        for answer in self.dialect.feed(data):
            if self._task is None or self._awaited_s is None:
                continue  # a late answer: the frame was given up and is sent again
            ask = self._task.asks[self._place]
            if answer.mark != ask.mark:
                continue
            self._awaited_s = None
            strip = self._strips[self._task.address]
            strip.version = answer.version or strip.version
            self._heard(strip, now_s)
            if answer.refusal is None:
                self._step(ask, now_s, now_s)
            else:
                self._refused(self._task, answer.refusal, now_s)
        return ()

    def refused(self, place: str, code: str) -> None:
        """Do nothing: a strip has no keys."""

    def health(self, now_s: float) -> Health:  # noqa: ARG002
        """Give down when no strip answers, degraded when some do not or refuse their text."""
        faults = []
        for code, what in ((FaultCode.NO_ANSWER, "no answer"), (FaultCode.BAD_ANSWER, "damaged answers")):
            windows = [strip.window for strip in self._strips.values() if strip.silent is code]
            if windows:
                faults.append(Fault(code=code, detail=f"{what} from the strip of window {', '.join(windows)}"))
        for strip in self._strips.values():
            if strip.refusal is not None:
                detail = f"the strip of window {strip.window} refused its text ({strip.refusal})"
                faults.append(Fault(code=FaultCode.REFUSED, detail=detail))
        versions = dict.fromkeys(strip.version for strip in self._strips.values() if strip.version is not None)
        firmware = "; ".join(versions) or None
        if not faults:
            return Health(firmware=firmware)
        dead = all(strip.silent for strip in self._strips.values())
        status = HealthStatus.DOWN if dead else HealthStatus.DEGRADED
        return Health(status=status, faults=tuple(faults), firmware=firmware)

    def _next(self, now_s: float) -> _Task | None:
        """Give what is to be sent now: news of all strips before the upkeep of any."""
        addresses = list(self._strips)
        in_turn = addresses[self._turn :] + addresses[: self._turn]
        for task_for in (self._news, self._upkeep):
            for address in in_turn:
                strip = self._strips[address]
                task = None if now_s < strip.not_before_s else task_for(address, strip, now_s)
                if task is not None:
                    self._turn = (addresses.index(address) + 1) % len(addresses)
                    return task
        return None

    def _news(self, address: int, strip: _Strip, now_s: float) -> _Task | None:
        """Give the text this strip ought to show and does not."""
        if not strip.set_up:
            asks = tuple(self.dialect.set_up(address))
            if asks:
                return _Task(address=address, kind="set_up", asks=asks)
            strip.set_up = True
        pausing = strip.wanted == strip.refused and now_s - strip.refused_s < LEFT_ALONE_S
        if not strip.wanted or strip.painted == strip.wanted or pausing:
            return None
        return _Task(address=address, kind="paint", asks=strip.wanted)

    def _upkeep(self, address: int, strip: _Strip, now_s: float) -> _Task | None:
        """Give what this strip should be told now although nothing happened."""
        manners, now = self.dialect.manners, self.now()
        level, clock = level_at(self.options.brightness, now), clock_due(self.options.clock, now)
        if level is not None and level != strip.level:
            asks = tuple(self.dialect.light(address, level))
            if asks:
                return _Task(address=address, kind="light", asks=asks, value=level)
        if clock is not None and clock != strip.clock:
            asks = tuple(self.dialect.set_clock(address, now))
            if asks:
                return _Task(address=address, kind="clock", asks=asks, value=clock)
        if strip.wanted and strip.painted == strip.wanted and now_s - strip.painted_s >= manners.repaint_every_s:
            return _Task(address=address, kind="paint", asks=strip.wanted)
        if strip.heard_s is None or now_s - strip.heard_s >= manners.hello_every_s:
            asks = tuple(self.dialect.hello(address))
            if asks:
                return _Task(address=address, kind="hello", asks=asks)
        return None

    def _heard(self, strip: _Strip, now_s: float) -> None:
        if strip.silent:  # it was away and may have forgotten everything
            strip.painted = strip.level = strip.clock = None
            strip.set_up = False
        strip.silent = None
        strip.tries = 0
        strip.heard_s = strip.not_before_s = now_s

    def _step(self, ask: Ask, now_s: float, out_s: float) -> None:
        """Go on behind a frame that was taken, or that nobody answers and is out at `out_s`."""
        self._quiet_until_s = out_s + max(ask.rest_s, self.dialect.manners.gap_s)
        self._place += 1
        task = self._task
        if task is None or self._place < len(task.asks):
            return
        self._task = None
        strip = self._strips[task.address]
        match task.kind:
            case "set_up":
                strip.set_up, strip.sure, strip.painted = True, True, None
            case "paint":
                strip.painted, strip.painted_s, strip.sure = task.asks, now_s, False
                strip.refusal = strip.refused = None
            case "light":
                strip.level = task.value
            case "clock":
                strip.clock = task.value
            case "hello":
                pass

    def _refused(self, task: _Task, why: str, now_s: float) -> None:
        self._task = None
        self._quiet_until_s = now_s + self.dialect.manners.gap_s
        strip = self._strips[task.address]
        match task.kind:
            case "paint":
                # Without power for a moment it may have forgotten its set-up: done again before it is blamed.
                blamed = strip.sure or not self.dialect.set_up(task.address)
                strip.painted, strip.set_up, strip.sure = None, False, False
                if blamed:
                    strip.refusal, strip.refused, strip.refused_s = why, task.asks, now_s
            case "set_up":  # what it could not do shows when it refuses its text
                strip.set_up, strip.sure, strip.painted = True, True, None
            case "light":
                strip.level = task.value  # a strip without dimming; its text matters more
            case "clock":
                strip.clock = task.value
            case "hello":
                pass

    def _no_answer(self, now_s: float) -> None:
        task, self._task, self._awaited_s = self._task, None, None
        if task is None:
            return
        strip = self._strips[task.address]
        strip.tries += 1
        if strip.tries >= TRIES:
            strip.tries = 0
            strip.set_up = False  # whoever comes back may have been without power
            strip.silent = FaultCode.BAD_ANSWER if self._noise else FaultCode.NO_ANSWER
            strip.not_before_s = now_s + LEFT_ALONE_S


def make_strips(wiring: Wiring[StripOptions], dialect: Dialect) -> Strips:
    """Give the driver for one `[[device]]` of DEVICES.toml."""
    return Strips(dialect, wiring.options, dict(wiring.windows), wiring.byte_s, wiring.now)
