"""The hall file: what a hall is, in one TOML file that a person can read and write.

One class per table, one field per key; unknown keys are refused. Each field carries its range, its default and what it
means in English and Chinese (`Means`), from which `config.reference` draws the table in docs/hall-file.md. What one
table cannot know alone (a window naming a service that is nowhere) is checked in `config.rules`. Passwords, tokens and
personal names of staff never stand in a hall file.

Reading order: `values` (ids, names, times), then the tables: `places`, `times`, `services`, `conduct`, `tells`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from config.schema.conduct import Agency, Appointments, Fairness, Missed, Rating, Routing, Staff
from config.schema.places import Clerk, Floor, Hall, Kiosk, Tenant, Window, Zone
from config.schema.services import Guide, Priority, Service
from config.schema.tells import Notify, Speech, Ticket
from config.schema.times import Calendar, Tide, ZoneHours
from config.schema.values import (
    CLOCK_PATTERN,
    DEVICE_PATTERN,
    FLOOR_PATTERN,
    ID_PATTERN,
    LANGUAGES,
    LEGS_MAX,
    MATTER_PATTERN,
    NAME_COLUMNS,
    NUMBER_MAX,
    PHONE_PATTERN,
    PREFIX_PATTERN,
    SCHEMA,
    SENTENCE_COLUMNS,
    WEEKDAYS,
    WINDOW_PATTERN,
    WORK_ID_PATTERN,
    Means,
    Table,
    day_of,
    market_rule,
)

__all__ = [
    "CLOCK_PATTERN",
    "DEVICE_PATTERN",
    "FLOOR_PATTERN",
    "ID_PATTERN",
    "LANGUAGES",
    "LEGS_MAX",
    "MATTER_PATTERN",
    "NAME_COLUMNS",
    "NUMBER_MAX",
    "PHONE_PATTERN",
    "PREFIX_PATTERN",
    "SCHEMA",
    "SENTENCE_COLUMNS",
    "WEEKDAYS",
    "WINDOW_PATTERN",
    "WORK_ID_PATTERN",
    "Calendar",
    "Guide",
    "HallFile",
    "Means",
    "Table",
    "Tide",
    "Window",
    "Zone",
    "ZoneHours",
    "day_of",
    "market_rule",
]


class HallFile(Table):
    """The whole file."""

    meaning = Means("The hall file.", "大厅文件。")

    schema_version: Annotated[
        Literal[1], Field(alias="schema"), Means("Version of this format: 1.", "本格式的版本：1。")
    ]
    hall: Hall
    calendar: Calendar = Calendar()
    floors: Annotated[tuple[Floor, ...], Field(alias="floor", strict=False)] = ()
    tenants: Annotated[tuple[Tenant, ...], Field(alias="tenant", strict=False)] = ()
    zones: Annotated[tuple[Zone, ...], Field(alias="zone", strict=False, min_length=1)]
    services: Annotated[tuple[Service, ...], Field(alias="service", strict=False, min_length=1)]
    windows: Annotated[tuple[Window, ...], Field(alias="window", strict=False, min_length=1)]
    kiosks: Annotated[tuple[Kiosk, ...], Field(alias="kiosk", strict=False)] = ()
    priorities: Annotated[tuple[Priority, ...], Field(alias="priority", strict=False)] = ()
    missed: Missed = Missed()
    routing: Routing = Routing()
    fairness: Fairness = Fairness()
    appointments: Appointments = Appointments()
    staff: Staff = Staff()
    rating: Rating = Rating()
    agency: Agency = Agency()
    notify: Notify = Notify()
    ticket: Ticket = Ticket()
    speech: Speech = Speech()
    clerks: Annotated[tuple[Clerk, ...], Field(alias="clerk", strict=False)] = ()
