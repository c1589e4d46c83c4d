/**
 * What is read aloud at each step, for who asked for it: sentences of `prompts.json`, each of which may have a clip, and
 * the hall's own names and times, which a machine's voice reads.
 */
import { currentLanguage, Refusal, problemText, text, useI18n, type IssuedTicket, type Service } from '@jiaohao/lib'
import { computed, watch } from 'vue'
import prompts from '../../../prompts.json'
import { theKiosk } from './useKiosk'
import type { Said } from './useVoice'
import { useWords } from './useWords'

type Prompt = keyof typeof prompts.zh

export function useSpoken(): void {
  const { locale } = useI18n()
  const { step, ease, readOnly, closed, state, places, priorities, leavingIn, waitsOfService } = theKiosk()
  const { opensAt } = useWords()

  const sentences = computed(() => (locale.value in prompts ? prompts[locale.value as keyof typeof prompts] : prompts.zh))
  /** Give a sentence, its one hole filled. */
  const prompt = (key: Prompt, filling = ''): Said => ({ text: sentences.value[key].replace(/\{\w+\}/, () => filling) })
  const own = (words: string): Said[] => (words === '' ? [] : [{ text: words }])
  /** A number is said letter by letter, then as its clip or digit by digit. */
  function label(of: string): Said[] {
    const digits = of.replace(/\D/g, '')
    const letters = [...of.replace(/\d/g, '')].map((letter) => prompt('letter', letter))
    return [...letters, { ...prompt('number', digits), aloud: prompt('number', [...digits].join(' ')).text }]
  }

  function atHome(): Said[] {
    if (readOnly) return [prompt('guides')]
    if (closed.value) return [prompt('shut'), ...own(state.value?.opens_at ? opensAt(state.value.opens_at) : '')]
    return [prompt(places.value.length > 1 ? 'places' : 'choose')]
  }
  function ofTicket(ticket: IssuedTicket, printed: boolean): Said[] {
    const minutes = Math.max(1, Math.round((ticket.eta?.p50_s ?? 0) / 60))
    const turn = ticket.offline ? [prompt('offline')] : ticket.ahead === 0 ? [prompt('next')] : [prompt('ahead', String(ticket.ahead)), ...(ticket.eta ? [prompt('minutes', String(minutes))] : [])]
    return [prompt('ticket'), ...label(ticket.label), ...turn, prompt(printed ? 'takePaper' : 'noPaper')]
  }
  function ofGuide(service: Service): Said[] {
    const { materials = [], time, fee } = service.guide ?? {}
    return [prompt('service', text(service.name)), ...[...materials, time, fee].flatMap((one) => own(text(one)))]
  }
  function ofShut(service: Service): Said[] {
    const opening = waitsOfService(service).opensAt
    return [prompt('service', text(service.name)), prompt('shut'), ...own(opening ? opensAt(opening) : '')]
  }

  const said = computed<Said[]>(() => {
    const now = step.value
    switch (now.at) {
      case 'home':
        return atHome()
      case 'zone':
        return [prompt('zone', text(now.zone.name)), prompt(readOnly ? 'guides' : 'choose')]
      case 'department':
        return [...own(now.department.name), prompt(readOnly ? 'guides' : 'choose')]
      case 'guides':
        return [prompt('guides')]
      case 'search':
        return [prompt('search')]
      case 'guide':
        return ofGuide(now.service)
      case 'shut':
        return ofShut(now.service)
      case 'stops':
        return [prompt('service', text(now.service.name)), prompt('stops')]
      case 'case':
        return [prompt('case')]
      case 'priority':
        return [priorities.value.length === 1 ? prompt('question', text(priorities.value[0]?.question)) : prompt('priority')]
      case 'checkin':
        return now.problem ? own(problemText(now.problem)) : [prompt('checkIn')]
      case 'comeback':
        return now.problem ? own(problemText(now.problem)) : [prompt('comeBack')]
      case 'isback':
        return [...label(now.label), prompt('isBack'), prompt('listen')]
      case 'ticket':
        return ofTicket(now.ticket, now.printed)
      case 'trouble':
        return [prompt('trouble'), ...(now.problem instanceof Refusal ? own(problemText(now.problem)) : [])]
      default:
        return []
    }
  })
  const leaves = computed(() => leavingIn.value !== null && step.value.at !== 'ticket')
  // By its words, not by the pieces: news of the hall make new pieces of the same words.
  watch([() => JSON.stringify(said.value), ease.voice.on, () => currentLanguage()], () => void ease.voice.say(said.value))
  watch(leaves, (now) => {
    if (now) void ease.voice.say([prompt('leaving')])
  })
}
