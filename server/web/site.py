"""What the doors are built on: halls, accounts, register, hosts, pages. Made once by a main and passed in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, cast

from flask import Flask, current_app

from server.domain.terms import HallId
from server.hall import Hall
from server.people import People
from server.projections.report import Counts
from server.projections.waits import Waits
from server.register import Register
from server.replay import Replays
from server.settings import Seed
from server.trail import Trail
from server.web.buckets import (
    AUDIT_BURST,
    AUDIT_PER_S,
    BOOK_BURST,
    BOOK_PER_S,
    ISSUE_BURST,
    ISSUE_PER_S,
    LOGIN_BURST,
    LOGIN_PER_S,
    LOOK_BURST,
    LOOK_PER_S,
    VISITOR_BURST,
    VISITOR_PER_S,
    Buckets,
)
from server.web.doors import Doors
from server.web.history import History
from server.web.presence import Presence
from server.web.presented import Presented

EXTENSION = "jiaohao"

Check = Callable[[], str | None]  # None: all is well; otherwise what is wrong, in one sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFolders:
    """Where the built pages lie."""

    server: Path
    kiosk: Path
    display: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One server with its halls.

    `checks` and `has_reserve` are asked by `/readyz`; `dev` opens reading on loopback; `drill`: 演练.

    `photos`, `media` and `prompts` are the folders of the clerks' photos, of what boards show beside their calls and of
    what kiosks say; they need not be there. `counts` are those of days that are over, by hall, digest of the plan they
    were counted by, and day. `folder` is where the indexes of audits are kept; without one they are in memory.
    """

    halls: Mapping[HallId, Hall]
    people: People
    register: Register
    doors: Doors
    pages: PageFolders
    folder: Path | None = None
    photos: Path | None = None
    media: Path | None = None
    prompts: Path | None = None
    checks: Mapping[str, Check] = field(default_factory=dict)
    has_reserve: Callable[[], bool] = lambda: True
    dev: bool = False
    drill: bool = False
    histories: dict[HallId, History] = field(default_factory=dict)
    waits: dict[HallId, Waits] = field(default_factory=dict)
    trails: dict[HallId, Trail] = field(default_factory=dict)
    replays: Replays = field(default_factory=Replays)
    counts: dict[tuple[HallId, str, str], Counts] = field(default_factory=dict)
    presence: Presence = field(default_factory=Presence)
    presented: Presented = field(default_factory=Presented)
    seeds: Mapping[HallId, Seed] = field(default_factory=dict)
    offload: Callable[[Callable[[], Any]], Any] = lambda work: work()
    posts: Lock = field(default_factory=Lock)  # held while somebody begins work at a window
    presses: Buckets = field(default_factory=lambda: Buckets(ISSUE_BURST, ISSUE_PER_S))
    audit_lines: Buckets = field(default_factory=lambda: Buckets(AUDIT_BURST, AUDIT_PER_S))
    looks: Buckets = field(default_factory=lambda: Buckets(LOOK_BURST, LOOK_PER_S))
    bookings: Buckets = field(default_factory=lambda: Buckets(BOOK_BURST, BOOK_PER_S))
    bookings_of_one: Buckets = field(default_factory=lambda: Buckets(VISITOR_BURST, VISITOR_PER_S))
    sign_ins: Buckets = field(default_factory=lambda: Buckets(LOGIN_BURST, LOGIN_PER_S))

    def waits_of(self, hall: HallId) -> Waits:
        """Give what keeps the outlook of a hall."""
        return self.waits.setdefault(hall, Waits())

    @property
    def only_hall(self) -> HallId | None:
        """Give the hall when there is one only."""
        return next(iter(self.halls)) if len(self.halls) == 1 else None


def attach(app: Flask, site: Site) -> None:
    """Make the site known to the app."""
    app.extensions[EXTENSION] = site


def here() -> Site:
    """Give the site of the app that answers now."""
    return cast(Site, current_app.extensions[EXTENSION])
