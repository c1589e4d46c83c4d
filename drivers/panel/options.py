"""Which button is which service: the options that all panels have."""

from __future__ import annotations

from dataclasses import dataclass

from drivers.contacts import NUMBERS
from drivers.driver import BadOptions, OptionProblem
from drivers.keys import code_of

MAX_BUTTONS = 64
AGAIN_MS = range(200, 60_001)


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """One button. `key`: key name (KEY_1), pin or input; `lamp`: LED, pin or coil, lit while numbers are given."""

    key: int | str
    service: str
    priority: str | None = None
    lamp: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelOptions:
    """Options of every panel. After a press its button rests for `again_ms`: one finger, one number.

    `buzzer`: an output that sounds three times when the hall refuses; without it the button's lamp blinks.
    """

    buttons: tuple[Button, ...] = ()
    again_ms: int = 3000
    buzzer: int | None = None

    def __post_init__(self) -> None:
        """Refuse a panel that gives no number. Raises BadOptions with all of it."""
        problems = panel_problems(self)
        if problems:
            raise BadOptions(problems)


def panel_problems(options: PanelOptions) -> list[OptionProblem]:
    """Give what is wrong with the options that all panels have."""
    problems = []

    def say(option: str, zh: str, en: str) -> None:
        problems.append(OptionProblem(option=option, zh=zh, en=en))

    if not 1 <= len(options.buttons) <= MAX_BUTTONS:
        example = 'buttons = [{ key = 17, service = "tax", lamp = 22 }]'
        say("buttons", f"要有 1 到 {MAX_BUTTONS} 个，例如 {example}", f"1 to {MAX_BUTTONS} are needed: {example}")
    codes = [code_of(button.key) for button in options.buttons]
    for button, code in zip(options.buttons, codes, strict=True):
        if code is None:
            say(
                "buttons", f"没有按键 {button.key!r}，应如 KEY_1、KEY_F1", f"no key {button.key!r}: write KEY_1, KEY_F1"
            )
        elif code not in NUMBERS:
            say("buttons", f"按键 {code} 必须在 0 到 65535 之间", f"key {code} must be 0..65535")
        elif codes.count(code) > 1:
            say("buttons", f"按键 {button.key} 写了不止一次", f"key {button.key} is there more than once")
        if not button.service:
            say("buttons", f"按键 {button.key} 缺少 service", f"key {button.key} names no service")
    lamps = [*(button.lamp for button in options.buttons if button.lamp is not None)]
    lamps += [] if options.buzzer is None else [options.buzzer]
    if any(lamp not in NUMBERS for lamp in lamps) or len(set(lamps)) < len(lamps):
        say("buttons", "lamp 和 buzzer 要各不相同，0 到 65535", "lamps and buzzer must differ, 0..65535")
    if options.again_ms not in AGAIN_MS:
        say("again_ms", "必须在 200 到 60000 之间", "must be 200..60000")
    return problems
