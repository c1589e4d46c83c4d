/**
 * What was typed at a window and not sent yet.
 *
 * It survives a reload, a crash of the browser and a restart of the server: it is kept for this tab alone
 * (sessionStorage), one draft per question and visitor. It is dropped when the hall has agreed, when the visitor has
 * left the window, when another person works here, and at sign-out. Passwords never come here.
 */
import { ref, watch, type Ref } from 'vue'

const PREFIX = 'jiaohao.drafts.'

interface Kept {
  /** The work id of who typed: nobody reads a colleague's drafts. */
  by: string
  /** The question that stands open. */
  open: unknown
  /** What stands in its fields, by question and then by the field's name. */
  fields: Record<string, Record<string, unknown>>
}

export class Drafts {
  private place: string | null = null
  private kept: Kept = { by: '', open: null, fields: {} }

  /** Begin with what this person left at this window in this tab; gives the question that stood open. */
  begin(hall: string, window: string, by: string): unknown {
    this.place = `${PREFIX}${hall}.${window}`
    this.kept = { by, open: null, fields: {} }
    try {
      const found = JSON.parse(sessionStorage.getItem(this.place) ?? 'null') as Kept | null
      if (found !== null && found.by === by) this.kept = found
    } catch {
      // A browser without storage, or what is stored is none of ours: nothing is kept over a reload.
    }
    this.store()
    return this.kept.open
  }

  /** Keep which question stands open. */
  open(question: unknown): void {
    this.kept.open = question
    this.store()
  }

  /** Give a field of a question: as it was left, else `initial`. */
  field<T>(question: string, name: string, initial: T): Ref<T> {
    const left = this.kept.fields[question]?.[name] as T | undefined
    const field = ref(left ?? initial) as Ref<T>
    watch(
      field,
      (now) => {
        const fields = (this.kept.fields[question] ??= {})
        fields[name] = now
        this.store()
      },
      { deep: true, flush: 'sync' },
    )
    return field
  }

  /** Forget a question: it was answered. */
  forget(question: string): void {
    this.kept.fields = Object.fromEntries(Object.entries(this.kept.fields).filter(([one]) => one !== question))
    this.store()
  }

  /** Forget the questions about visitors who are not here any more. */
  keepOnly(isHere: (question: string) => boolean): void {
    const left = Object.entries(this.kept.fields).filter(([one]) => isHere(one))
    if (left.length === Object.keys(this.kept.fields).length) return
    this.kept.fields = Object.fromEntries(left)
    this.store()
  }

  /** Forget everything of every window: somebody signs out, or another person takes over. */
  wipe(): void {
    this.kept = { by: '', open: null, fields: {} }
    this.place = null
    try {
      for (const key of Object.keys(sessionStorage)) if (key.startsWith(PREFIX)) sessionStorage.removeItem(key)
    } catch {
      // Without storage there is nothing to wipe.
    }
  }

  private store(): void {
    if (this.place === null) return
    try {
      sessionStorage.setItem(this.place, JSON.stringify(this.kept))
    } catch {
      // Full or forbidden: the page goes on without.
    }
  }
}
