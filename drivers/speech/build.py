"""Makes the folder of a rendered voice: `jiaohao voice build`. What it makes is a pack as `clips.py` reads it."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from drivers.speech import kokoro, signs, sound
from drivers.speech.clips import ORDER, BadPack, read_pack, write_manifest
from drivers.speech.engine import NoVoice, usable
from drivers.speech.render import Child, RenderedVoice, for_tickets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

KNOWN_VOICES = {
    "zf_xiaoxiao.bin": "03adb5d5e3ddd88b047954e974e651cb0a4b524c985057e5d872e962c7be1169",
    "af_heart.bin": "d583ccff3cdca2f7fae535cb998ac07e9fcb90f09737b9a41fa2734ec44a8f0b",
}
"""SHA-256 of the voices that were listened to."""


def build_pack(
    folder: Path, units: Sequence[str], voice_file: Path, *, language: str, speed: float, yao: bool
) -> Iterator[str]:
    """Render the units that are missing in a folder, give the name of each when it is there; then write the manifest.

    Raises BadPack: what was rendered so far stays, and the next run goes on. A folder of people's recordings, or of
    another voice, is refused.
    """
    voice = _installed(folder, voice_file, speed=speed, yao=yao, language=language)
    write_manifest(folder, language, ORDER, voice)
    wanted = {folder / f"{unit}.wav": unit for unit in units}
    try:
        for made in render(voice, {file: _signs(unit, language, yao=yao) for file, unit in wanted.items()}):
            yield wanted[made]
    finally:
        _, wrong = write_manifest(folder, language, ORDER, voice)
    for bad in wrong:
        raise bad


def render(voice: RenderedVoice, pieces: Mapping[Path, str]) -> Iterator[Path]:
    """Render the signs of each file that is not there yet; give its path when it is there, whole.

    Raises BadPack: what was rendered so far stays.
    """
    child: Child | None = None
    try:
        for file, said in pieces.items():
            if file.exists():
                continue
            child = child or Child(voice)
            half_done = file.with_suffix(".part")
            try:
                child.render(said, half_done, for_tickets(voice).speed if _is_ticket(file) else voice.speed)
                half_done.write_bytes(sound.write_wav(usable(half_done.read_bytes())))  # kiosks play it as it is
                half_done.replace(file)
            finally:
                half_done.unlink(missing_ok=True)
            yield file
    except NoVoice as error:
        raise BadPack(f"无法生成：{error}", f"it cannot be rendered: {error}") from error
    except OSError as error:
        raise BadPack(f"{error.filename}：{error.strerror}", f"{error.filename}: {error.strerror}") from error
    finally:
        if child is not None:
            child.kill()


def _is_ticket(file: Path) -> bool:
    return file.name.startswith("ticket-")


def known_voice(voice_file: Path, *, speed: float, yao: bool = False) -> RenderedVoice:
    """Give a voice where its file lies. Raises BadPack when it is none, or damaged."""
    try:
        content = voice_file.read_bytes()
    except OSError as error:
        zh, en = f"{error.filename}：{error.strerror}", f"{error.filename}: {error.strerror}"
        raise BadPack(zh, en) from error
    sha256 = hashlib.sha256(content).hexdigest()
    if len(content) != kokoro.VOICE_BYTES or KNOWN_VOICES.get(voice_file.name, sha256) != sha256:
        raise BadPack(
            f"{voice_file} 不是 Kokoro v1.0 的声音文件（或已损坏）",
            f"{voice_file} is not a voice of Kokoro v1.0, or it is damaged",
        )
    return RenderedVoice(file=voice_file, sha256=sha256, speed=speed, yao=yao)


def _signs(unit: str, language: str, *, yao: bool) -> str:
    try:
        return signs.of_unit(unit, language, yao=yao)
    except signs.Unsayable as error:
        raise BadPack(f"无法生成：{error}", f"it cannot be rendered: {error}") from error


def _installed(folder: Path, voice_file: Path, *, speed: float, yao: bool, language: str) -> RenderedVoice:
    """Copy the voice into the folder and give it. Raises BadPack."""
    voice = replace(known_voice(voice_file, speed=speed, yao=yao), file=folder / voice_file.name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadPack(f"{folder}：{error.strerror}", f"{folder}: {error.strerror}") from error
    if any(folder.glob("*.wav")):
        there = read_pack(folder)
        if there.voice != voice or there.language != language:
            raise BadPack(
                f"{folder} 中已有真人录音或另一种声音，请换一个文件夹",
                f"{folder} holds people's recordings or another voice: take another folder",
            )
    try:
        if voice_file.resolve() != voice.file.resolve():
            shutil.copyfile(voice_file, voice.file)
    except OSError as error:
        raise BadPack(f"{folder}：{error.strerror}", f"{folder}: {error.strerror}") from error
    return voice
