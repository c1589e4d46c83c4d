/** The devices page: all pretend devices of a hall, to be seen, heard, pressed and broken. */
import { startPage } from '@jiaohao/lib'
import DevicesPage from './DevicesPage.vue'

startPage(DevicesPage, import.meta.glob('./locales/*.json', { eager: true, import: 'default' }))
