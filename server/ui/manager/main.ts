/** The manager page: how the hall stands now, and what a manager may change while it runs. */
import { startPage } from '@jiaohao/lib'
import ManagerPage from './ManagerPage.vue'

startPage(ManagerPage, import.meta.glob('./locales/*.json', { eager: true, import: 'default' }))
