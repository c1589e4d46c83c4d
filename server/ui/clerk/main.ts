/** The clerk console: calls visitors to one window, by keys, beside the business system or on a page of its own. */
import { startPage } from '@jiaohao/lib'
import ClerkPage from './ClerkPage.vue'

startPage(ClerkPage, import.meta.glob('./locales/*.json', { eager: true, import: 'default' }))
