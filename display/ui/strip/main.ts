/** The small screen above one window. */
import { startPage } from '@jiaohao/lib'
import '../screen/screen.css'
import StripPage from './StripPage.vue'

startPage(StripPage, {
  ...import.meta.glob('../screen/locales/*.json', { eager: true, import: 'default' }),
  ...import.meta.glob('./locales/*.json', { eager: true, import: 'default' }),
})
