/** Two languages at once: the screen's own and the hall's other one. */
import { currentLanguage, keepTo, useI18n, type Text } from '@jiaohao/lib'
import { computed, watchEffect, type ComputedRef } from 'vue'

export interface Both {
  /** The other language, null where the hall has one only. */
  other: ComputedRef<string | null>
  /** A message in the other language, '' where there is none. */
  also: (key: string, values?: Record<string, unknown>) => string
  /** A name in the other language, '' where there is none or where it says the same. */
  alsoText: (name: Text | null | undefined, shown: string) => string
}

export function useBoth(languages: () => readonly string[] | undefined): Both {
  const { t, availableLocales } = useI18n()
  watchEffect(() => keepTo(languages() ?? []))
  const other = computed(
    () => (languages() ?? []).find((one) => one !== currentLanguage() && availableLocales.includes(one)) ?? null,
  )
  return {
    other,
    also: (key, values = {}) => (other.value === null ? '' : t(key, values, { locale: other.value })),
    alsoText(name, shown) {
      const words = other.value === null ? undefined : name?.[other.value]
      return words === undefined || words === shown ? '' : words
    },
  }
}
