"""Every driver the agent knows: name in DEVICES.toml -> kind, options, maker. A new one adds its line here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from drivers.driver import JobDriver, StateDriver, Wiring
from drivers.printer.thermal import EscposOptions, ThermalPrinter

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
}
