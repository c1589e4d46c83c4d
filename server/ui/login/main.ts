/** The sign-in page of everybody who works in the hall. */
import { startPage } from '@jiaohao/lib'
import LoginPage from './LoginPage.vue'

startPage(LoginPage, import.meta.glob('./locales/*.json', { eager: true, import: 'default' }))
