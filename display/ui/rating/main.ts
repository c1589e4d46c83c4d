/** The tablet at a window on which the visitor says how it was. */
import { startPage } from '@jiaohao/lib'
import '../screen/screen.css'
import RatingPage from './RatingPage.vue'

startPage(RatingPage, {
  ...import.meta.glob('../screen/locales/*.json', { eager: true, import: 'default' }),
  ...import.meta.glob('./locales/*.json', { eager: true, import: 'default' }),
})
