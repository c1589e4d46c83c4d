"""Every driver the agent knows: name in DEVICES.toml -> kind, options, maker. A new one adds its line here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from drivers.driver import JobDriver, StateDriver, Wiring
from drivers.idcard import reader
from drivers.idcard.reader import ReaderOptions
from drivers.keypad import hid_pad, pad
from drivers.keypad.hid_pad import HidPadOptions
from drivers.keypad.pad import PadOptions
from drivers.led import alpha, cpower, onbon, onbon6, register_map, template
from drivers.led.alpha import AlphaOptions
from drivers.led.cpower import CPowerOptions
from drivers.led.onbon import OnbonOptions
from drivers.led.onbon6 import Onbon6Options
from drivers.led.register_map import RegisterOptions
from drivers.led.template import TemplateOptions
from drivers.panel import modbus as modbus_panel
from drivers.panel import wired
from drivers.panel.modbus import ModbusPanelOptions
from drivers.panel.options import PanelOptions
from drivers.printer.fonts import find_faces
from drivers.printer.thermal import EscposOptions, ThermalPrinter
from drivers.scanner import scanner
from drivers.scanner.scanner import ScannerOptions
from drivers.speech import speaker
from drivers.speech.speaker import SpeakerOptions

Kind: TypeAlias = Literal["printer", "strip", "keypad", "speaker", "rating", "panel", "idcard", "scanner"]
Stands: TypeAlias = Literal["windows", "window", "kiosk", "kiosk or window"]
"""Where a state driver stands: at windows by address on its line, at one window, at one kiosk."""
ANY_ADDRESS = range(0x10000)


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
    """A driver that shows pictures and reports presses. `options` as for JobEntry; `stands` as in `Stands`.

    `addresses`: those a device of its line may have, or how to tell them by its options (None when they are wrong);
    `line`: settings that a serial: url must name, because no default fits most devices.
    """

    kind: Kind
    about: str
    schemes: tuple[str, ...]
    options: type
    make: Callable[[Wiring[Any]], StateDriver]  # Any: as for JobEntry
    addresses: range | Callable[[Any], range] = ANY_ADDRESS
    line: tuple[str, ...] = ()
    stands: Stands = "windows"


Entry: TypeAlias = JobEntry | StateEntry

DRIVERS: Mapping[str, Entry] = {
    "escpos": JobEntry(
        kind="printer",
        about="Ticket printers with ESC/POS (58 and 80 mm, Chinese), status read back",
        schemes=("tcp", "serial", "lp", "usb", "cups"),
        options=EscposOptions,
        make=ThermalPrinter,
    ),
    "onbon-bx5": StateEntry(
        kind="strip",
        about="Onbon BX-5K, BX-5MK, BX-6K LED strips (字库卡), several on one line by address",
        schemes=("tcp", "serial"),
        options=OnbonOptions,
        make=onbon.make,
        addresses=onbon.ADDRESSES,
    ),
    "onbon-bx6": StateEntry(
        kind="strip",
        about="Onbon BX-6E, BX-6Q LED strips, experimental: not yet seen on a card",
        schemes=("tcp", "serial"),
        options=Onbon6Options,
        make=onbon6.make,
        addresses=onbon.ADDRESSES,
    ),
    "c-power": StateEntry(
        kind="strip",
        about="C-Power LED strips (Lumen), serial frames or the network's, several on one line by card ID",
        schemes=("tcp", "serial"),
        options=CPowerOptions,
        make=cpower.make,
        addresses=cpower.ADDRESSES,
    ),
    "alpha": StateEntry(
        kind="strip",
        about="Alpha and BetaBrite signs (M-protocol): their own letters, Chinese drawn as dots",
        schemes=("tcp", "serial"),
        options=AlphaOptions,
        make=lambda wiring: alpha.make(wiring, find_faces().files),
        addresses=alpha.ADDRESSES,
        line=("bits", "parity"),
    ),
    "modbus-strip": StateEntry(
        kind="strip",
        about="LED strips and digit modules that are Modbus slaves (RTU or TCP), by a map of their registers",
        schemes=("tcp", "serial"),
        options=RegisterOptions,
        make=register_map.make,
        addresses=register_map.ADDRESSES,
    ),
    "template": StateEntry(
        kind="strip",
        about="LED strips of any maker whose frame is written down in the options",
        schemes=("tcp", "serial"),
        options=TemplateOptions,
        make=template.make,
        addresses=lambda options: options.addresses if options else ANY_ADDRESS,
    ),
    "ff68": StateEntry(
        kind="keypad",
        about="FF 68 call pads (21 keys) and rating pads, several on one line by address",
        schemes=("tcp", "serial"),
        options=PadOptions,
        make=pad.make,
    ),
    "hid-keypad": StateEntry(
        kind="keypad",
        about="USB numeric keypads as the call pad of one clerk (Linux, extra `hid`)",
        schemes=("hid",),
        options=HidPadOptions,
        make=hid_pad.make,
        stands="window",
    ),
    "button-panel": StateEntry(
        kind="panel",
        about="Panels with a button per service: keys of a keyboard (extra `hid`), or pins of a board (extra `gpio`)",
        schemes=("hid", "gpio"),
        options=PanelOptions,
        make=wired.make,
        stands="kiosk",
    ),
    "modbus-panel": StateEntry(
        kind="panel",
        about="Panels with a button per service behind a Modbus module (RTU or TCP), lamps and buzzer on its coils",
        schemes=("tcp", "serial"),
        options=ModbusPanelOptions,
        make=modbus_panel.make,
        stands="kiosk",
    ),
    "sam-v": StateEntry(
        kind="idcard",
        about="Identity card readers with a SAM_V module: citizens, foreign and HK/Macao/Taiwan residents",
        schemes=("serial", "tcp"),
        options=ReaderOptions,
        make=reader.make,
        line=("baud",),
        stands="kiosk",
    ),
    "scanner": StateEntry(
        kind="scanner",
        about="Scanners of QR codes that send each code as a line",
        schemes=("serial", "tcp"),
        options=ScannerOptions,
        make=scanner.make,
        stands="kiosk or window",
    ),
    "hid-scanner": StateEntry(
        kind="scanner",
        about="Scanners of QR codes that type as a keyboard (Linux, extra `hid`)",
        schemes=("hid",),
        options=ScannerOptions,
        make=scanner.make,
        stands="kiosk or window",
    ),
    "speech": JobEntry(
        kind="speaker",
        about="Calls by voice (clips, piper, pyttsx3) on a sound card, a network loudspeaker or into a folder",
        schemes=("aplay", "paplay", "afplay", "winsound", "tcp", "file"),
        options=SpeakerOptions,
        make=speaker.make,
    ),
}
