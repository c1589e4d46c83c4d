/**
 * Languages of the pages: Chinese first, others by switch and remembered.
 *
 * A page has `locales/LANGUAGE.json` per language. A further language is one more file beside each `zh.json`; nothing
 * else changes. Messages are compiled without eval, as the Content-Security-Policy demands.
 */
import { computed, type ComputedRef } from 'vue'
import { createI18n, type Composer } from 'vue-i18n'
import type { Text } from './wire'

type Messages = Parameters<Composer['mergeLocaleMessage']>[1]
/** What `import.meta.glob('./locales/*.json', { eager: true, import: 'default' })` gives. */
export type LocaleFiles = Record<string, unknown>

const REMEMBERED_AS = 'jiaohao.language'
const FIRST = 'zh'

export const i18n = createI18n({
  legacy: false,
  locale: FIRST,
  fallbackLocale: FIRST,
  missingWarn: false,
  fallbackWarn: false,
})
const global = i18n.global as unknown as Composer // its type would name every message

addLocales(import.meta.glob('./locales/*.json', { eager: true, import: 'default' }))
setLanguage(new URLSearchParams(location.search).get('lang') ?? remembered() ?? FIRST, { remember: false })

/** Add a page's messages; files are named by their language. */
export function addLocales(files: LocaleFiles): void {
  for (const [path, messages] of Object.entries(files)) {
    const language = /([\w-]+)\.json$/.exec(path)?.[1]
    if (language !== undefined) global.mergeLocaleMessage(language, messages as Messages)
  }
}

/** Give the language shown now, such as "zh". */
export function currentLanguage(): string {
  return global.locale.value
}

/** Show another language; an unknown one is ignored. A kiosk does not remember what the last visitor chose. */
export function setLanguage(language: string, options: { remember?: boolean } = {}): void {
  if (!global.availableLocales.includes(language)) return
  global.locale.value = language
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : language
  if (options.remember ?? true) {
    try {
      localStorage.setItem(REMEMBERED_AS, language)
    } catch {
      // A browser without storage only forgets the choice.
    }
  }
}

/** Speak no other languages than these: a hall that has Chinese only shows no English, whatever was chosen elsewhere. */
export function keepTo(languages: readonly string[]): void {
  if (languages.length === 0 || languages.includes(currentLanguage())) return
  setLanguage(languages.find((one) => global.availableLocales.includes(one)) ?? FIRST, { remember: false })
}

/** Give a message by key; the key itself when nobody wrote the message. */
export function translate(key: string, values: Record<string, unknown> = {}): string {
  return global.t(key, values)
}

/** Give a name in the reader's language, else in Chinese. Reactive inside templates and computed values. */
export function text(name: Text | string | null | undefined): string {
  if (name === null || name === undefined) return ''
  return typeof name === 'string' ? name : (name[global.locale.value] ?? name.zh)
}

/** Give the languages that this page can show, of those the hall asks for (all when it does not say), with their own names. */
export function useLanguages(hall: () => readonly string[] | undefined): ComputedRef<{ language: string; name: string }[]> {
  return computed(() => {
    const asked = hall()
    return global.availableLocales
      .filter((language) => asked === undefined || asked.includes(language) || language === FIRST)
      .map((language) => ({ language, name: global.t('language.name', {}, { locale: language }) }))
      .sort((a, b) => Number(b.language === FIRST) - Number(a.language === FIRST))
  })
}

function remembered(): string | null {
  try {
    return localStorage.getItem(REMEMBERED_AS)
  } catch {
    return null
  }
}
