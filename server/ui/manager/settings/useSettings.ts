/** One person at the hall's settings: the text as it runs, what was written, what the server says of it, and applying it. */
import { api, intent, problemText, Refusal, toast, useI18n, type Settings, type SettingsChecked } from '@jiaohao/lib'
import { computed, onScopeDispose, ref, shallowRef, watch } from 'vue'

const CHECK_AFTER_MS = 600
const AGAIN_MS = 3_000

/** What was written and not applied survives a reload of the page; `after` is the edition that it changes. */
interface Draft {
  text: string
  after: number
}

/** Give an instant of the wire as people read it: day and minute in the hall's time. */
export const when = (at: string) => at.slice(0, 16).replace('T', ' ')

export function useSettings(hall: string) {
  const { t } = useI18n()
  const settings = shallowRef<Settings | null>(null)
  const written = ref('')
  const after = ref(0)
  const note = ref('')
  const checked = shallowRef<SettingsChecked | null>(null)
  const checking = ref(false)
  const applying = ref(false)
  const problem = ref('')
  const kept = `settings:${hall}`

  const isChanged = computed(() => settings.value !== null && written.value !== settings.value.text)
  /** Somebody applied an edition after the one that is being changed here. */
  const newer = computed(() => (isChanged.value && settings.value !== null && settings.value.version !== after.value ? settings.value.editions[0] ?? null : null))
  const mayApply = computed(() => isChanged.value && !checking.value && checked.value !== null && checked.value.problems.length === 0 && checked.value.refused.length === 0)

  let timer: ReturnType<typeof setTimeout> | undefined
  let asked = 0
  onScopeDispose(() => clearTimeout(timer))

  async function load(): Promise<void> {
    try {
      const found = await api.settings(hall)
      const first = settings.value === null
      const draft = first ? draftOf(kept) : null
      const untouched = !isChanged.value
      settings.value = found
      if (draft !== null && draft.text !== found.text) {
        written.value = draft.text
        after.value = draft.after
      } else if (untouched) {
        written.value = found.text
        after.value = found.version
      } else if (written.value === found.text) after.value = found.version
      problem.value = ''
      look()
    } catch (error) {
      problem.value = problemText(error)
      if (settings.value === null && !(error instanceof Refusal)) timer = setTimeout(() => void load(), AGAIN_MS)
    }
  }

  function look(): void {
    clearTimeout(timer)
    asked += 1
    if (!isChanged.value) {
      checked.value = null
      checking.value = false
      return
    }
    checking.value = true
    timer = setTimeout(() => void check(asked), CHECK_AFTER_MS)
  }
  async function check(turn: number): Promise<void> {
    try {
      const answer = await api.checkSettings(hall, written.value)
      if (turn !== asked) return
      checked.value = answer
      checking.value = false
      problem.value = ''
    } catch (error) {
      if (turn !== asked) return
      checked.value = null
      checking.value = false
      problem.value = problemText(error)
      if (!(error instanceof Refusal)) timer = setTimeout(() => void check(turn), AGAIN_MS)
    }
  }

  watch(written, (text) => {
    if (isChanged.value) keep(kept, { text, after: after.value })
    else forget(kept)
    look()
  })

  async function apply(): Promise<void> {
    if (!mayApply.value || applying.value) return
    applying.value = true
    problem.value = ''
    const sent = written.value
    try {
      const { version } = await api.applySettings(hall, { text: sent, after: after.value, note: note.value.trim() }, intent())
      toast(t('manager.settings.applied', { version }), 'good')
      note.value = ''
      // What was written meanwhile stays, as a change of what has just been applied.
      after.value = version
      if (settings.value !== null) settings.value = { ...settings.value, text: sent, version }
      if (written.value === sent) forget(kept)
      else keep(kept, { text: written.value, after: version })
      await load()
    } catch (error) {
      const said = problemText(error)
      // The slower of two: what was written stays, and is from now on a change of what the other one applied.
      await load()
      if (error instanceof Refusal && error.code === 'plan_changed' && settings.value !== null) after.value = settings.value.version
      problem.value = said
    } finally {
      applying.value = false
    }
  }

  /** Put a text into the editor: an older edition, or the file. Nothing is applied by it. */
  function take(text: string): void {
    written.value = text
  }
  function discard(): void {
    if (settings.value === null) return
    written.value = settings.value.text
    after.value = settings.value.version
  }

  void load()
  return { settings, written, note, checked, checking, applying, problem, isChanged, newer, mayApply, load, apply, take, discard }
}

function draftOf(key: string): Draft | null {
  try {
    const found = JSON.parse(sessionStorage.getItem(key) ?? 'null') as Partial<Draft> | null
    return typeof found?.text === 'string' && typeof found.after === 'number' ? { text: found.text, after: found.after } : null
  } catch {
    return null
  }
}
function keep(key: string, draft: Draft): void {
  try {
    sessionStorage.setItem(key, JSON.stringify(draft))
  } catch {
    // A browser that keeps nothing still lets one write.
  }
}
function forget(key: string): void {
  try {
    sessionStorage.removeItem(key)
  } catch {
    // As above.
  }
}
