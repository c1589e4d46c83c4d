"""A recorded voice: a folder with one WAV per unit and a manifest, in any language or dialect.

    please.wav  letter-A.wav  number-012.wav  window-3.wav  chime.wav (if the hall wants its own)
    manifest.json   {"schema": 1, "language": "zh", "order": ["please", "letter", "number", "window"],
                     "clips": {"number-012": {"file": "number-012.wav", "sha256": "...", "rate_hz": 48000}, ...}}

`order` is how the language puts a call together. In Chinese the units are 请, A, 零一二号, 到3号窗口办理. A whole
number is one recording: joined digits are not understood. A call is only said from clips when every unit of it is there
and whole. 请, letter and number may be one recording, ticket-A012.wav, which then goes first.

A folder that `jiaohao voice build` made also names a voice, and what is missing in it is rendered on this machine when
its ticket is issued (`render.py`):

    "rendered": {"voice": "zf_xiaoxiao.bin", "sha256": "...", "speed": 0.92, "yao": false}
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from drivers.speech import phrases, signs, sound
from drivers.speech.engine import NoVoice
from drivers.speech.render import RenderedVoice, for_tickets

if TYPE_CHECKING:
    from array import array
    from collections.abc import Container, Iterable, Mapping, Sequence

    from drivers.jobs import Upcoming
    from drivers.speech.phrases import Line
    from drivers.speech.render import Renderer

MANIFEST: Final = "manifest.json"
CHIME: Final = "chime"
ORDER: Final = ("please", "letter", "number", "window")
GAP_AFTER_S: Final = {"please": 0.10, "letter": 0.15, "number": 0.25, "ticket": 0.25, "window": 0.15}
SHORTEST_S: Final = 0.08
LONGEST_S: Final = 8.0
QUIETEST_RMS: Final = 0.005
_UNIT = re.compile(
    r"please|chime|letter-[A-Z]|number-[0-9]{1,4}|ticket-[A-Z]{0,3}[0-9]{1,4}|window-[0-9A-Za-z][0-9A-Za-z-]{0,5}"
)
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{1,12})*")


class BadPack(Exception):
    """A folder or a clip cannot be used. `zh` and `en` say what to do."""

    def __init__(self, zh: str, en: str) -> None:
        """Keep the sentence in both languages."""
        super().__init__(en)
        self.zh, self.en = zh, en


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """One recording: its file in the folder, the SHA-256 of the whole file, and its sample rate."""

    file: str
    sha256: str
    rate_hz: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """A folder of recordings as its manifest describes it. `voice` renders what is missing, None where people speak."""

    folder: Path
    language: str
    order: tuple[str, ...]
    clips: Mapping[str, Clip]
    voice: RenderedVoice | None = None

    def samples(self, unit: str) -> array[int]:
        """Give one unit, trimmed and at the loudness of speech. Raises BadPack."""
        clip = self.clips.get(unit)
        if clip is None:
            raise BadPack(f"{self.folder} 中没有 {unit}", f"{unit} is not recorded in {self.folder}")
        try:
            content = (self.folder / clip.file).read_bytes()
        except OSError as error:
            raise BadPack(f"{clip.file} 读不出：{error.strerror}", f"{clip.file}: {error.strerror}") from error
        if hashlib.sha256(content).hexdigest() != clip.sha256:
            zh = f"{clip.file} 与清单不符（已改动或损坏），请用 jiaohao voice pack 重新登记"
            en = f"{clip.file} is not the file of the manifest (changed or damaged): run jiaohao voice pack again"
            raise BadPack(zh, en)
        return _usable(clip.file, content, speech=unit != CHIME)

    def join(self, units: Sequence[str], rendered: Mapping[str, array[int]] = MappingProxyType({})) -> array[int]:
        """Give a call put together in the order of the language; `rendered`: units that are not in the folder.

        Raises BadPack when a unit is missing or wrong.
        """
        ordered = sorted(units, key=lambda unit: self.order.index(_role(unit).replace("ticket", "letter")))
        parts: list[array[int]] = []
        for place, unit in enumerate(ordered):
            parts.append(rendered[unit] if unit in rendered else self.samples(unit))
            if place + 1 < len(ordered):
                parts.append(sound.silence(GAP_AFTER_S[_role(unit)]))
        return sound.join(parts)


class ClipsEngine:
    """Speaks from recorded packs, the first that has the whole call; see `drivers.speech.engine.Engine`."""

    def __init__(self, folders: Iterable[str], renderer: Renderer | None = None) -> None:
        """Use the packs in these folders, best first; they are read again when their manifest changes."""
        self._folders = tuple(Path(folder) for folder in folders)
        self._renderer = renderer
        self._read: dict[Path, tuple[tuple[int, int], Pack]] = {}

    def languages(self) -> frozenset[str]:
        """Give the languages that were recorded."""
        found: set[str] = set()
        for folder in self._folders:
            with contextlib.suppress(BadPack):
                found.add(self._pack(folder).language)
        return frozenset(found)

    def speak(self, line: Line) -> array[int]:
        """Give the call; free text where a voice can render it. Raises NoVoice with what is missing."""
        if not line.units:
            return self._free_text(line)
        whys: list[str] = []
        for folder in self._folders:
            try:
                pack = self._pack(folder)
                if pack.language == line.language:
                    return self._call(pack, line.units)
            except BadPack as error:
                whys.append(error.en)
        raise NoVoice("; ".join(whys) or f"no clips are recorded in {line.language!r}")

    def check(self, language: str) -> None:
        """Look whether there is a pack of this language. Raises NoVoice."""
        whys: list[str] = []
        for folder in self._folders:
            try:
                pack = self._pack(folder)
                if pack.language == language:
                    if pack.voice is not None and self._renderer is not None and self._renderer.trouble:
                        raise NoVoice(f"numbers are not rendered: {self._renderer.trouble}")
                    return
            except BadPack as error:
                whys.append(error.en)
        raise NoVoice("; ".join(whys) or f"no clips are recorded in {language!r}")

    def chime(self) -> array[int] | None:
        """Give the hall's own chime, None where it has none that can be used."""
        for folder in self._folders:
            with contextlib.suppress(BadPack):
                return self._pack(folder).samples(CHIME)
        return None

    def prepare(self, upcoming: Upcoming) -> None:
        """Begin to render what the calls of these tickets are made of; what is there already is left."""
        if self._renderer is None:
            return
        recorded: dict[str, set[str]] = {}  # what a better folder of the language has
        for folder in self._folders:
            with contextlib.suppress(BadPack):
                pack = self._pack(folder)
                there = recorded.setdefault(pack.language, set())
                there.update(pack.clips)
                if pack.voice is not None:
                    missing = [unit for unit in upcoming_units(upcoming, there) if unit not in there]
                    for unit, pieces in _signs(pack, missing).items():
                        self._renderer.want(_voice_for(unit, pack.voice), [pieces])

    def close(self) -> None:
        """End what is being rendered."""
        if self._renderer is not None:
            self._renderer.close()

    def _call(self, pack: Pack, units: tuple[str, ...]) -> array[int]:
        """Give a call, its ticket in one breath where that is recorded, or rendered for want of its parts.

        Raises BadPack.
        """
        whole = phrases.whole(units)
        wanted = units if whole[0] not in pack.clips and _in_parts(units, pack.clips) else whole
        rendered = self._rendered(pack, wanted)
        there = all(unit in rendered or unit in pack.clips for unit in wanted)
        return pack.join(wanted if there else units, rendered)

    def _rendered(self, pack: Pack, units: Sequence[str]) -> dict[str, array[int]]:
        """Give the units of a call that are not in the folder but were rendered."""
        if pack.voice is None or self._renderer is None:
            return {}
        found: dict[str, array[int]] = {}
        for unit, pieces in _signs(pack, [unit for unit in units if unit not in pack.clips]).items():
            samples = self._renderer.get(_voice_for(unit, pack.voice), pieces)
            if samples is not None:
                found[unit] = samples
        return found

    def _free_text(self, line: Line) -> array[int]:
        for folder in self._folders:
            with contextlib.suppress(BadPack, signs.Unsayable):
                pack = self._pack(folder)
                if pack.language == line.language and pack.voice is not None and self._renderer is not None:
                    return self._renderer.say(pack.voice, signs.of_sentence(line.sentence, line.language))
        raise NoVoice("recorded clips hold calls only, no free text")

    def _pack(self, folder: Path) -> Pack:
        try:
            status = (folder / MANIFEST).stat()
        except OSError as error:
            raise _no_manifest(folder, error) from error
        stamp = (status.st_mtime_ns, status.st_size)
        kept = self._read.get(folder)
        if kept is None or kept[0] != stamp:
            kept = self._read[folder] = (stamp, read_pack(folder))
        return kept[1]


def read_pack(folder: Path) -> Pack:
    """Read the manifest of a folder; the recordings themselves are not opened. Raises BadPack."""
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
    except OSError as error:
        raise _no_manifest(folder, error) from error
    except ValueError as error:
        raise _bad_manifest(folder, f"不是 JSON（{error}）", f"it is not JSON ({error})") from error
    if not isinstance(manifest, dict) or manifest.get("schema") != 1:
        raise _bad_manifest(folder, "schema 必须为 1", "schema must be 1")
    language, order, rows = manifest.get("language"), manifest.get("order"), manifest.get("clips")
    if not isinstance(language, str) or not _LANGUAGE.fullmatch(language):
        raise _bad_manifest(folder, 'language 应如 "zh"', 'language must look like "zh"')
    if not isinstance(order, list) or not all(isinstance(role, str) for role in order) or set(order) != set(ORDER):
        roles = ", ".join(ORDER)
        raise _bad_manifest(folder, f"order 须含 {roles}", f"order must hold {roles}")
    if len(order) != len(ORDER) or not isinstance(rows, dict):
        raise _bad_manifest(folder, "order 或 clips 不正确", "order or clips is wrong")
    clips = {unit: _clip(folder, unit, row) for unit, row in rows.items()}
    voice = _voice(folder, manifest["rendered"]) if "rendered" in manifest else None
    return Pack(folder=folder, language=language, order=tuple(order), clips=clips, voice=voice)


def upcoming_units(upcoming: Upcoming, recorded: Container[str] = ()) -> list[str]:
    """Give what calls of these tickets are made of: what all need first, then the tickets in their order.

    A ticket that is recorded in its parts needs nothing.
    """
    common = [f"window-{window}" for window in upcoming.windows]
    calls = [phrases.units(label, "") for label in upcoming.labels]
    to_make = [call for call in calls if not _in_parts(call, recorded)]
    return list(dict.fromkeys([*common, *(phrases.whole(call)[0] for call in to_make)]))


def write_manifest(
    folder: Path, language: str, order: Sequence[str] = ORDER, voice: RenderedVoice | None = None
) -> tuple[int, list[BadPack]]:
    """Describe the recordings that lie in a folder by their names; `voice` is the one that renders what is missing.

    Gives how many were taken and what is wrong with the others. The manifest is written whole or not at all.
    Raises BadPack for a wrong language or order, or a folder that cannot be used; what was there before stays.
    """
    if not _LANGUAGE.fullmatch(language):
        raise BadPack(f"语言 {language!r} 应如 zh、zh-sichuan、ii", f"language {language!r}: like zh, zh-sichuan, ii")
    if sorted(order) != sorted(ORDER):
        raise BadPack(f"顺序须为 {','.join(ORDER)} 的排列", f"the order must hold each of {','.join(ORDER)} once")
    clips: dict[str, dict[str, object]] = {}
    wrong: list[BadPack] = []
    try:
        for path in sorted(folder.iterdir()):
            if path.suffix.lower() != ".wav":
                continue
            try:
                clips[_unit_of(path)] = described(path)
            except BadPack as bad:
                wrong.append(bad)
        manifest: dict[str, object] = {"schema": 1, "language": language, "order": list(order), "clips": clips}
        voice = voice or _voice_of(folder)
        if voice is not None:
            own = {"voice": voice.file.name, "sha256": voice.sha256, "speed": voice.speed, "yao": voice.yao}
            manifest["rendered"] = own
        half_done = folder / f".{MANIFEST}.{os.getpid()}"
        try:
            half_done.write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
            half_done.replace(folder / MANIFEST)
        finally:
            half_done.unlink(missing_ok=True)
    except OSError as error:
        raise BadPack(f"{folder}：{error.strerror}", f"{folder}: {error.strerror}") from error
    return len(clips), wrong


def faults_of(pack: Pack, wanted: Iterable[str]) -> list[BadPack]:
    """Open every recording and give what is wrong with it, and which of the wanted units are missing."""
    found: list[BadPack] = []
    for unit in dict.fromkeys([*pack.clips, *wanted]):
        try:
            pack.samples(unit)
        except BadPack as bad:
            found.append(bad)
    return found


def _in_parts(units: Iterable[str], recorded: Container[str]) -> bool:
    """Say whether 请, letter and number of a call are recorded apart."""
    return all(unit in recorded for unit in units if _role(unit) != "window")


def _voice_for(unit: str, voice: RenderedVoice) -> RenderedVoice:
    return for_tickets(voice) if _role(unit) == "ticket" else voice


def _signs(pack: Pack, units: Iterable[str]) -> dict[str, str]:
    """Give the sound signs of each unit, without those that the voice cannot say."""
    found: dict[str, str] = {}
    for unit in units:
        with contextlib.suppress(signs.Unsayable):
            found[unit] = signs.of_unit(unit, pack.language, yao=pack.voice is not None and pack.voice.yao)
    return found


def _voice_of(folder: Path) -> RenderedVoice | None:
    """Give the voice that a folder names already."""
    with contextlib.suppress(BadPack):
        return read_pack(folder).voice
    return None


def _voice(folder: Path, row: object) -> RenderedVoice:
    match row:
        case {"voice": str(file), "sha256": str(sha256), "speed": float(speed), "yao": bool(yao)}:
            if Path(file).name == file and 0.5 <= speed <= 2.0:
                return RenderedVoice(file=folder / file, sha256=sha256, speed=speed, yao=yao)
        case _:
            pass
    again = "用 jiaohao voice build 重新生成", "build it again with jiaohao voice build"
    where = folder / MANIFEST
    raise BadPack(f"{where}：rendered 不正确，请{again[0]}", f"{where}: rendered is wrong; {again[1]}")


def _role(unit: str) -> str:
    return unit.partition("-")[0]


def _unit_of(path: Path) -> str:
    if not _UNIT.fullmatch(path.stem):
        example = "number-012.wav"
        raise BadPack(
            f"{path.name}：文件名不认识，应如 {example}", f"{path.name}: no unit has this name; like {example}"
        )
    return path.stem


def described(path: Path) -> dict[str, object]:
    """Give the row of a manifest for a recording. Raises BadPack when there is nothing to hear in it; OSError."""
    content = path.read_bytes()
    _usable(path.name, content, speech=path.stem != CHIME)
    return {"file": path.name, "sha256": hashlib.sha256(content).hexdigest(), "rate_hz": sound.rate_of(content)}


def _clip(folder: Path, unit: str, row: object) -> Clip:
    if not _UNIT.fullmatch(unit) or not isinstance(row, dict):
        raise _bad_manifest(folder, f"clips 中的 {unit!r} 不认识", f"clips: {unit!r} is no unit")
    file, digest, rate_hz = row.get("file"), row.get("sha256"), row.get("rate_hz")
    # A plain name: a pack from elsewhere must not read other files of this machine.
    if not isinstance(file, str) or file != Path(file).name or file in {"", ".", ".."}:
        raise _bad_manifest(folder, f"{unit} 的 file 应为文件名", f"{unit}: file must be a plain file name")
    if not isinstance(digest, str) or not isinstance(rate_hz, int):
        raise _bad_manifest(folder, f"{unit} 缺少 sha256 或 rate_hz", f"{unit}: sha256 or rate_hz is missing")
    return Clip(file=file, sha256=digest, rate_hz=rate_hz)


def _usable(name: str, content: bytes, *, speech: bool) -> array[int]:
    """Give what is to be heard in a file. Raises BadPack."""
    try:
        samples = sound.trim(sound.read_wav(content).samples)
    except sound.BadSound as error:
        zh, en = f"{name}：不是 16 位 PCM 的 WAV（{error}）", f"{name}: no WAV of 16-bit PCM ({error})"
        raise BadPack(zh, en) from error
    if sound.seconds(samples) < SHORTEST_S or sound.rms(samples) < QUIETEST_RMS:
        raise BadPack(f"{name}：几乎没有声音，请重录", f"{name}: there is nothing to hear, record it again")
    if sound.seconds(samples) > LONGEST_S:
        zh, en = f"{name}：超过 {LONGEST_S:g} 秒，请剪短", f"{name}: longer than {LONGEST_S:g} s, cut it"
        raise BadPack(zh, en)
    return sound.level(samples) if speech else sound.to_peak(samples, sound.CHIME_PEAK)


def _no_manifest(folder: Path, error: OSError) -> BadPack:
    why = error.strerror or str(error)
    zh = f"{folder / MANIFEST} 读不出（{why}），请用 jiaohao voice pack 登记录音"
    return BadPack(zh, f"{folder / MANIFEST} cannot be read ({why}): describe the recordings with jiaohao voice pack")


def _bad_manifest(folder: Path, zh: str, en: str) -> BadPack:
    again = "请用 jiaohao voice pack 重新登记", "write it again with jiaohao voice pack"
    return BadPack(f"{folder / MANIFEST}：{zh}，{again[0]}", f"{folder / MANIFEST}: {en}; {again[1]}")
