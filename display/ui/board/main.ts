/** The hall board and the zone boards. */
import { startPage } from '@jiaohao/lib'
import '../screen/screen.css'
import BoardPage from './BoardPage.vue'

startPage(BoardPage, {
  ...import.meta.glob('../screen/locales/*.json', { eager: true, import: 'default' }),
  ...import.meta.glob('./locales/*.json', { eager: true, import: 'default' }),
})
