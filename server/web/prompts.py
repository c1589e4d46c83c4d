"""What kiosks say aloud, as clips: `prompts/HALL/LANGUAGE/` of the data folder, made by `jiaohao voice prompts`.

A browser need not have a voice, and one that a visitor understands even less. The folder is looked at anew each time.
"""

import json
from pathlib import Path
from typing import Literal

from flask import Response, send_from_directory
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from server.web import wire
from server.web.asking import hall_of, operation_id, reply
from server.web.problems import Problem
from server.web.site import here

KEEP_S = 24 * 3600  # kiosks ask with the version in the address

api = APIBlueprint(
    "prompts",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="hall", description="What a hall looks like and how it stands")],
    operation_id_callback=operation_id,
)

_FILE = {"schema": {"type": "string", "format": "binary"}}


class PromptsQuery(wire.Body):
    """In which language."""

    language: Literal["zh", "en"] = "zh"


class PromptPath(wire.HallPath):
    """A clip of a hall."""

    language: Literal["zh", "en"]
    name: str


class PromptClip(wire.Answer):
    """One clip: what is said in it, the name of its file; `version` changes with the file."""

    text: str
    name: str
    version: str


class Prompts(wire.Answer):
    """What can be said; whoever wants to say something else has no clip for it."""

    clips: list[PromptClip]


@api.get("/halls/<hall>/prompts", responses={200: Prompts})
def prompts(path: wire.HallPath, query: PromptsQuery) -> Response:
    """Give what the kiosks of the hall can say with clips: `prompts/HALL/LANGUAGE/` of the data folder."""
    found = _clips(path.hall, query.language)
    clips = [PromptClip(text=text, name=file.name, version=_version(file)) for text, file in found.items()]
    return reply(Prompts(clips=clips))


@api.get(
    "/halls/<hall>/prompts/<language>/<name>",
    responses={200: {"description": "The clip, a WAV file", "content": {"audio/wav": _FILE}}},
)
def prompt(path: PromptPath) -> Response:
    """Give one clip."""
    found = next((it for it in _clips(path.hall, path.language).values() if it.name == path.name), None)
    if found is None:
        raise Problem("not_found")
    sent = send_from_directory(found.parent.resolve(), found.name, mimetype="audio/wav", max_age=KEEP_S)
    sent.cache_control.private = True
    return sent


def _clips(hall: str, language: str) -> dict[str, Path]:
    """Give text -> file; there is only what the manifest lists and lies beside it, so no name leads elsewhere."""
    hall_of(hall)
    prompts = here().prompts
    if prompts is None:
        return {}
    folder = prompts / hall / language
    try:
        listed = json.loads((folder / "manifest.json").read_bytes())["clips"].items()
        there = {it.name: it for it in folder.iterdir() if it.suffix == ".wav" and it.is_file()}
        return {text: there[name] for text, name in listed if name in there}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _version(file: Path) -> str:
    found = file.stat()
    return f"{found.st_mtime_ns:x}-{found.st_size:x}"
