"""Every driver the agent knows: name in DEVICES.toml -> kind, options, maker. A new one adds its line here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from drivers.driver import JobDriver, StateDriver, Wiring
from drivers.keypad import pad
from drivers.keypad.pad import PadOptions
from drivers.led import strip
from drivers.led.strip import StripOptions
from drivers.printer.thermal import EscposOptions, ThermalPrinter
from drivers.speech import speaker
from drivers.speech.speaker import SpeakerOptions

Kind: TypeAlias = Literal["printer", "strip", "keypad", "speaker", "rating"]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEntry:
    """A driver that does jobs. `options`: a frozen dataclass whose fields, with defaults, are its options."""

    kind: Kind
    about: str
    schemes: tuple[str, ...]
    options: type
    make: Callable[[Wiring[Any]], JobDriver]  # Any: each takes the Wiring of its own options


@dataclass(frozen=True, slots=True, kw_only=True)
class StateEntry:
    """A driver that shows pictures and reports presses. `options` as for JobEntry."""

    kind: Kind
    about: str
    schemes: tuple[str, ...]
    options: type
    make: Callable[[Wiring[Any]], StateDriver]  # Any: as for JobEntry


Entry: TypeAlias = JobEntry | StateEntry

DRIVERS: Mapping[str, Entry] = {
    "escpos": JobEntry(
        kind="printer",
        about="Ticket printers with ESC/POS (58 and 80 mm, Chinese), status read back",
        schemes=("tcp", "serial"),
        options=EscposOptions,
        make=ThermalPrinter,
    ),
    "onbon-bx5": StateEntry(
        kind="strip",
        about="Onbon BX-5K/6K LED strips over the windows, several on one line by address",
        schemes=("tcp", "serial"),
        options=StripOptions,
        make=strip.make,
    ),
    "ff68": StateEntry(
        kind="keypad",
        about="FF 68 call pads (21 keys) and rating pads, several on one line by address",
        schemes=("tcp", "serial"),
        options=PadOptions,
        make=pad.make,
    ),
    "speech": JobEntry(
        kind="speaker",
        about="Calls by voice (pyttsx3, espeak-ng) on a sound card, a network loudspeaker or into a folder",
        schemes=("aplay", "tcp", "file"),
        options=SpeakerOptions,
        make=speaker.make,
    ),
}
