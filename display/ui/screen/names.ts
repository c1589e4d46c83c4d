/** How a window is called on the screens at it, where its number stands large anyway. */
import type { Text } from '@jiaohao/lib'

/** Give the window's name where that says more than its number, as "11号窗口" does not. */
export function ownName(name: Text | undefined, window: string): Text | null {
  if (name === undefined) return null
  return (name.zh ?? '').replace(window, '').replace(/[号窗口\s]/g, '') === '' ? null : name
}
