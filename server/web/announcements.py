"""What the hall tells everybody (广播): on all boards, and from all loudspeakers."""

from typing import Annotated

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import Field

from server.domain import commands as c
from server.domain import events as e
from server.projections.common import instant_or_none
from server.web import wire
from server.web.asking import hall_of, operation_id, reply, run

MINUTES_MAX = 24 * 60

api = APIBlueprint(
    "announcements",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="announcements", description="Announcements to everybody in the hall")],
    operation_id_callback=operation_id,
)


class Announce(wire.Body):
    """A text in the hall's languages, or in Chinese alone. An emergency covers the boards and is spoken first."""

    text: Annotated[dict[wire.Id, wire.Note], Field(max_length=8)] | wire.Note
    emergency: bool = False
    spoken: bool = True
    minutes: Annotated[int, Field(ge=1, le=MINUTES_MAX)] | None = None


class Announced(wire.Answer):
    """The text stands until then: `until` is None when it must be withdrawn or ends with the day."""

    text: wire.Text
    emergency: bool
    spoken: bool
    until: wire.Instant | None
    seq: int


class AnnouncementEnded(wire.Answer):
    """Nothing is announced any more."""

    seq: int


@api.post("/halls/<hall>/announcements", responses={201: Announced})
def announce_to_all(path: wire.HallPath, body: Announce) -> Response:
    """Tell everybody something, in the place of what stands there."""
    hall = hall_of(path.hall)
    text = {"zh": body.text} if isinstance(body.text, str) else body.text
    command = c.Announce(text=text, emergency=body.emergency, spoken=body.spoken, minutes=body.minutes)
    commit = run(hall, command)
    event = next(it for it in commit.events if isinstance(it, e.Announced))
    return reply(
        Announced(
            text=dict(event.text),
            emergency=event.emergency,
            spoken=event.spoken,
            until=instant_or_none(hall.plan, event.until_ms),
            seq=commit.seq,
        ),
        201,
    )


@api.post("/halls/<hall>/announcements/end", responses={200: AnnouncementEnded})
def end_announcement(path: wire.HallPath, body: wire.Nothing) -> Response:  # noqa: ARG001
    """Withdraw what is announced."""
    return reply(AnnouncementEnded(seq=run(hall_of(path.hall), c.EndAnnouncement()).seq))
