"""Button panels behind a Modbus module: buttons are discrete inputs or coils, lamps and buzzer are coils.

The module is asked all the time (a finger stays on a button for a tenth of a second at least); what went from open to
closed since the last answer was pressed. A button that is down at the first answer is not: it may be stuck.
Source: Modbus Application Protocol 1.1b3, functions 01, 02 and 05 (modbus.org).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from drivers import modbus
from drivers.driver import BadOptions, OptionProblem
from drivers.faults import FaultCode, Health, down
from drivers.panel.buttons import Buttons
from drivers.panel.options import PanelOptions, panel_problems

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drivers.driver import Wiring
    from drivers.jobs import TakeNumber, WindowPicture

MAX_SPAN = 256
"""Inputs between the first and the last button: one question must fetch them all."""
ASK_EVERY_S = 0.05
ANSWER_S = 0.3
SILENT_AFTER = 3
"""So many questions in a row without an answer and the module counts as silent."""
REPAINT_S = 30.0
ANSWER_BYTES = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class ModbusPanelOptions(PanelOptions):
    """Options of driver "modbus-panel". `inputs`: what the buttons are to the module; `unit`: its address.

    `framing`: "auto" takes "tcp" for tcp:, "rtu" for serial: and for a tcp: that names the speed of a line behind it.
    """

    unit: int = 1
    inputs: Literal["discrete", "coils"] = "discrete"
    framing: Literal["auto", "rtu", "tcp"] = "auto"

    def __post_init__(self) -> None:
        """Refuse what no module has. Raises BadOptions with all of it."""
        problems = panel_problems(self)
        if self.unit not in modbus.UNITS:
            zh, en = f"必须在 1 到 247 之间，不能是 {self.unit}", f"must be 1..247, not {self.unit}"
            problems.append(OptionProblem(option="unit", zh=zh, en=en))
        numbers = [button.key for button in self.buttons if isinstance(button.key, int)]
        if len(numbers) < len(self.buttons):
            zh, en = "key 应为输入点的编号，例如 key = 0", "a key is the number of an input: key = 0"
            problems.append(OptionProblem(option="buttons", zh=zh, en=en))
        elif numbers and max(numbers) - min(numbers) >= MAX_SPAN:
            zh, en = f"输入点编号相差要小于 {MAX_SPAN}", f"the inputs must lie within {MAX_SPAN} of each other"
            problems.append(OptionProblem(option="buttons", zh=zh, en=en))
        if problems:
            raise BadOptions(problems)


@dataclass(slots=True)
class ModbusPanel:
    """One panel. See `drivers.driver.StateDriver`, `SeesServices` and `HoldsLine`."""

    buttons: Buttons
    options: ModbusPanelOptions
    framing: modbus.Framing
    byte_s: float = 0.0
    _reader: modbus.Reader = field(init=False)
    _asked: modbus.Request | None = field(init=False, default=None)
    _until_s: float = field(init=False, default=0.0)
    _next_s: float = field(init=False, default=0.0)
    _before: tuple[bool, ...] | None = field(init=False, default=None)
    _lit: dict[int, bool] = field(init=False, default_factory=dict)
    _writing: tuple[int, bool] | None = field(init=False, default=None)
    _painted_s: float = field(init=False, default=0.0)
    _misses: int = field(init=False, default=0)
    _error: int | None = field(init=False, default=None)
    _tag: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        """Begin with nothing heard."""
        self._reader = modbus.Reader(self.framing)

    def line_up(self, now_s: float) -> None:
        """Note that the port was opened: what is down now is no press, and the lamps are set anew."""
        self._reader.forget()
        self._asked = self._writing = self._before = None
        self._lit, self._painted_s = {}, now_s
        self._next_s = now_s
        self._misses, self._error = 0, None

    def show(self, picture: WindowPicture) -> None:
        """Keep nothing: a panel stands at no window."""

    def see_services(self, open_now: frozenset[str]) -> None:
        """Keep which services give numbers now."""
        self.buttons.see_services(open_now)

    def due(self, now_s: float) -> bytes:
        """Give the next question: a lamp that must change, else what the buttons are."""
        if self._asked is not None:
            if now_s < self._until_s:
                return b""
            self._misses += 1
            self._asked = self._writing = None
        if now_s < self._next_s:
            return b""
        self._tag = (self._tag + 1) & 0xFFFF
        if now_s - self._painted_s >= REPAINT_S:
            self._lit, self._painted_s = {}, now_s
        wanted = self.buttons.outputs(now_s)
        change = next(((lamp, lit) for lamp, lit in wanted.items() if self._lit.get(lamp) is not lit), None)
        if change is not None and self._before is not None and not self._misses:
            self._writing = change
            request = modbus.write_coil(self.options.unit, change[0], on=change[1], tag=self._request_tag())
        else:
            first, count = self._span()
            ask = modbus.read_inputs if self.options.inputs == "discrete" else modbus.read_coils
            request = ask(self.options.unit, first, count, tag=self._request_tag())
        self._reader.forget()
        self._asked = request
        frame = modbus.encode(request, self.framing)
        self._until_s = now_s + ANSWER_S + (len(frame) + ANSWER_BYTES) * self.byte_s
        return frame

    def feed(self, data: bytes, now_s: float) -> Sequence[TakeNumber]:
        """Give what was pressed since the last answer."""
        wishes: list[TakeNumber] = []
        for reply in self._reader.feed(data):
            if self._asked is None or not reply.answers(self._asked):
                continue
            self._asked, self._misses, self._error = None, 0, reply.error
            quiet_s = modbus.quiet_s(self.byte_s)
            if self._writing is not None:
                lamp, lit = self._writing
                self._writing = None
                self._lit[lamp] = lit  # also when it was refused: it is tried again with the next repaint
                self._next_s = now_s + quiet_s
            else:
                wishes += self._pressed(reply, now_s)
                self._next_s = now_s + max(ASK_EVERY_S, quiet_s)
        return wishes

    def refused(self, place: str, code: str) -> None:  # noqa: ARG002
        """Blink or buzz."""
        self.buttons.refused(place)

    def holds_line(self, now_s: float) -> bool:
        """Say whether an answer is awaited."""
        return self._asked is not None and now_s < self._until_s

    def health(self, now_s: float) -> Health:  # noqa: ARG002
        """Say whether the module answers, and obeys."""
        if self._misses >= SILENT_AFTER:
            return down(FaultCode.NO_ANSWER, f"unit {self.options.unit} does not answer")
        if self._error is not None:
            return down(FaultCode.REFUSED, f"unit {self.options.unit}: Modbus exception {self._error}")
        return Health()

    def _pressed(self, reply: modbus.Reply, now_s: float) -> list[TakeNumber]:
        first, count = self._span()
        if reply.error is not None or len(reply.bits) < count:
            return []
        before, self._before = self._before, reply.bits[:count]
        if before is None:
            return []
        fresh = [first + at for at, (was, is_) in enumerate(zip(before, self._before, strict=True)) if is_ and not was]
        return [wish for code in fresh if (wish := self.buttons.down(code, now_s)) is not None]

    def _span(self) -> tuple[int, int]:
        """Give the first input and how many to ask for."""
        codes = self.buttons.by_code
        return min(codes), max(codes) - min(codes) + 1

    def _request_tag(self) -> int:
        return self._tag if self.framing == "tcp" else 0


def make(wiring: Wiring[ModbusPanelOptions]) -> ModbusPanel:
    """Give the driver for one `[[device]]` of DEVICES.toml."""
    options = wiring.options
    framing: modbus.Framing
    match options.framing:
        case "auto":
            framing = "tcp" if wiring.url.startswith("tcp:") and not wiring.byte_s else "rtu"
        case "rtu" | "tcp" as told:
            framing = told
    return ModbusPanel(Buttons(wiring.device, options), options, framing, wiring.byte_s)
