/** The guide desk: numbers for people without card or phone, tickets put right, appointments, cases, paper rolls. */
import { startPage } from '@jiaohao/lib'
import GuidePage from './GuidePage.vue'

// Panels that the desk shares with the manager page bring their words along.
startPage(GuidePage, {
  ...import.meta.glob('../manager/locales/*.json', { eager: true, import: 'default' }),
  ...import.meta.glob('./locales/*.json', { eager: true, import: 'default' }),
})
