/** Short messages that come and go; shown by `ToastList`. */
import { reactive, readonly } from 'vue'
import { problemText } from './http'

const SHOWN_MS = 4_500
const MOST = 3

export type ToastKind = 'good' | 'bad' | 'plain'
export interface Toast {
  id: number
  kind: ToastKind
  message: string
}

const shown = reactive<Toast[]>([])
let last = 0

/** Show a message; the oldest leaves when there are too many. */
export function toast(message: string, kind: ToastKind = 'plain'): void {
  const id = ++last
  shown.push({ id, kind, message })
  if (shown.length > MOST) shown.shift()
  setTimeout(() => dismiss(id), SHOWN_MS)
}

/** Show why something did not work. */
export function toastProblem(problem: unknown): void {
  toast(problemText(problem), 'bad')
}

export function dismiss(id: number): void {
  const place = shown.findIndex((one) => one.id === id)
  if (place >= 0) shown.splice(place, 1)
}

/** For `ToastList` only. */
export const toasts = readonly(shown)
