/** The kiosk's touch page. */
import { startPage } from '@jiaohao/lib'
import './kiosk.css'
import KioskPage from './KioskPage.vue'

startPage(KioskPage, import.meta.glob('./locales/*.json', { eager: true, import: 'default' }))
