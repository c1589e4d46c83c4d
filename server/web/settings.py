"""The hall's settings live: the hall file as it runs, checked and compared while somebody writes, applied as a whole.

There is one way in: a text is read by the same rules as a file (`config`), and taken over by the same command as at a
start (`PlanHall`), as a new edition with who and why. Two who write at once cannot undo each other: who applies names
the edition that was changed, and the slower one is told. By which rule file and page meet: `server.settings`.
"""

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from flask import Response, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import Field

from config import HallFile
from config.compare import Difference, differences
from config.positions import locate, spot_of
from config.problems import quoted
from config.text import plain
from server.domain import commands as c
from server.domain import events as e
from server.domain.evolve import evolve
from server.domain.records import Edition
from server.domain.settings import obstacles, taken_over
from server.domain.state import HallState
from server.domain.terms import HallPlan, PlanSource
from server.hall import Hall
from server.people import Role
from server.plan import plan_of
from server.projections.common import instant
from server.settings import effects, live, read, unlike
from server.web import wire
from server.web.asking import hall_of, operation_id, reply, run
from server.web.auth import signed_in
from server.web.history import CHUNK, first_of_day
from server.web.problems import Problem
from server.web.site import here

TEXT_LENGTH_MAX = 256 * 1024
BODY_BYTES_MAX = 1024 * 1024  # a Chinese character takes three bytes, and JSON writes quotes and line ends in two
PROBLEMS_MAX = 100
VERSION_MAX = 2**31

HallText = Annotated[str, Field(min_length=1, max_length=TEXT_LENGTH_MAX)]

api = APIBlueprint(
    "settings",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="settings", description="The hall file as it runs, changed live")],
    operation_id_callback=operation_id,
)


class SettingsText(wire.Body):
    """A whole hall file (TOML)."""

    text: HallText


class ApplySettings(SettingsText):
    """A whole hall file in the place of edition `after`; `note` says why, for those who read the editions."""

    after: Annotated[int, Field(ge=0, le=VERSION_MAX)]
    note: wire.Words = ""


class EditionPath(wire.HallPath):
    """An edition of a hall's settings."""

    version: Annotated[int, Field(ge=1, le=VERSION_MAX)]


class SettingsProblem(wire.Answer):
    """Something that is wrong at a place of the text; lines and columns count from 1, 0 is the whole text."""

    line: int
    column: int
    path: str
    code: str
    said: wire.Text
    suggestion: str | None


class SettingsDifference(wire.Answer):
    """One thing that is otherwise, in words and in parts; `live`: assigned for now, not written in any file."""

    section: str
    row: str
    row_name: dict[str, str]
    key: str
    change: Literal["added", "removed", "changed", "order"]
    before: str
    after: str
    means: wire.Text
    live: bool
    said: wire.Text


class SettingsChecked(wire.Answer):
    """What is wrong with a text; when nothing is: how it differs from what runs, and what applying it now would do.

    `version` is the edition it was compared with; `differences` are None where its text can no longer be read. While
    `refused` says something, applying is refused.
    """

    version: int
    problems: list[SettingsProblem]
    differences: list[SettingsDifference] | None
    refused: list[wire.Text]
    effects: list[wire.Text]


class SettingsEdition(wire.Answer):
    """One version of the settings: when, from the file or the page, by whom (work id and name; empty: the server)."""

    version: int
    at: wire.Instant
    source: Literal["file", "page"]
    by: str
    name: str
    note: str


class SettingsFile(wire.Answer):
    """The hall file on the server; `said` is why it is not what runs, with its text then, else None."""

    name: str
    said: wire.Text | None
    text: str | None


class Settings(wire.Answer):
    """The settings as they run: edition, text (empty: of a time before texts were kept), live changes, newest first."""

    version: int
    text: str
    live: list[SettingsDifference]
    file: SettingsFile | None
    editions: list[SettingsEdition]


class SettingsVersion(wire.Answer):
    """An edition with its text, and how the settings that run differ from it (None: it cannot be read any more)."""

    edition: SettingsEdition
    text: str
    differences: list[SettingsDifference] | None


class SettingsApplied(wire.Answer):
    """The settings are taken over."""

    version: int
    seq: int


@api.before_request
def make_room() -> None:
    """Let a hall file in where one is expected."""
    if request.endpoint in {"settings.check_settings", "settings.apply_settings"}:
        request.max_content_length = BODY_BYTES_MAX


@api.get("/halls/<hall>/settings", responses={200: Settings})
def settings(path: wire.HallPath) -> Response:
    """Give the hall's settings as they run, as the text of a hall file, and their editions."""
    hall = hall_of(path.hall)
    names = _names()
    return reply(hall.read(lambda state, _: _settings(hall, state, names)))


@api.get("/halls/<hall>/settings/<version>", responses={200: SettingsVersion})
def settings_version(path: EditionPath) -> Response:
    """Give an edition of the settings, to be read, compared and gone back to."""
    hall = hall_of(path.hall)
    editions = hall.read(lambda state, _: list(state.editions))
    edition = next((one for one in editions if one.version == path.version), None)
    if edition is None:
        raise Problem("version_not_found", version=path.version)
    text = _text_of(hall, edition)
    file, running = _said(hall, text), _said(hall, hall.read(lambda state, _: state.text))
    found = None if file is None or running is None else differences(file, running)
    answer = SettingsVersion(
        edition=_edition(edition, hall.plan, _names()),
        text=text,
        differences=None if found is None else [_difference(one) for one in found],
    )
    return reply(answer)


@api.post("/halls/<hall>/settings/check", responses={200: SettingsChecked})
def check_settings(path: wire.HallPath, body: SettingsText) -> Response:
    """Say what is wrong with a text, how it differs from what runs, and what applying it now would do."""
    hall = hall_of(path.hall)
    file, problems = _read(hall, body.text)
    before = _said(hall, hall.read(lambda state, _: state.text))
    refused: list[wire.Text] = []
    will: list[wire.Text] = []
    if file is not None:
        now_ms, plan, now = hall.now_ms(), plan_of(file), hall.freeze()
        state = now.picture().state
        refused = [{"zh": one.sentence("zh"), "en": one.sentence("en")} for one in obstacles(state, plan, now_ms)]
        if not refused:
            then = now.picture().state
            for event in taken_over(state, e.HallPlanned(plan=plan)):
                evolve(then, event, at_ms=now_ms)
            will = [dict(one) for one in effects(state, then, now_ms)]
    answer = SettingsChecked(
        version=_version(hall),
        problems=problems,
        differences=None if before is None else [_difference(one) for one in differences(before, file)] if file else [],
        refused=refused,
        effects=will,
    )
    return reply(answer)


@api.put("/halls/<hall>/settings", responses={200: SettingsApplied})
def apply_settings(path: wire.HallPath, body: ApplySettings) -> Response:
    """Take over a text as the settings of the hall, at once and as a whole, unless others were quicker."""
    hall = hall_of(path.hall)
    file, problems = _read(hall, body.text)
    if file is None:
        first = problems[0]
        raise Problem("settings_wrong", count=len(problems), line=first.line, what=first.said)
    plan = plan_of(file)
    command = c.PlanHall(
        plan=plan,
        text=plain(body.text),
        source=PlanSource.PAGE,
        by=signed_in().id,
        note=body.note,
        after=body.after,
    )
    allowed = None if signed_in().role is Role.ADMIN else partial(_check_addresses, plan)
    return reply(SettingsApplied(version=body.after + 1, seq=run(hall, command, allowed=allowed).seq))


def _check_addresses(after: HallPlan, state: HallState) -> None:
    """Leave to admins where visitors' phones are led and who is told about visitors: that leaves the building."""
    before = state.plan
    if (before.public_url, before.notify.url) != (after.public_url, after.notify.url):
        raise Problem("addresses_by_admin")


def _said(hall: Hall, text: str) -> HallFile | None:
    """Give the hall that a kept text describes, None when there is none or it cannot be read any more."""
    found: HallFile | None = here().offload(partial(read, text, _beside(hall))).hall if text else None
    return found


def _read(hall: Hall, text: str) -> tuple[HallFile | None, list[SettingsProblem]]:
    """Give the hall that a text describes, or what is wrong with it."""
    text = plain(text)
    reading = here().offload(partial(read, text, _beside(hall)))
    problems = [
        SettingsProblem(
            line=one.line,
            column=one.column,
            path=one.path,
            code=one.code,
            said={"zh": one.sentence("zh"), "en": one.sentence("en")},
            suggestion=one.suggestion,
        )
        for one in reading.problems[:PROBLEMS_MAX]
    ]
    if reading.hall is not None and reading.hall.hall.id != hall.id:
        spot = spot_of(locate(text), ("hall", "id"))
        zh = f"这里是大厅 {quoted(hall.id)}，代号不能在运行时更改。"
        en = f"This is the hall {quoted(hall.id)}; its id cannot be changed while it runs."
        said = {"zh": zh, "en": en}
        return None, [
            SettingsProblem(
                line=spot.line,
                column=spot.column,
                path="hall.id",
                code="other_hall",
                said=said,
                suggestion=quoted(hall.id),
            )
        ]
    return reading.hall, problems


def _settings(hall: Hall, state: HallState, names: dict[str, str]) -> Settings:
    file, seed = None, here().seeds.get(hall.id)
    if seed is not None:
        said = unlike(state, seed)
        file = SettingsFile(
            name=seed.path.name,
            said={"zh": said[0], "en": said[1]} if said else None,
            text=seed.text if said else None,
        )
    return Settings(
        version=state.edition.version if state.edition else 0,
        text=state.text,
        live=[_difference(one) for one in live(state)],
        file=file,
        editions=[_edition(one, state.plan, names) for one in reversed(state.editions)],
    )


def _edition(edition: Edition, plan: HallPlan, names: dict[str, str]) -> SettingsEdition:
    return SettingsEdition(
        version=edition.version,
        at=instant(plan, edition.at_ms),
        source=edition.source.value,
        by=edition.by,
        name=names.get(edition.by, ""),
        note=edition.note,
    )


def _difference(one: Difference) -> SettingsDifference:
    return SettingsDifference(
        section=one.section,
        row=one.row,
        row_name=dict(one.row_name),
        key=one.key,
        change=one.change.value,
        before=one.before,
        after=one.after,
        means=dict(one.means),
        live=one.live,
        said={"zh": one.sentence("zh"), "en": one.sentence("en")},
    )


def _text_of(hall: Hall, edition: Edition) -> str:
    """Give the text of an edition from its commit, which is looked for in its business day.

    Raises:
        ArchiveMissing: only other servers have what is so old.
    """
    after = max(0, first_of_day(hall, edition.day) - 1)
    while rows := hall.commits(after, CHUNK):
        for commit in rows:
            if commit.at_ms == edition.at_ms:
                for event in commit.events:
                    if isinstance(event, e.HallPlanned) and event.plan.digest == edition.digest:
                        return event.text
            if commit.at_ms > edition.at_ms and commit.day > edition.day:
                return ""
        after = rows[-1].seq
    return ""


def _version(hall: Hall) -> int:
    return hall.read(lambda state, _: state.edition.version if state.edition else 0)


def _beside(hall: Hall) -> Path:
    seed = here().seeds.get(hall.id)
    return seed.path if seed else Path(f"{hall.id}.toml")


def _names() -> dict[str, str]:
    return {str(user.work_id): user.name for user in here().people.users()}
