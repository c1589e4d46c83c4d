"""The job driver of a loudspeaker: chime, the call in each language, a gap, and the first language once more.

"said" means the player came to the end of the clip. Without a voice or a sound card the job fails and the register
shows the fault: silence is never reported as said.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drivers.faults import FaultCode, Health, down
from drivers.jobs import Announce, Result, ResultStatus, Say
from drivers.speech import phrases, sound
from drivers.speech.engine import NoVoice, Pyttsx3Engine
from drivers.speech.player import NotPlayed, open_player

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable

    from drivers.driver import Wiring
    from drivers.jobs import Job
    from drivers.speech.engine import Engine
    from drivers.speech.player import Player

BUSY_WITHIN_S = 1.5
"""A call that comes this soon after the last one had to wait: it is read once only, or the hall would fall behind."""
EMERGENCY_READINGS = 3
CHECK_EVERY_S = 30.0
_AFTER_CHIME_S = 0.25
_BETWEEN_LANGUAGES_S = 0.45
_BETWEEN_READINGS_S = 0.8
_TAIL_S = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeakerOptions:
    """Options of driver "speech" in DEVICES.toml.

    `rate_wpm`: words a minute; `voice_zh`, `voice_en`: an engine's voice by name instead of the usual one; `readings`:
    how often a call is read when few wait; `chime`: the two tones before it.
    """

    rate_wpm: int = 165
    voice_zh: str = ""
    voice_en: str = ""
    readings: int = 2
    chime: bool = True

    def __post_init__(self) -> None:
        """Refuse what nobody could follow. Raises ValueError "option: sentence"."""
        if not 80 <= self.rate_wpm <= 300:
            raise ValueError(f"rate_wpm: must be 80..300 words a minute, not {self.rate_wpm}")
        if not 1 <= self.readings <= 3:
            raise ValueError(f"readings: must be 1..3, not {self.readings}")


class Speaker:
    """One loudspeaker. See `drivers.driver.JobDriver`."""

    def __init__(self, engine: Engine, player: Player, options: SpeakerOptions) -> None:
        """Speak with this engine through this player."""
        self._engine = engine
        self._player = player
        self._options = options
        self._ended_s: float | None = None
        self._checked_s: float | None = None
        self._health = Health()

    def do(self, job: Job, started: Callable[[], None]) -> Result:
        """Say one call or announcement. Raises LineDown before anything could be heard."""
        match job:
            case Say():
                busy = self._ended_s is not None and time.monotonic() - self._ended_s < BUSY_WITHIN_S
                readings = 1 if busy else self._options.readings
                sentences, about = phrases.call(job.label, job.window, job.languages), f"{job.label}-{job.window}"
            case Announce():
                readings = EMERGENCY_READINGS if job.emergency else self._options.readings
                sentences, about = phrases.told(job.text, job.languages), "announcement"
            case _:
                refused = f"refused: a loudspeaker cannot do {type(job).__name__}"
                return Result(status=ResultStatus.FAILED, detail=refused)
        if not sentences:
            return Result(status=ResultStatus.FAILED, detail="refused: written in no language this loudspeaker speaks")
        try:
            spoken = [self._engine.speak(sentence, language) for language, sentence in sentences]
        except NoVoice as error:
            return self._failed(FaultCode.NO_VOICE, str(error))
        clip = mix(spoken, readings=readings, with_chime=self._options.chime)
        wav = sound.write_wav(clip, comment=" ".join(sentence for _, sentence in sentences))
        try:
            self._player.play(wav, sound.seconds(clip), about, started)
        except NotPlayed as error:
            return self._failed(FaultCode.PLAYBACK, str(error))
        self._health, self._checked_s = Health(), time.monotonic()
        self._ended_s = time.monotonic()
        return Result(status=ResultStatus.SAID)

    def check(self) -> Health:
        """Try the voice and the way to the loudspeaker, at most every half minute. Raises LineDown."""
        now_s = time.monotonic()
        if self._checked_s is not None and now_s - self._checked_s < CHECK_EVERY_S:
            return self._health
        try:
            self._engine.check()
            self._player.check()
            self._health = Health()
        except NoVoice as error:
            self._health = down(FaultCode.NO_VOICE, str(error))
        except NotPlayed as error:
            self._health = down(FaultCode.PLAYBACK, str(error))
        self._checked_s = now_s
        return self._health

    def close(self) -> None:
        """End what is playing."""
        self._player.close()

    def _failed(self, code: FaultCode, detail: str) -> Result:
        self._health, self._checked_s = down(code, detail), time.monotonic()
        return Result(status=ResultStatus.FAILED, detail=f"{code}: {detail}")


def make(wiring: Wiring[SpeakerOptions]) -> Speaker:
    """Give the driver for one `[[device]]` of DEVICES.toml. Raises ValueError for a bad address."""
    options = wiring.options
    voices = {language: voice for language, voice in (("zh", options.voice_zh), ("en", options.voice_en)) if voice}
    engine = Pyttsx3Engine(wiring.data_dir / "speech", rate_wpm=options.rate_wpm, voices=voices)
    return Speaker(engine, open_player(wiring.url), options)


def mix(spoken: list[array[int]], *, readings: int, with_chime: bool) -> array[int]:
    """Give the whole call: chime, each language once, then the first language again for each further reading.

    All languages twice would take 18 s, and a hall of 29 windows would fall behind.
    """
    parts = [sound.chime(), sound.silence(_AFTER_CHIME_S)] if with_chime else []
    for place, samples in enumerate(spoken):
        parts += [sound.silence(_BETWEEN_LANGUAGES_S)] * (place > 0) + [samples]
    for _ in range(readings - 1):
        parts += [sound.silence(_BETWEEN_READINGS_S), spoken[0]]
    return sound.join([*parts, sound.silence(_TAIL_S)])
