"""Pictures and films that boards show beside their calls.

They are files that an administrator put into `media/HALL/` of the data folder, shown in the order of their names. The
folder is looked at anew each time, so what is added or taken away needs no restart.
"""

from pathlib import Path
from typing import Literal

from flask import Response, send_from_directory
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from server.web import wire
from server.web.asking import hall_of, operation_id, reply
from server.web.problems import Problem
from server.web.site import here

KINDS = {  # what they are called is what they are sent as
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
}
KEEP_S = 24 * 3600  # boards ask with the version in the address
MOST = 200  # in one folder; more is a mistake, and a long answer each minute

api = APIBlueprint(
    "media",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="hall", description="What a hall looks like and how it stands")],
    operation_id_callback=operation_id,
)

_FILE = {"schema": {"type": "string", "format": "binary"}}


class MediaPath(wire.HallPath):
    """A file of a hall's media folder."""

    name: str


class MediaItem(wire.Answer):
    """One picture or film; `version` changes with the file."""

    name: str
    kind: Literal["picture", "film"]
    version: str


class Playlist(wire.Answer):
    """What boards show, in order."""

    items: list[MediaItem]


@api.get("/halls/<hall>/media", responses={200: Playlist})
def playlist(path: wire.HallPath) -> Response:
    """Give what boards show beside their calls: the files of `media/HALL/` of the data folder, by name."""
    items = [
        MediaItem(name=it.name, kind="film" if _type(it).startswith("video") else "picture", version=_version(it))
        for it in _files(path.hall)
    ]
    return reply(Playlist(items=items))


@api.get(
    "/halls/<hall>/media/<name>",
    responses={
        200: {"description": "The file", "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}}
    },
)
def medium(path: MediaPath) -> Response:
    """Give a file of the playlist, or a range of it."""
    found = next((it for it in _files(path.hall) if it.name == path.name), None)
    if found is None:
        raise Problem("not_found")
    sent = send_from_directory(found.parent.resolve(), found.name, mimetype=_type(found), max_age=KEEP_S)
    sent.cache_control.private = True
    return sent


def _files(hall: str) -> list[Path]:
    """Give the files of a hall; there is only what is listed here, so no name leads elsewhere."""
    hall_of(hall)
    media = here().media
    try:
        found = [] if media is None else list((media / hall).iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    shown = [it for it in found if _type(it) and not it.name.startswith(".") and it.is_file()]
    return sorted(shown, key=lambda it: it.name)[:MOST]


def _type(file: Path) -> str:
    return KINDS.get(file.suffix.lower(), "")


def _version(file: Path) -> str:
    found = file.stat()
    return f"{found.st_mtime_ns:x}-{found.st_size:x}"
