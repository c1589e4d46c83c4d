/**
 * A zone asks this window for help (B 角): heard once, softly, and shown in the title of the page until somebody is there.
 *
 * A docked strip may lie behind the business system, where only its title is seen. The title takes turns far below
 * three times a second, and browsers play no sound before the first key or click: then the title has to do.
 */
import { playTones } from '@jiaohao/lib'
import { computed, onScopeDispose, ref, watch, type ComputedRef, type Ref } from 'vue'

const NOTES_HZ = [660, 880]
const LOUDNESS = 0.2
const TURN_MS = 1_000

/** Give what the title says now: the call for help in turns with the page's own, until a key, a click or a look. */
export function useReliefCall(zone: Ref<string | null>, words: () => string, own: () => string): ComputedRef<string> {
  const calling = ref(false)
  const turn = ref(false)
  let sound: AudioContext | undefined
  let timer: ReturnType<typeof setInterval> | undefined

  function heard(): void {
    calling.value = false
    clearInterval(timer)
  }
  function call(): void {
    heard()
    calling.value = true
    turn.value = true
    timer = setInterval(() => (turn.value = !turn.value), TURN_MS)
    const touched = 'userActivation' in navigator && navigator.userActivation.hasBeenActive
    if (!touched || !('AudioContext' in window)) return
    sound ??= new AudioContext()
    playTones(sound, NOTES_HZ, 1, LOUDNESS)
  }
  watch(zone, (now, before) => {
    if (now === null) heard()
    else if (now !== before) call()
  })
  const SIGNS = ['keydown', 'pointerdown', 'focus'] as const
  for (const sign of SIGNS) window.addEventListener(sign, heard)
  onScopeDispose(() => {
    for (const sign of SIGNS) window.removeEventListener(sign, heard)
    heard()
    void sound?.close()
  })
  return computed(() => (calling.value && turn.value ? words() : own()))
}
