/** The kiosk's touch page. */
import { startPage } from '@jiaohao/lib'
import KioskPage from './KioskPage.vue'

startPage(KioskPage, import.meta.glob('./locales/*.json', { eager: true, import: 'default' }))
