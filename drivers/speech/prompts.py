"""What a kiosk says aloud, as clips: its fixed words with the hall's names and numbers put in. Pure.

A folder of prompts holds one WAV per text and a manifest, as the server gives it to the kiosk page:

    manifest.json   {"schema": 1, "language": "zh", "clips": {"前面等候 3 人。": "5f0c31aa90be.wav", ...}}

The page says a list of such texts. The words come from `kiosk/prompts.json`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from typing import TYPE_CHECKING, Final

from drivers.speech import phrases_zh, signs
from drivers.speech.clips import MANIFEST, BadPack, described

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

MOST_AHEAD: Final = 60
"""`{n}` runs from 0 to this; more people, or minutes, are told by the browser's voice."""

_HOLE = re.compile(r"\{([a-z]+)\}")


def texts(templates: Iterable[str], values: Mapping[str, Sequence[str]]) -> list[str]:
    """Give every text that the templates make, `{n}` and the like filled with each of its values.

    Raises ValueError for a template with two holes, or one that nothing fills.
    """
    found: list[str] = []
    for template in templates:
        holes = _HOLE.findall(template)
        if len(holes) > 1 or not set(holes) <= set(values):
            raise ValueError(f"{template!r}: at most one of {', '.join(f'{{{name}}}' for name in sorted(values))}")
        found += [template.replace(f"{{{holes[0]}}}", each) for each in values[holes[0]]] if holes else [template]
    return list(dict.fromkeys(found))


def signs_of(text: str, *, yao: bool = False) -> str:
    """Give how a voice is told to say a Chinese text; 012号 is a ticket, read digit by digit. Raises Unsayable."""
    if re.fullmatch(r"[A-Z]", text):
        return signs.of_unit(f"letter-{text}", "zh")
    ticket = re.fullmatch(r"(\d{3,4})号", text)
    if ticket is not None:
        return signs.of_unit(f"number-{ticket[1]}", "zh", yao=yao)
    said = signs.of_sentence(text, "zh")
    return said if said[-1:] in set(",.?") else f"{said}."


def file_of(text: str) -> str:
    """Give the name of the file of a text."""
    return f"{hashlib.sha256(text.encode()).hexdigest()[:12]}.wav"


def write_manifest(folder: Path, language: str, wanted: Iterable[str]) -> tuple[int, list[BadPack]]:
    """Describe the recordings that lie in a folder. The manifest is written whole or not at all.

    Gives how many were taken and what is wrong with the others. Raises BadPack when the folder cannot be used.
    """
    clips: dict[str, str] = {}
    wrong: list[BadPack] = []
    half_done = folder / f".{MANIFEST}.{os.getpid()}"
    try:
        for text in wanted:
            path = folder / file_of(text)
            if path.exists():
                try:
                    described(path)
                    clips[text] = path.name
                except BadPack as bad:
                    wrong.append(bad)
        manifest = {"schema": 1, "language": language, "clips": clips}
        try:
            half_done.write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
            half_done.replace(folder / MANIFEST)
        finally:
            half_done.unlink(missing_ok=True)
    except OSError as error:
        raise BadPack(f"{folder}：{error.strerror}", f"{folder}: {error.strerror}") from error
    return len(clips), wrong


def to_record(text: str, *, yao: bool = False) -> str:
    """Give a text as people read it aloud: 012号 is 零一二号."""
    ticket = re.fullmatch(r"(\d{3,4})号", text)
    return text if ticket is None else f"{phrases_zh.ticket(ticket[1], phrases_zh.YAO if yao else phrases_zh.ONE)}号"
