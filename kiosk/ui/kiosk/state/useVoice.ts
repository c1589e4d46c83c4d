/**
 * Reading aloud what the page asks: with the hall's clips (`prompts/` of the server's data folder), people's recordings
 * or rendered ones, else by a voice of this very machine.
 *
 * A browser may offer voices that live in a cloud: those are never used. With neither nothing is offered.
 */
import { api, useI18n, type Hall } from '@jiaohao/lib'
import { computed, onScopeDispose, ref, shallowRef, watch, type Ref } from 'vue'

/** A little slower than a news reader. */
const RATE = 0.9

/** A piece of what is said. `text` is how its clip is named; `aloud` how a machine's voice reads it, where that differs. */
export interface Said {
  text: string
  aloud?: string
}

export function useVoice(hall: Readonly<Ref<Hall | null>>) {
  const { locale } = useI18n({ useScope: 'global' })
  const on = ref(false)

  // ---------------------------------------------------------------- the hall's clips

  /** Address of each clip by its text. */
  const clips = shallowRef<ReadonlyMap<string, string>>(new Map())
  watch([hall, locale], () => void lookForClips(), { immediate: true })
  async function lookForClips(): Promise<void> {
    const [here, language] = [hall.value?.hall, locale.value]
    if (here === undefined) return
    let found: [string, string][] = []
    if (language === 'zh' || language === 'en') {
      const folder = `/api/v1/halls/${encodeURIComponent(here)}/prompts/${language}`
      try {
        const listed = await api.prompts(here, language)
        found = listed.clips.map((one) => [one.text, `${folder}/${encodeURIComponent(one.name)}?v=${one.version}`])
      } catch {
        // Without the server nothing is played; the machine's own voice may be there.
      }
    }
    if (locale.value === language) clips.value = new Map(found)
  }

  const player = new Audio()
  /** Play one clip to its end; false when it cannot be played. */
  const play = (address: string) =>
    new Promise<boolean>((resolve) => {
      player.onended = () => resolve(true)
      player.onerror = () => resolve(false)
      player.src = address
      player.play().catch(() => resolve(false))
    })

  // ---------------------------------------------------------------- the machine's voice

  const synthesis = 'speechSynthesis' in window ? window.speechSynthesis : undefined
  const voices = shallowRef<SpeechSynthesisVoice[]>([])
  const look = () => (voices.value = synthesis?.getVoices() ?? [])
  look()
  synthesis?.addEventListener('voiceschanged', look) // they come late
  const voice = computed(() => voices.value.find((one) => one.localService && one.lang.toLowerCase().startsWith(locale.value)))

  function speak(words: string): void {
    if (synthesis === undefined || voice.value === undefined) return
    const utterance = new SpeechSynthesisUtterance(words)
    utterance.voice = voice.value
    utterance.lang = voice.value.lang
    utterance.rate = RATE
    synthesis.speak(utterance)
  }

  // ---------------------------------------------------------------- saying

  /** Which saying is the last: an older one ends where it is. */
  let turn = 0
  function hush(): void {
    turn += 1
    player.pause()
    synthesis?.cancel()
  }
  watch(on, (now) => {
    if (!now) hush()
  })
  onScopeDispose(() => {
    synthesis?.removeEventListener('voiceschanged', look)
    hush()
  })

  /**
   * Say it instead of what is still being said; nothing while nobody asked for it.
   *
   * One voice says all of it: the clips where each piece has one, else the machine's voice; without that, the pieces that
   * have a clip are better than silence.
   */
  async function say(pieces: readonly Said[]): Promise<void> {
    hush()
    if (!on.value || pieces.length === 0) return
    const mine = turn
    const aloud = pieces.map((one) => one.aloud ?? one.text).join(' ')
    const found = pieces.flatMap((one) => clips.value.get(one.text) ?? [])
    if (found.length < pieces.length && voice.value !== undefined) return speak(aloud)
    for (const address of found) {
      const played = await play(address)
      if (mine !== turn) return
      if (!played) return speak(aloud)
    }
  }

  return { on, say, possible: computed(() => clips.value.size > 0 || voice.value !== undefined) }
}
