/** Window numbers in few words. */
import { translate } from './i18n'

/** Give "1–6、8": numbers in a row become a range. Reactive inside templates. */
export function windowRange(windows: readonly string[]): string {
  const parts: [string, string][] = []
  for (const no of windows) {
    const last = parts[parts.length - 1]
    if (last !== undefined && isNumber(no) && isNumber(last[1]) && Number(no) === Number(last[1]) + 1) last[1] = no
    else parts.push([no, no])
  }
  return parts.map(([from, to]) => (from === to ? from : `${from}–${to}`)).join(translate('list.and'))
}

const isNumber = (no: string) => /^\d+$/.test(no)
