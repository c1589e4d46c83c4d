/** Booking by visitors themselves, and a booking behind its link. */
import { comeAsVisitor, startPage } from '@jiaohao/lib'
import BookingPage from './BookingPage.vue'

comeAsVisitor()
startPage(BookingPage, import.meta.glob('./locales/*.json', { eager: true, import: 'default' }))
