/**
 * The clerk console: calls visitors to one window, by keys, beside the business system or on a page of its own.
 *
 * Reading order: `ClerkPage` is what stands where. `useClerk` puts the console together: `useSeat` (who works at which
 * window), `useWindow` (the live picture; one press at a time), `useCommands` (what the hall is asked), `useAsking` with
 * `drafts` (the dialog that stands open and what was typed), `useActions` and `keys` (what each key does and when).
 * `ClerkDialogs` shows the dialog that is asked for.
 */
import { startPage } from '@jiaohao/lib'
import ClerkPage from './ClerkPage.vue'

startPage(ClerkPage, import.meta.glob('./locales/*.json', { eager: true, import: 'default' }))
