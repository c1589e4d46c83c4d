/** What is read aloud at each step, for who asked for it. */
import { expectedWait, problemText, text, useI18n, type IssuedTicket, type Service } from '@jiaohao/lib'
import { computed, watch } from 'vue'
import { stopsOf } from './places'
import { useHeading } from './useHeading'
import { theKiosk } from './useKiosk'
import { useWords } from './useWords'

export function useSpoken(): void {
  const { t } = useI18n()
  const { step, hall, ease, priorities, waitsOfService } = theKiosk()
  const { title, how } = useHeading()
  const { opensAt } = useWords()

  const sentences = (...said: string[]) => said.filter((one) => one !== '').join('. ')
  const spelledOut = (label: string) => [...label].join(' ')

  function ticketWords(ticket: IssuedTicket, printed: boolean): string {
    const label = spelledOut(ticket.label)
    const paper = printed ? t('kiosk.takePaper') : t('kiosk.noPaper')
    if (ticket.offline) return t('kiosk.voice.offline', { label, paper })
    const wait = ticket.ahead > 0 && ticket.eta ? `${t('kiosk.expected')} ${expectedWait(ticket.eta)}` : ''
    return t('kiosk.voice.ticket', { label, n: ticket.ahead, wait, paper })
  }
  function shutWords(service: Service): string {
    const opening = waitsOfService(service).opensAt
    return sentences(text(service.name), t('kiosk.shut.now'), opening ? opensAt(opening) : '')
  }

  const spoken = computed(() => {
    const now = step.value
    switch (now.at) {
      case 'home':
      case 'zone':
      case 'department':
      case 'guides':
        return sentences(title.value, how.value)
      case 'search':
        return t('kiosk.search.how')
      case 'guide':
        return sentences(text(now.service.name), ...(now.service.guide?.materials ?? []).map(text), text(now.service.guide?.time), text(now.service.guide?.fee))
      case 'shut':
        return shutWords(now.service)
      case 'stops':
        return t('kiosk.stopsHow', { n: stopsOf(hall.value, now.service).length })
      case 'case':
        return sentences(t('kiosk.case.title'), t('kiosk.case.how'))
      case 'priority':
        return priorities.value.length === 1 ? text(priorities.value[0]?.question) : t('kiosk.priority')
      case 'checkin':
        return t('kiosk.checkIn.title')
      case 'comeback':
        return t('kiosk.comeBack.how')
      case 'isback':
        return sentences(t('kiosk.comeBack.done', { label: spelledOut(now.label) }), t('kiosk.comeBack.listen'))
      case 'ticket':
        return ticketWords(now.ticket, now.printed)
      case 'trouble':
        return problemText(now.problem)
      default:
        return ''
    }
  })
  watch([spoken, ease.voice.on], () => {
    if (spoken.value !== '') ease.voice.say(spoken.value)
  })
}
