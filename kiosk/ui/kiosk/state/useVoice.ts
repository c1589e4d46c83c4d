/**
 * Reading aloud what the page asks, by a voice of this very machine.
 *
 * A browser may offer voices that live in a cloud: those are never used. Without a voice for the language nothing is offered.
 */
import { currentLanguage } from '@jiaohao/lib'
import { computed, onScopeDispose, ref, shallowRef, watch } from 'vue'

/** A little slower than a news reader. */
const RATE = 0.9

export function useVoice() {
  const synthesis = 'speechSynthesis' in window ? window.speechSynthesis : undefined
  const voices = shallowRef<SpeechSynthesisVoice[]>([])
  const look = () => (voices.value = synthesis?.getVoices() ?? [])
  look()
  synthesis?.addEventListener('voiceschanged', look) // they come late
  onScopeDispose(() => {
    synthesis?.removeEventListener('voiceschanged', look)
    synthesis?.cancel()
  })

  const voice = computed(() => voices.value.find((one) => one.localService && one.lang.toLowerCase().startsWith(currentLanguage())))
  const on = ref(false)
  watch(on, (now) => {
    if (!now) synthesis?.cancel()
  })

  /** Say it instead of what is still being said; nothing while nobody asked for it. */
  function say(words: string): void {
    if (synthesis === undefined || !on.value || voice.value === undefined) return
    synthesis.cancel()
    const utterance = new SpeechSynthesisUtterance(words)
    utterance.voice = voice.value
    utterance.lang = voice.value.lang
    utterance.rate = RATE
    synthesis.speak(utterance)
  }

  return { on, say, possible: computed(() => voice.value !== undefined) }
}
