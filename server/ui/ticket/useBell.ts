/**
 * A phone that rings, shakes and stays awake until its number is called.
 *
 * Browsers allow sound only after a touch, some never shake, and a screen is kept awake over HTTPS only: each is done
 * where it is allowed, all after one press. A page in the background may be put to sleep by the phone, so the visitor is
 * asked to leave it open.
 */
import { playTones } from '@jiaohao/lib'
import { onScopeDispose, ref, type Ref } from 'vue'

const NOTES_HZ = [880, 660]
const LOUDNESS = 0.5
const SHAKE_MS = [400, 200, 400, 200, 400]

export interface Bell {
  /** The visitor asked for it. */
  on: Ref<boolean>
  turnOn: () => Promise<void>
  turnOff: () => void
  /** Shake where that is allowed, and ring so often if the visitor asked for it. */
  ring: (times: number) => void
}

export function useBell(): Bell {
  const on = ref(false)
  let sound: AudioContext | undefined
  let awake: WakeLockSentinel | undefined

  function ring(times: number): void {
    const touched = !('userActivation' in navigator) || navigator.userActivation.hasBeenActive
    if (touched && 'vibrate' in navigator) navigator.vibrate(SHAKE_MS)
    if (sound === undefined || !on.value) return
    playTones(sound, NOTES_HZ, times, LOUDNESS)
  }
  async function stayAwake(): Promise<void> {
    if (!on.value || document.visibilityState !== 'visible' || !('wakeLock' in navigator)) return
    try {
      awake = await navigator.wakeLock.request('screen')
    } catch {
      // Low battery, or a browser that says no: the bell rings as long as the phone is awake.
    }
  }
  async function turnOn(): Promise<void> {
    on.value = true
    if ('AudioContext' in window) {
      sound ??= new AudioContext()
      await sound.resume().catch(() => undefined)
    }
    ring(1) // so the visitor hears what to listen for, and that it is loud enough
    await stayAwake()
  }
  function turnOff(): void {
    on.value = false
    void awake?.release()
    awake = undefined
  }
  const seen = () => void stayAwake() // a lock ends whenever the page is left
  document.addEventListener('visibilitychange', seen)
  onScopeDispose(() => {
    document.removeEventListener('visibilitychange', seen)
    turnOff()
    void sound?.close()
  })
  return { on, turnOn, turnOff, ring }
}
