/** Start a page: styles, languages, mounting, and a last resort for bugs. */
import { createApp, type Component } from 'vue'
import { addLocales, i18n, type LocaleFiles } from './i18n'
import './tokens.css'
import './base.css'

/** Mount `root` on `#app` with the page's messages; the title follows the message `title`. */
export function startPage(root: Component, locales: LocaleFiles): void {
  addLocales(locales)
  const app = createApp(root)
  app.use(i18n)
  app.mount('#app')
}
