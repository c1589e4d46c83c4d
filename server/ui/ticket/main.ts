/** The visitor's own page behind the QR code on the ticket. */
import { comeAsVisitor, startPage } from '@jiaohao/lib'
import TicketPage from './TicketPage.vue'

comeAsVisitor()
startPage(TicketPage, import.meta.glob('./locales/*.json', { eager: true, import: 'default' }))
