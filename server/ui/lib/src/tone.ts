/** Short tones made by the browser itself: nothing to load, and quiet where no sound is allowed. */

const NOTE_S = 0.28

/** Play the notes (Hz) one after the other, so often, at a loudness of 0 to 1; between two rounds is a rest. */
export function playTones(sound: AudioContext, notes_hz: readonly number[], times: number, loudness: number): void {
  for (let n = 0; n < times * notes_hz.length; n++) {
    const begin = sound.currentTime + n * NOTE_S + Math.floor(n / notes_hz.length) * NOTE_S
    const tone = sound.createOscillator()
    const loud = sound.createGain()
    tone.frequency.value = notes_hz[n % notes_hz.length] ?? 0
    loud.gain.setValueAtTime(loudness, begin)
    loud.gain.exponentialRampToValueAtTime(0.001, begin + NOTE_S)
    tone.connect(loud).connect(sound.destination)
    tone.start(begin)
    tone.stop(begin + NOTE_S)
  }
}
