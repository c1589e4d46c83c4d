/** The way to every page of this server. */
import { startPage } from '@jiaohao/lib'
import HomePage from './HomePage.vue'

startPage(HomePage, import.meta.glob('./locales/*.json', { eager: true, import: 'default' }))
