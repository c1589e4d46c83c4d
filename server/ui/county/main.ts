/** All halls of a server side by side: a county sees its townships. */
import { startPage } from '@jiaohao/lib'
import CountyPage from './CountyPage.vue'

// What halls are in trouble for is said in the words of the manager's page.
startPage(CountyPage, {
  ...import.meta.glob('../manager/locales/*.json', { eager: true, import: 'default' }),
  ...import.meta.glob('./locales/*.json', { eager: true, import: 'default' }),
})
