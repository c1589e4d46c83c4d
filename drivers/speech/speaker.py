"""The job driver of a loudspeaker: chime, the call in each language, a gap, and the first language once more.

"said" means the player came to the end of the clip. Without a sound card the job fails; without a voice for the first
language the chime alone is heard, so that people look at the board, and the job fails too. The register shows both
faults: silence is never reported as said. In quiet hours calls are dropped; an emergency is spoken always, and loudly.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from drivers.daytimes import is_time, level_at
from drivers.driver import BadOptions, OptionProblem, wall_clock
from drivers.faults import Fault, FaultCode, Health, HealthStatus, LineDown, down
from drivers.jobs import Announce, Result, ResultStatus, Say
from drivers.speech import phrases, sound
from drivers.speech.clips import ClipsEngine
from drivers.speech.engine import Chain, NoVoice
from drivers.speech.machine import Pyttsx3Engine
from drivers.speech.piper import PiperEngine
from drivers.speech.player import NotPlayed, open_player
from drivers.speech.render import renderer_of

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable
    from datetime import datetime

    from drivers.driver import Wiring
    from drivers.jobs import Job, Upcoming
    from drivers.speech.engine import Engine
    from drivers.speech.phrases import Line
    from drivers.speech.player import Player

    _Spoken = tuple[list[array[int]], list[Line], list[str]]

BUSY_WITHIN_S = 1.5
"""A call that comes this soon after the last one had to wait: it is read once only, or the hall would fall behind."""
CROWD = 3
"""When more calls than this wait behind a call, it is read once only."""
EMERGENCY_READINGS = 3
ATTENTION_S = 1.0
"""An announcement that takes longer to make comes behind the chime alone: people look at the boards, which show it."""
CHECK_EVERY_S = 30.0
_AFTER_CHIME_S = 0.25
_BETWEEN_LANGUAGES_S = 0.45
_BETWEEN_READINGS_S = 0.8
_TAIL_S = 0.3


_ALWAYS: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeakerOptions:
    """Options of driver "speech" in DEVICES.toml.

    `clips`: folders of recordings, best first; `languages`: what this loudspeaker speaks, in turn, instead of the
    hall's languages (a dialect or a minority language that was recorded: "zh-sichuan", "ii"); `volume`: time of day
    -> percent, 0 are quiet hours; `rate_wpm`: words a minute; `voice_zh`, `voice_en`: a voice of the machine by
    name instead of the usual one; `piper_zh`, `piper_en`: a voice file (.onnx) for piper, which is then asked
    before the machine's voice; `espeak_mandarin`: let espeak-ng speak Chinese all the same; `readings`: how often a
    call is read when few wait; `chime`: the two tones before it.
    """

    clips: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    volume: Mapping[str, int] = field(default_factory=lambda: _ALWAYS)
    rate_wpm: int = 165
    voice_zh: str = ""
    voice_en: str = ""
    piper_zh: str = ""
    piper_en: str = ""
    espeak_mandarin: bool = False
    readings: int = 2
    chime: bool = True

    def __post_init__(self) -> None:
        """Refuse what nobody could follow. Raises BadOptions."""
        problems: list[OptionProblem] = []
        example = '{ "07:30" = 100, "20:00" = 0 }'
        if not 80 <= self.rate_wpm <= 300:
            zh, en = f"每分钟字数必须在 80 到 300 之间，不能是 {self.rate_wpm}", f"must be 80..300, not {self.rate_wpm}"
            problems.append(OptionProblem(option="rate_wpm", zh=zh, en=en))
        if not 1 <= self.readings <= 3:
            zh, en = f"必须在 1 到 3 之间，不能是 {self.readings}", f"must be 1..3, not {self.readings}"
            problems.append(OptionProblem(option="readings", zh=zh, en=en))
        for at, percent in self.volume.items():
            if not is_time(at):
                zh, en = f"{at!r} 不是时刻，例如 {example}", f"{at!r} is no time of day, for instance {example}"
                problems.append(OptionProblem(option="volume", zh=zh, en=en))
            if not 0 <= percent <= 100:
                zh, en = f"{at} 的音量必须在 0 到 100 之间，不能是 {percent}", f"{at}: must be 0..100, not {percent}"
                problems.append(OptionProblem(option="volume", zh=zh, en=en))
        if problems:
            raise BadOptions(problems)


class Ahead(Protocol):
    """Makes ready what may be called soon; `drivers.speech.clips.ClipsEngine` is one."""

    def prepare(self, upcoming: Upcoming) -> None:
        """Begin; must not block."""
        ...

    def close(self) -> None:
        """End what is being made."""
        ...


class Speaker:
    """One loudspeaker. See `drivers.driver.JobDriver`."""

    def __init__(
        self,
        engine: Engine,
        player: Player,
        options: SpeakerOptions,
        now: Callable[[], datetime] = wall_clock,
        ahead: Ahead | None = None,
    ) -> None:
        """Speak with this engine through this player; `now` is the hall's time of day, `ahead` makes ready."""
        self._engine = engine
        self._ahead = ahead
        self._player = player
        self._options = options
        self._now = now
        self._ended_s: float | None = None
        self._checked_s: float | None = None
        self._health = Health()
        self._languages = options.languages or ("zh",)
        self._unsaid = ""  # what of the last job nobody could say

    def do(self, job: Job, started: Callable[[], None]) -> Result:
        """Say one call or announcement. Raises LineDown before anything could be heard."""
        match job:
            case Say():
                self._languages = self._options.languages or job.languages
                readings = 1 if job.behind > CROWD or self._had_to_wait() else self._options.readings
                lines = phrases.call(job.label, job.window, self._languages, self._engine.languages(), yao=job.yao)
                about, urgent = f"{job.label}-{job.window}", False
            case Announce():
                readings = EMERGENCY_READINGS if job.emergency else self._options.readings
                lines, about, urgent = phrases.told(job.text, job.languages), "announcement", job.emergency
            case _:
                refused = f"refused: a loudspeaker cannot do {type(job).__name__}"
                return Result(status=ResultStatus.FAILED, detail=refused)
        if not lines:
            return Result(status=ResultStatus.FAILED, detail="refused: written in no language this loudspeaker speaks")
        volume = 100 if urgent else self._volume()
        if volume == 0:
            return Result(status=ResultStatus.DROPPED, detail="quiet hours of this loudspeaker")
        chime, chimed = self._chime(), False
        try:
            if isinstance(job, Announce) and chime is not None:
                making = self._making(lines)
                if not wait([making], ATTENTION_S).done:
                    self._play(mix([], readings=1, chime=chime), volume, "", about, started)
                    chime, chimed = None, True
                spoken, said, whys = making.result()
            else:
                spoken, said, whys = self._speak(lines)
            if not spoken and not self._options.chime:
                return self._failed(FaultCode.NO_VOICE, "; ".join(whys))
            if spoken or chime is not None:
                comment = " ".join(line.sentence for line in said)
                self._play(mix(spoken, readings=readings, chime=chime), volume, comment, about, started)
        except NotPlayed as error:
            return self._failed(FaultCode.PLAYBACK, str(error))
        except LineDown as error:
            if not chimed:
                raise
            return self._failed(FaultCode.PLAYBACK, f"gone after the chime: {error.why}")
        self._unsaid = "; ".join(whys)
        self._health, self._checked_s = self._of_voice(), time.monotonic()
        self._ended_s = time.monotonic()
        detail = f"{FaultCode.NO_VOICE}: {self._unsaid}" if whys else ""
        if lines[0] not in said:
            return Result(status=ResultStatus.FAILED, detail=detail)
        return Result(status=ResultStatus.SAID, detail=detail)

    def check(self) -> Health:
        """Try the voice and the way to the loudspeaker, at most every half minute. Raises LineDown."""
        now_s = time.monotonic()
        if self._checked_s is not None and now_s - self._checked_s < CHECK_EVERY_S:
            return self._health
        try:
            self._player.check()
            for language in self._languages:
                self._engine.check(language)
            self._health = self._of_voice()
        except NoVoice as error:
            self._health = _speechless(str(error))
        except NotPlayed as error:
            self._health = down(FaultCode.PLAYBACK, str(error))
        self._checked_s = now_s
        return self._health

    @property
    def prepares(self) -> bool:
        """Say whether something renders ahead."""
        return self._ahead is not None

    def prepare(self, upcoming: Upcoming) -> None:
        """Render what these calls are made of, so that it is there when they are called."""
        if self._ahead is not None:
            self._ahead.prepare(upcoming)

    def close(self) -> None:
        """End what is playing and rendering."""
        self._player.close()
        if self._ahead is not None:
            self._ahead.close()

    def _play(self, samples: array[int], volume: int, comment: str, about: str, started: Callable[[], None]) -> None:
        """Play at a volume, with the sentence in the file. Raises LineDown, NotPlayed."""
        clip = sound.scale(samples, volume)
        self._player.play(sound.write_wav(clip, comment=comment), sound.seconds(clip), about, started)

    def _had_to_wait(self) -> bool:
        return self._ended_s is not None and time.monotonic() - self._ended_s < BUSY_WITHIN_S

    def _volume(self) -> int:
        """Give the percent that holds now."""
        level = level_at(self._options.volume, self._now())
        return 100 if level is None else level

    def _making(self, lines: list[Line]) -> Future[_Spoken]:
        """Begin `_speak` in a thread that an agent which is stopping does not wait for."""
        making: Future[_Spoken] = Future()

        def make() -> None:
            try:
                making.set_result(self._speak(lines))
            except BaseException as bug:  # noqa: BLE001 - raised where the result is waited for
                making.set_exception(bug)

        threading.Thread(target=make, name="speech", daemon=True).start()
        return making

    def _speak(self, lines: list[Line]) -> _Spoken:
        """Give the samples, the lines that they say, and why the others cannot be said."""
        spoken: list[array[int]] = []
        said: list[Line] = []
        whys: list[str] = []
        for line in lines:
            try:
                spoken.append(self._engine.speak(line))
                said.append(line)
            except NoVoice as error:
                whys.append(f"{line.language}: {error}")
        return spoken, said, whys

    def _chime(self) -> array[int] | None:
        return (self._engine.chime() or sound.chime()) if self._options.chime else None

    def _of_voice(self) -> Health:
        return _speechless(self._unsaid) if self._unsaid else Health()

    def _failed(self, code: FaultCode, detail: str) -> Result:
        self._health, self._checked_s = down(code, detail), time.monotonic()
        return Result(status=ResultStatus.FAILED, detail=f"{code}: {detail}")


def make(wiring: Wiring[SpeakerOptions]) -> Speaker:
    """Give the driver for one `[[device]]` of DEVICES.toml. Raises ValueError for a bad address."""
    options, folder = wiring.options, wiring.data_dir / "speech"
    voices = {language: voice for language, voice in (("zh", options.voice_zh), ("en", options.voice_en)) if voice}
    piper = {language: voice for language, voice in (("zh", options.piper_zh), ("en", options.piper_en)) if voice}
    clips = ClipsEngine(options.clips, renderer_of(folder / "rendered"))
    own = Pyttsx3Engine(
        folder,
        rate_wpm=options.rate_wpm,
        voices=voices,
        mandarin=options.espeak_mandarin or sys.platform != "linux",
    )
    engines: list[Engine] = [clips, *([PiperEngine(folder / "piper", piper)] if piper else []), own]
    player = open_player(wiring.url)
    return Speaker(Chain(engines), player, options, wiring.now, ahead=clips if options.clips else None)


def mix(spoken: list[array[int]], *, readings: int, chime: array[int] | None) -> array[int]:
    """Give the whole call: chime, each language once, then the first language again for each further reading.

    All languages twice would take 18 s, and a hall of 29 windows would fall behind. Nothing spoken: the chime alone.
    """
    parts = [chime, sound.silence(_AFTER_CHIME_S)] if chime is not None else []
    for place, samples in enumerate(spoken):
        parts += [sound.silence(_BETWEEN_LANGUAGES_S)] * (place > 0) + [samples]
    for _ in range(readings - 1 if spoken else 0):
        parts += [sound.silence(_BETWEEN_READINGS_S), spoken[0]]
    return sound.join([*parts, sound.silence(_TAIL_S)])


def _speechless(detail: str) -> Health:
    """Give the health of a loudspeaker that plays but cannot say everything: somebody should come soon."""
    return Health(status=HealthStatus.DEGRADED, faults=(Fault(code=FaultCode.NO_VOICE, detail=detail),))
